"""The system's Chromium without a window, and a page in it that may not misbehave."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright

CHROMIUM: Final = Path("/usr/bin/chromium")
ARGUMENTS: Final = (
    *("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
NEEDS: Final = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists() and "CI" not in os.environ, reason=f"needs Chromium at {CHROMIUM}"),
]
"""Marks of every test in a browser."""

Visit = Callable[..., AbstractAsyncContextManager[Page]]


class Watch:
    """What a page must never do: complain, or ask another host for anything."""

    def __init__(self, own: str, expected: str | None) -> None:
        """`own` is the page's origin; complaints with `expected` in them are what the test is about."""
        self.found: list[str] = []
        self._own = own
        self._expected = expected

    def attach(self, page: Page) -> None:
        """Look at all it does from now on."""
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self._note("error", str(error)))
        page.on("request", lambda sent: self._asked(sent.url))

    def _heard(self, message: ConsoleMessage) -> None:
        self._note(message.type, message.text)

    def _asked(self, url: str) -> None:
        if not url.startswith(f"{self._own}/"):
            self.found.append(f"asked {url}")

    def _note(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"} and not (self._expected and self._expected in text):
            self.found.append(f"{kind}: {text}")


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """The browser, started and ended."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        await browser.close()


@asynccontextmanager
async def visited(
    browser: Browser,
    own: str,
    *,
    expected: str | None = None,
    **how: Any,  # noqa: ANN401 -- playwright's own
) -> AsyncIterator[Page]:
    """A page of a browser context of its own, at no address yet; fails the test when the page misbehaved."""
    context = await browser.new_context(**how)
    context.set_default_timeout(15_000)
    watch = Watch(own, expected)
    page = await context.new_page()
    watch.attach(page)
    yield page
    await context.close()
    assert watch.found == []
