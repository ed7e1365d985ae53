"""A browser for the tests of pages: what a reader does on a page, and sees."""

import re
from pathlib import Path

BROWSER, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
OPTIONS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync "
    "--disable-background-networking --disable-component-update --force-prefers-reduced-motion "
    "--use-angle=swiftshader --enable-unsafe-swiftshader"
)
PATIENCE = 30  # seconds: the machine may be busy with other tests
HOSTILE = "</script><script>alert(1)</script>"

# The flat pictures are drawn in a plain canvas, which a browser without WebGL still has.
WITHOUT_WEBGL = (
    "const real = HTMLCanvasElement.prototype.getContext;"
    "HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {"
    "  return /webgl/.test(kind) ? null : real.call(this, kind, ...rest);"
    "}"
)


def start_browser(profile):
    """Chromium without a window, and the driver's service."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = str(BROWSER)
    for option in [*OPTIONS.split(), f"--user-data-dir={profile}"]:
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(executable_path=str(DRIVER))
    return webdriver.Chrome(options=options, service=service), service


def complaints(browser):
    """What the console holds that speaks of the page."""
    return [
        entry
        for entry in browser.get_log("browser")
        if entry["level"] in {"SEVERE", "WARNING"}
        # What Chromium says of how a driver in software draws 3-D is not about the page.
        and not re.search(r"GL Driver Message|willReadFrequently", entry["message"])
    ]


def until(browser, script):
    """Wait until a script's answer is true."""
    from selenium.webdriver.support.ui import WebDriverWait

    return WebDriverWait(browser, PATIENCE, 0.05).until(lambda _: browser.execute_script(script))


class Reader:
    """One who has a page open: keys, clicks, and what is on the screen."""

    def __init__(self, browser):
        self.browser = browser
        self.ask = browser.execute_script

    def press(self, *keys):
        from selenium.webdriver import ActionChains

        ActionChains(self.browser).send_keys(*keys).perform()

    def press_with_shift(self, key):
        from selenium.webdriver import ActionChains, Keys

        ActionChains(self.browser).key_down(Keys.SHIFT).send_keys(key).key_up(Keys.SHIFT).perform()

    def click(self, selector):
        from selenium.webdriver.common.by import By

        found = self.browser.find_element(By.CSS_SELECTOR, selector)
        self.ask("arguments[0].scrollIntoView({block: 'center'})", found)
        found.click()

    def text(self, name):
        return self.ask("return document.getElementById(arguments[0]).textContent", name)

    def number(self, name):
        return as_number(self.text(name))

    def is_hidden(self, name):
        return self.ask("return document.getElementById(arguments[0]).hidden", name)

    def until(self, script):
        return until(self.browser, script)

    def width(self):
        """How wide the page is: more than the window makes it scroll sideways."""
        return self.ask("return document.documentElement.scrollWidth")


def as_number(text):
    return float(text.replace("−", "-").replace(",", ""))
