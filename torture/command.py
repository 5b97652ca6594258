"""The command line: which faults, how often, and what is printed."""

import argparse
import asyncio
import secrets
import signal
import sys
from collections.abc import Sequence

import msgspec

from torture import controls, million
from torture.fault import Fault, survive
from torture.faults import ALL
from torture.machine import describe
from torture.table import COLUMNS, Row, table


def main() -> None:
    """Run what is asked for; exit code 1 if anything was lost, out of order, repeated or otherwise wrong."""
    arguments = _parser().parse_args()
    chosen = [fault for fault in ALL if _is_wanted(fault.name, arguments.only)]
    with_million = _is_wanted(million.NAME, arguments.only)
    if not chosen and not with_million:
        sys.exit(f"no such fault; there are: {', '.join(fault.name for fault in ALL)}, {million.NAME}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # as Ctrl-C does: leave no gateway running
    _say(f"{describe()}; seed {arguments.seed}")
    rows = asyncio.run(_torture(chosen, arguments)) if chosen else []
    figures = asyncio.run(million.compare()) if with_million else []
    _print(rows, figures, as_json=arguments.json)
    sys.exit(not all(row.is_good for row in rows) or any(one.wrong for one in figures))


async def _torture(faults: Sequence[Fault], arguments: argparse.Namespace) -> list[Row]:
    rows: list[Row] = []
    await controls.prove(arguments.seed)
    _say("the checkers notice a lost row, a swapped lane and a doubled effect")
    for fault in faults:
        row = await survive(fault, rounds=arguments.rounds, seed=arguments.seed)
        rows.append(row)
        _say(f"{' | '.join(row.cells())} | {row.seconds:g} s")
        for complaint in row.complaints:
            _say(f"    {complaint}")
    return rows


def _is_wanted(name: str, only: Sequence[str] | None) -> bool:
    return not only or any(part in name for part in only)


def _print(rows: Sequence[Row], figures: Sequence[million.Figures], *, as_json: bool) -> None:
    if as_json:
        print(msgspec.json.encode({"faults": rows, million.NAME: figures}).decode())
        return
    if rows:
        print("\n" + table(COLUMNS, [row.cells() for row in rows]))
    if figures:
        print("\n" + table(million.COLUMNS, [one.cells() for one in figures]))


def _say(text: str) -> None:
    """What goes on; the tables alone are for standard output."""
    print(text, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m torture", description="Break a real gateway, over and over.")
    parser.add_argument("--only", action="append", metavar="NAME", help="faults whose name contains this")
    parser.add_argument("--rounds", type=int, metavar="N", help="instead of each fault's own number")
    parser.add_argument("--seed", default=secrets.token_hex(4), help="the same one strikes at the same moments")
    parser.add_argument("--json", action="store_true", help="print rows as JSON instead of the table")
    return parser
