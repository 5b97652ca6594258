"""Ask the worker for something, over the API of a gateway that serves or else straight in the journal, and wait."""

import asyncio
import contextlib
import getpass
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import click

from gateway.cli.login import request
from gateway.config import Config
from gateway.errors import DataFolderBusy, GatewayError
from gateway.journal import Journal
from gateway.journal.controls import Kind, Payload, write_payload
from gateway.owner import Half, Owner
from gateway.report import Report, read_report
from gateway.work import highest_seq
from gateway.work.controls import highest_control
from gateway.work.store import WORK

PATHS: Final[dict[Kind, str]] = {
    "replay": "/api/replay",
    "retry": "/api/dead/retry",
    "drop": "/api/dead/drop",
    "pause": "/api/pause",
    "resume": "/api/resume",
}
ACCEPTED: Final = 202
LOOK_EVERY: Final = 0.1  # seconds
OPEN: Final = frozenset({"waiting", "running"})


def me() -> str:
    """Who asks, for the record."""
    try:
        return f"{getpass.getuser()} on the command line"
    except (KeyError, OSError):
        return "the command line"


def ask(config: Config, kind: Kind, payload: Payload) -> int:
    """Write a request down where the worker finds it; gives its id.

    Raises:
        GatewayError: nothing was ever stored here, or the gateway that serves does not answer.
    """
    if not (config.data / "journal.db").exists():
        raise GatewayError(f"nothing was ever stored in {config.data}; begin with  gateway serve")
    text = write_payload(payload)
    try:
        with Owner(config.data, "receiver"):
            return asyncio.run(_write(config, kind, text))
    except DataFolderBusy:
        status, answer = request(config, "POST", PATHS[kind], text.encode())
    if status != ACCEPTED or "id" not in answer:
        raise GatewayError(str(answer.get("detail") or f"the gateway answered {status}"))
    return int(answer["id"])


async def _write(config: Config, kind: Kind, text: str) -> int:
    floor, control_floor = highest_seq(config.data), highest_control(config.data / WORK)
    journal = Journal(config.data, floor=floor, control_floor=control_floor)
    try:
        return await journal.control(kind, text)
    finally:
        await journal.close()


def has(config: Config, half: Half) -> bool:
    """Whether a process is that half of this data folder's gateway just now."""
    try:
        with Owner(config.data, half):
            return False
    except DataFolderBusy:
        return True


def follow(config: Config, number: int, *, bar: bool, to_the_end: bool) -> Report:
    """Wait until a request is done, and with `to_the_end` until what it began has ended or been tried.

    Raises:
        GatewayError: it could not be done; the text says why.
    """
    report = Report(id=str(number), kind="", status="waiting")
    with _bar(shown=bar) as move:
        for report in _reports(config.data, number, to_the_end=to_the_end):
            move(report.part)
    if report.status == "failed":
        raise GatewayError(report.error or "it could not be done")
    return report


@contextlib.contextmanager
def _bar(*, shown: bool) -> Iterator[Callable[[float], None]]:
    """A progress bar on standard error; it is moved by giving it the part that is done."""
    if not shown:
        yield lambda _part: None
        return
    with click.progressbar(length=1000, label="  events looked at", file=sys.stderr) as bar:
        yield lambda part: bar.update(max(0, int(part * 1000) - bar.pos))


def _reports(folder: Path, number: int, *, to_the_end: bool) -> Iterator[Report]:
    while True:
        report = read_report(folder, number)
        if report is None:
            raise GatewayError(f"request {number} is gone from {folder}")
        yield report
        is_through = report.status in ("done", "failed")
        if is_through and not (to_the_end and OPEN & report.outcomes.keys()):
            return
        time.sleep(LOOK_EVERY)
