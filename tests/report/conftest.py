"""What the tests of all pages share: one browser, and a page that is open in it."""

import os

import pytest

from tests.report.browser import BROWSER, DRIVER, Reader, complaints, start_browser, until


@pytest.hookimpl(tryfirst=True)  # before the fixtures
def pytest_runtest_setup(item):
    """Skip where there is no browser: from one place, so that the summary tells it in one line."""
    if "browser" not in item.fixturenames or (BROWSER.exists() and DRIVER.exists()):
        return
    # In CI the browser is never missing.
    leave = pytest.fail if os.environ.get("CUESTA_NEED_BROWSER") else pytest.skip
    leave(
        f"tests of pages in a browser: {BROWSER} or {DRIVER} is missing; install both (on Debian "
        "`apt-get install chromium chromium-driver`) and run `make test`"
    )


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """Chromium without a window."""
    driver, service = start_browser(tmp_path_factory.mktemp("profile"))
    yield driver
    driver.quit()
    service.stop()


@pytest.fixture
def open_page(browser, tmp_path):
    """Opens the text of a page; what the console then holds must be nothing."""

    def opened(text, width=1400):
        browser.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False},
        )
        file = tmp_path / "page.html"
        file.write_text(text, encoding="utf-8")
        browser.get_log("browser")
        browser.get(file.as_uri())
        until(browser, "return !!document.querySelector('#curve .scatterlayer')")
        return Reader(browser)

    yield opened
    browser.get("about:blank")  # nothing that is still under way may complain to the next test
    assert complaints(browser) == []
