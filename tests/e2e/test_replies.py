"""A ping is answered: shown while there is no key, else sent through Evolution, with what its server may do to it."""

from pathlib import Path
from urllib.parse import quote

import pytest
from aiohttp import web

from gateway.work import OutboxRow
from tests.support.bodies import message
from tests.support.evolution import Call, FakeEvolution
from tests.support.gateway import Gateway
from tests.support.waiting import until

PING = Path(__file__).parents[2] / "routes" / "ping.py"
KEY = "evolution-key-of-the-tests"
HOPELESS = [
    (web.Response(status=302, headers={"Location": "/elsewhere"}), "answered 302: it redirects to /elsewhere"),
    (web.Response(status=307, headers={"Location": "/elsewhere"}), "answered 307: it redirects to /elsewhere"),
    (web.json_response({"response": {"message": ["no such number"]}}, status=400), "answered 400: no such number"),
    (web.json_response({"message": "Unauthorized"}, status=401), "answered 401: Unauthorized"),
    (None, "Unknown whether it left"),
]
"""Answers (None hangs up), and what the outbox says of them."""
CHAT = "5511999900000@s.whatsapp.net"


async def test_without_a_key_a_reply_is_shown_and_nothing_is_sent(gateway: Gateway, evolution: FakeEvolution) -> None:
    gateway.write("ping.py", PING.read_text())
    gateway.settings(evolution={"url": evolution.url})
    await gateway.start()

    seq = await gateway.accept(message(1, "ping"))
    await gateway.accept(message(2, "pong"))
    await gateway.settled()

    (row,) = gateway.outbox()
    assert (row.seq, row.plugin, row.target, row.status) == (seq, "ping", CHAT, "shown")
    assert row.payload["text"] == "pong"
    (line,) = [line for line in gateway.logged("handled", plugin="ping") if "would send" in line["result"]]
    assert line["result"].startswith('would send "pong"')
    (story,) = (await gateway.api(f"/api/events/{seq}"))["stories"]
    assert [(sent["text"], sent["status"]) for sent in story["messages"]] == [("pong", "shown")]
    assert evolution.calls == []


@pytest.mark.parametrize("instance", ["loja-01", "evo plain/ção"])
async def test_with_a_key_the_reply_arrives_as_evolution_wants_it(
    gateway: Gateway, evolution: FakeEvolution, instance: str
) -> None:
    connect(gateway, evolution)
    await gateway.start()

    await gateway.accept(message(1, "ping", envelope={"instance": instance}))
    row = await outcome(gateway, "sent")

    assert evolution.calls == [
        Call("POST", f"/message/sendText/{quote(instance, safe='')}", KEY, {"number": CHAT, "text": "pong"})
    ]
    assert (row.attempts, row.message_id, row.error) == (1, "BAE50001", None)


async def test_a_500_is_tried_again(gateway: Gateway, evolution: FakeEvolution) -> None:
    connect(gateway, evolution)
    evolution.answers = [web.json_response({"status": 500, "error": "Internal Server Error"}, status=500)]
    await gateway.start()

    await gateway.accept(message(1, "ping"))
    row = await outcome(gateway, "sent")

    assert len(evolution.calls) == 2
    assert row.attempts == 2


async def test_what_trying_again_can_not_help_is_a_dead_letter_after_one_call(
    gateway: Gateway, evolution: FakeEvolution
) -> None:
    connect(gateway, evolution)
    evolution.answers = [answer for answer, _ in HOPELESS]
    await gateway.start()

    for number, (_, words) in enumerate(HOPELESS):
        seq = await gateway.accept(message(number, "ping"))
        row = await outcome(gateway, "dead", seq)
        assert words in str(row.error)
        assert row.attempts == 1

    last = await gateway.accept(message(len(HOPELESS), "ping"))
    await outcome(gateway, "sent", last)  # the chat goes on
    sends = [call for call in evolution.calls if call.path == "/message/sendText/loja-bot"]
    assert len(sends) == len(HOPELESS) + 1


async def test_a_refused_connection_is_tried_again_until_somebody_listens(
    gateway: Gateway, evolution: FakeEvolution
) -> None:
    connect(gateway, evolution)
    await evolution.close()
    await gateway.start()

    await gateway.accept(message(1, "ping"))
    await until(lambda: gateway.logged("message_not_sent", attempt=1), "the first try fails")
    await evolution.open()
    row = await outcome(gateway, "sent")

    assert row.attempts == 2
    assert len(evolution.calls) == 1


async def test_a_reply_outlives_the_worker_that_queued_it(gateway: Gateway, evolution: FakeEvolution) -> None:
    connect(gateway, evolution)
    await evolution.close()
    await gateway.start()
    await gateway.accept(message(1, "ping"))
    await until(lambda: gateway.logged("message_not_sent", attempt=1), "the first try fails")

    await gateway.kill_worker()
    await evolution.open()
    await outcome(gateway, "sent")

    assert len(evolution.calls) == 1


def connect(gateway: Gateway, evolution: FakeEvolution) -> None:
    gateway.write("ping.py", PING.read_text())
    gateway.settings(evolution={"url": evolution.url, "apikey": KEY})


async def outcome(gateway: Gateway, status: str, seq: int = 1) -> OutboxRow:
    """Wait until the message queued for an event has come to this."""
    rows = await until(
        lambda: [row for row in gateway.outbox() if (row.seq, row.status) == (seq, status)], f"a message is {status}"
    )
    return rows[0]
