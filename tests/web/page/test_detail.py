"""The opened event in a real browser: its story, its JSON, what is copied from it and what stays hidden."""

import json
import shlex
from typing import TYPE_CHECKING

from playwright.async_api import Page, expect

from tests.support.chromium import NEEDS, Visit

if TYPE_CHECKING:
    from tests.web.conftest import AdminSite

pytestmark = NEEDS

CANARY = "canary-A1B2C3D4E5"


async def test_a_row_opens_beside_the_list_with_keys_redacted(site: "AdminSite", opened: Visit) -> None:
    seq = await site.event(apikey=CANARY)
    await site.settle(seq, "ping", text="pong", handler="ping")
    await site.settle(seq, "support", "dead", error='Traceback\n  File "x.py"\nBoom: down')
    async with opened() as page:
        await page.locator(".row").click()

        detail = page.get_by_role("complementary", name="Event")
        await expect(detail).to_contain_text("would send pong")
        await expect(detail).to_contain_text("no evolution.apikey in config.yaml")
        await expect(detail.locator(".error summary")).to_have_text("Boom: down")
        await expect(detail.locator(".tree").last).to_contain_text('apikey: "[redacted]"')
        await expect(detail.locator("blockquote")).to_have_text("Olá!")
        assert "canary" not in await page.content()
        await expect(page.locator("#list")).to_be_visible()


async def test_keys_are_shown_only_to_who_asks_for_them(site: "AdminSite", opened: Visit) -> None:
    await site.event(apikey=CANARY)
    async with opened() as page:
        await page.locator(".row").click()
        await page.get_by_role("button", name="Show keys").click()

        await expect(page.locator(".tree").last).to_contain_text(CANARY)


async def test_an_open_event_follows_what_happens_and_keeps_what_is_unfolded(site: "AdminSite", opened: Visit) -> None:
    seq = await site.event()
    async with opened() as page:
        await page.locator(".row").click()
        await expect(page.locator(".story")).to_contain_text("No plugin has taken it up")
        await site.settle(seq, "support", "dead", error="Traceback\nBoom: down")
        await page.locator(".story .error summary").click()
        await site.settle(seq, "ping", handler="ping")

        await expect(page.locator(".story")).to_contain_text("handler ping")
        await expect(page.locator(".story .error pre")).to_be_visible()


async def test_json_folds_and_long_texts_are_cut(site: "AdminSite", opened: Visit) -> None:
    await site.event(long="x" * 9000, deep={"a": {"b": {"c": "bottom"}}})
    async with opened() as page:
        await page.locator(".row").click()
        tree = page.locator(".tree").last
        await expect(tree).to_contain_text("cut)")
        assert "x" * 4097 not in await page.content()
        await expect(tree.get_by_text("bottom")).to_have_count(0)
        for name in ("a", "b"):
            await tree.locator("summary", has=page.locator(f".key:text-is('{name}')")).click()
        await expect(tree.get_by_text("bottom")).to_be_visible()


async def test_what_is_copied_is_json_and_a_command_without_keys(site: "AdminSite", opened: Visit) -> None:
    await site.event(apikey=CANARY, note="it's quoted")
    async with opened(permissions=["clipboard-read", "clipboard-write"]) as page:
        await page.locator(".row").click()
        copied = json.loads(await copy(page, "Copy JSON"))
        command = shlex.split(await copy(page, "Copy curl"))

    assert copied["note"] == "it's quoted"
    assert copied["apikey"] == "[redacted]"
    assert command[:3] == ["curl", "-X", "POST"]
    assert command[3].startswith("http://127.0.0.1:8085/webhook")
    assert json.loads(command[command.index("--data-raw") + 1]) == copied


async def test_an_event_that_is_gone_says_so(opened: Visit, site: "AdminSite") -> None:
    async with opened(expected="404") as page:
        await page.goto(f"{site.url}/live#/events/99")

        await expect(page.locator("#detail")).to_contain_text("there is no event 99")


async def copy(page: Page, name: str) -> str:
    await page.get_by_role("button", name=name).click()
    await expect(page.get_by_role("button", name="Copied")).to_be_visible()
    text: str = await page.evaluate("navigator.clipboard.readText()")
    await expect(page.get_by_role("button", name=name)).to_be_visible()
    return text
