"""What people ask for beside what comes: replays, second tries, drops and pauses, behind live traffic and once each."""

import asyncio
from typing import Any

import pytest

from gateway import Context, MessagesUpsert, Plugin
from gateway.journal.controls import Kind, Letters, Replay, Steer, write_payload
from gateway.work.controls import ControlReader, Progress, highest_control
from gateway.worker import controls
from tests.worker.conftest import ANA, BIA, Bench, Gate, body, message, waiting


def noting(bench: Bench, name: str = "noting") -> Plugin[Any, Any]:
    """A plugin that notes what it was given and answers it."""
    plugin = Plugin(name)

    @plugin.message()
    async def note(event: MessagesUpsert, ctx: Context) -> None:
        ctx.reply(f"to {event.message.text}")
        ctx.chat_state["count"] = ctx.chat_state.get("count", 0) + 1
        bench.note((name, event.message.text, ctx.delivery.replay))

    return plugin


def failing(bench: Bench, name: str = "shaky") -> Plugin[Any, Any]:
    """A plugin that fails until the test appends to the list it carries."""
    plugin = Plugin(name)

    @plugin.message()
    async def shake(event: MessagesUpsert, ctx: Context) -> None:
        bench.note((name, event.message.text, ctx.delivery.attempt))
        if not mended:
            raise RuntimeError("the till is on fire")
        ctx.reply("done")

    mended: list[bool] = []
    plugin.mend = lambda: mended.append(True)  # type: ignore[attr-defined]
    return plugin


async def ask(bench: Bench, kind: Kind, payload: Replay | Letters | Steer) -> int:
    return await bench._journal.control(kind, write_payload(payload))


async def ended(bench: Bench, number: int) -> Progress:
    """The control, once the worker has gone through it."""
    async with asyncio.timeout(10):
        while (found := progress(bench, number)) is None or found.status == "running":  # noqa: ASYNC110 -- another file
            await asyncio.sleep(0.01)
    return found


def progress(bench: Bench, number: int) -> Progress | None:
    reader = ControlReader(bench.folder / "work.db")
    try:
        return reader.progress(number)
    finally:
        reader.close()


def texts(bench: Bench, *, replay: bool) -> list[str]:
    return [text for _, text, again in bench.seen if again is replay]


async def test_a_replay_is_a_new_run_that_the_handler_can_tell_and_that_sends_anew(bench: Bench) -> None:
    async with bench.worker(noting(bench)):
        (seq,) = await bench.post(message("a"))
        await bench.until(lambda: len(bench.outcomes()) == 1)
        for run in (1, 2):
            await ask(bench, "replay", Replay(ids=(seq,)))
            await bench.until(lambda run=run: len(bench.outcomes()) == run + 1)  # type: ignore[misc]

    assert bench.seen == [("noting", "a", False), ("noting", "a", True), ("noting", "a", True)]
    assert bench.rows("SELECT run, status FROM delivery ORDER BY id") == [(0, "done"), (1, "done"), (2, "done")]
    assert bench.rows("SELECT run, n FROM outbox ORDER BY id") == [(0, 1), (1, 1), (2, 1)]


@pytest.mark.parametrize(
    ("replay", "again"),
    [
        (Replay(all=True), ["a1", "b1", "a2"]),
        (Replay(ids=(3, 1)), ["a1", "a2"]),
        (Replay(chat=ANA), ["a1", "a2"]),
        (Replay(chat="+55 11 99999-0003"), ["b1"]),
        (Replay(event="messages.upsert", instance="shop-1"), ["a1", "b1", "a2"]),
        (Replay(instance="elsewhere"), []),
        (Replay(event="connection.update"), []),
        (Replay(until=1.0), []),
        (Replay(since=1.0, ids=(1,)), ["a1"]),
        (Replay(dead=True), []),
    ],
)
async def test_exactly_what_fits_is_replayed_in_order(bench: Bench, replay: Replay, again: list[str]) -> None:
    async with bench.worker(noting(bench), concurrency=1):
        await bench.post(message("a1"), message("b1", BIA), message("a2"), body("connection.update", {}))
        await bench.until(lambda: len(bench.outcomes()) == 3)
        number = await ask(bench, "replay", replay)
        result = await ended(bench, number)
        await bench.until(lambda: len(bench.outcomes()) == 3 + len(again))

    assert sorted(texts(bench, replay=True)) == sorted(again)
    assert [text for text in texts(bench, replay=True) if "a" in text] == [text for text in again if "a" in text]
    assert result.found == len(again)


