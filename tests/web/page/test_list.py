"""The list in a real browser: what arrives, what is counted, what may move and what may not."""

import re
import time
from typing import TYPE_CHECKING

from playwright.async_api import Locator, Page, expect

from tests.support.chromium import NEEDS, Visit

if TYPE_CHECKING:
    from tests.web.conftest import AdminSite

pytestmark = NEEDS

LOW = {"width": 1280, "height": 600}


async def test_the_empty_page_says_what_to_do_and_goes_when_an_event_comes(site: "AdminSite", opened: Visit) -> None:
    async with opened() as page:
        await expect(page.locator("#empty")).to_contain_text("http://127.0.0.1:8085/webhook")
        await expect(page.locator("#empty")).to_contain_text("gateway simulate")
        await site.event()
        await expect(page.locator(".row")).to_have_count(1)
        await expect(page.locator("#empty")).to_be_hidden()


async def test_an_event_appears_by_itself_with_its_results(site: "AdminSite", opened: Visit) -> None:
    async with opened() as page:
        seq = await site.event()
        row = page.locator(".row")
        await expect(row).to_contain_text("Maria Cliente")
        await expect(row).to_contain_text("…0002")
        await expect(row).to_contain_text("Olá!")
        assert "5511999990002" not in await page.content()
        await site.settle(seq, "ping", text="pong", handler="ping")
        await site.settle(seq, "support", "dead", error="Boom: no")
        await site.event()

        await expect(row.locator(".result.done")).to_have_text("pingwould send")
        await expect(row.locator(".result").first).to_have_text("supportdead")
        await expect(row.locator(".repeats")).to_have_attribute("title", "came 2 times")
        await expect(page.locator("[data-count=duplicates] dd")).to_have_text("1")
        await expect(page.locator("[data-count=dead] dd")).to_have_text("1")
        await expect(page.locator("#badge-dead")).to_have_text("1")


async def test_times_are_in_the_viewers_zone_and_exact_on_hover(site: "AdminSite", opened: Visit) -> None:
    await site.event()
    async with opened(timezone_id="Asia/Kathmandu", locale="en-GB") as page:
        moment = page.locator(".row time")
        there = time.gmtime(time.time() + (5 * 60 + 45) * 60)
        await expect(moment).to_have_text(re.compile(time.strftime("^%H:", there)))
        await expect(moment).to_have_attribute("title", re.compile(r"GMT\+5:45"))


async def test_keys_are_enough(site: "AdminSite", opened: Visit) -> None:
    for number in range(3):
        await site.event(nonce=number + 1)
    async with opened() as page:
        await expect(page.locator(".row")).to_have_count(3)
        await page.keyboard.press("j")
        await expect(row_of(page, 3)).to_be_focused()
        await page.keyboard.press("ArrowDown")
        await page.keyboard.press("Enter")
        await expect(row_of(page, 2)).to_have_attribute("aria-expanded", "true")
        await expect(page.locator("#detail")).to_be_focused()
        await page.keyboard.press("j")
        await expect(page.locator("#detail h3")).to_be_visible()
        await expect(row_of(page, 1)).to_have_attribute("aria-expanded", "true")
        await page.keyboard.press("k")
        await page.keyboard.press("Escape")
        await expect(page.locator("#detail")).to_be_hidden()
        await expect(row_of(page, 2)).to_be_focused()

        await page.keyboard.press("?")
        await expect(page.get_by_role("dialog")).to_contain_text("pause the list")
        await page.keyboard.press("Escape")
        await page.keyboard.press("/")
        await expect(page.get_by_label("Text")).to_be_focused()
        await page.keyboard.type("jp?")
        await expect(page.get_by_label("Text")).to_have_value("jp?")
        await page.keyboard.press("Escape")
        await page.keyboard.press("p")
        await expect(page).to_have_url(re.compile(r"jp"))  # the list has begun anew with it, and is paused then
        await expect(page.locator("#pause")).to_have_attribute("aria-pressed", "true")
        await page.keyboard.press("4")
        await expect(page.get_by_role("heading", name="Plugins")).to_be_visible()


