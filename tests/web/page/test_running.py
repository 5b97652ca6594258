"""The page of a gateway that runs, in a real browser: filters, pause, restart, replay, why, dead letters, QR code."""

from collections.abc import Mapping, Sequence

import orjson
from aiohttp import web
from playwright.async_api import Locator, Page, expect

from gateway import samples
from tests.support.bodies import message, messages
from tests.support.chromium import NEEDS, Visit
from tests.support.evolution import FakeEvolution
from tests.support.gateway import Gateway
from tests.support.waiting import until

pytestmark = NEEDS

ECHO = """
@plugin.message(f.regex(r"order (?P<number>[0-9]+)"))
async def order(event, ctx):
    record(ctx)
    if ctx.match["number"] == "9":
        raise ConnectionError("the shop's API is down")
    ctx.state["last"] = ctx.match["number"]
    ctx.reply(f"order {ctx.match['number']} is on its way")
"""


async def test_an_event_appears_as_it_is_posted_and_handled(gateway: Gateway, seen: Visit) -> None:
    await start(gateway)
    async with seen() as page:
        seq = await gateway.accept(message(1, "order 7"))

        await expect(row_of(page, seq)).to_contain_text("order 7")
        await expect(row_of(page, seq).locator(".result")).to_have_text("echowould send")


async def test_filters_choose_what_is_shown_and_what_comes(gateway: Gateway, seen: Visit) -> None:
    await start(gateway)
    await gateway.accept(message(1, "order 1", chat=1, name="Ana"))
    await gateway.accept(message(2, "hello", chat=2, name="Bia", envelope={"instance": "shop-2"}))
    await gateway.accept(message(3, "order 9", chat=3, name="Caio"))
    await until(lambda: [row.status for row in gateway.deliveries() if row.status == "dead"], "one is dead")
    async with seen() as page:
        await expect(page.locator(".row")).to_have_count(3)
        await page.get_by_label("Text").fill("HELLO")
        await expect(page.locator(".row")).to_have_count(1)
        await gateway.accept(message(4, "hello again", chat=4))
        await gateway.accept(message(5, "something else", chat=5))
        await expect(page.locator(".row .who")).to_contain_text(["hello again", "hello"])
        await page.get_by_role("button", name="Clear").click()
        await expect(page.locator(".row")).to_have_count(5)

        await page.get_by_label("Chat or number").fill("+55 11 9999 00001")
        await expect(page.locator(".row .who b")).to_have_text(["Ana"])
        await page.get_by_role("button", name="Clear").click()
        await page.get_by_label("Outcome").select_option("dead")
        await expect(page.locator(".row .who b")).to_have_text(["Caio"])
        await page.get_by_label("Outcome").select_option("")
        await page.get_by_label("Instance", exact=True).select_option("shop-2")
        await expect(page.locator(".row .who b")).to_have_text(["Bia"])

        await page.reload()
        await expect(page.locator(".row .who b")).to_have_text(["Bia"])
        await page.locator(".row").click()
        await page.get_by_role("button", name="Clear").click()
        await page.get_by_role("link", name="only this chat").click()
        await expect(page.get_by_label("Chat or number")).to_have_value("5511999900002@s.whatsapp.net")
        await expect(page.locator(".row .who b")).to_have_text(["Bia"])
        await page.get_by_label("Text").fill("nobody wrote this")
        await expect(page.get_by_text("Nothing fits these filters")).to_be_visible()


async def test_a_pause_loses_nothing(gateway: Gateway, seen: Visit) -> None:
    await start(gateway)
    await gateway.accept(message(1))
    async with seen() as page:
        await expect(page.locator(".row")).to_have_count(1)
        await page.get_by_role("button", name="Pause").click()
        await expect(page.locator("#link")).to_have_text("paused")
        for body in messages(30, first=2):
            await gateway.accept(body)
        await expect(page.locator("#pause")).to_have_text("Go on (30 events)")
        await expect(page.locator(".row")).to_have_count(1)
        await page.locator("#pause").click()

        await stand_there_once(page, range(31, 0, -1))
        await expect(page.locator("#link")).to_have_text("live")


