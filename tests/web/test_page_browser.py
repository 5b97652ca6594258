"""The page in a real browser: login, live arrival, the opened event, hostile texts, both colour schemes, a phone."""

import os
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser, Locator, Page, async_playwright, expect

from gateway import samples

if TYPE_CHECKING:
    from tests.web.conftest import AdminSite

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
HOSTILE = (
    "<script>window.hit=1</script>",
    "<img src=x onerror=window.hit=1>",
    '"><svg onload=window.hit=1>',
    "<iframe srcdoc='<script>parent.hit=1</script>'>",
    "<a href=javascript:window.hit=1>press</a>",
    "</script><script>window.hit=1</script>",
    "<style>*{display:none}</style>",
)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists() and "CI" not in os.environ, reason=f"needs Chromium at {CHROMIUM}"),
]

Open = Callable[..., Any]


class Watch:
    """What a page must never do: complain, or ask another host for anything."""

    def __init__(self, page: Page, site: "AdminSite") -> None:
        self.found: list[str] = []
        self.expected: str | None = None
        page.on("console", lambda message: self.note(message.type, message.text))
        page.on("pageerror", lambda error: self.note("error", str(error)))
        page.on("request", lambda sent: self.note_request(sent.url, site.url))

    def note_request(self, url: str, own: str) -> None:
        if not url.startswith(f"{own}/"):
            self.found.append(f"asked {url}")

    def note(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"} and not (self.expected and self.expected in text):
            self.found.append(f"{kind}: {text}")


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield started
        await started.close()


@pytest.fixture
def opened(site: "AdminSite", browser: Browser) -> Open:
    """Opens a page of its own browser context; fails the test when the page misbehaved."""

    @asynccontextmanager
    async def make(*, login: bool = True, expected: str | None = None, **how: Any) -> AsyncIterator[Page]:  # noqa: ANN401 -- playwright's own
        context = await browser.new_context(**how)
        page = await context.new_page()
        watch = Watch(page, site)
        watch.expected = expected
        if login:
            await page.goto(site.link)
            await expect(page.locator("#link")).to_have_text("live")
        yield page
        await context.close()
        assert watch.found == []

    return make


async def test_the_link_logs_in_and_is_used_up(site: "AdminSite", opened: Open) -> None:
    link = site.link
    async with opened(login=False) as page:
        await page.goto(link)
        await expect(page).to_have_url(f"{site.url}/live")
        await expect(page.locator("#link")).to_have_text("live")
    async with opened(login=False, expected="403") as stranger:
        await stranger.goto(link)
        await expect(stranger.get_by_role("alert")).to_contain_text("used already")


async def test_the_link_works_from_a_page_of_another_site(site: "AdminSite", browser: Browser) -> None:
    link = site.link

    async def elsewhere(_: web.Request) -> web.Response:
        return web.Response(
            text=f'<a id=in href="{link}">in</a> <a id=back href="{site.url}/live">back</a>', content_type="text/html"
        )

    app = web.Application()
    app.router.add_get("/", elsewhere)
    async with TestServer(app) as other:
        page = await browser.new_page()
        for press in ("#in", "#back"):
            await page.goto(f"http://localhost:{other.port}/")  # for a cookie, localhost and 127.0.0.1 are two sites
            await page.click(press)
            await expect(page.locator("#link")).to_have_text("live")
            assert page.url == f"{site.url}/live"


async def test_typing_the_token_logs_in_and_the_button_out(opened: Open, site: "AdminSite") -> None:
    async with opened(login=False, expected="403") as page:
        await page.goto(site.url)
        await page.get_by_label("Admin token").fill("wrong")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("alert")).to_have_text("That is not the token.")
        await page.get_by_label("Admin token").fill("the-admin-token-of-the-tests")
        await page.get_by_role("button", name="Log in").click()
        await expect(page.locator("#link")).to_have_text("live")
        await page.get_by_role("button", name="Log out").click()
        await expect(page.get_by_label("Admin token")).to_be_visible()


