"""How fast messages leave: as a person would write them, because WhatsApp bans numbers that flood.

Nothing here waits or sends, so the rules are tested on numbers alone.
"""

from collections.abc import Callable
from typing import Final, Literal

from gateway.config.settings import Pace

MINUTE: Final = 60.0  # seconds
_AT_ONCE: Final = 4
"""A bucket holds what comes in in a quarter of a minute, so a menu in three messages is not held up."""
_SHORTEST: Final = 0.4  # seconds of typing before a word
_WRITTEN: Final = frozenset({"text", "media", "poll", "buttons", "list"})
"""Kinds before which a person is seen typing."""


class Bucket:
    """So many messages a minute, with some saved up while none left."""

    def __init__(self, per_minute: float) -> None:
        self._rate = per_minute / MINUTE
        self._size = max(1.0, per_minute / _AT_ONCE)
        self._tokens = self._size
        self._at: float | None = None

    def take(self, now: float) -> float:
        """Take the next token; gives the seconds until it is there."""
        if self._at is not None:
            self._tokens = min(self._size, self._tokens + max(0.0, now - self._at) * self._rate)
        self._at = now
        self._tokens -= 1
        return max(0.0, -self._tokens / self._rate)

    def is_full(self, now: float) -> bool:
        """Nothing left lately, so that another bucket could stand in its place."""
        return self._at is None or self._tokens + (now - self._at) * self._rate >= self._size


class Pacer:
    """The pace of one instance."""

    def __init__(self, pace: Pace | Literal["off"], draw: Callable[[], float]) -> None:
        """`draw` gives random numbers from 0 to 1."""
        self._pace = None if pace == "off" else pace
        self._draw = draw
        self._all = Bucket(self._pace.instance) if self._pace else None
        self._chats: dict[str, Bucket] = {}

    def chat_wait(self, chat: str, now: float) -> float:
        """Seconds until the next message may leave to a chat."""
        if self._pace is None:
            return 0.0
        self._chats = {name: bucket for name, bucket in self._chats.items() if name == chat or not bucket.is_full(now)}
        return self._chats.setdefault(chat, Bucket(self._pace.chat)).take(now)

    def instance_wait(self, now: float) -> float:
        """Seconds until the next message may leave through the instance, a random gap included."""
        if self._pace is None or self._all is None:
            return 0.0
        return self._all.take(now) + self._draw() * self._pace.gap

    def typing(self, kind: str, text: str) -> float:
        """Seconds for which a person is shown typing before a message."""
        if self._pace is None or not self._pace.typing or kind not in _WRITTEN:
            return 0.0
        return min(self._pace.typing_longest, _SHORTEST + self._pace.typing * len(text))