async def test_a_replay_to_one_plugin_leaves_the_others_alone(bench: Bench) -> None:
    async with bench.worker(noting(bench, "one"), noting(bench, "two")):
        await bench.post(message("a"))
        await bench.until(lambda: len(bench.outcomes()) == 2)
        await ask(bench, "replay", Replay(all=True, plugins=("two",)))
        await bench.until(lambda: len(bench.outcomes()) == 3)

    assert [name for name, _, again in bench.seen if again] == ["two"]


async def test_history_reaches_a_plugin_that_is_new_by_replay(bench: Bench) -> None:
    async with bench.worker(noting(bench, "old")):
        await bench.post(message("a"), message("b"))
        await bench.until(lambda: len(bench.outcomes()) == 2)

    async with bench.worker(noting(bench, "old"), noting(bench, "new")):
        await ask(bench, "replay", Replay(all=True, plugins=("new",)))
        await bench.until(lambda: len(bench.outcomes("new")) == 2)

    assert [text for name, text, _ in bench.seen if name == "new"] == ["a", "b"]


async def test_a_replay_reaches_no_event_that_came_after_it_was_asked_for(bench: Bench) -> None:
    await bench.post(message("before"))
    await ask(bench, "replay", Replay(all=True))
    await bench.post(message("after"))

    async with bench.worker(noting(bench)):
        await bench.until(lambda: len(bench.outcomes()) == 3)

    assert texts(bench, replay=True) == ["before"]


async def test_an_event_that_waits_for_its_first_time_is_replayed_after_it(bench: Bench) -> None:
    await bench.post(*[message(f"m{n}") for n in range(40)])
    await ask(bench, "replay", Replay(all=True))

    async with bench.worker(noting(bench)):
        await bench.until(lambda: len(bench.outcomes()) == 80)

    assert texts(bench, replay=False) == texts(bench, replay=True) == [f"m{n}" for n in range(40)]


async def test_what_comes_while_a_replay_waits_is_handled_first_in_its_chat_and_in_others(
    bench: Bench, gate: Gate
) -> None:
    plugin = Plugin("slow")

    @plugin.message()
    async def slow(event: MessagesUpsert, ctx: Context) -> None:
        bench.note((plugin.name, event.message.text, ctx.delivery.replay))
        if ctx.delivery.replay:
            await gate.passed()

    async with bench.worker(plugin, concurrency=2):
        await bench.post(message("a1"), message("a2"), message("b1", BIA), message("b2", BIA))
        await bench.until(lambda: len(bench.outcomes()) == 4)
        await ask(bench, "replay", Replay(all=True))
        await bench.until(lambda: texts(bench, replay=True) == ["a1"])
        await bench.post(message("b3", BIA), message("a3"))
        await bench.until(lambda: "b3" in texts(bench, replay=False))
        gate.open()
        await bench.until(lambda: len(bench.outcomes()) == 10)

    came = [text for _, text, _ in bench.seen[5:]]
    assert came.index("a3") < came.index("a2")
    assert [text for text in texts(bench, replay=True) if "a" in text] == ["a1", "a2"]


async def test_many_replays_are_made_a_bounded_number_at_a_time(bench: Bench, gate: Gate) -> None:
    plugin = Plugin("slow")

    @plugin.message()
    async def slow(event: MessagesUpsert, ctx: Context) -> None:
        del event
        if ctx.delivery.replay:
            bench.note("replay")
            await gate.passed()

    async with bench.worker(plugin):
        await bench.post(*[message(f"m{n}", f"55119{n:08d}@s.whatsapp.net") for n in range(1500)])
        await bench.until(lambda: len(bench.outcomes()) == 1500)
        number = await ask(bench, "replay", Replay(all=True))
        await bench.until(lambda: len(bench.seen) >= 16)
        made = bench.rows("SELECT count(*) FROM delivery WHERE run = 1")[0][0]
        gate.open()
        await bench.until(lambda: len(bench.outcomes()) == 3000)
        result = await ended(bench, number)

    assert 16 <= made <= 2 * controls.AHEAD
    assert result.found == 1500