async def test_a_restart_makes_no_gap_and_no_doubles(gateway: Gateway, seen: Visit) -> None:
    await start(gateway)
    for body in messages(20):
        await gateway.accept(body)
    async with seen(expected="ERR_") as page:
        await expect(row_of(page, 20)).to_be_visible()
        await gateway.stop()
        await expect(page.locator("#link")).to_have_text("reconnecting")
        gateway.spawn()
        await gateway.accepts()
        for body in messages(15, first=20):
            await gateway.accept(body)

        await expect(page.locator("#link")).to_have_text("live", timeout=20_000)
        await expect(row_of(page, 35)).to_be_visible()
        await gateway.accept(message(99))
        await expect(row_of(page, 36)).to_be_visible()
        await stand_there_once(page, range(36, 0, -1))


async def test_a_dry_run_shows_the_answer_and_a_replay_sends_it(gateway: Gateway, seen: Visit) -> None:
    await start(gateway)
    seq = await gateway.accept(message(1, "order 7"))
    async with seen(f"#/events/{seq}") as page:
        await expect(story(page, "echo")).to_contain_text("would send order 7 is on its way")
        await page.keyboard.press("r")
        panel = page.get_by_role("region", name="Replay")
        await panel.get_by_label("To which plugin").select_option("echo")
        await panel.get_by_role("button", name="Dry run").click()
        await expect(panel.locator(".run .message").first).to_contain_text("would send order 7 is on its way")
        await expect(panel).to_contain_text("Nothing was sent or saved")
        assert len(gateway.outbox()) == 1

        await panel.get_by_role("button", name="Replay now").click()
        await expect(panel).to_contain_text("Replayed to 1 plugin")
        await expect(page.locator(".story > li", has_text="replay 1")).to_contain_text("would send")
        assert len(gateway.outbox()) == 2


async def test_why_nothing_happened_is_answered_filter_by_filter(gateway: Gateway, seen: Visit) -> None:
    await start(gateway)
    seq = await gateway.accept(message(1, "good morning"))
    async with seen(f"#/events/{seq}") as page:
        await expect(story(page, "echo")).to_contain_text("no handler matched")
        await story(page, "echo").get_by_role("button", name="Why?").click()

        why = page.get_by_role("region", name="Why")
        await expect(why).to_contain_text("echo no handler matches")
        await expect(why.locator("li", has=page.locator("code", has_text="regex")).last).to_contain_text("✗")


async def test_a_failure_tells_its_attempts_and_is_retried_from_the_dead(gateway: Gateway, seen: Visit) -> None:
    await start(gateway)
    seq = await gateway.accept(message(1, "order 9"))
    await gateway.accept(message(2, "order 9", chat=2))
    await until(lambda: len([row for row in gateway.deliveries() if row.status == "dead"]) == 2, "both are dead")
    async with seen(f"#/events/{seq}") as page:
        told = story(page, "echo")
        await expect(told).to_contain_text("given up: a dead letter")
        await expect(told.locator(".attempts > li")).to_have_count(2)
        await expect(told.locator(".error summary")).to_have_text("ConnectionError: the shop's API is down")
        await expect(page.locator("#chart .failed")).not_to_have_count(0)

        await page.get_by_role("link", name="Dead").click()
        await expect(page.locator(".letter")).to_have_count(2)
        await page.locator(".letter input").first.check()
        await page.get_by_role("button", name="Drop 1").click()
        await page.get_by_role("dialog").get_by_role("button", name="Drop").click()
        await expect(page.locator(".letter")).to_have_count(1)
        gateway.plugin("echo", ECHO.replace("raise ConnectionError", "ctx.log.info"))
        await until(lambda: len(gateway.logged("worker_ready")) > 1, "the mended plugin is loaded")
        await page.get_by_role("button", name="Retry all").click()
        await expect(page.get_by_text("1 dead letter waits again.")).to_be_visible()
        await expect(page.get_by_text("Nothing was given up")).to_be_visible()


