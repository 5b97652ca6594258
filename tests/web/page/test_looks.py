"""The page in both colour schemes, at every width, and as assistive technology meets it."""

import re
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]
from playwright.async_api import Page, expect

from gateway import samples
from tests.support.chromium import NEEDS, Visit

if TYPE_CHECKING:
    from tests.web.conftest import AdminSite

pytestmark = NEEDS

SIZES = [(1440, 860), (1000, 700), (390, 800), (320, 640)]
WIDER = "document.documentElement.scrollWidth > innerWidth"


@pytest.mark.parametrize("size", SIZES)
async def test_it_fits_every_screen_in_both_schemes(site: "AdminSite", opened: Visit, size: tuple[int, int]) -> None:
    for name in samples.names()[::4]:
        seq = await site.body(samples.read(name))
        await site.settle(seq, f"log_everything_{'long_' * 12}{seq}", handler="write")
    await site.event(instance="x" * 190)
    await site.load_error(f"routes/{'g' * 90}.py", 7, "SyntaxError: " + "y" * 200)
    async with opened(viewport={"width": size[0], "height": size[1]}) as page:
        await expect(page.locator(".row").first).to_contain_text("x" * 50)
        assert await page.evaluate(WIDER) is False
        await page.locator(".row").first.click()
        await expect(page.locator(".tree").first).to_be_visible()

        assert await page.evaluate(WIDER) is False
        assert await page.locator("#detail").evaluate("pane => pane.scrollWidth > pane.clientWidth") is False
        assert await brightness(page) > 200
        await page.emulate_media(color_scheme="dark")
        assert await brightness(page) < 60
        for key in "2345":
            await page.keyboard.press(key)
            await expect(page.locator(".view:visible h2")).to_be_visible()
            assert await page.evaluate(WIDER) is False
            assert await page.locator(".view:visible").evaluate("view => view.scrollWidth > view.clientWidth") is False


async def test_on_a_phone_an_event_covers_the_list_and_leads_back(site: "AdminSite", opened: Visit) -> None:
    await site.events(30)
    async with opened(viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True) as page:
        await page.locator(".row").nth(2).tap()
        await expect(page.locator("#detail")).to_be_visible()
        await expect(page.locator("#list")).to_be_hidden()
        await page.go_back()
        await expect(page.locator("#detail")).to_be_hidden()
        await page.locator(".row").nth(2).tap()
        await page.get_by_role("button", name="Close the event").tap()
        await expect(page.locator("#list")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [(1440, 900), (390, 800)])
async def test_axe_finds_nothing_serious(site: "AdminSite", opened: Visit, scheme: str, size: tuple[int, int]) -> None:
    await fill(site)
    async with opened(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme) as page:
        await expect(page.locator(".row")).not_to_have_count(0)
        await no_serious_finding(page, "the list")
        await page.locator(".row").nth(1).click()
        await expect(page.locator(".tree").first).to_be_visible()
        await page.keyboard.press("r")
        await no_serious_finding(page, "an event")
        await page.keyboard.press("Escape")
        for key in "2345":
            await page.keyboard.press(key)
            await expect(page.locator(".view:visible h2")).to_be_visible()
            await no_serious_finding(page, f"view {key}")
        await page.keyboard.press("?")
        await no_serious_finding(page, "the keys")


async def test_axe_finds_nothing_serious_at_the_door(site: "AdminSite", opened: Visit) -> None:
    async with opened(login=False, expected="401") as page:
        await page.goto(site.url)
        await no_serious_finding(page, "the login")


async def test_axe_would_find_something(opened: Visit) -> None:
    async with opened() as page:
        await page.evaluate("document.querySelector('#pause').textContent = ''")
        with pytest.raises(AssertionError, match="button-name"):
            await no_serious_finding(page, "a button without a name")


async def fill(site: "AdminSite") -> None:
    """Something in every view: plugins, instances, a code to scan, messages that wait or could not leave."""
    for name in (*samples.names()[::6], "connection-update__open-v236", "qrcode-updated__pairing-code-v236"):
        seq = await site.body(samples.read(name))
        await site.settle(seq, "log_everything", handler="write")
        await site.settle(seq, "support", "dead", handler="order", error="Traceback\nBoom: down", text="hello")
        await site.settle(seq, "ping", "skipped")
    await site.load_error("routes/broken.py", 7, "SyntaxError: invalid syntax")


async def no_serious_finding(page: Page, where: str) -> None:
    found = (await Axe().run(page)).response["violations"]
    serious = [
        f"{each['id']}: {node['html']}"
        for each in found
        if each["impact"] in {"serious", "critical"}
        for node in each["nodes"][:3]
    ]
    assert serious == [], where


async def brightness(page: Page) -> int:
    paper = await page.locator("#detail").evaluate("pane => getComputedStyle(pane).backgroundColor")
    return int(re.findall(r"\d+", paper)[0])
