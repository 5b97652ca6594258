"""The command line: which measurements, how large, and what is printed."""

import argparse
import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final

import msgspec

from bench import accept, decoder
from bench.authors import authors
from bench.handling import handling
from bench.latency import latency
from bench.load import WRK
from bench.memory import memory
from bench.result import Result
from bench.scale import SHORT, WHOLE, Scale
from bench.starting import starting
from torture.machine import describe

ALL: Final[Mapping[str, Callable[[Scale], Awaitable[Result]]]] = {
    "latency": latency,  # first, on a disk that has rested: what the others write is gigabytes
    "accept": accept.accept,
    "connections": accept.connections,
    "bodies": accept.bodies,
    "uvloop": accept.uvloop,
    "history": accept.history,
    "plugins": accept.plugins,
    "viewers": accept.viewers,
    "memory": memory,
    "start": starting,
    "authors": authors,
    "decode": decoder.decoding,
    "handle": handling,
}


class Report(msgspec.Struct, frozen=True):
    """Everything that was measured."""

    machine: str
    results: list[Result]


def main() -> None:
    """Measure what is asked for. A goal that is missed is printed, and is no failure."""
    arguments = _parser().parse_args()
    chosen = {name: run for name, run in ALL.items() if not arguments.only or name in arguments.only}
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # as Ctrl-C does: leave nothing running
    report = asyncio.run(_run(chosen, SHORT if arguments.short else WHOLE))
    if goals := [goal for result in report.results for goal in result.goals]:
        print("\n### Goals\n\n" + "\n".join(f"    {goal}" for goal in goals))
    if arguments.json:
        arguments.json.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=2))


async def _run(chosen: Mapping[str, Callable[[Scale], Awaitable[Result]]], scale: Scale) -> Report:
    machine = f"{describe()}; load from {'wrk' if WRK else 'a client of our own'}, on the same machine"
    _say(machine)
    results: list[Result] = []
    for name, measure in chosen.items():
        _say(f"measuring: {name}")
        results.append(await measure(scale))
        print(f"\n{results[-1]}", flush=True)
    return Report(machine, results)


def _say(text: str) -> None:
    """What goes on; the tables alone are for standard output."""
    print(text, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Measure the gateway beside what it competes with."
    )
    parser.add_argument("--only", action="append", choices=ALL, metavar="NAME", help=f"of {', '.join(ALL)}")
    parser.add_argument("--short", action="store_true", help="a second or so each: it shows that all can be measured")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything there too")
    return parser