async def test_a_message_that_was_refused_is_sent_again_or_dropped(
    gateway: Gateway, evolution: FakeEvolution, seen: Visit
) -> None:
    evolution.answers = [web.json_response({"message": "no such number"}, status=400) for _ in range(2)]
    await start(gateway, evolution={"url": evolution.url, "apikey": "a-key"}, outbox={"pace": "off"})
    for number in (1, 2):
        await gateway.accept(message(number, f"order {number}", chat=number))
    await until(lambda: [row.status for row in gateway.outbox()] == ["dead", "dead"], "both were refused")
    async with seen("#/outbox") as page:
        cards = page.locator("#view-outbox .card")
        for name in ("Send again", "Drop"):
            await cards.first.get_by_role("button", name=name).click()
            await page.get_by_role("dialog").get_by_role("button", name=name).click()
            await expect(cards).to_have_count(1 if name == "Send again" else 0)

        assert sorted(row.status for row in gateway.outbox()) == ["dropped", "sent"]


async def test_a_plugin_is_paused_and_resumed_and_a_broken_file_is_shown(gateway: Gateway, seen: Visit) -> None:
    await start(gateway)
    async with seen("#/plugins") as page:
        card = page.locator(".plugin", has_text="echo.py")
        await expect(card).to_contain_text("works, nothing failed")
        await card.get_by_role("button", name="Pause").click()
        await expect(card).to_contain_text("paused since")
        seq = await gateway.accept(message(1, "order 1"))
        await expect(card.locator(".facts .waiting")).to_contain_text("1")
        await card.get_by_role("button", name="Resume").click()
        await until(lambda: [row for row in gateway.deliveries(seq=seq) if row.status == "done"], "it is handled")
        await expect(card).to_contain_text("works, nothing failed")

        gateway.write("broken.py", "from gateway import *\nplugin = Plugin(\n")
        await page.locator("#alerts button", has_text="broken.py").click()
        await expect(page.get_by_role("dialog")).to_contain_text("SyntaxError")


async def test_a_pairing_instance_shows_its_code_and_the_next_one_by_itself(gateway: Gateway, seen: Visit) -> None:
    await start(gateway)
    document = samples.load("qrcode-updated__pairing-code-v236")
    await gateway.accept(orjson.dumps(document), "/qrcode-updated")
    async with seen("#/instances") as page:
        picture = page.get_by_alt_text(f"QR code to connect {document['instance']}").last
        await expect(picture).to_be_visible()
        await expect(picture).to_have_js_property("complete", value=True)
        assert await picture.evaluate("image => image.naturalWidth") > 0
        first = await picture.get_attribute("src")
        await gateway.accept(orjson.dumps({**document, "date_time": "2026-11-26T10:00:01.000Z"}), "/qrcode-updated")
        await expect(picture).not_to_have_attribute("src", first or "")

        opened = samples.load("connection-update__open-v236") | {"instance": document["instance"]}
        await gateway.accept(orjson.dumps(opened), "/connection-update")
        await expect(picture).to_have_count(0)
        await expect(page.locator(".card.instance")).to_contain_text("connected")


async def start(gateway: Gateway, **settings: Mapping[str, object]) -> None:
    gateway.plugin("echo", ECHO)
    gateway.settings(delivery={"retry": [0.05]}, **settings)
    await gateway.start()


def row_of(page: Page, seq: int) -> Locator:
    return page.locator(f"li[data-id='{seq}'] .row")


def story(page: Page, plugin: str) -> Locator:
    return page.locator(".story > li").filter(has=page.locator("p > b", has_text=plugin)).first


async def stand_there_once(page: Page, ids: Sequence[int]) -> None:
    """These are the rows of a short list, top to bottom, and there are no others."""
    await page.set_viewport_size({"width": 1280, "height": 2400})
    rows = page.locator("#rows li")
    await expect(rows).to_have_count(len(ids))  # once the list has noticed how high the window is
    assert await rows.evaluate_all("all => all.map(li => Number(li.dataset.id))") == list(ids)
