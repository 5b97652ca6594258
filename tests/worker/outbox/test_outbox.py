"""Messages leave in order within a chat and beside each other across chats, and what waits survives the worker."""

import asyncio
import socket
import sys
import threading
from importlib.abc import MetaPathFinder
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.testing.evolution import EvolutionServer, Fault
from gateway.work.files import OutgoingFiles
from gateway.worker.outbox.line import AT_ONCE
from tests.evolution.conftest import FakeEvolution, evolution
from tests.worker.outbox.conftest import ANA, BIA, Desk

__all__ = ["evolution"]  # a fixture

TRANSPORT = "gateway.evolution.transport"
HANGING = 8
"""Instances: together they have more under way than aiohttp allows by itself, which is a hundred."""
REACTION = {"emoji": "👍", "message": {"queued": "1.p.0.1"}}


async def test_a_queued_message_is_sent_and_its_id_kept(desk: Desk, server: EvolutionServer) -> None:
    await desk.deliver(server.url, await desk.queue("hi"))

    (row,) = desk.rows()
    assert (row.message_id, row.attempts, row.error) == (server.sent[0].id, 1, None)
    assert row.finished is not None
    assert desk.changes == [1]


async def test_the_http_client_is_loaded_for_the_first_message_and_holds_up_no_handler_meanwhile(
    desk: Desk, server: EvolutionServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded_by: list[int] = []

    class Watch(MetaPathFinder):
        def find_spec(self, fullname: str, path: object, target: object = None) -> None:
            del path, target
            if fullname == TRANSPORT:
                loaded_by.append(threading.get_ident())

    monkeypatch.delitem(sys.modules, TRANSPORT, raising=False)  # no test may have loaded it yet
    monkeypatch.setattr(sys, "meta_path", [Watch(), *sys.meta_path])
    await desk.deliver(server.url, await desk.queue("hi"))

    assert len(loaded_by) == 1
    assert loaded_by[0] != threading.get_ident()
    assert len(server.sent) == 1


async def test_messages_to_one_chat_leave_in_order_one_at_a_time(desk: Desk, evolution: FakeEvolution) -> None:
    evolution.hold.clear()
    async with desk.outbox(evolution.url) as outbox:
        outbox.add(await desk.queue("1", "2"))
        outbox.add(await desk.queue("3", target="5511999990002"))  # the same chat, by its number
        outbox.add(await desk.queue("other", target=BIA))
        await evolution.until(2)
        under_way = set(evolution.texts)
        evolution.hold.set()
        await desk.until("sent", "sent", "sent", "sent")

    assert under_way == {"1", "other"}
    assert [text for text in evolution.texts if text != "other"] == ["1", "2", "3"]


async def test_no_more_requests_are_under_way_than_allowed(desk: Desk, evolution: FakeEvolution) -> None:
    evolution.hold.clear()
    async with desk.outbox(evolution.url) as outbox:
        for n in range(AT_ONCE + 4):
            outbox.add(await desk.queue("hi", target=f"5511999990{n:03d}"))
        await evolution.until(AT_ONCE)
        under_way = desk.statuses().count("sending")
        evolution.hold.set()
        await desk.until(*["sent"] * (AT_ONCE + 4))

    assert under_way == AT_ONCE


async def test_instances_that_hang_hold_up_no_other(desk: Desk, evolution: FakeEvolution) -> None:
    hanging = HANGING * AT_ONCE
    async with desk.outbox(evolution.url) as outbox:
        evolution.hold.clear()
        for n in range(hanging):
            (stuck,) = await desk.queue("stuck", target=f"5511999990{n:03d}")
            outbox.add([msgspec.structs.replace(stuck, instance=f"shop-{n % HANGING}")])
        await evolution.until(hanging)
        (other,) = await desk.queue("free", target=BIA)
        outbox.add([msgspec.structs.replace(other, instance="the other shop")])
        await evolution.until(hanging + 1)
        evolution.hold.set()
        await desk.until_settled()

    assert evolution.texts[-1] == "free"


async def test_closing_ends_what_is_under_way_and_begins_nothing(desk: Desk, evolution: FakeEvolution) -> None:
    evolution.hold.clear()
    async with desk.outbox(evolution.url, grace=0) as outbox:
        for n in range(AT_ONCE + 4):
            outbox.add(await desk.queue("hi", target=f"5511999990{n:03d}"))
        await evolution.until(AT_ONCE)
        closing = asyncio.ensure_future(outbox.close(5))
        await asyncio.sleep(0)
        evolution.hold.set()
        await closing

    assert sorted(desk.statuses()) == ["queued"] * 4 + ["sent"] * AT_ONCE
    assert len(evolution.requests) == AT_ONCE


async def test_what_waited_when_the_worker_ended_is_sent_by_the_next(desk: Desk, server: EvolutionServer) -> None:
    await desk.queue("1", "2")
    await desk.deliver(server.url, desk.store.open_messages())

    assert desk.statuses() == ["sent", "sent"]
    assert server.texts(ANA) == ["1", "2"]


async def test_a_refused_connection_is_tried_again_until_somebody_listens(desk: Desk, server: EvolutionServer) -> None:
    await server.close()
    async with desk.outbox(server.url) as outbox:
        outbox.add(await desk.queue("hi"))
        await desk.until_true(lambda: desk.rows()[0].attempts >= 1 and desk.statuses() == ["queued"])
        refused = desk.rows()[0]
        await server.open()
        await desk.until("sent")

    assert "does not answer" in str(refused.error)
    assert server.texts(ANA) == ["hi"]


async def test_nobody_listens_at_a_port_that_is_only_set_aside(desk: Desk) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        async with desk.outbox(f"http://127.0.0.1:{reserved.getsockname()[1]}") as outbox:
            outbox.add(await desk.queue("hi"))
            await desk.until_true(lambda: desk.rows()[0].attempts >= 2 and desk.statuses() == ["queued"])


async def test_an_error_nobody_thought_of_does_not_silence_a_chat(desk: Desk, server: EvolutionServer) -> None:
    async with desk.outbox(server.url) as outbox:
        odd, fine = await desk.queue("odd", "fine")
        outbox.add([msgspec.structs.replace(odd, payload={}), fine])
        await desk.until("dead", "sent")

    assert server.texts(ANA) == ["fine"]


async def test_a_reaction_names_the_message_that_was_sent_before_it(desk: Desk, server: EvolutionServer) -> None:
    await desk.deliver(server.url, await desk.put(("text", {"text": "pong"}), ("reaction", REACTION)))

    assert desk.statuses() == ["sent", "sent"]
    assert server.requests[-1].body["key"]["id"] == server.sent[0].id
    assert server.complaints == []


async def test_what_is_about_a_message_that_never_left_is_a_dead_letter(desk: Desk, server: EvolutionServer) -> None:
    server.fail(Fault.NOT_ON_WHATSAPP)
    await desk.deliver(server.url, await desk.put(("text", {"text": "pong"}), ("reaction", REACTION)))

    assert desk.statuses() == ["dead", "dead"]
    assert desk.rows()[1].error == "The message it is about (1.p.0.1) is dead and has no id."


async def test_the_bytes_of_a_file_reach_evolution(desk: Desk, server: EvolutionServer) -> None:
    name = OutgoingFiles(desk.folder).keep(b"\xff\xd8 a photo")
    payload = {"media": "image", "caption": "menu", "name": "menu.jpg", "mimetype": "image/jpeg"}
    await desk.deliver(server.url, await desk.put(("media", payload), file=name))

    assert server.requests[-1].body["media"] == "/9ggYSBwaG90bw=="
    assert server.complaints == []


async def test_a_file_that_is_gone_makes_a_dead_letter_that_says_what_to_do(
    desk: Desk, server: EvolutionServer
) -> None:
    await desk.deliver(server.url, await desk.put(("audio", {}), file="0" * 64))

    assert "can't be read: No such file or directory. Replay its event." in str(desk.rows()[0].error)


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("text", {"text": "hi", "mentions": [ANA], "quote": {"id": "A1", "from_me": False, "text": "ping"}}),
        ("media", {"media": "document", "caption": "", "name": "a.pdf", "mimetype": "", "url": "https://x.test/a.pdf"}),
        ("audio", {"url": "https://x.test/a.ogg"}),
        ("sticker", {"url": "https://x.test/a.webp"}),
        ("location", {"latitude": -23.5, "longitude": -46.6, "name": "Shop", "address": "Rua 1"}),
        ("contact", {"contacts": [{"name": "Bia", "phone": "5511999990003", "email": "b@x.test"}]}),
        ("poll", {"question": "When?", "options": ["now", "later"], "pick": 1}),
        ("buttons", {"text": "Yes?", "title": "", "footer": "", "options": [{"id": "y", "label": "Yes"}]}),
        (
            "list",
            {
                "text": "Pick", "title": "Menu", "footer": "f", "button": "Open",
                "sections": [{"title": "Food", "rows": [{"id": "1", "label": "Pizza", "description": ""}]}],
            },
        ),
        ("typing", {"seconds": 1.0}),
    ],
)  # fmt: skip
async def test_every_kind_is_asked_for_as_evolution_wants_it(
    desk: Desk, server: EvolutionServer, kind: str, payload: dict[str, Any]
) -> None:
    await desk.deliver(server.url, await desk.put((kind, payload)))

    assert [(row.status, row.error) for row in desk.rows()] == [("sent", None)]
    assert server.complaints == []


@pytest.mark.parametrize("kind", ["edit", "delete", "read"])
async def test_what_is_done_to_a_message_is_asked_for_as_evolution_wants_it(
    desk: Desk, server: EvolutionServer, kind: str
) -> None:
    ping = await server.write(ANA, "ping")
    about = {"id": ping.id, "from_me": False} if kind == "read" else {"queued": "1.p.0.1"}
    done = (kind, {"text": "new", "message": about} if kind == "edit" else {"message": about})
    await desk.deliver(server.url, await desk.put(("text", {"text": "pong"}), done))

    assert [(row.status, row.error) for row in desk.rows()] == [("sent", None), ("sent", None)]
    assert server.complaints == []


def test_a_file_is_kept_once_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    files = OutgoingFiles(tmp_path)

    names = {files.keep(b"same"), files.keep(b"same"), files.keep(b"other")}

    assert len(names) == 2
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "outgoing").iterdir()} == {0o600}
    assert sorted(map(files.read, names)) == [b"other", b"same"]
