"""What a dry run has shown: how an attempt ended, what it would have sent and what it would have remembered.

Values only, so that the worker and `gateway replay --dry-run`, which runs without one, tell the same.
"""

from typing import Any

import msgspec
import orjson

from gateway.plugins.outgoing import summary
from gateway.plugins.state import StateSource
from gateway.worker.verdict import Ended


class Sending(msgspec.Struct, frozen=True, kw_only=True):
    """A message that would be queued."""

    to: str
    kind: str
    text: str
    """In a few words, for a person."""
    payload: dict[str, Any]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """State that would be saved."""

    scope: str
    before: Any
    after: Any


class Rehearsed(msgspec.Struct, frozen=True, kw_only=True):
    """What one plugin would do with one event."""

    event_id: str
    plugin: str
    result: str
    """done, skipped, dropped, retry, failed or dead."""
    handler: str | None
    millis: float
    sends: list[Sending]
    changes: list[Change]
    error: str | None


def rehearsed(ended: Ended, state: StateSource) -> Rehearsed:
    """Tell of a dry run's end; `state` says what is remembered now."""
    return Rehearsed(
        event_id=str(ended.delivery.seq),
        plugin=ended.delivery.plugin,
        result=ended.result,
        handler=ended.handler,
        millis=ended.millis,
        sends=[
            Sending(to=send.to, kind=send.kind, text=summary(send.kind, send.payload), payload=send.payload)
            for send in ended.sends
        ],
        changes=[
            Change(
                scope=change.key.scope,
                before=_value(state.read(change.replaces or change.key)[0]),
                after=_value(change.value),
            )
            for change in ended.changes
        ],
        error=ended.error,
    )


def _value(text: bytes | None) -> Any:  # noqa: ANN401 -- JSON
    return orjson.loads(text) if text else {}
