"""One call to Evolution as a value: what is asked, in the spelling of 2.x and of 1.x.

No I/O here. A call is made without knowing which version answers; `spell` turns it into the one request that this
version understands.
"""

from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import quote, urlencode

import msgspec

from gateway.evolution.errors import UnsupportedCall

Version = Literal[1, 2]
Method = Literal["GET", "POST", "PUT", "DELETE"]
Body = dict[str, Any]


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked, in both spellings."""

    name: str
    """Group and action: `message/sendText`."""
    instance: str | None = None
    """None for the few calls about the server as a whole."""
    method: Method = "POST"
    body: Body | None = None
    query: Mapping[str, str] = msgspec.field(default_factory=dict)
    old_method: Method | None = None
    """What 1.x takes instead of `method`; None: the same."""
    old_body: Body | msgspec.UnsetType | None = msgspec.UNSET
    """What 1.x takes instead of `body`; unset: the same."""
    lacking: str = ""
    """Why 1.x can't be asked this; "" when it can."""
    is_question: bool = False
    """It changes nothing, so asking twice does no harm."""
    extra: float = 0.0
    """Seconds that the server takes for it beyond the usual: it waits for the typing shown, or converts a file."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP request."""

    method: Method
    path: str
    """With its query, encoded."""
    body: Body | None = None
    is_question: bool = False
    extra: float = 0.0


def spell(call: Call, version: Version) -> Request:
    """The request that asks this of a server of that version.

    Raises:
        UnsupportedCall: it can't be asked.
    """
    method, body = call.method, call.body
    if version == 1:
        if call.lacking:
            raise UnsupportedCall(f"Evolution 1.x can't do this ({call.name}): {call.lacking}")
        method = call.old_method or method
        body = body if call.old_body is msgspec.UNSET else call.old_body
    return Request(method=method, path=_path(call), body=body, is_question=call.is_question, extra=call.extra)


def sparse(**fields: Any) -> Body:  # noqa: ANN401 -- JSON
    """A JSON object of what was given: None and "" mean that it was not."""
    return {key: value for key, value in fields.items() if value is not None and value != ""}


def _path(call: Call) -> str:
    path = f"/{call.name}" if call.instance is None else f"/{call.name}/{quote(call.instance, safe='')}"
    return f"{path}?{urlencode(call.query)}" if call.query else path
