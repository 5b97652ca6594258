"""What is answered besides events: dead letters, refused posts, plugins, and what stands above the list."""

from typing import Any

import msgspec

from gateway.redact import Json
from gateway.web.counters import Counts
from gateway.web.detail import Story


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery that was given up."""

    id: str
    event_id: str
    story: Story


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """A post that was answered 400, as it may be shown."""

    at: float
    """Unix seconds."""
    address: str | None
    path: str
    reason: str
    size: int
    """Bytes of body."""
    begins: str
    """The beginning of the body, without secrets."""


class Strip(msgspec.Struct, frozen=True, kw_only=True):
    """What stands above the list."""

    counts: Counts
    plugins: list[str]
    load_errors: list[dict[str, Json]]
    refused: list[Refused] = []
    """The newest of the last hour."""


class Plugins(msgspec.Struct, frozen=True, kw_only=True):
    """What the last worker has made of the folder of plugins."""

    plugins: list[dict[str, Any]]
    load_errors: list[dict[str, Json]]
