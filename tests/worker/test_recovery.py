"""What a worker finds when it starts: what waited, what ran when it died, and how far each plugin had come."""

import asyncio
import contextlib
from typing import Any

from gateway import Context, MessagesUpsert, Plugin
from gateway.journal import Journal
from gateway.work import WorkStore
from tests.support.loops import ignore
from tests.support.waiting import until
from tests.worker.conftest import BEGIN, BIA, Bench, Gate, body, fill_up, make_room, message


def noting(bench: Bench, name: str = "noting") -> Plugin[Any, Any]:
    plugin = Plugin(name)

    @plugin.message()
    async def note(event: MessagesUpsert, ctx: Context) -> None:
        bench.note((name, event.message.text, ctx.delivery.attempt))

    return plugin


def hanging(bench: Bench, gate: Gate, name: str = "noting") -> Plugin[Any, Any]:
    """A plugin whose handlers don't end before the gate opens."""
    plugin = Plugin(name)

    @plugin.message()
    async def hang(event: MessagesUpsert, ctx: Context) -> None:
        del ctx
        bench.note(("hanging", event.message.text))
        await gate.passed()

    return plugin


async def test_the_first_start_begins_with_the_first_event(bench: Bench) -> None:
    await bench.post(message("early"))

    async with bench.worker(noting(bench)):
        await bench.until(bench.outcomes)

    assert bench.seen == [("noting", "early", 1)]


async def test_a_plugin_new_to_a_gateway_begins_at_now(bench: Bench) -> None:
    async with bench.worker(noting(bench, "old")):
        await bench.post(message("early"))
        await bench.until(bench.outcomes)

    async with bench.worker(noting(bench, "old"), noting(bench, "new")):
        await bench.until(lambda: bench.rows("SELECT * FROM position WHERE plugin = 'new'"))
        await bench.post(message("late"))
        await bench.until(lambda: bench.outcomes("new"))

    assert [each for each in bench.seen if each[0] == "new"] == [("new", "late", 1)]


async def test_the_first_plugin_of_a_gateway_that_ran_without_any_begins_at_now(bench: Bench) -> None:
    await bench.post(message("early"))
    async with bench.worker():
        await bench.until(lambda: bench.rows("SELECT * FROM fact"))

    async with bench.worker(noting(bench)):
        await bench.until(lambda: bench.rows("SELECT * FROM position"))
        await bench.post(message("late"))
        await bench.until(bench.outcomes)

    assert bench.seen == [("noting", "late", 1)]


async def test_a_plugin_that_is_away_for_a_while_finds_all_it_missed(bench: Bench) -> None:
    async with bench.worker(noting(bench, "one"), noting(bench, "two")):
        await bench.post(message("m1"))
        await bench.until(lambda: len(bench.outcomes()) == 2)
    async with bench.worker(noting(bench, "one")):
        await bench.post(message("m2"))
        await bench.until(lambda: len(bench.outcomes("one")) == 2)
    away = bench.outcomes("two")

    async with bench.worker(noting(bench, "one"), noting(bench, "two")):
        await bench.until(lambda: len(bench.outcomes("two")) == 2)

    assert away == [(1, "done")]
    assert bench.outcomes("one") == bench.outcomes("two") == [(1, "done"), (2, "done")]


async def test_the_waiting_deliveries_of_a_plugin_that_is_away_stay_as_they_are(bench: Bench, gate: Gate) -> None:
    async with bench.worker(hanging(bench, gate, "away")):
        await bench.post(message("m1"))
        await bench.until(lambda: bench.seen)

    async with bench.worker(noting(bench, "other")):
        await bench.until(lambda: bench.rows("SELECT * FROM position WHERE plugin = 'other'"))
    waiting = bench.rows("SELECT plugin, status, failures, deaths FROM delivery")
    async with bench.worker(noting(bench, "away")):
        await bench.until(bench.outcomes)

    assert waiting == [("away", "waiting", 0, 0)]
    assert bench.seen[1:] == [("away", "m1", 1)]


async def test_being_told_to_stop_counts_as_no_attempt(bench: Bench, gate: Gate) -> None:
    async with bench.worker(hanging(bench, gate)):
        await bench.post(message("m1"))
        await bench.until(lambda: bench.seen)
    stopped = bench.rows("SELECT status, alone, failures, deaths FROM delivery")

    async with bench.worker(noting(bench)):
        await bench.until(bench.outcomes)

    assert stopped == [("waiting", 0, 0, 0)]
    assert bench.seen[1:] == [("noting", "m1", 1)]


async def test_what_ends_while_the_worker_stops_is_settled(bench: Bench, gate: Gate) -> None:
    async with bench.worker(hanging(bench, gate)):
        await bench.post(message("m1"))
        await bench.until(lambda: bench.seen)
        gate.open()

    assert bench.outcomes() == [(1, "done")]
    assert bench.rows("SELECT status FROM delivery") == [("done",)]


