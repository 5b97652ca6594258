"""A delivery's history: the attempts that came to nothing."""

from pathlib import Path

from gateway.work import Batch, Delivery, Failed, Settled, WorkReader, WorkStore
from gateway.work.attempts import KEPT
from gateway.work.trim import Trim


def failed(n: int) -> Failed:
    return Failed(delivery=1, result="failed", started=float(n), millis=1.5, handler="h", error=f"error {n}")


async def test_attempts_are_read_back_in_order_and_only_the_newest_are_kept(tmp_path: Path) -> None:
    store = WorkStore(tmp_path)
    one = Delivery(id=1, seq=1, plugin="p", lane="l")
    await store.write(Batch(taken=[one]))

    for n in range(KEPT + 2):
        await store.write(Batch(failed=[failed(n)]))

    found = WorkReader(tmp_path).failed_attempts([1, 2])
    assert found == {1: [failed(n) for n in range(2, KEPT + 2)]}
    await store.close()


async def test_of_an_attempt_that_the_worker_died_in_the_start_is_known_from_the_delivery(tmp_path: Path) -> None:
    store = WorkStore(tmp_path)
    one = Delivery(id=1, seq=1, plugin="p", lane="l")
    await store.write(Batch(taken=[one]))
    await store.write(Batch(started=[(one, 7.0)]))

    await store.write(Batch(failed=[Failed(delivery=1, result="died")], started=[(one, 9.0)]))

    (attempt,) = WorkReader(tmp_path).failed_attempts([1])[1]
    assert (attempt.result, attempt.started, attempt.millis) == ("died", 7.0, None)
    await store.close()


async def test_the_history_goes_with_its_delivery(tmp_path: Path) -> None:
    store = WorkStore(tmp_path)
    made = [Delivery(id=number, seq=number, plugin="p", lane="l") for number in (1, 2)]
    await store.write(Batch(taken=made, failed=[failed(1)]))
    await store.write(Batch(settled=[Settled(delivery=made[0], status="dead", started=1.0, millis=1.0)]))

    await store.trim(Trim(gone=[1]))

    assert WorkReader(tmp_path).failed_attempts([1]) == {}
    await store.close()
