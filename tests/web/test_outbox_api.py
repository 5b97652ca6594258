"""The outbox is shown as a queue: what waits, what is on its way, what could not be sent, and for which chats."""

import time

from gateway.work import Batch, Delivery, Message, Settled
from gateway.work.outbox import OutboxStatus, Sent
from tests.web.conftest import AdminSite

ANA, BIA = "5511999990002@s.whatsapp.net", "5511999990003@s.whatsapp.net"


async def queue(site: AdminSite, *messages: tuple[str, OutboxStatus, str | None]) -> None:
    """Have one event's handler queue messages, each with a chat and what became of it."""
    seq = await site.event()
    one = Delivery(id=1, seq=seq, plugin="shop", lane="l")
    await site.work.write(Batch(taken=[one]))
    made = [
        Message(
            id=n, seq=seq, plugin="shop", run=0, n=n, instance="shop-1", target=chat, kind="text",
            payload={"text": f"message {n}, apikey=sk-12345678"}, created=100.0 + n,
        )
        for n, (chat, _, _) in enumerate(messages, 1)
    ]  # fmt: skip
    await site.work.write(
        Batch(settled=[Settled(delivery=one, status="done", started=1.0, millis=1.0, messages=tuple(made))])
    )
    sent = [
        Sent(id=n, status=status, attempts=2, error=error, message_id="3EB0" if status == "sent" else None)
        for n, (_, status, error) in enumerate(messages, 1)
    ]
    await site.work.write(Batch(outbox=sent))


async def test_there_is_nothing_before_the_first_worker(site: AdminSite) -> None:
    answer = (await site.ask("/api/outbox")).json

    assert answer == {"counts": {"queued": 0, "sending": 0, "dead": 0}, "chats": [], "messages": [], "next": None}


async def test_what_waits_and_what_could_not_be_sent_is_shown_newest_first(site: AdminSite) -> None:
    await queue(
        site,
        (ANA, "queued", None),
        (ANA, "sending", None),
        (BIA, "sent", None),
        (BIA, "queued", None),
        (BIA, "dead", "400: apikey=sk-12345678"),
    )

    answer = (await site.ask("/api/outbox")).json

    assert answer["counts"] == {"queued": 2, "sending": 1, "dead": 1}
    assert [(one["id"], one["status"]) for one in answer["messages"]] == [
        ("5", "dead"),
        ("4", "queued"),
        ("2", "sending"),
        ("1", "queued"),
    ]
    dead = answer["messages"][0]
    assert (dead["target"], dead["plugin"], dead["attempts"], dead["error"]) == (
        "…0003",
        "shop",
        2,
        "400: apikey=[redacted]",
    )
    assert dead["text"] == "message 5, apikey=[redacted]"
    assert [(chat["target"], chat["waiting"], chat["oldest"]) for chat in answer["chats"]] == [
        ("…0002", 2, 101.0),
        ("…0003", 1, 104.0),
    ]


async def test_pages_and_statuses_narrow_it(site: AdminSite) -> None:
    await queue(site, (ANA, "dead", "x"), (ANA, "queued", None), (ANA, "dead", "y"))

    dead = (await site.ask("/api/outbox?status=dead&limit=1")).json
    more = (await site.ask(f"/api/outbox?status=dead&limit=1&before={dead['next']}")).json

    assert [one["id"] for one in dead["messages"] + more["messages"]] == ["3", "1"]
    assert (await site.ask("/api/outbox?status=sent")).status == 400


async def test_an_events_story_tells_what_became_of_its_messages(site: AdminSite) -> None:
    await queue(site, (ANA, "sent", None), (ANA, "dead", "400: no such number"))

    (story,) = (await site.ask("/api/events/1")).json["stories"]

    assert [(one["status"], one["message_id"], one["error"]) for one in story["messages"]] == [
        ("sent", "3EB0", None),
        ("dead", None, "400: no such number"),
    ]


async def test_counters_tell_how_far_behind_the_plugins_are(site: AdminSite) -> None:
    before = (await site.ask("/api/counters")).json
    seqs = [await site.event(nonce=number) for number in range(3)]
    await site.work.write(Batch(facts={"plugins": [{"name": "ping"}]}, positions={"ping": ("g", seqs[0])}))
    site.now = time.time() + 100
    taken_up_none = (await site.ask("/api/counters")).json
    waiting = await site.take(seqs[2], "ping")
    await site.work.write(Batch(positions={"ping": ("g", seqs[2])}))
    one_waits = (await site.ask("/api/counters")).json
    await site.work.write(Batch(settled=[Settled(delivery=waiting, status="done", started=1.0, millis=1.0)]))
    after = (await site.ask("/api/counters")).json

    assert (before["lag"], after["lag"]) == (0.0, 0.0)
    assert 90 < one_waits["lag"] <= taken_up_none["lag"] < 110
    assert (one_waits["accepted"], one_waits["waiting"], after["handled"]) == (3, 1, 1)


async def test_a_replay_of_something_old_is_no_lag(site: AdminSite) -> None:
    seq = await site.event()
    delivery = Delivery(id=1, seq=seq, plugin="ping", lane="l", run=1, control=5)
    facts: dict[str, object] = {"plugins": [{"name": "ping"}]}
    await site.work.write(Batch(taken=[delivery], facts=facts, positions={"ping": ("g", seq)}))
    site.now = time.time() + 100

    assert (await site.ask("/api/counters")).json["lag"] == 0.0


async def test_failures_are_counted_by_minute(site: AdminSite) -> None:
    await site.event()
    this = int(site.now // 60)
    await site.work.write(Batch(facts={"stats": {"failed": {str(this): 2, str(this - 3): 5, str(this - 90): 9}}}))

    failed = (await site.ask("/api/counters")).json["failed_per_minute"]

    assert (len(failed), failed[-1], failed[-4], sum(failed)) == (30, 2, 5, 7)