async def test_after_a_death_what_ran_runs_again_before_all_else_and_one_at_a_time(bench: Bench, gate: Gate) -> None:
    async with bench.worker(hanging(bench, gate), dies=True):
        await bench.post(message("a1"), message("a2"), message("b1", BIA))
        await bench.until(lambda: len(bench.seen) == 2)
    bench.seen.clear()
    plugin, running = Plugin("noting"), 0

    @plugin.message()
    async def count(event: MessagesUpsert, ctx: Context) -> None:
        del ctx
        nonlocal running
        running += 1
        alone = bench.rows("SELECT alone FROM delivery WHERE status = 'running' ORDER BY alone DESC LIMIT 1")
        bench.note((event.message.text, running, alone == [(1,)]))
        running -= 1

    async with bench.worker(plugin):
        await bench.until(lambda: len(bench.outcomes()) == 3)

    assert bench.seen == [("a1", 1, True), ("b1", 1, True), ("a2", 1, False)]


async def test_an_innocent_neighbour_of_a_death_is_not_charged_with_it(bench: Bench, gate: Gate) -> None:
    await bench.post(message("m1"))
    for running in (2, 1, 1, 1):
        bench.seen.clear()
        async with bench.worker(hanging(bench, gate, "one"), hanging(bench, gate, "two"), dies=True):
            await bench.until(lambda: len(bench.seen) == running)  # noqa: B023 -- awaited within the loop

    deaths = dict(bench.rows("SELECT plugin, deaths FROM delivery"))
    assert deaths["one"] == 2
    assert deaths["two"] == 0


async def test_a_delivery_that_three_times_was_alone_when_the_worker_died_is_a_dead_letter(
    bench: Bench, gate: Gate
) -> None:
    await bench.post(message("poison"), message("next"), message("other", BIA))
    starts = 0
    while not bench.outcomes():
        starts += 1
        async with bench.worker(hanging(bench, gate), dies=True):
            await bench.until(lambda: bench.outcomes() or ("hanging", "poison") in bench.seen)
            bench.seen.clear()

    async with bench.worker(noting(bench)):
        await bench.until(lambda: len(bench.outcomes()) == 3)

    assert starts == 5  # once among others, three times alone, and the one that finds it guilty
    assert bench.outcomes()[0] == (1, "dead")
    assert "died 3 times" in bench.rows("SELECT error FROM delivery WHERE seq = 1")[0][0]
    assert sorted(bench.outcomes()[1:]) == [(2, "done"), (3, "done")]


async def test_a_death_is_charged_once_even_if_the_worker_dies_before_the_suspects_turn(
    bench: Bench, gate: Gate
) -> None:
    await bench.post(message("poison"))
    for _ in range(2):
        async with bench.worker(hanging(bench, gate), dies=True):
            await bench.until(lambda: bench.seen)
        bench.seen.clear()
    store = WorkStore(bench.folder)
    store._connection.execute(
        "CREATE TRIGGER no_start BEFORE UPDATE ON delivery WHEN NEW.alone BEGIN SELECT RAISE(ABORT, 'not now'); END"
    )
    await store.close()
    asyncio.get_running_loop().set_exception_handler(ignore)  # what is refused after the end, nobody asks for

    for _ in range(3):
        bench.seen.clear()
        async with bench.worker(hanging(bench, gate), dies=True) as engine:
            bench.note_commits(engine._writing._store)
            await bench.until(lambda: bench.seen.count(BEGIN) >= 2)  # what it found, and the start that is refused

    assert bench.rows("SELECT status, deaths FROM delivery") == [("running", 1)]


async def test_a_suspect_that_order_puts_behind_another_does_not_halt_the_gateway(bench: Bench, gate: Gate) -> None:
    plugin = Plugin("noting")

    @plugin.message()
    async def fail_first(event: MessagesUpsert, ctx: Context) -> None:
        del ctx
        bench.note(event.message.text)
        if event.message.text == "a1":
            raise ValueError
        await gate.passed()

    async with bench.worker(plugin, dies=True, order="none", retry=(60,)):
        await bench.post(message("a1"), message("a2"), message("b1", BIA))
        await bench.until(lambda: len(bench.seen) == 3 and bench.settled)
    bench.seen.clear()

    async with bench.worker(noting(bench), order="lane") as engine:
        await bench.until(bench.outcomes)
        bench.now += 60
        engine.wake()
        await bench.until(lambda: len(bench.outcomes()) == 3)

    assert [text for _, text, _ in bench.seen] == ["b1", "a1", "a2"]