async def test_reading_further_down_is_not_disturbed(site: "AdminSite", opened: Visit) -> None:
    await site.events(80)
    async with opened(viewport=LOW) as page:
        await scroll(page, 800)
        row = row_of(page, 50)
        before = await top_of(row)
        await site.events(5, first=100)
        await expect(page.locator("#fresh")).to_have_text("↑ 5 new events")

        assert abs(await top_of(row) - before) < 1
        await page.locator("#fresh").click()
        await expect(page.locator("#fresh")).to_be_hidden()
        assert await page.locator("#list").evaluate("list => list.scrollTop") == 0
        await site.events(1, first=200)
        await expect(row_of(page, 86)).to_be_in_viewport()


async def test_an_open_event_stays_where_it_is_while_others_come(site: "AdminSite", opened: Visit) -> None:
    await site.events(80)
    async with opened(viewport={"width": 1280, "height": 700}) as page:
        row = row_of(page, 78)
        await row.click()
        await expect(page.locator(".story")).to_be_visible()
        before = await top_of(row)
        await site.events(5, first=100)
        await expect(page.locator("#fresh")).to_have_text("↑ 5 new events")

        assert abs(await top_of(row) - before) < 1


async def test_only_rows_in_sight_exist_and_every_older_one_can_be_scrolled_to(
    site: "AdminSite", opened: Visit
) -> None:
    await site.events(1200)
    async with opened(viewport=LOW) as page:
        list_ = page.locator("#list")
        await expect(row_of(page, 1200)).to_be_visible()
        met: set[int] = set()
        while 1 not in met:
            met |= set(await page.locator("#rows li").evaluate_all("all => all.map(li => Number(li.dataset.id))"))
            assert await page.locator("#rows li").count() < 60
            await list_.evaluate("list => { list.scrollTop += list.clientHeight }")
            await page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

        assert met == set(range(1, 1201))
        await expect(page.locator("#tail")).to_contain_text("That is the oldest event that is kept.")


async def test_while_paused_new_events_are_counted_and_changed_ones_wait(site: "AdminSite", opened: Visit) -> None:
    seq = await site.event()
    async with opened() as page:
        await expect(page.locator(".row")).to_have_count(1)
        await page.keyboard.press("p")
        await site.settle(seq, "ping")
        await site.event(nonce=1)
        await expect(page.locator("#pause")).to_have_text("Go on (1 event)")
        await expect(page.locator(".result")).to_have_count(0)
        await page.keyboard.press("p")

        await expect(page.locator(".row")).to_have_count(2)
        await expect(page.locator(".result.done")).to_have_count(1)


async def test_a_lost_connection_is_said_and_made_good(site: "AdminSite", opened: Visit) -> None:
    async with opened(expected="ERR_") as page:
        await page.context.set_offline(offline=True)
        site.feed.end()
        await expect(page.locator("#link")).to_have_text("reconnecting")
        await site.event()
        await page.context.set_offline(offline=False)

        await expect(page.locator("#link")).to_have_text("live", timeout=15_000)
        await expect(page.locator(".row")).to_have_count(1)


def row_of(page: Page, seq: int) -> Locator:
    return page.locator(f"li[data-id='{seq}'] .row")


async def scroll(page: Page, to: int) -> None:
    """Scroll the list there, as soon as it is long enough."""
    await page.wait_for_function(f"box = document.getElementById('list'), box.scrollHeight > {to} + box.clientHeight")
    await page.locator("#list").evaluate(f"list => {{ list.scrollTop = {to} }}")
    await expect(page.locator("#rows li").first).to_be_attached()


async def top_of(row: Locator) -> float:
    top: float = await row.evaluate("row => row.getBoundingClientRect().top")
    return top