async def test_the_empty_page_says_what_to_do_and_goes_when_an_event_comes(site: "AdminSite", opened: Open) -> None:
    async with opened() as page:
        await expect(page.locator("#empty")).to_contain_text("http://127.0.0.1:8085/webhook")
        await expect(page.locator("#empty")).to_contain_text("gateway simulate")
        await site.event()
        await expect(page.locator(".row")).to_have_count(1)
        await expect(page.locator("#empty")).to_be_hidden()


async def test_an_event_appears_by_itself_with_its_results(site: "AdminSite", opened: Open) -> None:
    async with opened() as page:
        seq = await site.event()
        row = page.locator(".row")
        await expect(row).to_contain_text("Maria Cliente")
        await expect(row).to_contain_text("…0002")
        assert "5511999990002" not in await page.content()
        await site.settle(seq, "ping", text="pong", handler="ping")
        await site.settle(seq, "support", "dead", error="Boom: no")
        await site.event()

        await expect(row.locator(".result.done")).to_have_text("pingwould send")
        await expect(row.locator(".result.dead")).to_have_text("supportdead")
        await expect(row.locator(".repeats")).to_have_attribute("title", "came 2 times")
        await expect(page.locator("[data-count=duplicates] dd")).to_have_text("1")
        await expect(page.locator("[data-count=dead] dd")).to_have_text("1")


async def test_a_row_opens_beside_the_list_with_keys_redacted(site: "AdminSite", opened: Open) -> None:
    seq = await site.event(apikey="canary-A1B2C3D4E5")
    await site.settle(seq, "ping", text="pong", handler="ping")
    await site.settle(seq, "support", "dead", error='Traceback\n  File "x.py"\nBoom: down')
    async with opened() as page:
        await page.locator(".row").click()

        detail = page.get_by_role("complementary", name="Event")
        await expect(detail).to_contain_text("would send pong")
        await expect(detail).to_contain_text("(no evolution.apikey in config.yaml)")
        await expect(detail.locator(".error summary")).to_have_text("Boom: down")
        await expect(detail.locator(".tree")).to_contain_text('apikey: "[redacted]"')
        await expect(detail.locator("blockquote")).to_have_text("Olá!")
        assert "canary" not in await page.content()
        await expect(page.locator("#list")).to_be_visible()


async def test_an_open_event_follows_what_happens(site: "AdminSite", opened: Open) -> None:
    seq = await site.event()
    async with opened() as page:
        await page.locator(".row").click()
        await expect(page.locator(".story")).to_contain_text("No plugin has taken it up")
        await site.settle(seq, "ping", handler="ping")

        await expect(page.locator(".story")).to_contain_text("handler ping")


async def test_keys_are_enough(site: "AdminSite", opened: Open) -> None:
    for number in range(3):
        await site.event(nonce=number)
    async with opened() as page:
        await page.locator(".row").first.focus()
        await page.keyboard.press("ArrowDown")
        await page.keyboard.press("Enter")
        await expect(page.locator(".row").nth(1)).to_have_attribute("aria-expanded", "true")
        await expect(page.locator("#detail")).to_be_focused()
        await page.keyboard.press("Escape")
        await expect(page.locator("#detail")).to_be_hidden()
        await expect(page.locator(".row").nth(1)).to_be_focused()


