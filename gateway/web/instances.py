"""What events tell of Evolution's instances: their state, their number, when they were last heard, the code to scan.

The journal is walked through once, from the newest event down and a little at a time; after that only what is new is
read. A QR code is shown while it can be scanned, from the event that brought it, and kept nowhere.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final
from urllib.parse import quote

import msgspec

from gateway.envelope import parse
from gateway.errors import EnvelopeError
from gateway.events import ConnectionUpdate, Event, QrcodeUpdated, decode
from gateway.jid import phone
from gateway.journal import JournalReader
from gateway.journal.reader import Newest
from gateway.redact import Redactor
from gateway.web.shown import short_text
from gateway.web.stores import Stores

SCANNABLE: Final = 60.0
"""Seconds a QR code lives: WhatsApp gives the first one of a connection a minute, and those after it 20 seconds."""
_BITE: Final = 5000
"""Events in one read of the walk."""
_WALK: Final = 0.02  # seconds of walking for each question
_PNG: Final = b"\x89PNG\r\n"


class LastEvent(msgspec.Struct, frozen=True, kw_only=True):
    """The newest event of an instance."""

    id: str
    at: float
    event: str


class Pairing(msgspec.Struct, frozen=True, kw_only=True):
    """A code that can be scanned now."""

    id: str
    """Of the event; another one brings another picture."""
    at: float
    expires_at: float
    qr: str | None
    """Path of the picture."""
    code: str | None
    """To be typed into the phone instead."""


class Instance(msgspec.Struct, frozen=True, kw_only=True):
    """One instance, as its events show it."""

    name: str
    state: str | None = None
    """connecting, open, close or refused; None if no event told."""
    reason: int | None = None
    """Evolution's code of a disconnection."""
    since: float | None = None
    """Unix seconds of the event that told."""
    number: str | None = None
    """The telephone it is connected as, digits."""
    profile_name: str | None = None
    last_event: LastEvent | None = None
    pairing: Pairing | None = None


class _Known(msgspec.Struct):
    """What was read of one instance."""

    newest: Newest
    shown: Instance
    told_by: Sequence[int] = ()
    """The events that its state and its code were read from."""
    qr: tuple[int, float, QrcodeUpdated] | None = None
    """Number, moment and content of the newest event with a code, if nothing has ended the pairing since."""


class Instances:
    """Asked by the API and by the feed."""

    def __init__(self, stores: Stores, redactor: Redactor, clock: Callable[[], float] = time.time) -> None:
        self._stores = stores
        self._redactor = redactor
        self._clock = clock
        self._known: dict[str, _Known] = {}
        self._generation = ""
        self._high = self._low = 0
        """The events between have been looked at."""

    async def all(self) -> list[Instance]:
        """Those that events have told of so far, by name."""
        return await self._stores.ask(self._all)

    async def qr(self, name: str) -> bytes | None:
        """The picture to scan, a PNG; None when there is nothing to scan now."""
        return await self._stores.ask(self._picture, name)

    # What follows runs on the thread.

    def _all(self) -> list[Instance]:
        if journal := self._stores.journal:
            self._look(journal)
        return [self._shown(known) for _, known in sorted(self._known.items())]

    def _picture(self, name: str) -> bytes | None:
        self._all()
        known = self._known.get(name)
        picture = known.qr[2].qr.image() if known and known.qr and self._is_scannable(known.qr[1]) else None
        return picture if picture and picture.startswith(_PNG) else None

    def _look(self, journal: JournalReader) -> None:
        """Read what is new, and go a little further down if the bottom has not been reached."""
        last = journal.last()
        if (generation := journal.generation()) != self._generation:
            self._known.clear()
            self._generation, self._high, self._low = generation, last, last + 1
        while self._high < last:
            upto = min(self._high + _BITE, last)
            self._note(journal, journal.instances(self._high, upto))
            self._high = upto
        ends = time.monotonic() + _WALK
        while self._low > 1 and time.monotonic() < ends:
            low = max(1, journal.highest_below(self._low) - _BITE + 1)
            found = journal.instances(low - 1, self._low - 1)
            self._note(journal, [one for one in found if one.name not in self._known])
            self._low = low

    def _note(self, journal: JournalReader, found: Iterable[Newest]) -> None:
        for one in found:
            known = self._known.setdefault(one.name, _Known(one, Instance(name=one.name)))
            known.newest = one
            if (told_by := journal.told_by(one.name)) != known.told_by:
                known.told_by = told_by
                self._read(journal, known)

    def _read(self, journal: JournalReader, known: _Known) -> None:
        known.shown, known.qr = Instance(name=known.newest.name), None
        for seq, stored in sorted(journal.events(list(known.told_by)).items()):
            event = _decoded(stored.event, stored.body)
            if isinstance(event, ConnectionUpdate):
                known.shown = _with_state(known.shown, stored.accepted_at, event)
                known.qr = known.qr if event.connection.state == "connecting" else None
            elif isinstance(event, QrcodeUpdated):
                known.qr = None if event.qr.limit_reached else (seq, stored.accepted_at, event)

    def _shown(self, known: _Known) -> Instance:
        newest, shown = known.newest, known.shown
        return msgspec.structs.replace(
            shown,
            name=short_text(shown.name, self._redactor),
            profile_name=short_text(shown.profile_name, self._redactor) if shown.profile_name else None,
            last_event=LastEvent(id=str(newest.seq), at=newest.at, event=short_text(newest.event, self._redactor)),
            pairing=self._pairing(known),
        )

    def _pairing(self, known: _Known) -> Pairing | None:
        if known.qr is None or not self._is_scannable(known.qr[1]):
            return None
        seq, at, event = known.qr
        path = f"/api/instances/{quote(known.newest.name, safe='')}/qr" if event.qr.has_image else None
        return Pairing(id=str(seq), at=at, expires_at=at + SCANNABLE, qr=path, code=event.qr.pairing_code)

    def _is_scannable(self, at: float) -> bool:
        return self._clock() < at + SCANNABLE


def _with_state(shown: Instance, at: float, event: ConnectionUpdate) -> Instance:
    connection = event.connection
    return msgspec.structs.replace(
        shown,
        state=connection.state,
        reason=connection.reason,
        since=at,
        number=connection.phone or (phone(event.account) if event.account else None),
        profile_name=connection.profile_name,
    )


def _decoded(name: str, body: bytes) -> Event | None:
    try:
        return decode(name, parse(body))
    except EnvelopeError:
        return None
