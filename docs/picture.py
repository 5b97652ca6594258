"""Take the pictures of the live page from a program that runs: `make picture`, after the page has changed.

They are those in README.md and docs/page.md; with a folder as argument, every view in both colour schemes, on a desktop
and on a phone, to be looked at. It needs Chromium.
"""

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from playwright.async_api import Browser, Page, async_playwright
from shop import PAGE, TOKEN, opened_shop

IMAGES: Final = Path(__file__).parent / "images"
CHROMIUM: Final = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-sync",
    "--no-first-run",
]
DESKTOP: Final = {"width": 1280, "height": 720}
LARGE: Final = {"width": 1440, "height": 860}
PHONE: Final = {"width": 390, "height": 780}

View = Callable[[Page], Awaitable[Any]]


async def main(every: Path | None) -> None:
    """Write them."""
    with tempfile.TemporaryDirectory() as folder:
        async with opened_shop(Path(folder)), async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM)
            await (photograph_all(browser, every) if every else photograph(browser))
            await browser.close()


async def photograph(browser: Browser) -> None:
    """The four that the documents show."""
    for name, view, size, scheme in (
        ("event", failed, DESKTOP, "light"),
        ("live", events, DESKTOP, "dark"),
        ("why", why, DESKTOP, "light"),
        ("phone", events, PHONE, "light"),
    ):
        await take(browser, IMAGES / f"{name}.png", view, size, scheme)


async def photograph_all(browser: Browser, folder: Path) -> None:
    """Every view, to be looked at."""
    for view in VIEWS:
        for screen, size in (("desktop", LARGE), ("phone", PHONE)):
            for scheme in ("light", "dark"):
                await take(browser, folder / f"{view.__name__}-{screen}-{scheme}.png", view, size, scheme)


async def take(browser: Browser, file: Path, view: View, size: dict[str, int], scheme: str) -> None:
    """One picture."""
    async with page_of(browser, size, scheme) as page:
        await view(page)
        await page.mouse.move(0, 0)
        await page.screenshot(path=file)


@asynccontextmanager
async def page_of(browser: Browser, size: dict[str, int], scheme: str) -> AsyncIterator[Page]:
    """The page, logged in."""
    context = await browser.new_context(
        viewport=size, color_scheme=scheme, timezone_id="America/Sao_Paulo", locale="pt-BR", device_scale_factor=1
    )
    page = await context.new_page()
    await page.goto(PAGE)
    await page.get_by_label("Admin token").fill(TOKEN)
    await page.get_by_role("button", name="Log in").click()
    await page.locator(".row", has_text="obrigada!").first.wait_for(state="attached")
    yield page
    await context.close()


async def events(page: Page) -> None:
    """The list."""
    await page.locator("#chart rect").first.wait_for(state="attached")


async def failed(page: Page) -> None:
    """An event whose handler failed."""
    await page.get_by_text("pedido 9002", exact=True).click()
    await page.get_by_text("given up").wait_for()


async def answered(page: Page) -> None:
    """An event that was answered."""
    await page.get_by_text("pedido 1047", exact=True).click()
    await page.get_by_text("Evolution took it").wait_for()


async def why(page: Page) -> None:
    """Why no handler of a plugin took an event."""
    await page.get_by_text("abrem no domingo").click()
    await page.locator(".story li", has_text="support").get_by_role("button", name="Why?").click()
    await page.get_by_text("no handler matches").wait_for()


async def dry_run(page: Page) -> None:
    """What a replay would send."""
    await answered(page)
    await page.keyboard.press("r")
    await page.get_by_role("button", name="Dry run").click()
    await page.get_by_text("Nothing was sent or saved").wait_for()


async def dead(page: Page) -> None:
    """The dead letters."""
    await page.keyboard.press("2")
    await page.locator(".letter").first.wait_for()


async def outbox(page: Page) -> None:
    """The outbox."""
    await page.keyboard.press("3")
    await page.get_by_role("heading", name="Outbox").wait_for()


async def plugins(page: Page) -> None:
    """The plugins."""
    await page.keyboard.press("4")
    await page.get_by_role("heading", name="Plugins").wait_for()


async def instances(page: Page) -> None:
    """The instances, one of which waits to be scanned."""
    await page.keyboard.press("5")
    await page.locator(".pairing").wait_for()


VIEWS: Final = (instances, events, failed, answered, why, dry_run, dead, outbox, plugins)  # a code is good for a minute

if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]) if len(sys.argv) > 1 else None))
