"""Events are found by what they are and by what became of them, and followed as they come and change."""

import itertools
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from gateway import search as module
from gateway.envelope import read_envelope
from gateway.follow import HOLD, Follow
from gateway.journal import Arrival, Journal
from gateway.journal.rows import Bite
from gateway.search import Query, bites, search
from gateway.work import Batch, Delivery, Message, Settled, WorkReader, WorkStore
from gateway.work.batch import Status
from gateway.work.outbox import Sent
from gateway.work.store import HAS_RUN

NOW = 1_800_000_000.0
ANA, ANA_LID = "5511999990002@s.whatsapp.net", "201110000000002@lid"
BOB = "5511999990003@s.whatsapp.net"
GROUP = "5511999990002-1600000000@g.us"


class Store:
    """Both files, with a clock for each side."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = NOW
        self.journal = Journal(folder, clock=lambda: self.now)
        self.work = WorkStore(folder)
        self._ids = itertools.count(1)
        self._messages = itertools.count(1)
        self._posts = itertools.count(1)

    async def post(self, event: str = "messages.upsert", instance: str = "shop", chat: str = ANA, **key: Any) -> int:  # noqa: ANN401
        data = {"key": {"remoteJid": chat, "fromMe": False, "id": f"M{next(self._posts)}", **key}}
        body = orjson.dumps({"event": event, "instance": instance, "date_time": "2026-01-01", "data": data})
        receipt = await self.journal.append(Arrival(read_envelope(body, None), body, None, None, time.perf_counter()))
        return receipt.seq

    async def loaded(self, **positions: int) -> None:
        facts = {"plugins": [{"name": name} for name in positions], HAS_RUN: True}
        await self.work.write(Batch(facts=facts, positions={name: ("g", seq) for name, seq in positions.items()}))

    async def deliver(self, seq: int, plugin: str = "bot", run: int = 0, failures: int = 0) -> Delivery:
        made = Delivery(id=next(self._ids), seq=seq, plugin=plugin, lane="l", run=run)
        await self.work.write(Batch(taken=[made], positions={plugin: ("g", seq)}))
        if failures:
            made.failures = failures
            await self.settle(made, "waiting", error="ValueError: not yet")
        return made

    async def settle(
        self, delivery: Delivery, status: Status = "done", error: str | None = None, *, says: bool = False
    ) -> int:
        message = Message(
            id=next(self._messages), seq=delivery.seq, plugin=delivery.plugin, run=delivery.run, n=1, instance="shop",
            target=ANA, kind="text", payload={"text": "hi"}, created=NOW,
        )  # fmt: skip
        settled = Settled(
            delivery=delivery, status=status, started=NOW, millis=1.0, error=error, messages=(message,) * says
        )
        await self.work.write(Batch(settled=[settled]))
        return message.id

    async def end(self, seq: int, status: Status = "done", plugin: str = "bot", error: str | None = None) -> None:
        await self.settle(await self.deliver(seq, plugin), status, error)

    def find(self, **query: Any) -> list[int]:  # noqa: ANN401
        return list(search(self.folder, Query(**query)))

    async def close(self) -> None:
        await self.journal.close()
        await self.work.close()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = Store(tmp_path)
    yield store
    await store.close()


def test_where_nothing_was_ever_stored_nothing_is_found(tmp_path: Path) -> None:
    assert list(search(tmp_path, Query())) == []
    assert list(search(tmp_path, Query(states=frozenset({"dead"})))) == []
    assert Follow(tmp_path, Query()).begin(10) == []


async def test_without_a_filter_all_events_are_found_newest_first_across_windows(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WINDOW", 3)
    for _ in range(11):
        await store.post()
    await store.journal.remove(Bite(events=[2, 3, 4, 5, 8]))

    assert store.find() == [11, 10, 9, 7, 6, 1]


async def test_by_event_and_instance(store: Store) -> None:
    await store.post("messages.upsert", "shop")
    await store.post("chats.update", "shop")
    await store.post("messages.upsert", "home")

    assert store.find(event="messages.upsert") == [3, 1]
    assert store.find(event="messages.upsert", instance="shop") == [1]
    assert store.find(instance="nobody") == []


@pytest.mark.parametrize(
    "chat", [ANA, ANA_LID, "5511999990002", "+55 (11) 99999-0002", "5511999990002:7@s.whatsapp.net", "201110000000002"]
)
async def test_by_chat_in_any_spelling_with_what_came_under_the_lid(store: Store, chat: str) -> None:
    await store.post(chat=ANA_LID)
    await store.post(chat=ANA_LID, remoteJidAlt=ANA, addressingMode="lid")
    await store.post(chat=ANA)
    await store.post(chat=BOB)
    await store.post(chat=GROUP)

    assert store.find(chat=chat) == [3, 2, 1]


async def test_by_group_and_by_a_lid_that_nobody_knows(store: Store) -> None:
    await store.post(chat=GROUP)
    await store.post(chat="999990000000009@lid")
    await store.post(chat=ANA)

    assert store.find(chat=GROUP) == store.find(chat=GROUP.removesuffix("@g.us")) == [1]
    assert store.find(chat="999990000000009@lid") == store.find(chat="999990000000009") == [2]
    assert store.find(chat="nobody") == []


async def test_by_time(store: Store) -> None:
    for _ in range(5):
        await store.post()
        store.now += 86_400

    assert store.find(since=NOW + 2 * 86_400) == [5, 4, 3]
    assert store.find(until=NOW + 2 * 86_400) == [2, 1]
    assert store.find(since=NOW + 86_400, until=NOW + 3 * 86_400) == [3, 2]
    assert store.find(since=NOW + 10 * 86_400) == []


async def test_by_time_although_the_clock_was_set_back_by_less_than_an_hour(store: Store) -> None:
    await store.post()
    store.now += 3000
    await store.post()
    store.now -= 2400
    await store.post()

    assert store.find(since=NOW + 1000) == [2]
    assert store.find(until=NOW + 1000) == [3, 1]


async def test_by_plugin(store: Store) -> None:
    for seq in range(1, 4):
        await store.post()
        await store.end(seq, plugin="bot" if seq < 3 else "log")

    assert store.find(plugin="bot") == [2, 1]
    assert store.find(plugin="nobody") == []


async def test_by_state(store: Store) -> None:
    states: list[Status] = ["done", "skipped", "dropped", "dead"]
    for status in states:
        await store.end(await store.post(), status)
    await store.deliver(await store.post())
    await store.deliver(await store.post(), failures=2)
    running = await store.deliver(await store.post())
    await store.work.write(Batch(started=[(running, NOW)]))
    await store.post()  # nobody took it up

    found = {state: store.find(states=frozenset({state})) for state in module.STATES}
    assert found == {
        "done": [1], "skipped": [2], "dropped": [3], "dead": [4], "waiting": [5], "retrying": [6], "running": [7],
    }  # fmt: skip
    assert store.find(states=frozenset({"dead", "waiting"})) == [5, 4]
    assert store.find(states=frozenset({"waiting", "retrying", "running"})) == [7, 6, 5]


async def test_state_and_plugin_and_error_are_asked_of_the_same_delivery(store: Store) -> None:
    seq = await store.post()
    await store.end(seq, "dead", "log", error="Timeout")
    await store.end(seq, "done", "bot")

    assert store.find(plugin="log", states=frozenset({"dead"})) == [seq]
    assert store.find(plugin="bot", states=frozenset({"dead"})) == []
    assert store.find(plugin="bot", error="timeout") == []
    assert store.find(states=frozenset({"done"}), error="timeout") == []


async def test_the_last_run_of_a_plugin_counts(store: Store) -> None:
    seq = await store.post()
    await store.end(seq, "dead")
    await store.settle(await store.deliver(seq, run=1), "done")

    assert store.find(states=frozenset({"dead"})) == []
    assert store.find(states=frozenset({"done"})) == [seq]


async def test_by_text_of_an_error_in_any_case_be_it_a_handlers_or_a_messages(store: Store) -> None:
    await store.end(await store.post(), "dead", error="KeyError: 'PREÇO' 100%_")
    message = await store.settle(await store.deliver(await store.post()), "done", says=True)
    await store.work.write(Batch(outbox=[Sent(id=message, status="dead", attempts=1, error="HTTP 404: no instance")]))
    await store.end(await store.post())

    assert store.find(error="preço") == [1]
    assert store.find(error="http 404") == [2]
    assert store.find(error="%") == [1]
    assert store.find(error="nothing like it") == []


async def test_all_that_is_given_must_fit(store: Store) -> None:
    await store.end(await store.post(chat=ANA), "dead", error="boom")
    await store.end(await store.post(chat=BOB), "dead", error="boom")
    await store.end(await store.post(chat=ANA), "done")

    assert store.find(chat=ANA, states=frozenset({"dead"}), error="boom", plugin="bot", instance="shop") == [1]


async def test_deliveries_of_an_event_that_is_gone_are_not_found(store: Store) -> None:
    await store.end(await store.post(), "dead")
    await store.post()
    await store.journal.remove(Bite(events=[1]))

    assert store.find(states=frozenset({"dead"})) == []


async def test_a_search_that_stops_early_reads_no_further(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(10):
        await store.end(await store.post())
    monkeypatch.setattr(module, "WINDOW", 2)
    asked: list[tuple[int, int]] = []
    real = WorkReader.delivered

    def delivered(self: WorkReader, low: int, high: int, plugin: str | None = None) -> list[int]:
        asked.append((low, high))
        return real(self, low, high, plugin)

    monkeypatch.setattr(WorkReader, "delivered", delivered)

    found = list(itertools.islice(search(store.folder, Query(states=frozenset({"done"}))), 3))

    assert (found, asked) == ([10, 9, 8], [(9, 10), (7, 8)])


# Followed.


class Clock:
    """Seconds that a test lets pass."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def following(store: Store, clock: Clock, **query: Any) -> Follow:  # noqa: ANN401
    follow = Follow(store.folder, Query(**query), clock=clock)
    follow.begin(0)
    return follow


