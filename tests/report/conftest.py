"""What the tests of all pages share: one browser, and a page that is open in it."""

import os

import pytest

from tests.report.browser import BROWSER, DRIVER, Reader, complaints, start_browser, until


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """Chromium without a window; it is missing on some machines, but never in CI."""
    if not (BROWSER.exists() and DRIVER.exists()):
        missing = f"{BROWSER} and {DRIVER} are not there"
        if os.environ.get("CUESTA_NEED_BROWSER"):
            pytest.fail(missing)
        pytest.skip(f"tests of pages in a browser: {missing}; install them and run `make test`")
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
