"""The command line: which faults, how often, and what is printed."""

import argparse
import asyncio
import secrets
import sys
from collections.abc import Sequence

import msgspec

from torture import controls
from torture.fault import Fault, survive
from torture.faults import ALL
from torture.table import Row, table


def main() -> None:
    """Run what is asked for; exit code 1 if anything was lost, out of order, repeated or otherwise wrong."""
    arguments = _parser().parse_args()
    chosen = [fault for fault in ALL if not arguments.only or any(part in fault.name for part in arguments.only)]
    if not chosen:
        sys.exit(f"no such fault; there are: {', '.join(fault.name for fault in ALL)}")
    print(f"seed {arguments.seed}", file=sys.stderr)
    rows = asyncio.run(_torture(chosen, arguments))
    print(msgspec.json.encode(rows).decode() if arguments.json else "\n" + table(rows))
    sys.exit(not all(row.is_good for row in rows))


async def _torture(faults: Sequence[Fault], arguments: argparse.Namespace) -> list[Row]:
    rows: list[Row] = []
    await controls.prove(arguments.seed)
    print("the checkers notice a lost row, a swapped lane and a doubled effect", file=sys.stderr)
    for fault in faults:
        row = await survive(fault, rounds=arguments.rounds, seed=arguments.seed)
        rows.append(row)
        print(f"{' | '.join(row.cells())} | {row.seconds:g} s", file=sys.stderr, flush=True)
        for complaint in row.complaints:
            print(f"    {complaint}", file=sys.stderr, flush=True)
    return rows


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m torture", description="Break a real gateway, over and over.")
    parser.add_argument("--only", action="append", metavar="NAME", help="faults whose name contains this")
    parser.add_argument("--rounds", type=int, metavar="N", help="instead of each fault's own number")
    parser.add_argument("--seed", default=secrets.token_hex(4), help="the same one strikes at the same moments")
    parser.add_argument("--json", action="store_true", help="print rows as JSON instead of the table")
    return parser
