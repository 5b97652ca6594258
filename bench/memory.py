"""What the two processes hold: idle, with deliveries that wait, after a million chats, with one huge body."""

from pathlib import Path
from typing import Final

from bench import targets
from bench.accept import folder, with_past
from bench.bodies import template
from bench.client import Order
from bench.load import first_number, post
from bench.result import Goal, Result
from bench.scale import Scale
from bench.targets import Target
from tests.support.waiting import until
from torture.machine import megabytes

COLUMNS: Final = ("what", "receiver MiB", "worker MiB", "together MiB")

_HELD: Final = """
import asyncio

@plugin.message()
async def wait(event, ctx):
    await asyncio.sleep(3600)
"""


async def memory(scale: Scale) -> Result:
    """Each on a gateway of its own."""
    result = Result(title="Memory", columns=COLUMNS)
    async with folder() as where, targets.gateway("idle", where, *targets.THREE) as idle:
        with idle.awake():
            row = _row("idle, 3 plugins", idle)
    result.rows.append(row)
    result.goals = [Goal(name="idle, both processes, MiB", value=float(row[3]), goal=120, at_most=True)]
    result.rows.append(await _waiting(scale))
    async with folder() as where, with_past(scale.history, where, chats=scale.history) as past:
        with past.awake():
            await _post(past, 1_000)
            await until(lambda: not past.behind(), "they are handled", within=60)
            result.rows.append(_row(f"after {scale.history:,} chats, and 1,000 events", past))
    result.rows.append(await _big(scale))
    return result


async def _waiting(scale: Scale) -> list[str | float]:
    """Growth for each 1,000 deliveries that wait behind handlers which do not end."""
    settings = {"delivery": {"timeout": 3600}}
    async with folder() as where, targets.gateway("waiting", where, _HELD, settings=settings) as target:
        with target.awake():
            await _post(target, 1_000)
            before = _row("", target)
            await _post(target, scale.waiting)
            await until(lambda: target.behind() > scale.waiting, "they wait", within=60)
            after = _row("", target)
    per_thousand = [(float(after[at]) - float(before[at])) * 1000 / scale.waiting for at in (1, 2, 3)]
    return ["more for 1,000 deliveries that wait", *per_thousand]


async def _big(scale: Scale) -> list[str | float]:
    """The most that was held while one body of that size was taken in and handled."""
    async with folder() as where, targets.gateway("big", where, targets.IDLE) as target:
        with target.awake():
            await post(Order(port=target.port, connections=1, seconds=60, form=template(scale.big), first=0, count=1))
            await until(lambda: not target.behind(), "it is handled", within=60)
            pids = [target.gateway.process.pid, target.gateway.worker or 0] if target.gateway else []
            most = [_peak(pid) for pid in pids]
    return [f"at most, with a body of {scale.big / 10**6:.0f} MB", *most, sum(most)]


async def _post(target: Target, count: int) -> None:
    await post(Order(port=target.port, connections=32, seconds=60, form=template(), first=first_number(), count=count))


def _row(what: str, target: Target) -> list[str | float]:
    assert target.gateway is not None  # noqa: S101 -- each is one
    held = megabytes(target.gateway)
    return [what, held["receiver"], held["worker"], held["receiver"] + held["worker"]]


def _peak(pid: int) -> float:
    """MiB that a process has held at most, since it began."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 2**10
