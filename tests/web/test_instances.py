"""Instances are shown as their events tell of them, and a QR code for as long as it can be scanned."""

import base64
import time
from typing import TYPE_CHECKING, Any

import aiohttp
import orjson

from gateway.web import instances as module
from tests.web.conftest import AdminSite, running
from tests.web.test_live import listening

if TYPE_CHECKING:
    import pytest

PAIRING = "qrcode-updated__pairing-code-v236"


async def told(site: AdminSite) -> dict[str, Any]:
    return {one["name"]: one for one in (await site.ask("/api/instances")).json["instances"]}


async def picture(site: AdminSite, name: str = "loja-bot") -> tuple[int, bytes]:
    async with (
        aiohttp.ClientSession(headers={"Cookie": site.cookie}) as session,
        session.get(f"{site.url}/api/instances/{name}/qr") as answer,
    ):
        return answer.status, await answer.read()


async def test_an_instance_has_the_state_its_newest_event_tells(site: AdminSite) -> None:
    await site.event("connection-update__connecting-v236")
    await site.event("connection-update__open-v236")
    newest = await site.event()
    await site.event(instance="shop-2")

    found = await told(site)

    assert list(found) == ["loja-bot", "shop-2"]
    shop = found["loja-bot"]
    assert (shop["state"], shop["reason"], shop["number"], shop["profile_name"]) == (
        "open",
        200,
        "5511999990001",
        "Minha Loja",
    )
    assert shop["last_event"]["id"] == str(newest)
    assert (found["shop-2"]["state"], shop["pairing"]) == (None, None)


async def test_old_events_are_found_as_well_and_new_ones_are_added(
    site: AdminSite, monkeypatch: "pytest.MonkeyPatch"
) -> None:
    monkeypatch.setattr(module, "_BITE", 2)
    await site.event("connection-update__close-v18", instance="quiet")
    for number in range(7):
        await site.event(nonce=number)

    first = await told(site)
    await site.event("connection-update__open-v236", instance="quiet")
    await site.event(instance="new")

    assert first["quiet"]["state"] == "close"
    assert [(name, one["state"]) for name, one in (await told(site)).items()] == [
        ("loja-bot", None),
        ("new", None),
        ("quiet", "open"),
    ]


async def test_a_code_is_shown_until_the_instance_is_connected(site: AdminSite) -> None:
    seq = await site.event(PAIRING)
    await site.event("connection-update__connecting-v236")

    pairing = (await told(site))["loja-bot"]["pairing"]
    shown = await picture(site)
    await site.event("connection-update__open-v236")

    assert (pairing["id"], pairing["code"], pairing["qr"]) == (str(seq), "WZYEH1YY", "/api/instances/loja-bot/qr")
    assert pairing["expires_at"] > time.time()
    assert (shown[0], shown[1][:4]) == (200, b"\x89PNG")
    assert (await told(site))["loja-bot"]["pairing"] is None
    assert (await picture(site))[0] == 404


async def test_a_newer_code_replaces_it_and_the_limit_ends_it(site: AdminSite) -> None:
    first = await site.event(PAIRING)
    second = await site.event(PAIRING, nonce=1)

    assert (await told(site))["loja-bot"]["pairing"]["id"] == str(second) != str(first)

    await site.event("qrcode-updated__limit-v236")
    assert (await told(site))["loja-bot"]["pairing"] is None


async def test_a_code_that_has_gone_stale_is_not_shown(site: AdminSite) -> None:
    await site.event(PAIRING)
    site.now = time.time() + module.SCANNABLE

    assert (await told(site))["loja-bot"]["pairing"] is None
    assert (await picture(site))[0] == 404


async def test_what_is_no_picture_is_not_served_as_one(site: AdminSite) -> None:
    script = base64.b64encode(b"<svg onload=alert(1)>").decode()
    qr = {"code": "2@x", "pairingCode": None, "base64": f"data:image/png;base64,{script}"}
    await site.event({"event": "qrcode.updated", "instance": "../a b/<i>", "data": {"qrcode": qr}})

    (path,) = [one["pairing"]["qr"] for one in (await told(site)).values()]

    assert path == "/api/instances/..%2Fa%20b%2F%3Ci%3E/qr"
    assert (await site.ask(path)).status == 404


async def test_a_code_is_for_those_who_are_logged_in_and_in_no_other_view(site: AdminSite) -> None:
    seq = await site.event(PAIRING)

    shown = [(await site.ask(path)).text for path in ("/api/events", f"/api/events/{seq}")]

    assert (await site.ask("/api/instances/loja-bot/qr", token=None)).status == 401
    assert not [text for text in shown if "WZYEH1YY" in text or "iVBORw0" in text]


async def test_the_stream_tells_when_an_instance_changes(site: AdminSite) -> None:
    await site.event(PAIRING)
    async with listening(site) as page:
        before = orjson.loads((await page.until("instances"))["data"])
        await site.event("connection-update__open-v236")
        after = orjson.loads((await page.until("instances"))["data"])

    assert [one["state"] for one in before + after] == [None, "open"]


async def test_another_journal_has_other_instances(site: AdminSite) -> None:
    await site.event()
    await told(site)
    await site.close()
    (site.folder / "journal.db").rename(site.folder / "journal.set-aside")

    async with running(site.config) as restarted:
        await restarted.event(instance="other")
        assert list(await told(restarted)) == ["other"]
