"""What people ask of the worker, as it is kept in the journal: replay, drop, retry, pause, resume, and questions.

Values only. The receiver (or a command, where none runs) writes them down; the worker reads them before events and does
them, so a request that was acknowledged survives both.
"""

import re
from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from gateway.errors import ControlError

Kind = Literal["replay", "retry", "drop", "pause", "resume", "explain", "rehearse"]

_DIGITS: Final = re.compile(r"\+?[0-9 ().-]{5,25}")


class _Payload(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    by: str = ""
    """Who asked, for the record."""


class Replay(_Payload, frozen=True, kw_only=True):
    """Handle events again. What is left out does not narrow the choice; all that is given must fit."""

    ids: tuple[int, ...] = ()
    since: float | None = None
    """Unix seconds."""
    until: float | None = None
    event: str | None = None
    instance: str | None = None
    chat: str | None = None
    """A jid, or a telephone number as people write it."""
    plugins: tuple[str, ...] = ()
    """Empty: every plugin that subscribes to the event."""
    dead: bool = False
    """Only where the plugin's delivery became a dead letter."""
    all: bool = False
    """Says that a choice which nothing narrows is meant."""

    def check(self) -> None:
        """Refuse what was hardly meant.

        Raises:
            ControlError: nothing narrows the choice, and `all` does not say that it is meant so.
        """
        narrowed = (self.ids, self.since, self.until, self.event, self.instance, self.chat, self.dead)
        if not self.all and all(each in (None, (), False) for each in narrowed):
            raise ControlError("this would replay every event there is: narrow it, or say so with all")

    def fits(self, event: str, instance: str | None, chat: str | None, lane: str, accepted_at: float) -> bool:
        """Whether an event is meant, its number and its dead letters aside."""
        return (
            self.event in (None, event)
            and self.instance in (None, instance)
            and (self.chat is None or _is_chat(self.chat, chat, lane))
            and (self.since is None or accepted_at >= self.since)
            and (self.until is None or accepted_at <= self.until)
        )


class Letters(_Payload, frozen=True, kw_only=True):
    """Which dead letters to try again or to drop."""

    ids: tuple[int, ...] = ()
    """Of the dead letters, as `gateway dead` shows them."""
    plugin: str | None = None
    all: bool = False
    messages: bool = False
    """Messages that could not be sent, instead of deliveries. Those that may have left are meant by id alone."""

    def check(self) -> None:
        """Refuse what was hardly meant.

        Raises:
            ControlError: it names no dead letter, or says two things at once.
        """
        if not (self.ids or self.plugin or self.all):
            raise ControlError("which dead letters? Give ids, a plugin, or all")
        if self.ids and self.all:
            raise ControlError("give either ids or all")


class Steer(_Payload, frozen=True, kw_only=True):
    """Which plugin to pause or to resume."""

    plugin: str | None = None
    """None: all of them."""

    def check(self) -> None:
        """Nothing can be wrong with it."""


class Question(_Payload, frozen=True, kw_only=True):
    """What would become of an event now: which filters let it through, or what its handlers would send and remember."""

    id: int
    """The event."""
    plugins: tuple[str, ...] = ()
    """Empty: all of them."""

    def check(self) -> None:
        """Nothing can be wrong with it."""


Payload = Replay | Letters | Steer | Question

KINDS: Final[Mapping[str, type[Payload]]] = {
    "replay": Replay,
    "retry": Letters,
    "drop": Letters,
    "pause": Steer,
    "resume": Steer,
    "explain": Question,
    "rehearse": Question,
}


class Control(msgspec.Struct, frozen=True):
    """One request, as the journal holds it."""

    id: int
    at: float
    """Unix seconds."""
    kind: str
    upto: int
    """The highest event number at that moment: a replay goes no further."""
    payload: str
    """JSON."""


def read_payload(kind: str, text: str | bytes) -> Payload:
    """Understand a request.

    Raises:
        ControlError: it can't be meant; the text says what is wrong.
    """
    if kind not in KINDS:
        raise ControlError(f"nobody knows how to {kind}")
    try:
        payload = msgspec.json.decode(text or b"{}", type=KINDS[kind])
    except msgspec.DecodeError as error:
        raise ControlError(str(error)) from None
    payload.check()
    return payload


def write_payload(payload: Payload) -> str:
    """The JSON that `read_payload` reads."""
    return msgspec.json.encode(payload).decode()


def _is_chat(wanted: str, chat: str | None, lane: str) -> bool:
    """By its jid, or by the telephone that a chat known by LID is handled under."""
    if chat is None:
        return False
    if _DIGITS.fullmatch(wanted):
        digits = re.sub(r"\D", "", wanted)
        return chat.partition("@")[0] == digits or lane.endswith(f"/{digits}@s.whatsapp.net")
    return chat == wanted or lane.endswith(f"/{wanted}")
