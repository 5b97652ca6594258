"""Ask the worker for something over the API: replay, retry, drop, pause, resume. The answer is the request's id.

The request is in the journal before it is answered; what becomes of it is read from the worker's own file.
"""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import msgspec
import orjson
from aiohttp import web
from aiohttp.typedefs import Handler

from gateway.config import Config
from gateway.errors import ControlError, JournalUnavailable
from gateway.journal import JournalReader
from gateway.journal.controls import Control, Kind, read_payload, write_payload
from gateway.sqlite import is_missing
from gateway.web.problems import problem
from gateway.work import WorkReader
from gateway.work.controls import ControlReader, Progress
from gateway.work.store import PAUSED, WORK

Keep = Callable[[Kind, str], Awaitable[int]]

KEEP: Final[web.AppKey[Keep]] = web.AppKey("keep")
FOLDER: Final = web.AppKey("folder", Path)


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """How far a request is."""

    id: str
    kind: str
    status: str
    """waiting (no worker has read it yet), running, done or failed."""
    found: int = 0
    """Deliveries made so far, dead letters changed, or plugins paused or resumed."""
    outcomes: dict[str, int] = {}
    """Of a replay or a retry: how many deliveries are in which state."""
    error: str | None = None
    part: float = 0.0
    """How much of the events it has gone through, 0 to 1."""
    result: Any = None
    """The answer to a question."""


def asking(kind: Kind) -> Handler:
    """The handler that takes requests of one kind."""

    async def ask(request: web.Request) -> web.Response:
        try:
            payload = read_payload(kind, await request.read())
            if not payload.by:
                payload = msgspec.structs.replace(payload, by=f"the API from {request.remote}")
            number = await request.app[KEEP](kind, write_payload(payload))
        except ControlError as error:
            return problem(400, str(error))
        except JournalUnavailable as error:
            return problem(503, str(error), Retry_After="1")
        return _json({"id": str(number)}, 202, {"Location": f"/api/controls/{number}"})

    return ask


async def control(request: web.Request) -> web.Response:
    """GET /api/controls/{id}: how far a request is."""
    number = int(request.match_info["id"])
    report = await asyncio.to_thread(read_report, request.app[FOLDER], number) if number < 2**63 else None
    return _json(report) if report else problem(404, f"nothing was asked for under the number {number}")


def read_report(folder: Path, number: int) -> Report | None:
    """How far a request is; None for one that was never made."""
    try:
        with closing(JournalReader(folder)) as journal:
            asked = next((each for each in journal.controls(number - 1, 1) if each.id == number), None)
    except sqlite3.Error as error:
        if is_missing(error):
            return None
        raise
    return _report(folder, asked) if asked else None


def _report(folder: Path, asked: Control) -> Report:
    progress: Progress | None = None
    outcomes: dict[str, int] = {}
    try:
        with closing(ControlReader(folder / WORK)) as work:
            progress = work.progress(asked.id)
            outcomes = work.outcomes(asked.id) if asked.kind in ("replay", "retry") else {}
    except sqlite3.Error as error:
        if not is_missing(error):
            raise
    if progress is None:
        return Report(id=str(asked.id), kind=asked.kind, status="waiting")
    return Report(
        id=str(asked.id),
        kind=asked.kind,
        status=progress.status,
        found=progress.found,
        outcomes=outcomes,
        part=min(progress.cursors.values(), default=progress.upto) / (progress.upto or 1),
        error=progress.error,
        result=orjson.loads(progress.result) if progress.result else None,
    )


def read_paused(folder: Path) -> dict[str, float]:
    """By plugin, since when it is paused; `*` stands for all of them. Nothing where that can't be read."""
    try:
        return dict(read_facts(folder).get(PAUSED) or {})
    except sqlite3.Error:
        return {}


def read_facts(folder: Path) -> dict[str, Any]:
    """What the worker says of itself; nothing before the first one."""
    try:
        with closing(WorkReader(folder)) as work:
            return work.facts()
    except sqlite3.Error as error:
        if is_missing(error):
            return {}
        raise


def set_up(app: web.Application, config: Config, keep: Keep | None) -> None:
    """Give the handlers what they need. Without `keep` there is nobody to ask."""
    app[FOLDER] = config.data
    app[KEEP] = keep or _nobody


async def _nobody(_kind: Kind, _payload: str) -> int:
    raise JournalUnavailable("this listener has no journal to write to")


def _json(value: object, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    body = msgspec.json.encode(value)
    return web.Response(status=status, body=body, content_type="application/json", headers=headers)
