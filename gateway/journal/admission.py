"""Decide what a batch of arrivals becomes: new events with a number and a lane each, or repeats of earlier ones.

It runs inside the batch's transaction, so two copies of an event can't both be new, whether they come in one batch, in
two, or before and after a restart.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from typing import Final

import msgspec

from gateway import jid
from gateway.config import Dedupe
from gateway.envelope import Envelope, lane_of
from gateway.journal.rows import insert_seen, known, learn, phones_of

UNDATED_WINDOW: Final = 60.0
"""Seconds in which equal bytes without `date_time` (before 1.5.0) count as a repeat."""

_ALL: Final = "all"


class Receipt(msgspec.Struct, frozen=True):
    """What became of an arrival. It exists only once the event is committed."""

    seq: int
    repeat: bool
    """The event was in the journal already; `seq` is the first one's."""


class Admitted(msgspec.Struct, frozen=True):
    """A new event, as it goes into the journal."""

    seq: int
    lane: str
    at: int
    """Its place in the batch."""


class _Key(msgspec.Struct, frozen=True):
    value: bytes
    lasting: bool
    """It means the same event for good, and not just within `UNDATED_WINDOW`."""


def admit(
    connection: sqlite3.Connection, envelopes: Sequence[Envelope], *, number: int, now: float, rules: Dedupe
) -> tuple[list[Receipt], list[Admitted]]:
    """Number what is new from `number` on, in order, and remember what was seen and which LID is whose."""
    lanes = list(_lanes(connection, envelopes))
    keys = [_keys(envelope, lane, rules) for envelope, lane in zip(envelopes, lanes, strict=True)]
    first_of = known(connection, [key.value for found in keys for key in found])
    receipts: list[Receipt] = []
    admitted: list[Admitted] = []
    fresh: list[tuple[bytes, int, float]] = []
    repeats: list[tuple[bytes, float]] = []
    for at, found in enumerate(keys):
        hit = next((key for key in found if _is_repeat(key, first_of, now)), None)
        if hit:
            seq = first_of[hit.value][0]
            repeats.append((hit.value, now))
        else:
            seq = number + len(admitted)
            admitted.append(Admitted(seq, lanes[at], at))
        receipts.append(Receipt(seq, repeat=hit is not None))
        new = [key.value for key in found if key.value not in first_of or hit is None]
        first_of.update((value, (seq, now)) for value in new)
        fresh += [(value, seq, now) for value in new]
    insert_seen(connection, fresh, repeats)
    return receipts, admitted


def _is_repeat(key: _Key, first_of: dict[bytes, tuple[int, float]], now: float) -> bool:
    first = first_of.get(key.value)
    return first is not None and (key.lasting or now - first[1] < UNDATED_WINDOW)


def _keys(envelope: Envelope, lane: str, rules: Dedupe) -> list[_Key]:
    keys = []
    if not _is_off(envelope.event, rules.same_bytes_off):
        keys.append(_Key(envelope.digest, envelope.dated))
    if envelope.message and not _is_off(envelope.event, rules.same_message_off):
        text = "\x1f".join((envelope.event, lane, *envelope.message))
        keys.append(_Key(blake2b(text.encode(), digest_size=16).digest(), lasting=True))
    return keys


def _is_off(event: str, names: Sequence[str]) -> bool:
    return event in names or _ALL in names


def _lanes(connection: sqlite3.Connection, envelopes: Sequence[Envelope]) -> Iterator[str]:
    """Each event's lane: a chat known by LID and by telephone is one lane, from the event on that shows both."""
    shown = [pair for envelope in envelopes for pair in envelope.pairs]
    asked = {lid for lid, _ in shown} | {e.chat for e in envelopes if e.chat and jid.kind(e.chat) == "lid"}
    phones = phones_of(connection, sorted(asked)) if asked else {}
    news = {lid: phone for lid, phone in shown if phones.get(lid) != phone}
    for envelope in envelopes:
        phones.update(envelope.pairs)
        yield _lane(envelope, phones.get)
    if news:
        learn(connection, sorted(news.items()))


def _lane(envelope: Envelope, phone_of: Callable[[str], str | None]) -> str:
    phone = phone_of(envelope.chat) if envelope.chat else None
    chat = f"{phone}@s.whatsapp.net" if phone else envelope.chat
    return lane_of(envelope.event, envelope.instance, chat)
