"""Answers that say no, as RFC 9457 wants them: `application/problem+json` with a title and a detail."""

from http import HTTPStatus
from typing import Final

import orjson
from aiohttp import web

PROBLEM_JSON: Final = "application/problem+json"


class Problem(Exception):
    """Stop handling the request and answer with this."""

    def __init__(
        self, status: int, detail: str, *, sender: str | None = None, reason: str = "", **headers: str
    ) -> None:
        """`sender`: the address it is counted for. `reason`: for the log, where it says more than the answer.

        Underscores in header names become dashes.
        """
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.sender = sender
        self.reason = reason or detail
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    @property
    def body(self) -> bytes:
        """The answer's body."""
        title = HTTPStatus(self.status).phrase
        return orjson.dumps({"type": "about:blank", "title": title, "status": self.status, "detail": self.detail})

    def response(self) -> web.Response:
        """The answer."""
        return web.Response(status=self.status, body=self.body, content_type=PROBLEM_JSON, headers=self.headers)


def problem(status: int, detail: str, **headers: str) -> web.Response:
    """An error answer; underscores in header names become dashes."""
    return Problem(status, detail, **headers).response()
