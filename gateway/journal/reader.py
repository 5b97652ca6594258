"""Read the journal: in short queries, on a connection that can't write, from one thread at a time."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from gateway.journal.controls import Control
from gateway.journal.files import JOURNAL
from gateway.journal.keys import runs_of
from gateway.journal.stored import HEADING, Heading, StoredEvent, phones_in, read_after, read_events
from gateway.journal.wanted import Wanted, addresses, find
from gateway.sqlite import open_reader, spare, used

_SUMMARY: Final = (
    "seq, accepted_at, event, instance, chat, suffix, address, millis, size, lane, "
    "coalesce((SELECT times FROM repeat WHERE repeat.seq = event.seq), 0)"
)


class Age(msgspec.Struct, frozen=True):
    """What retention needs to know of an event."""

    seq: int
    accepted_at: float
    size: int
    """Bytes of body."""


class Newest(msgspec.Struct, frozen=True):
    """The newest event of an instance."""

    name: str
    """Of the instance."""
    seq: int
    at: float
    """Unix seconds of its acceptance."""
    event: str


class Summary(msgspec.Struct, frozen=True):
    """One event in a list."""

    seq: int
    accepted_at: float
    event: str
    instance: str | None
    chat: str | None
    suffix: str | None
    address: str | None
    millis: float
    """From the first byte of the request to the start of its commit."""
    size: int
    """Bytes of body."""
    lane: str
    """What it is handled in order with."""
    repeats: int = 0
    """How many more copies of the event came."""
    repeated_at: float | None = None
    """Unix seconds of the last one; only of an event that is looked at by itself."""


class RefusedPost(msgspec.Struct, frozen=True):
    """A post that was answered 400."""

    id: int
    at: float
    """Unix seconds."""
    address: str | None
    path: str
    reason: str
    """What was wrong, and where."""
    size: int
    """Bytes of body."""
    body: bytes
    """Its beginning."""


class JournalReader:
    """Reads `journal.db`.

    Raises:
        sqlite3.OperationalError: from the constructor, while there is no journal yet.
    """

    def __init__(self, folder: Path) -> None:
        self._connection = open_reader(folder / JOURNAL)
        self._connection.execute("SELECT 1 FROM meta")

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def last(self) -> int:
        """The highest number in the journal, 0 when it is empty."""
        return int(self._connection.execute("SELECT coalesce(max(seq), 0) FROM event").fetchone()[0])

    def generation(self) -> str:
        """The random id of this journal file."""
        return str(self._connection.execute("SELECT value FROM meta WHERE key = 'generation'").fetchone()[0])

    def after(self, seq: int, limit: int, whole: int = 0) -> list[Heading | StoredEvent]:
        """The next events above `seq`, in order: whole where the body has up to so many bytes, else without it."""
        return read_after(self._connection, seq, limit, whole)

    def controls(self, after: int, limit: int) -> list[Control]:
        """What people asked for, in order: the controls with an id above `after`."""
        rows = self._connection.execute(
            "SELECT id, at, kind, upto, payload FROM control WHERE id > ? ORDER BY id LIMIT ?", (after, limit)
        )
        return [Control(*row) for row in rows]

    def between(self, after: int, upto: int, limit: int) -> list[Heading]:
        """The next events above `after` and up to `upto`, in order, by what a replay chooses by."""
        rows = self._connection.execute(
            f"SELECT {HEADING} FROM event WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?", (after, upto, limit)
        )
        return [Heading(*row) for row in rows]

    def among(self, numbers: Sequence[int]) -> list[Heading]:
        """The same of some events, in order; one that is no longer there is left out."""
        marks = ", ".join("?" * len(numbers))
        rows = self._connection.execute(f"SELECT {HEADING} FROM event WHERE seq IN ({marks}) ORDER BY seq", numbers)
        return [Heading(*row) for row in rows]

    def events(self, numbers: Sequence[int]) -> dict[int, StoredEvent]:
        """Whole events by number; one that is no longer there is left out."""
        return read_events(self._connection, numbers)

    def phones_in(self, body: bytes) -> dict[str, str]:
        """Of the LIDs that a body names, the telephones the gateway has learned."""
        return phones_in(self._connection, body)

    def ages(self, after: int, limit: int) -> list[Age]:
        """The next events above `after`, in order, for retention."""
        rows = self._connection.execute(
            "SELECT seq, accepted_at, size FROM event WHERE seq > ? ORDER BY seq LIMIT ?", (after, limit)
        )
        return [Age(*row) for row in rows]

    def runs(self) -> list[int]:
        """In which runs keys are sorted in."""
        return runs_of(self._connection)

    def old_keys(self, run: int, after: bytes, before: float, limit: int) -> list[bytes]:
        """The next keys of a run above `after`, of events accepted before that, in unix seconds. It may read all."""
        rows = self._connection.execute(
            "SELECT key FROM sorted WHERE run = ? AND key > ? AND at < ? ORDER BY key LIMIT ?",
            (run, after, before, limit),
        )
        return [row[0] for row in rows]

    def first_fresh(self) -> float | None:
        """Unix seconds of the oldest key that is not sorted in yet."""
        row = self._connection.execute("SELECT at FROM fresh ORDER BY id LIMIT 1").fetchone()
        return row[0] if row else None

    def present(self, seqs: Sequence[int]) -> set[int]:
        """Those of some events that are still there."""
        marks = ", ".join("?" * len(seqs))
        return {row[0] for row in self._connection.execute(f"SELECT seq FROM event WHERE seq IN ({marks})", seqs)}

    def first_refused(self) -> float | None:
        """Unix seconds of the oldest post kept that was answered 400."""
        row = self._connection.execute("SELECT at FROM refused ORDER BY id LIMIT 1").fetchone()
        return row[0] if row else None

    def used(self) -> int:
        """Bytes of the file that hold something."""
        return used(self._connection)

    def spare(self) -> int:
        """Free pages worth giving back to the disk."""
        return spare(self._connection)

    def highest_below(self, seq: int) -> int:
        """The number of the next older event; 0 without one."""
        found = self._connection.execute("SELECT max(seq) FROM event WHERE seq < ?", (seq,)).fetchone()
        return int(found[0] or 0)

    def first_since(self, moment: float) -> int:
        """The number of the first event accepted at `moment` or later, by halving; above all events without one."""
        low, high = 0, self.last() + 1
        while low < high:
            middle = (low + high) // 2
            found = self.ages(middle - 1, 1)
            if not found or found[0].accepted_at >= moment:
                high = middle
            else:
                low = found[0].seq + 1
        return low

    def fitting(self, low: int, high: int, wanted: Wanted) -> list[int]:
        """The events from `low` to `high` that are wanted, newest first. Ask for few numbers at a time."""
        return find(self._connection, "seq BETWEEN ? AND ?", (low, high), wanted)

    def fitting_among(self, seqs: Sequence[int], wanted: Wanted) -> list[int]:
        """Those of some events that are wanted, newest first."""
        return find(self._connection, f"seq IN ({', '.join('?' * len(seqs))})", seqs, wanted)

    def addresses(self, chat: str) -> list[str]:
        """Every jid a chat goes by. `chat` is a jid or a telephone, as people write it; its learned LIDs are added."""
        return addresses(self._connection, chat)

    def newest(self, limit: int, *, before: int | None = None, after: int = 0) -> list[Summary]:
        """The newest events, newest first: those below `before`, if given, and above `after`."""
        rows = self._connection.execute(
            f"SELECT {_SUMMARY} FROM event WHERE seq > ? AND seq < ? ORDER BY seq DESC LIMIT ?",
            (after, before if before is not None else 2**63 - 1, limit),
        )
        return [Summary(*row) for row in rows]

    def following(self, seq: int, limit: int) -> list[Summary]:
        """The next events above `seq`, in order."""
        rows = self._connection.execute(
            f"SELECT {_SUMMARY} FROM event WHERE seq > ? ORDER BY seq LIMIT ?", (seq, limit)
        )
        return [Summary(*row) for row in rows]

    def instances(self, after: int, upto: int) -> list[Newest]:
        """The newest event of each instance among those above `after` and up to `upto`. Ask for few thousand."""
        rows = self._connection.execute(
            "SELECT instance, max(seq), accepted_at, event FROM event "
            "WHERE seq > ? AND seq <= ? AND instance IS NOT NULL GROUP BY instance",
            (after, upto),
        )
        return [Newest(*row) for row in rows]

    def told_by(self, instance: str) -> list[int]:
        """The newest events that tell the state of an instance, and the code that pairs it."""
        rows = self._connection.execute(
            "SELECT max(seq) FROM event WHERE event = 'connection.update' AND instance = ?1 "
            "UNION ALL SELECT max(seq) FROM event WHERE event = 'qrcode.updated' AND instance = ?1",
            (instance,),
        )
        return [row[0] for row in rows if row[0] is not None]

    def refused(self, limit: int) -> list[RefusedPost]:
        """The newest posts that were answered 400, newest first."""
        rows = self._connection.execute(
            "SELECT id, at, address, path, reason, size, body FROM refused ORDER BY id DESC LIMIT ?", (limit,)
        )
        return [RefusedPost(*row) for row in rows]

    def find(self, seq: int) -> tuple[Summary, bytes] | None:
        """One event with its body."""
        row = self._connection.execute(
            f"SELECT {_SUMMARY}, (SELECT last FROM repeat WHERE repeat.seq = event.seq), body FROM event WHERE seq = ?",
            (seq,),
        ).fetchone()
        return (Summary(*row[:-1]), row[-1]) if row else None
