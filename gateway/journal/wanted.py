"""Find events by what they are: by what their rows say, by every address of a chat, and by a text in their bodies."""

import contextlib
import json
import re
import sqlite3
from collections.abc import Sequence
from typing import Final

import msgspec

from gateway import jid
from gateway.journal.rows import phones_of

SEARCHED: Final = 64 * 2**10
"""Bytes of a body in which a text is looked for: what is longer holds a photo."""
_PHONES: Final = ("s.whatsapp.net", "c.us", "hosted")


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a search asks of an event itself; None asks nothing."""

    event: str | None = None
    instance: str | None = None
    chats: Sequence[str] | None = None
    """Jids without device; see `JournalReader.addresses`."""
    since: float | None = None
    """Unix seconds; accepted then or later."""
    until: float | None = None
    """Unix seconds; accepted before."""
    text: str | None = None
    """Found anywhere in the body's beginning, in any case."""


def find(connection: sqlite3.Connection, among: str, seqs: Sequence[int], wanted: Wanted) -> list[int]:
    """The events that are wanted, newest first; `among` is the SQL for which numbers are looked at."""
    chats = wanted.chats if wanted.chats is not None else ()
    conditions: dict[str, list[str | float]] = {
        "event = ?": [wanted.event] if wanted.event is not None else [],
        "instance = ?": [wanted.instance] if wanted.instance is not None else [],
        f"chat IN ({', '.join('?' * len(chats))})": list(chats),
        "accepted_at >= ?": [wanted.since] if wanted.since is not None else [],
        "accepted_at < ?": [wanted.until] if wanted.until is not None else [],
    }
    asked = {condition: values for condition, values in conditions.items() if values}
    rows = connection.execute(
        f"SELECT seq FROM event WHERE {' AND '.join((among, *asked))} ORDER BY seq DESC",
        (*seqs, *(value for values in asked.values() for value in values)),
    ).fetchall()
    found = [row[0] for row in rows]
    return found if wanted.text is None else _saying(connection, found, wanted.text)


def addresses(connection: sqlite3.Connection, chat: str) -> list[str]:
    """Every jid a chat goes by. `chat` is a jid or a telephone, as people write it; its learned LIDs are added."""
    named = jid.bare(chat.strip())
    digits = jid.phone(named) if "@" in named else re.sub(r"\D", "", named)
    lid = named if jid.kind(named) == "lid" else f"{digits}@lid" if "@" not in named else ""
    digits = phones_of(connection, [lid]).get(lid, digits) if lid else digits
    lids = connection.execute("SELECT lid FROM lid WHERE phone = ?", (digits,)) if digits else ()
    found = {named, lid, *(row[0] for row in lids), *(f"{digits}@{server}" for server in _PHONES if digits)}
    return sorted(found | {f"{named}@g.us"} if "@" not in named else found - {""})


def _saying(connection: sqlite3.Connection, seqs: Sequence[int], text: str) -> list[int]:
    """Those whose body has a text in it, as JSON writes it. Read one by one, so that no read lasts."""
    wanted = json.dumps(text, ensure_ascii=False)[1:-1].casefold()
    return [seq for seq in seqs if wanted in _begin(connection, seq).decode(errors="replace").casefold()]


def _begin(connection: sqlite3.Connection, seq: int) -> bytes:
    """The beginning of a body; of a large one no more than that is read."""
    with (
        contextlib.suppress(sqlite3.OperationalError),  # it went meanwhile
        connection.blobopen("event", "body", seq, readonly=True) as body,
    ):
        return body.read(SEARCHED)
    return b""