def told(follow: Follow, times: int = 3) -> Iterator[list[int]]:
    return (follow.poll() for _ in range(times))


async def test_follow_begins_with_the_newest_oldest_first(store: Store, clock: Clock) -> None:
    for _ in range(5):
        await store.end(await store.post())

    follow = Follow(store.folder, Query(), clock=clock)

    assert follow.begin(3) == [3, 4, 5]
    assert list(told(follow)) == [[], [], []]


async def test_what_is_finished_is_told_once(store: Store, clock: Clock) -> None:
    await store.loaded(bot=0)
    follow = following(store, clock)
    await store.end(await store.post())

    assert list(told(follow)) == [[1], [], []]
    clock.now += 10 * HOLD
    assert follow.poll() == []


async def test_what_takes_longer_is_told_of_when_it_came_and_again_when_it_changed(store: Store, clock: Clock) -> None:
    await store.loaded(bot=0)
    follow = following(store, clock)
    delivery = await store.deliver(await store.post())

    assert list(told(follow)) == [[], [], []]
    clock.now += HOLD
    assert list(told(follow)) == [[1], [], []]
    await store.settle(delivery)
    assert list(told(follow)) == [[1], [], []]


async def test_an_event_that_no_worker_takes_up_is_told_of_after_a_moment(store: Store, clock: Clock) -> None:
    follow = following(store, clock)
    await store.post()

    assert follow.poll() == []
    clock.now += HOLD
    assert list(told(follow)) == [[1], [], []]


