"""What the bot left behind: of every message that is done exactly one reply and one step of its chat's counter."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import msgspec
import orjson

from gateway.sqlite import open_reader
from tests.support.evidence import Evidence
from torture.bot import NAME


class Reply(msgspec.Struct, frozen=True):
    """One message the bot queued."""

    id: int
    seq: int
    target: str
    text: str
    status: str


class Effects(msgspec.Struct, frozen=True):
    """All of them."""

    replies: Sequence[Reply]
    counters: Sequence[int]
    """One a chat."""


def read_effects(data: Path) -> Effects:
    """Look into a data folder's work store."""
    with closing(open_reader(data / "work.db")) as work:
        queued = work.execute(
            "SELECT id, seq, target, payload, status FROM outbox WHERE plugin = ? ORDER BY seq", (NAME,)
        )
        replies = [
            Reply(number, seq, target, orjson.loads(text)["text"], status)
            for number, seq, target, text, status in queued
        ]
        counters = work.execute("SELECT value FROM state WHERE plugin = ? AND value IS NOT NULL", (NAME,))
        return Effects(replies, [orjson.loads(value)["count"] for (value,) in counters])


def repeated_effects(evidence: Evidence, effects: Effects) -> list[str]:
    """What is there twice or is missing; nothing if all is well."""
    done = sorted(row.seq for row in evidence.deliveries if (row.plugin, row.status) == (NAME, "done"))
    done = [seq for seq in done if seq in evidence.journal]  # else it is lost, which is counted elsewhere
    return [*_of_replies(evidence, effects, done), *_of_counters(evidence, effects, done)]


def _of_replies(evidence: Evidence, effects: Effects, done: Sequence[int]) -> Iterator[str]:
    texts: dict[int, list[str]] = defaultdict(list)
    for reply in effects.replies:
        texts[reply.seq].append(reply.text)
    yield from (f"{seq} is not done and has replies" for seq in texts.keys() - set(done))
    steps: Counter[str] = Counter()
    for seq in done:
        lane = evidence.journal[seq].lane
        steps[lane] += 1
        if texts[seq] != [str(steps[lane])]:
            yield f"{seq} is message {steps[lane]} of its chat and was answered {texts[seq]}"


def _of_counters(evidence: Evidence, effects: Effects, done: Sequence[int]) -> Iterator[str]:
    expected = Counter(Counter(evidence.journal[seq].lane for seq in done).values())
    found = Counter(effects.counters)
    if found != expected:
        yield f"chats counted {sorted((found - expected).elements())}, not {sorted((expected - found).elements())}"
