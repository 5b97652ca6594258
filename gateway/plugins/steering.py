"""What a handler is told about its delivery, and what it may raise to steer it."""

import msgspec


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One event on its way to one plugin."""

    id: str
    """`<event id>.<plugin>.<run>`: the same for every attempt, another for every replay."""
    attempt: int
    """From 1; above it, an earlier attempt failed or was cut off."""
    replay: bool = False
    """Somebody asked for this event to be handled again."""


class Retry(Exception):
    """Raise it to be called again with the same event; nothing this attempt queued is sent."""

    def __init__(self, after: float | None = None) -> None:
        """Wait `after` seconds; without it, what the configuration says for this attempt."""
        if after is not None and not 0 <= after < float("inf"):
            raise ValueError(f"Retry(after=...) takes seconds from 0 on, got {after!r}")
        super().__init__("retry asked for" if after is None else f"retry asked for after {after:g} s")
        self.after = after


class Drop(Exception):
    """Raise it to be done with this event: nothing queued is sent and it is not tried again."""

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason or "dropped by its handler")
        self.reason = reason
