"""How attempts end is counted by plugin, goes on over restarts, and is written rarely."""

from typing import Any

from gateway import Context, Drop, MessagesUpsert, Plugin, Retry
from gateway.work import Delivery, WorkReader
from gateway.work.store import STATS
from gateway.worker.stats import MINUTES, Stats
from gateway.worker.verdict import Ended, Result
from tests.worker.conftest import Bench, message

MINUTE = 60.0


def moody() -> Plugin[Any, Any]:
    plugin = Plugin("moody")

    @plugin.message()
    async def do(event: MessagesUpsert, ctx: Context) -> None:
        if event.text == "drop":
            raise Drop("not mine")
        if event.text == "fail":
            raise ValueError("no such thing")
        if event.text == "again" and ctx.delivery.attempt == 1:
            raise Retry(after=0)

    return plugin


async def test_every_end_is_counted_and_the_count_goes_on_in_the_next_worker(bench: Bench) -> None:
    for texts in (("ok", "drop", "fail"), ("ok", "again")):
        async with bench.worker(moody(), retry=[]):
            seqs = await bench.post(*map(message, texts))
            await bench.until(lambda seqs=seqs: {seq for seq, _ in bench.outcomes()} >= set(seqs))  # type: ignore[misc]

    reader = WorkReader(bench.folder)
    kept = reader.facts()[STATS]
    reader.close()
    moody_kept = kept["plugins"]["moody"]
    assert [moody_kept[each] for each in ("done", "skipped", "dropped", "failed")] == [3, 0, 1, 1]
    assert moody_kept["last_failure"]["error"] == "ValueError: no such thing"
    assert sum(kept["failed"].values()) == 1
    assert 0 < moody_kept["p50"] <= moody_kept["p95"]


def ended(result: Result, millis: float = 1.0) -> Ended:
    delivery = Delivery(id=1, seq=7, plugin="p", lane="l")
    return Ended(delivery=delivery, result=result, started=5.0, millis=millis, handler="h")


def test_latency_is_told_from_the_last_attempts() -> None:
    stats = Stats(None)
    for millis in range(1, 102):
        stats.note(ended("done", float(millis)))

    tally = (stats.fact() or {})["plugins"]["p"]

    assert (tally["p50"], tally["p95"], tally["attempts"]) == (51.0, 96.0, 101)


def test_it_is_written_once_a_second_unless_the_worker_stops_and_not_at_all_if_nothing_is_new() -> None:
    stats = Stats(None)
    stats.note(ended("done"))
    first = stats.fact()
    stats.note(ended("done"))

    assert first is not None
    assert stats.fact() is None
    assert stats.fact(now=True) is not None
    assert stats.fact(now=True) is None


def test_failures_are_counted_by_minute_and_old_minutes_go() -> None:
    clock = [0.0]
    stats = Stats(None, lambda: clock[0])
    for minute in (0, 5, 5, MINUTES):
        clock[0] = minute * MINUTE
        stats.note(ended("failed"))

    assert (stats.fact() or {})["failed"] == {"5": 2, str(MINUTES): 1}
