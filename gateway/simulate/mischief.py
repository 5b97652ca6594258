"""What goes wrong on the way: copies, another order, late events, people by another identity, huge and broken bodies.

Each is something Evolution does or a network does to it; each is drawn from a random, so that a seed repeats a run.
"""

import base64
from collections import Counter
from collections.abc import Iterator, Mapping
from enum import Enum
from random import Random
from typing import Any, Final

import orjson

from gateway import jid
from gateway.simulate.payload import Cast
from gateway.simulate.programme import Programme
from gateway.simulate.request import Post, Target, make_post

SHARE: Final = 0.1
"""How many of all events something goes wrong with unless said otherwise."""
MALFORMED_ANSWER: Final = 400
"""What is right to answer to a body that was cut off."""
LATE: Final = (300.0, 1200.0)
"""Seconds: Evolution's fifth attempt comes after 5 minutes, its last after 15 to 20."""
BEHIND: Final = 32
"""After how many others an event comes at most: after an outage event 1 was seen to arrive as the 33rd."""
HUGE: Final = 20 * 2**20
"""Bytes that a huge one carries as base64 more."""


class Mischief(Enum):
    """One thing that goes wrong."""

    DUPLICATE = "duplicate"
    """The same bytes twice: a retry after a lost answer, or both webhooks on."""
    REORDER = "reorder"
    """It comes after others that came to be later."""
    LATE = "late"
    """It is 5 to 20 minutes old: what a gateway gets that was down."""
    LID_FLIP = "lid-flip"
    """A person who was named by number is named by LID, or the other way round."""
    HUGE = "huge"
    """A video inline, as with webhookBase64."""
    MALFORMED = "malformed"
    """Cut off in the middle; 400 is the right answer."""


class Troubled:
    """A programme's posts, with shares of them gone wrong; `counts` says how many of each."""

    def __init__(
        self, programme: Programme, target: Target, shares: Mapping[Mischief, float], random: Random | None = None
    ) -> None:
        self.counts: Counter[Mischief] = Counter()
        self._programme = programme
        self._target = target
        self._shares = shares
        self._random = random or Random()  # noqa: S311 -- a play

    def posts(self, count: int) -> Iterator[Post]:
        """So many events; with copies, more posts."""
        held: list[tuple[int, Post]] = []
        for number in range(count):
            kinds = self._draw()
            copies = [self._post(number, kinds)] * (2 if Mischief.DUPLICATE in kinds else 1)
            if Mischief.REORDER in kinds:
                due = number + self._random.randint(1, BEHIND)
                held += [(due, each) for each in copies]
            else:
                yield from copies
            yield from (each for due, each in held if due <= number)
            held = [(due, each) for due, each in held if due > number]
        yield from (each for _, each in held)

    def _draw(self) -> frozenset[Mischief]:
        drawn = frozenset(kind for kind, share in self._shares.items() if self._random.random() < share)
        self.counts.update(drawn)
        return drawn

    def _post(self, number: int, kinds: frozenset[Mischief]) -> Post:
        seconds = self._random.uniform(*LATE) if Mischief.LATE in kinds else 0.0
        event, body = self._programme.body(number, late=seconds)
        if Mischief.LID_FLIP in kinds:
            body = flip(body)
        if Mischief.HUGE in kinds:
            body = inflate(body, self._random)
        if Mischief.MALFORMED in kinds:
            return make_post(self._target, event, body[: len(body) // 2], expected=MALFORMED_ANSWER)
        return make_post(self._target, event, body)


def flip(body: bytes) -> bytes:
    """A private message with its person named by the other identity; anything else as it is."""
    envelope = orjson.loads(body)
    data = envelope.get("data")
    key = data.get("key") if isinstance(data, dict) else None
    if not isinstance(key, dict):
        return body
    chat, other = key["remoteJid"], key.get("remoteJidAlt")
    if phone := jid.phone(chat):
        key |= {"remoteJid": f"{Cast(phone=phone).lid}@lid", "remoteJidAlt": chat, "addressingMode": "lid"}
    elif jid.lid(chat) and other:
        key |= {"remoteJid": other, "remoteJidAlt": chat, "addressingMode": "pn"}
    return orjson.dumps(envelope)


def inflate(body: bytes, random: Random) -> bytes:
    """A message with a video's bytes inline; anything else as it is."""
    envelope = orjson.loads(body)
    data = envelope.get("data")
    message: dict[str, Any] | None = data.get("message") if isinstance(data, dict) else None
    if not isinstance(message, dict):
        return body
    block = random.randbytes(2**16)
    message["base64"] = base64.b64encode(block * (HUGE // len(block))).decode()
    return orjson.dumps(envelope)
