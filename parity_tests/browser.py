"""A headless Chromium, and what the tests ask of a page."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from runtimes import need

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu")


@contextmanager
def chromium() -> Iterator[Any]:
    """Start the browser with its driver; skips where one is missing, for no index has them: also in CI."""
    need("browser")
    browser = next((path for path in map(shutil.which, BROWSERS) if path), None)
    driver = shutil.which("chromedriver")
    if not browser or not driver:
        pytest.skip("these need Chromium and its driver (Debian: apt-get install chromium chromium-driver)")
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for flag in FLAGS:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    started = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    try:
        yield started
    finally:
        started.quit()


class Page:
    """A page in the browser, from a file."""

    def __init__(self, driver: Any, path: Path) -> None:
        self.driver, self.path = driver, path
        self.resize(1280)
        self.scheme("light")
        self.open()

    def open(self, fragment: str = "") -> None:
        """Load the page afresh, with a fragment."""
        self.driver.get("about:blank")
        self.driver.get_log("browser")
        self.driver.get_log("performance")
        self.driver.get(self.path.as_uri() + fragment)

    def resize(self, width: int, height: int = 900) -> None:
        """Give the window another size; a narrow one is a phone's."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    def scheme(self, name: str, media: str = "screen") -> None:
        """Choose the colour scheme "light" or "dark", and the medium."""
        features = [{"name": "prefers-color-scheme", "value": name}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": features})

    def run(self, script: str, *args: object) -> Any:
        """Return the value of an expression in the page."""
        return self.driver.execute_script(f"return {script}", *args)

    def awaited(self, script: str, seconds: float = 30) -> Any:
        """Return the value of an expression as soon as it has one."""
        from selenium.webdriver.support.ui import WebDriverWait

        return WebDriverWait(self.driver, seconds).until(lambda _: self.run(script))

    def seen(self, selector: str) -> list[Any]:
        """Return the elements that are not hidden, by a CSS selector."""
        script = (
            "[...document.querySelectorAll(arguments[0])].filter((e) => e.checkVisibility({visibilityProperty: 1}))"
        )
        return self.run(script, selector)

    def values(self, selector: str, attribute: str) -> list[str]:
        """Return an attribute of each of the elements that are not hidden."""
        return self.run("arguments[0].map((e) => e.getAttribute(arguments[1]))", self.seen(selector), attribute)

    def click(self, selector: str) -> None:
        """Click the first element of a CSS selector as a person does: it must not be covered."""
        self.driver.find_element("css selector", selector).click()

    @property
    def fragment(self) -> str:
        """The fragment of the address."""
        return self.run("location.hash")
