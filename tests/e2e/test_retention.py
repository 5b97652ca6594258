"""A gateway that runs lets old events go, and what became of them, but not what a plugin still waits for."""

import sqlite3
from contextlib import closing

from tests.support.bodies import message
from tests.support.gateway import Gateway
from tests.support.waiting import until

AT_ONCE = 1e-6  # days


async def test_old_events_go_with_their_deliveries_and_what_is_retried_stays(gateway: Gateway) -> None:
    gateway.recorder("quick")
    gateway.plugin(
        "stubborn", "@plugin.message(f.text('2'))\nasync def fail(event, ctx):\n    raise Retry(after=3600)\n"
    )
    await gateway.start()
    for number in range(1, 6):
        await gateway.accept(message(number, text=str(number), chat=number))
    await until(lambda: len(gateway.deliveries()) == 10 and len(unfinished(gateway)) == 1, "all but one are handled")
    await gateway.stop()

    gateway.settings(retention={"days": AT_ONCE})
    await gateway.start()
    await until(lambda: sorted(gateway.events()) == [2, 5], "retention has been round")
    await gateway.stop()
    await gateway.start()

    await until(lambda: delivered(gateway) == [2, 2, 5, 5], "the worker has been round too")
    assert unfinished(gateway) == [2]
    assert await gateway.accept(message(6)) == 6


def unfinished(gateway: Gateway) -> list[int]:
    return [row.seq for row in gateway.deliveries() if row.status == "waiting" and row.retries]


def delivered(gateway: Gateway) -> list[int]:
    with closing(sqlite3.connect(f"file:{gateway.data}/work.db?mode=ro", uri=True)) as work:
        return [row[0] for row in work.execute("SELECT seq FROM delivery ORDER BY seq")]
