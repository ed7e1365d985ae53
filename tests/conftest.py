"""Shared settings: strict numerics, one compilation cache for all test runs, and a browser."""

import os
from pathlib import Path

import hypothesis
import jax
import pytest

from cuesta._util.caches import use_compilation_cache

hypothesis.settings.register_profile("cuesta", deadline=None, max_examples=50, derandomize=True)
hypothesis.settings.load_profile("cuesta")
use_compilation_cache()

BROWSER, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
BROWSER_OPTIONS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync "
    "--disable-background-networking --disable-component-update --force-prefers-reduced-motion "
    "--use-angle=swiftshader --enable-unsafe-swiftshader"
)


@pytest.hookimpl(tryfirst=True)  # before `-m` reads the markers
def pytest_collection_modifyitems(items):
    """Mark the tests that ask for the browser as slow."""
    for item in items:
        if "browser" in item.fixturenames:
            item.add_marker(pytest.mark.slow("drives a browser"))


@pytest.fixture
def float64():
    """64-bit arithmetic inside one test."""
    with jax.enable_x64(True):
        yield


@pytest.fixture
def in_folder(tmp_path, monkeypatch):
    """Run the test in an empty folder of its own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """Chromium without a window; it is missing on some machines, but never in CI."""
    if not (BROWSER.exists() and DRIVER.exists()):
        missing = f"{BROWSER} and {DRIVER} are not there"
        if os.environ.get("CUESTA_NEED_BROWSER"):
            pytest.fail(missing)
        pytest.skip(f"tests of pages in a browser: {missing}; install them and run `make test`")
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = str(BROWSER)
    profile = f"--user-data-dir={tmp_path_factory.mktemp('profile')}"
    for option in [*BROWSER_OPTIONS.split(), profile]:
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(executable_path=str(DRIVER))
    driver = webdriver.Chrome(options=options, service=service)
    yield driver
    driver.quit()
    service.stop()


os.environ.setdefault("COLUMNS", "120")
