"""Forty strings that try to be more than text, in every text of an event, stay text in a real browser."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import Page, expect

from gateway import samples
from gateway.redact import is_secret_name
from tests.support.chromium import NEEDS, Visit

if TYPE_CHECKING:
    from tests.web.conftest import AdminSite

pytestmark = NEEDS

HOSTILE = (Path(__file__).parent / "hostile.txt").read_text().splitlines()
SAMPLES = (
    "messages-upsert__text-private-v223",
    "messages-upsert__image-v236",
    "groups-upsert__v236",
    "group-participants-update__add-objects-v236",
    "contacts-upsert__list-v236",
    "connection-update__open-v236",
    "messages-upsert__list-response-v236",
    "send-message__text-v236",
)
PLACES = "#rows, #detail, #alerts, #present, .view, dialog"
ELEMENTS = "script, svg, math, iframe, object, embed, video, audio, style, base, meta, link, template, form, body, img"
MADE_OF = f":is({PLACES}) :is({ELEMENTS}, a[href^='javascript'], [onerror], [onload], [onfocus], [ontoggle])"


def test_there_are_forty() -> None:
    assert len(set(HOSTILE)) == 40


@pytest.mark.parametrize("part", range(4))
async def test_in_every_text_of_an_event(site: "AdminSite", opened: Visit, part: int) -> None:
    texts = HOSTILE[part::4]
    for nonce, text in enumerate(texts):
        known = samples.load(SAMPLES[nonce % len(SAMPLES)])
        hostile = {**spoiled(known, text), "event": known["event"], "nonce": nonce}
        await story(site, await site.event(hostile), text)
        await story(
            site, await site.event({"event": text, "instance": text, "data": {text: text}, "nonce": nonce}), text
        )
    async with opened(viewport={"width": 1440, "height": 1400}) as page:
        await expect(page.locator(".row")).to_have_count(2 * len(texts))
        for at in range(2 * len(texts)):
            await page.locator(".row").nth(at).click()
            text = texts[-1 - at // 2]
            await expect(page.locator("#detail .story .error").first).to_contain_text(text[:6])
            await unfold(page)
            await expect(page.locator(".tree .text", has_text=json.dumps(text)[1:7]).first).to_be_visible()
            await harmless(page)


async def test_in_files_that_could_not_be_loaded_and_in_dead_letters(site: "AdminSite", opened: Visit) -> None:
    for nonce, text in enumerate(HOSTILE):
        await story(site, await site.event(nonce=nonce), text)
    await site.load_error(HOSTILE[0], 1, HOSTILE[5])
    async with opened() as page:
        await expect(page.locator("#alerts")).to_contain_text(HOSTILE[5])
        await page.locator("#alerts button").click()
        await expect(page.get_by_role("dialog")).to_contain_text(HOSTILE[0])
        await page.keyboard.press("Escape")
        await page.keyboard.press("2")
        await expect(page.locator(".letter")).to_have_count(len(HOSTILE))
        await harmless(page)
        await page.keyboard.press("4")
        await expect(page.locator(".broken")).to_contain_text(HOSTILE[5])
        await harmless(page)


async def test_the_check_would_notice(opened: Visit) -> None:
    async with opened() as page:
        await page.evaluate("document.getElementById('detail').innerHTML = '<svg></svg>'")
        with pytest.raises(AssertionError):
            await harmless(page)


async def unfold(page: Page) -> None:
    """Look at every part of the event."""
    while await page.locator("#detail details:not([open])").count():
        await page.evaluate("for (const box of document.querySelectorAll('#detail details')) box.open = true")


async def harmless(page: Page) -> None:
    assert await page.evaluate("window.hit") is None
    assert await page.locator(MADE_OF).count() == 0
    assert await page.locator("#rows *:not(li, button, time, span, b, em, bdi)").count() == 0


async def story(site: "AdminSite", seq: int, text: str) -> None:
    """What handlers made of it, in the same words."""
    await site.settle(seq, text, "dead", error=f"{text}\n{text}", text=text, handler=text)


def spoiled(value: Any, text: str) -> Any:  # noqa: ANN401 -- JSON
    """The same JSON with every text in it replaced; not the secrets, which are hidden wherever else they stand."""
    if isinstance(value, str):
        return text
    if isinstance(value, list):
        return [spoiled(each, text) for each in value]
    if isinstance(value, dict):
        return {name: each if is_secret_name(name) else spoiled(each, text) for name, each in value.items()}
    return value
