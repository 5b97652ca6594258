"""Ask the worker for something over the API: replay, retry, drop, pause, resume. The answer is the request's id.

The request is in the journal before it is answered; what becomes of it is read from the worker's own file.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from gateway.config import Config
from gateway.errors import ControlError, JournalUnavailable
from gateway.journal.controls import Kind, read_payload, write_payload
from gateway.report import read_report
from gateway.web.problems import problem

Keep = Callable[[Kind, str], Awaitable[int]]

KEEP: Final[web.AppKey[Keep]] = web.AppKey("keep")
FOLDER: Final = web.AppKey("folder", Path)


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


def set_up(app: web.Application, config: Config, keep: Keep | None) -> None:
    """Give the handlers what they need. Without `keep` there is nobody to ask."""
    app[FOLDER] = config.data
    app[KEEP] = keep or _nobody


async def _nobody(_kind: Kind, _payload: str) -> int:
    raise JournalUnavailable("this listener has no journal to write to")


def _json(value: object, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    body = msgspec.json.encode(value)
    return web.Response(status=status, body=body, content_type="application/json", headers=headers)
