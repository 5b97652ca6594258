"""Decide what a batch of arrivals becomes: new events with a number and a lane each, or repeats of earlier ones.

It runs inside the batch's transaction, so two copies of an event can't both be new, whether they come in one batch, in
two, or before and after a restart.
"""

import sqlite3
from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

import msgspec

from gateway import jid
from gateway.config import Dedupe
from gateway.envelope import Envelope, lane_of
from gateway.journal.keys import KEY, Key, Sighting
from gateway.journal.rows import learn, note_repeats, phones_of
from gateway.journal.seen import Seen

UNDATED_WINDOW: Final = 60.0
"""Seconds in which equal bytes without `date_time` (before 1.5.0) count as a repeat."""

_ALL: Final = "all"


class Arrival(msgspec.Struct, frozen=True):
    """One authenticated POST, read and understood as far as the journal needs."""

    envelope: Envelope
    body: bytes
    suffix: str | None
    address: str | None
    started: float
    """time.perf_counter() when the request began."""


class Receipt(msgspec.Struct, frozen=True):
    """What became of an arrival. It exists only once the event is committed."""

    seq: int
    repeat: bool
    """The event was in the journal already; `seq` is the first one's."""


class Admitted(msgspec.Struct, frozen=True):
    """A new event, as it goes into the journal."""

    seq: int
    lane: str
    arrival: Arrival


class _Keys(msgspec.Struct, frozen=True):
    """What an arrival is recognised by; any one of them suffices."""

    values: Sequence[bytes]
    lasting: bool
    """They mean the same event for good, and not just within `UNDATED_WINDOW`."""


def admit(
    connection: sqlite3.Connection, seen: Seen, arrivals: Sequence[Arrival], *, number: int, now: float, rules: Dedupe
) -> tuple[list[Receipt], list[Admitted]]:
    """Number what is new from `number` on, in order, and remember what was seen and which LID is whose."""
    lanes = _lanes(connection, [arrival.envelope for arrival in arrivals])
    keys = [_keys(arrival, lane, rules) for arrival, lane in zip(arrivals, lanes, strict=True)]
    first_of = seen.find([value for found in keys for value in found.values])
    receipts: list[Receipt] = []
    admitted: list[Admitted] = []
    fresh: list[Key] = []
    repeats: list[Sighting] = []
    for arrival, lane, found in zip(arrivals, lanes, keys, strict=True):
        first = _first(first_of, found, now)
        if first is None:
            sighting = number + len(admitted), now
            admitted.append(Admitted(sighting[0], lane, arrival))
            unknown = found.values
        else:
            sighting = first
            repeats.append((first[0], now))
            unknown = [value for value in found.values if value not in first_of]
        receipts.append(Receipt(sighting[0], first is not None))
        for key in unknown:
            first_of[key] = sighting
            fresh.append((key, sighting))
    seen.add(fresh)
    note_repeats(connection, repeats)
    return receipts, admitted


def _first(first_of: dict[bytes, Sighting], keys: _Keys, now: float) -> Sighting | None:
    """The event that this is a repeat of, if it is one."""
    for value in keys.values:
        sighting = first_of.get(value)
        if sighting and (keys.lasting or now - sighting[1] < UNDATED_WINDOW):
            return sighting
    return None


def _keys(arrival: Arrival, lane: str, rules: Dedupe) -> _Keys:
    """By its message where it has one: equal bytes are the same message, so a key of the bytes would find no more.

    A chat known by a LID alone may have got its telephone since, and another lane with it: then both are looked for.
    """
    envelope = arrival.envelope
    if envelope.message and not _is_off(envelope.event, rules.same_message_off):
        values = [_message_key(envelope.event, lane, envelope.message)]
        if lane != envelope.lane:
            values.append(_message_key(envelope.event, envelope.lane, envelope.message))
        return _Keys(values, lasting=True)
    if _is_off(envelope.event, rules.same_bytes_off):
        return _Keys((), lasting=True)
    return _Keys((_digest(arrival.body),), envelope.dated)


def _message_key(event: str, lane: str, message: Sequence[str]) -> bytes:
    return _digest("\x1f".join((event, lane, *message)).encode())


def _digest(text: bytes) -> bytes:
    return blake2b(text, digest_size=KEY).digest()


def _is_off(event: str, names: Sequence[str]) -> bool:
    return bool(names) and (event in names or _ALL in names)


def _lanes(connection: sqlite3.Connection, envelopes: Sequence[Envelope]) -> list[str]:
    """Each event's lane: a chat known by LID and by telephone is one lane, from the event on that shows both."""
    asked = {e.chat for e in envelopes if e.chat and jid.kind(e.chat) == "lid"}
    asked.update(lid for e in envelopes if e.pairs for lid, _ in e.pairs)
    if not asked:
        return [envelope.lane for envelope in envelopes]
    phones = phones_of(connection, sorted(asked))
    shown = dict(pair for envelope in envelopes for pair in envelope.pairs)
    if news := sorted((lid, phone) for lid, phone in shown.items() if phones.get(lid) != phone):
        learn(connection, news)
    return [_lane(envelope, phones) for envelope in envelopes]


def _lane(envelope: Envelope, phones: dict[str, str]) -> str:
    """`phones` grows by what the event shows."""
    phones.update(envelope.pairs)
    phone = phones.get(envelope.chat) if envelope.chat else None
    return lane_of(envelope.event, envelope.instance, f"{phone}@s.whatsapp.net") if phone else envelope.lane