async def test_hostile_text_is_text(site: "AdminSite", opened: Open) -> None:
    for nonce, text in enumerate(HOSTILE):
        document = samples.load("messages-upsert__text-private-v223")
        document["data"] |= {"pushName": text, text: text, "message": {"conversation": text}}
        seq = await site.event({**document, "instance": text}, nonce=nonce)
        await site.settle(seq, text, "dead", error=text, text=text, handler=text)
        await site.event({"event": text, "instance": text, "data": {text: text}})
    await site.load_error(HOSTILE[0], 1, HOSTILE[1])
    async with opened() as page:
        await expect(page.locator(".row")).to_have_count(2 * len(HOSTILE))
        for row in range(2 * len(HOSTILE)):
            await page.locator(".row").nth(row).click()
            text = HOSTILE[-1 - row // 2]
            await expect(page.locator(".tree .text", has_text=text[:4]).first).to_be_visible()
            assert (
                await page.locator(":is(#detail, #alerts) :is(script, img, svg, iframe, a, style, base)").count() == 0
            )

        assert await page.evaluate("window.hit") is None
        assert await page.locator("#rows *:not(li, button, time, span, small, b, em, bdi)").count() == 0
        await expect(page.locator("#alerts")).to_contain_text(HOSTILE[1])


async def test_reading_further_down_is_not_disturbed(site: "AdminSite", opened: Open) -> None:
    for number in range(60):
        await site.event(nonce=number)
    async with opened(viewport={"width": 1280, "height": 600}) as page:
        await expect(page.locator(".row")).to_have_count(60)
        await page.locator("#list").evaluate("list => { list.scrollTop = 800 }")
        await page.wait_for_function("list = document.getElementById('list'), list.scrollTop >= 799")
        row = page.locator("li[data-id='30'] .row")
        before = await top_of(row)
        for number in range(5):
            await site.event(nonce=100 + number)
        await expect(page.locator("#fresh")).to_have_text("↑ 5 new events")

        assert abs(await top_of(row) - before) < 2
        await page.locator("#fresh").click()
        await expect(page.locator("#fresh")).to_be_hidden()
        assert await page.locator("#list").evaluate("list => list.scrollTop") == 0


async def test_older_events_are_one_press_away(site: "AdminSite", opened: Open) -> None:
    for number in range(230):
        await site.event(nonce=number)
    async with opened() as page:
        while await page.locator("#older").is_visible():
            await page.locator("#older").click()
            await page.wait_for_timeout(100)

        await expect(page.locator(".row")).to_have_count(230)
        ids = await page.locator("#rows li").evaluate_all("items => items.map(item => Number(item.dataset.id))")
        assert ids == sorted(ids, reverse=True)


async def test_a_lost_connection_is_said_and_made_good(site: "AdminSite", opened: Open) -> None:
    async with opened(expected="ERR_") as page:
        await page.context.set_offline(offline=True)
        site.feed.end()
        await expect(page.locator("#link")).to_have_text("reconnecting")
        await site.event()
        await page.context.set_offline(offline=False)

        await expect(page.locator("#link")).to_have_text("live", timeout=15_000)
        await expect(page.locator(".row")).to_have_count(1)


@pytest.mark.parametrize("size", [(1440, 860), (1000, 700), (390, 800), (320, 640)])
async def test_it_fits_every_screen_in_both_schemes(site: "AdminSite", opened: Open, size: tuple[int, int]) -> None:
    for name in samples.names()[::4]:
        seq = await site.body(samples.read(name))
        await site.settle(seq, f"log_everything_{'long_' * 12}{seq}", handler="write")
    await site.event(instance="x" * 190)
    await site.load_error(f"routes/{'g' * 90}.py", 7, "SyntaxError: " + "y" * 200)
    async with opened(viewport={"width": size[0], "height": size[1]}) as page:
        await expect(page.locator(".row").first).to_contain_text("x" * 50)
        assert await page.evaluate(WIDER) is False
        await page.locator(".row").first.click()
        await expect(page.locator(".tree")).to_be_visible()

        assert await page.evaluate(WIDER) is False
        assert await page.locator("#detail").evaluate("pane => pane.scrollWidth > pane.clientWidth") is False
        assert await brightness(page) > 200
        await page.emulate_media(color_scheme="dark")
        assert await brightness(page) < 60


WIDER = "document.documentElement.scrollWidth > innerWidth"


async def top_of(row: Locator) -> float:
    top: float = await row.evaluate("row => row.getBoundingClientRect().top")
    return top


async def brightness(page: Page) -> int:
    paper = await page.locator("#detail").evaluate("pane => getComputedStyle(pane).backgroundColor")
    return int(re.findall(r"\d+", paper)[0])
