"""A browser without a window or a network, that notes what goes wrong in a page."""

import contextlib
import io
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
# WebGL without a graphics card
ARGUMENTS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
MINUTES = 180_000  # milliseconds; a processor draws, and other tests use it too


@dataclass
class Opened:
    """A page in the browser: `page` is of playwright."""

    page: object
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def picture(self) -> np.ndarray:
        """What the window shows, uint8 [height, width, 3]."""
        with Image.open(io.BytesIO(self.page.screenshot())) as shown:
            return np.asarray(shown.convert("RGB"))


@pytest.fixture(scope="module")
def chromium() -> Iterator[object]:
    """The browser, of playwright; the test is skipped without it."""
    playwright = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("no chromium in PATH; on Debian: apt-get install chromium")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@contextlib.contextmanager
def opened(browser: object, path: Path, width: int = 900, height: int = 600) -> Iterator[Opened]:
    """Open a page of the `view` command and wait until its first frame is shown."""
    page = browser.new_page(viewport={"width": width, "height": height})
    found = Opened(page)
    page.on("console", lambda m: m.type == "error" and found.errors.append(m.text))
    page.on("pageerror", lambda error: found.errors.append(str(error)))
    page.on("request", lambda request: found.requests.append(request.url))
    page.set_default_timeout(MINUTES)
    page.goto(path.resolve().as_uri())
    page.wait_for_selector("body[data-shown='0']", state="attached")
    yield found
    page.close()