async def test_a_worker_killed_in_the_middle_of_a_replay_leaves_nothing_out_and_repeats_no_effect(
    bench: Bench, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(controls, "AHEAD", 5)
    monkeypatch.setattr(controls, "BITE", 7)
    chats = [f"55119{n:08d}@s.whatsapp.net" for n in range(10)]
    stopping, free, begun = Plugin("stopping"), [0], list[int]()

    @stopping.message()
    async def stop(event: MessagesUpsert, ctx: Context) -> None:
        del event
        ctx.reply("done")
        ctx.chat_state["count"] = ctx.chat_state.get("count", 0) + 1
        if ctx.delivery.replay:
            begun.append(1)
            bench.note("replayed")
            if len(begun) > free[0]:
                await gate.passed()

    async with bench.worker(stopping):
        await bench.post(*[message(f"m{n}", chats[n % 10]) for n in range(100)])
        await bench.until(lambda: len(bench.outcomes()) == 100)

    number = await ask(bench, "replay", Replay(all=True))
    for _ in range(3):
        free[0] = len(begun) + 25
        async with bench.worker(stopping, dies=True):
            await bench.until(lambda: len(begun) == free[0] + 10)
    free[0] = 1000
    async with bench.worker(stopping):
        assert (await ended(bench, number)).found == 100
        await bench.until(lambda: bench.rows("SELECT count(*) FROM delivery WHERE status = 'done'") == [(200,)])

    assert len(begun) == 100 + 3 * 10
    assert bench.rows("SELECT count(*), count(DISTINCT seq) FROM outbox WHERE run = 1") == [(100, 100)]
    assert {bytes(value) for (value,) in bench.rows("SELECT value FROM state")} == {b'{"count":20}'}


async def test_a_dead_letter_tried_again_is_the_same_delivery_with_all_its_tries(bench: Bench) -> None:
    shaky = failing(bench)
    async with bench.worker(shaky, retry=[0]):
        await bench.post(message("a"))
        await bench.until(lambda: bench.outcomes() == [(1, "dead")])
        await ask(bench, "retry", Letters(ids=(1,)))
        await bench.until(lambda: bench.outcomes() == [(1, "dead")] * 2)
        shaky.mend()  # type: ignore[attr-defined]
        await ask(bench, "retry", Letters(all=True))
        await bench.until(lambda: len(bench.outcomes()) == 3)

    assert bench.seen == [("shaky", "a", attempt) for attempt in (1, 2, 1, 2, 1)]
    assert bench.rows("SELECT run, status, failures FROM delivery") == [(0, "done", 0)]
    assert bench.rows("SELECT seq, run, n FROM outbox") == [(1, 0, 1)]


async def test_only_the_dead_letters_that_are_meant_are_tried_again(bench: Bench) -> None:
    one, two = failing(bench, "one"), failing(bench, "two")
    async with bench.worker(one, two, retry=[]):
        await bench.post(message("a"), message("b", BIA))
        await bench.until(lambda: len(bench.outcomes()) == 4)
        bench.seen.clear()
        number = await ask(bench, "retry", Letters(plugin="two"))
        result = await ended(bench, number)
        await bench.until(lambda: len(bench.outcomes()) == 6)

    assert result.found == 2
    assert {name for name, _, _ in bench.seen} == {"two"}


async def test_a_replay_of_dead_letters_leaves_out_what_went_well(bench: Bench) -> None:
    async with bench.worker(failing(bench), noting(bench), retry=[]):
        await bench.post(message("a"), message("b", BIA))
        await bench.until(lambda: len(bench.outcomes()) == 4)
        number = await ask(bench, "replay", Replay(dead=True, chat=BIA))
        result = await ended(bench, number)
        await bench.until(lambda: len(bench.outcomes()) == 5)

    assert result.found == 1
    assert texts(bench, replay=True) == []


async def test_a_dropped_letter_says_who_dropped_it_and_keeps_its_error(bench: Bench) -> None:
    async with bench.worker(failing(bench), retry=[]):
        await bench.post(message("a"), message("b"))
        await bench.until(lambda: len(bench.outcomes()) == 2)
        result = await ended(bench, await ask(bench, "drop", Letters(ids=(2, 99), by="carla")))

    assert result.found == 1
    assert bench.rows("SELECT id, status, failures FROM delivery") == [(1, "dead", 1), (2, "dropped", 1)]
    ((error,),) = bench.rows("SELECT error FROM delivery WHERE id = 2")
    assert error.startswith("Dropped by carla at 20")
    assert "the till is on fire" in error


async def test_letters_of_a_plugin_that_is_gone_can_be_dropped_but_not_tried_again(bench: Bench) -> None:
    async with bench.worker(failing(bench), retry=[]):
        await bench.post(message("a"))
        await bench.until(bench.outcomes)

    async with bench.worker(noting(bench)):
        refused = await ended(bench, await ask(bench, "retry", Letters(plugin="shaky")))
        dropped = await ended(bench, await ask(bench, "drop", Letters(plugin="shaky")))

    assert (refused.status, refused.error) == ("failed", "no plugin shaky is loaded; there is noting")
    assert (dropped.status, dropped.found) == ("done", 1)


async def test_a_paused_plugin_starts_nothing_and_loses_nothing_across_restarts(bench: Bench) -> None:
    async with bench.worker(noting(bench, "one"), noting(bench, "two")):
        await ended(bench, await ask(bench, "pause", Steer(plugin="one")))
        await bench.post(message("a"))
        await bench.until(lambda: bench.outcomes("two"))

    async with bench.worker(noting(bench, "one"), noting(bench, "two")):
        await bench.post(message("b"))
        await bench.until(lambda: len(bench.outcomes("two")) == 2)
        assert bench.outcomes("one") == []
        await ended(bench, await ask(bench, "resume", Steer(plugin="one")))
        await bench.until(lambda: len(bench.outcomes("one")) == 2)

    assert [text for name, text, _ in bench.seen if name == "one"] == ["a", "b"]


async def test_an_attempt_under_way_ends_though_its_plugin_is_paused(bench: Bench, gate: Gate) -> None:
    async with bench.worker(waiting(bench, gate)):
        await bench.post(message("a"))
        await bench.until(lambda: bench.seen)
        await ended(bench, await ask(bench, "pause", Steer()))
        gate.open()
        await bench.until(lambda: bench.outcomes() == [(1, "done")])


async def test_one_plugin_can_be_resumed_out_of_a_pause_of_all(bench: Bench) -> None:
    async with bench.worker(noting(bench, "one"), noting(bench, "two")):
        await ended(bench, await ask(bench, "pause", Steer()))
        await ended(bench, await ask(bench, "resume", Steer(plugin="two")))
        await bench.post(message("a"))
        await bench.until(lambda: bench.outcomes("two"))

    assert bench.outcomes("one") == []


async def test_a_suspect_of_a_paused_plugin_holds_nobody_up(bench: Bench, gate: Gate) -> None:
    hanging = Plugin("hanging")

    @hanging.message()
    async def hang(event: MessagesUpsert, ctx: Context) -> None:
        del event, ctx
        bench.note("begun")
        await gate.passed()

    async with bench.worker(hanging, noting(bench), dies=True):
        await bench.post(message("a"))
        await bench.until(lambda: "begun" in bench.seen and bench.outcomes("noting"))
    await ask(bench, "pause", Steer(plugin="hanging"))

    async with bench.worker(hanging, noting(bench)):
        await bench.post(message("b"))
        await bench.until(lambda: (2, "done") in bench.outcomes("noting"))


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("replay", Replay(all=True, plugins=("nobody",))),
        ("pause", Steer(plugin="nobody")),
        ("retry", Letters(plugin="nobody")),
    ],
)
async def test_what_names_a_plugin_that_is_not_there_fails_and_says_so(
    bench: Bench, kind: Kind, payload: Replay | Letters | Steer
) -> None:
    async with bench.worker(noting(bench)):
        result = await ended(bench, await ask(bench, kind, payload))

    assert (result.status, result.error) == ("failed", "no plugin nobody is loaded; there is noting")


async def test_what_was_asked_while_no_worker_ran_is_done_once_by_the_next(bench: Bench) -> None:
    async with bench.worker(noting(bench)):
        await bench.post(message("a"))
        await bench.until(bench.outcomes)
    number = await ask(bench, "replay", Replay(ids=(1,)))

    for _ in range(2):
        async with bench.worker(noting(bench)):
            await ended(bench, number)
            await bench.until(lambda: len(bench.outcomes()) == 2)

    assert texts(bench, replay=True) == ["a"]
    assert highest_control(bench.folder / "work.db") == number
