"""What every event has, and the two that stand for what could not be read."""

from collections.abc import Mapping
from typing import Any, ClassVar, TypedDict

import msgspec

from gateway.events.pairs import pairs as pairs_of
from gateway.events.people import Directory
from gateway.events.quiet import quiet
from gateway.events.reader import Reader, describe, objects


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something Evolution told us. A handler for `Event` gets all of them."""

    name: ClassVar[str] = ""
    """Evolution's name of this class's event; `""` where a class stands for several."""

    event: str
    """Evolution's name of the event: `messages.upsert`. For an unknown event the text that came."""
    instance: str | None
    """Name of the Evolution instance; None for events of the whole server (`error`, `application.startup`)."""
    account: str | None
    """Jid of the connected WhatsApp account, the bot, without device. Never the author. None before the first
    connection, before 1.5.0, and always on the Business and EVOLUTION channels."""
    date_time: str | None
    """ISO 8601 text of the sender's local wall time, although it ends in Z (seen in 1.5.0 to 2.3.7): on a server at
    UTC-3 it is three hours behind the truth. Never an instant; use the message's `timestamp`."""
    server_url: str | None
    """Address Evolution has of itself (1.2.0 and later); None when its administrator set none."""
    problems: tuple[str, ...]
    """Fields of a shape nobody knows, as dotted path and what was found; each of them reads as None."""
    raw: Mapping[str, Any]
    """The whole envelope as it came. It may carry an `apikey`: don't log it."""

    def __repr__(self) -> str:
        return quiet(self, "raw")

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """LID and phone digits of each person whom the event shows by both: `("2011...@lid", "5511...")`."""
        return pairs_of(self.event, self.raw)


class ChatEvent(Event, frozen=True, kw_only=True):
    """An event that belongs to one chat."""

    chat: str | None
    """Jid of the chat, without device: a person, a group, `status@broadcast`, a channel. None where the payload
    doesn't say it."""


class UnknownEvent(Event, frozen=True, kw_only=True):
    """An event of a name nobody knows; `raw` has all of it."""


class MalformedEvent(Event, frozen=True, kw_only=True):
    """A known event whose `data` is not the object or list that it needs; `problems` says what was found."""


class Head(TypedDict):
    """The fields of `Event`, as keyword arguments."""

    event: str
    instance: str | None
    account: str | None
    date_time: str | None
    server_url: str | None
    problems: tuple[str, ...]
    raw: Mapping[str, Any]


class Posted:
    """One posted envelope while it is read. `head()` comes last, when all problems are known."""

    __slots__ = ("account", "data", "directory", "event", "problems", "raw", "root")

    def __init__(self, event: str, raw: Mapping[str, Any], directory: Directory) -> None:
        self.event = event
        self.raw = raw
        self.directory = directory
        self.problems: list[str] = []
        self.root = Reader(raw if type(raw) is dict else dict(raw), "", self.problems)
        self.data: object = raw.get("data")
        self.account = self.root.jid("sender")

    def head(self) -> Head:
        """What every event has."""
        root = self.root
        return {
            "event": self.event,
            "instance": root.text("instance"),
            "account": self.account,
            "date_time": root.text("date_time"),
            "server_url": root.text("server_url") or root.text("urlServer"),
            "problems": tuple(dict.fromkeys(self.problems)) if self.problems else (),
            "raw": self.raw,
        }

    def object(self) -> Reader:
        """`data` of an event that needs an object.

        Raises:
            WrongContainer: it is something else.
        """
        if type(self.data) is dict:
            return Reader(self.data, "data", self.problems)
        raise WrongContainer(f"data: expected an object, found {self._found()}")

    def items(self) -> tuple[Reader, ...]:
        """The objects of `data`: a list of them, or one alone.

        Raises:
            WrongContainer: it is something else.
        """
        if type(self.data) in (dict, list):
            return objects(self.data, "data", self.problems)
        raise WrongContainer(f"data: expected a list or an object, found {self._found()}")

    def _found(self) -> str:
        return describe(self.data) if "data" in self.raw else "nothing"


class WrongContainer(Exception):  # it steers inside this package and never leaves it
    """`data` is not the container that the event needs."""
