"""More senders, and more events, than ever come at once on a usual day."""

import asyncio
import statistics
from typing import Final

from tests.support.sender import Answer, Sender
from torture.client import blast
from torture.fault import Fault
from torture.machine import megabytes
from torture.stage import Stage

HERD: Final = 20_000
HERD_CONNECTIONS: Final = 1_024
LOAD: Final = 60_000
RATE: Final = 1_000  # events a second


async def herd(stage: Stage) -> None:
    """After an outage everybody comes at once, and again until acknowledged."""
    await stage.gateway.start()
    await stage.gateway.kill()
    await stage.gateway.start()
    stage.sender = Sender(f"{stage.gateway.webhook}/messages-upsert", HERD_CONNECTIONS)
    began = asyncio.get_running_loop().time()
    await stage.sender.post_all(stage.bodies(HERD * stage.rounds))
    seconds = asyncio.get_running_loop().time() - began
    answers = list(stage.sender.acknowledged.values())
    stage.expect(stage.sender.unanswered == 0, f"{stage.sender.unanswered} posts got no answer")
    stage.notes += [
        f"{HERD_CONNECTIONS} connections",
        f"{len(answers) / seconds:.0f}/s",
        f"{len(stage.sender.refused)} answers 503",
        _waits(answers),
    ]


async def load(stage: Stage) -> None:
    """A steady stream, as fast as it is to be; no answer but 202, and memory stays where it is."""
    await stage.gateway.start()
    await stage.post(1_000)
    first = stage.bodies(LOAD * stage.rounds)
    before = megabytes(stage.gateway)
    report = await blast(stage.gateway, first, rate=RATE, connections=64)
    await stage.settled()
    after = megabytes(stage.gateway)
    stage.acknowledged |= report.acknowledged
    stage.expect(set(report.statuses) == {202}, f"answers were {report.statuses}")
    stage.notes += [
        f"{report.rate:.0f}/s of {RATE}/s asked for",
        f"p50 {report.p50:.0f} ms, p99 {report.p99:.0f} ms",
        *(f"{name} {before[name]:.0f} -> {after[name]:.0f} MB" for name in before),
    ]


def _waits(answers: list[Answer]) -> str:
    millis = [answer.seconds * 1000 for answer in answers]
    return f"p50 {statistics.median(millis):.0f} ms, p99 {statistics.quantiles(millis, n=100)[-1]:.0f} ms"


FAULTS: Final = (
    Fault("herd after an outage", 1, herd),
    Fault("load", 1, load),
)