async def test_what_was_there_is_told_of_only_when_it_changes(store: Store, clock: Clock) -> None:
    await store.loaded(bot=0)
    old = await store.deliver(await store.post())
    await store.post()  # not taken up yet
    follow = following(store, clock)

    clock.now += 10 * HOLD
    assert list(told(follow)) == [[], [], []]
    await store.settle(old)
    assert follow.poll() == [1]
    await store.end(2)
    assert list(told(follow)) == [[2], [], []]


async def test_a_state_is_waited_for(store: Store, clock: Clock) -> None:
    await store.loaded(bot=0)
    follow = following(store, clock, states=frozenset({"dead"}))
    dies, lives = [await store.deliver(await store.post()) for _ in range(2)]
    clock.now += 10 * HOLD

    assert follow.poll() == []
    await store.settle(lives)
    await store.settle(dies, "dead", "boom")
    assert list(told(follow)) == [[1], [], []]


async def test_only_what_fits_is_followed(store: Store, clock: Clock) -> None:
    await store.loaded(bot=0)
    follow = following(store, clock, chat=ANA)
    await store.end(await store.post(chat=BOB))
    await store.end(await store.post(chat=ANA))

    assert list(told(follow)) == [[2], [], []]


async def test_a_message_that_leaves_is_told_of(store: Store, clock: Clock) -> None:
    await store.loaded(bot=0)
    follow = following(store, clock)
    message = await store.settle(await store.deliver(await store.post()), says=True)
    clock.now += HOLD

    follow.poll()
    clock.now += HOLD
    assert follow.poll() == [1]
    await store.work.write(Batch(outbox=[Sent(id=message, status="sent", attempts=1, finished=NOW)]))
    assert list(told(follow)) == [[1], [], []]


async def test_following_may_begin_before_there_is_anything(tmp_path: Path, clock: Clock) -> None:
    follow = Follow(tmp_path, Query(), clock=clock)
    assert (follow.begin(10), follow.poll()) == ([], [])

    store = Store(tmp_path)
    await store.loaded(bot=0)
    await store.end(await store.post())

    assert follow.poll() == [1]
    await store.close()


async def test_a_thousand_that_came_between_two_looks_are_told_of_in_order(store: Store, clock: Clock) -> None:
    await store.loaded(bot=2000)
    follow = following(store, clock)
    for _ in range(1100):
        await store.post()

    assert follow.poll() == list(range(1, 1101))


async def test_a_text_is_found_wherever_it_stands_and_in_any_case(store: Store) -> None:
    said = await store.post(message='Olá, "tudo" BEM?')
    await store.post(message="something else")
    photo = await store.post(message="bem", base64="A" * 10_000_000)
    hidden = await store.post(base64="A" * 10_000_000, message="bem")

    assert store.find(text='tudo" bem') == [said]
    assert store.find(text="OLÁ") == [said]
    assert store.find(text="bem") == [photo, said]
    assert hidden not in store.find(text="bem", event="messages.upsert")


async def test_a_search_goes_on_from_where_a_read_ended(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WINDOW", 3)
    seqs = [await store.post() for _ in range(7)]

    reads = list(bites(store.folder, Query(), before=seqs[6], after=seqs[0]))

    assert [list(read.found) for read in reads] == [seqs[5:2:-1], seqs[2:0:-1]]
    assert [read.low for read in reads] == [seqs[3], seqs[1]]