async def test_a_clock_set_back_does_not_hold_up_what_ran_when_the_worker_died(bench: Bench, gate: Gate) -> None:
    plugin = Plugin("noting")

    @plugin.message()
    async def fail_once(event: MessagesUpsert, ctx: Context) -> None:
        del event
        bench.note(ctx.delivery.attempt)
        if ctx.delivery.attempt == 1:
            raise ValueError
        await gate.passed()

    async with bench.worker(plugin, dies=True, retry=(60,)) as engine:
        await bench.post(message("m1"))
        await bench.until(lambda: bench.settled)
        bench.now += 60
        engine.wake()
        await bench.until(lambda: bench.seen == [1, 2])
    bench.now -= 3600

    async with bench.worker(noting(bench)):
        await bench.until(bench.outcomes)

    assert bench.outcomes() == [(1, "done")]


async def test_numbers_of_an_earlier_run_are_never_given_again(bench: Bench) -> None:
    for n in range(3):
        async with bench.worker(noting(bench)):
            await bench.post(message(f"m{n}"))
            await bench.until(lambda: len(bench.outcomes()) == n + 1)  # noqa: B023 -- awaited within the loop

    assert bench.rows("SELECT id, seq FROM delivery ORDER BY id") == [(1, 1), (2, 2), (3, 3)]


async def test_an_event_that_the_journal_lost_is_a_dead_letter_and_its_chat_goes_on(bench: Bench, gate: Gate) -> None:
    async with bench.worker(hanging(bench, gate)):
        await bench.post(message("lost"), message("kept"))
        await bench.until(lambda: bench.seen)
    bench._journal._writer._connection.execute("DELETE FROM event WHERE seq = 1")

    async with bench.worker(noting(bench)):
        await bench.until(lambda: len(bench.outcomes()) == 2)

    assert bench.outcomes() == [(1, "dead"), (2, "done")]


async def test_the_events_of_a_journal_put_in_the_place_of_another_are_handled(bench: Bench) -> None:
    async with bench.worker(noting(bench)):
        await bench.post(message("old"))
        await bench.until(bench.outcomes)
        await bench.close()
        for file in bench.folder.glob("journal.db*"):
            file.rename(file.with_name(f"broken-{file.name}"))
        bench._journal = Journal(bench.folder)
        await bench.post(message("new"))
        await bench.until(lambda: len(bench.outcomes()) == 2)

    assert [text for _, text, _ in bench.seen] == ["old", "new"]


async def test_a_handler_that_nothing_stops_fails_and_asks_for_another_worker(bench: Bench, gate: Gate) -> None:
    plugin = Plugin("stubborn")

    @plugin.message()
    def block(event: MessagesUpsert, ctx: Context) -> None:
        del event, ctx
        gate.wait()

    async with bench.worker(plugin, timeout=0.01, stuck=0.05, retry=(60,)) as engine:
        await bench.post(message("m1"), body("call", {}))
        await bench.until(lambda: bench.settled)

        assert engine.stuck
        assert bench.rows("SELECT status, failures FROM delivery") == [("waiting", 1)]


async def test_a_late_result_of_a_handler_given_up_as_stuck_changes_nothing(bench: Bench, gate: Gate) -> None:
    plugin = Plugin("stubborn")

    @plugin.message()
    def block(event: MessagesUpsert, ctx: Context) -> None:
        del event
        gate.wait()
        with contextlib.suppress(Exception):
            ctx.reply("too late")
        bench.note("ended")

    async with bench.worker(plugin, timeout=0.01, stuck=0.05, retry=(60,)):
        await bench.post(message("m1"))
        await bench.until(lambda: bench.settled)
        gate.open()
        await bench.until(lambda: "ended" in bench.seen)

    assert bench.rows("SELECT status, failures FROM delivery") == [("waiting", 1)]
    assert bench.rows("SELECT * FROM outbox") == []


async def test_time_spent_waiting_for_the_disk_is_no_time_of_the_handlers(bench: Bench) -> None:
    async with bench.worker(noting(bench), timeout=0.05, stuck=0.4) as engine:
        await bench.until(lambda: bench.rows("SELECT * FROM position"))
        fill_up(engine._writing._store)
        bench.note_commits(engine._writing._store)
        await bench.post(*[message("m", f"{n:190d}@g.us".replace(" ", "1")) for n in range(60)])
        await bench.until(lambda: bench.seen.count(BEGIN) >= 2)
        make_room(engine._writing._store)
        await bench.until(lambda: len(bench.outcomes()) == 60)

        assert not engine.stuck
    assert {status for _, status in bench.outcomes()} == {"done"}


async def test_however_many_events_wait_a_bounded_number_is_taken_up_at_a_time(bench: Bench, gate: Gate) -> None:
    await bench.post(*[message(f"m{n}", f"55119{n:08d}@s.whatsapp.net") for n in range(1500)])

    async with bench.worker(hanging(bench, gate), concurrency=4):
        await bench.until(lambda: len(bench.seen) == 4)
        await until(lambda: bench.rows("SELECT * FROM delivery"), "what was taken up is on disk")
        taken = bench.rows("SELECT count(*) FROM delivery")[0][0]

    assert 4 <= taken <= 1024
