"""Answers that say no, as RFC 9457 wants them: `application/problem+json` with a title and a detail."""

from http import HTTPStatus

import orjson
from aiohttp import web


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
        self.headers = headers

    def response(self) -> web.Response:
        """The answer."""
        return problem(self.status, self.detail, **self.headers)


def problem(status: int, detail: str, **headers: str) -> web.Response:
    """An error answer; underscores in header names become dashes."""
    title = HTTPStatus(status).phrase
    return web.Response(
        status=status,
        body=orjson.dumps({"type": "about:blank", "title": title, "status": status, "detail": detail}),
        content_type="application/problem+json",
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )
