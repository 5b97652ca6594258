"""What is played, by whom: one event, every sample, or a conversation; by one person or by many, on several instances.

Pure: the number of an event says all about it, so that a test can ask for any of them.
"""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from random import Random
from typing import Any, Final

import msgspec
import orjson

from gateway import samples
from gateway.simulate.payload import Cast, Script, choose_sample

Step = tuple[str, str]
"""Event and sample."""

ALL: Final = "all"
CONVERSATION: Final = "conversation"

_CONVERSATION: Final = (
    "presence-update__available-v223",
    "contacts-update__list-v236",  # comes before the message that caused it, as on the wire
    "messages-upsert__text-private-lid-normalized-v237",
    "send-message__text-v236",
    "messages-update__delivery-ack-v236",
    "messages-upsert__image-v236",
    "send-message__poll-v236",
    "messages-upsert__poll-vote-v237",
    "messages-upsert__text-reply-quoted-image-v230",
    "messages-upsert__reaction-removed-v230",
)
_ABOUT: Final = {
    "messages-update__delivery-ack-v236": "send-message__text-v236",
    "messages-upsert__poll-vote-v237": "send-message__poll-v236",
    "messages-upsert__text-reply-quoted-image-v230": "messages-upsert__image-v236",
    "messages-upsert__reaction-removed-v230": "send-message__text-v236",
}
"""Samples that are about the message of another: they name the one that was made of it last in the same chat."""
_IN_A_GROUP: Final = {
    "messages.upsert": "messages-upsert__text-group-lid-v236",
    "messages.update": "messages-update__read-group-v236",
    "messages.delete": "messages-delete__revoked-in-group-v236",
    "presence.update": "presence-update__recording-group-v236",
    "send.message": "send-message__text-reply-group-mention-v236",
    "call": "call__offer-video-group-v236",
}
"""The sample that shows an event as it is in a group."""

_PEOPLE: Final = ("Ana", "Bruno", "Carla", "Diego", "Elisa", "Fábio", "Gabi", "Hugo")
_CACHED: Final = 1024  # scripts


def choose_steps(wanted: str, *, in_group: bool = False) -> tuple[Step, ...]:
    """The events that a word means: an event or a sample, `all` samples one after the other, or a `conversation`.

    Raises:
        KeyError: none of these.
    """
    if wanted == ALL:
        return tuple(choose_sample(each) for each in samples.names())
    if wanted == CONVERSATION:
        return tuple(choose_sample(each) for each in _CONVERSATION)
    event, sample = choose_sample(wanted)
    is_event = wanted.removesuffix(".json") not in samples.names()
    return ((event, _IN_A_GROUP.get(event, sample) if in_group and is_event else sample),)


def crowd(first: Cast, *, instances: int = 1, chats: int = 1) -> tuple[Cast, ...]:
    """Everybody who takes part: so many people on each of so many instances, the first of them as given."""
    return tuple(
        msgspec.structs.replace(
            first,
            instance=_numbered(first.instance, at),
            phone=str(int(first.phone) + each),
            name=_name(first.name, each) if chats > 1 else first.name,
        )
        for at in range(instances)
        for each in range(chats)
    )


def _numbered(name: str, at: int) -> str:
    """`shop-1`, `shop-2`, ...; a name without a number gets one."""
    if at == 0:
        return name
    counted = re.fullmatch(r"(.*?)(\d+)", name)
    return f"{counted[1]}{int(counted[2]) + at}" if counted else f"{name}-{at + 1}"


def _name(given: str | None, at: int) -> str:
    if given:
        return given if at == 0 else f"{given} {at + 1}"
    round_, person = divmod(at, len(_PEOPLE))
    return _PEOPLE[person] if round_ == 0 else f"{_PEOPLE[person]} {round_ + 1}"


class Programme:
    """Gives one body after the other: everybody's first step, then everybody's second, and so on, over and over.

    Raises:
        ValueError: there is a text to write, or a group to write in, and a sample has no place for it.
    """

    def __init__(
        self,
        steps: Sequence[Step],
        cast: Sequence[Cast],
        *,
        texts: Sequence[str] = (),
        clock: Callable[[], datetime] = lambda: datetime.now().astimezone(),
        random: Random | None = None,
    ) -> None:
        """`texts` are written in turn; without any, samples keep their own and plain texts say natural things."""
        self.steps = tuple(steps)
        self.cast = tuple(cast)
        self._texts = tuple(texts)
        self._clock = clock
        self._random = random or Random()  # noqa: S311 -- ids of a play, not secrets
        self._made: dict[tuple[int, str], str] = {}
        """The last message id by person and sample."""
        self._script = lru_cache(_CACHED)(self._new_script)
        for at in range(len(self.steps)):
            self._script(at, 0)

    def __len__(self) -> int:
        """How many events it takes until everybody has played every step."""
        return len(self.steps) * len(self.cast)

    def body(self, number: int, *, late: float = 0.0) -> tuple[str, bytes]:
        """The number-th event (from 0) and its body, dated so many seconds ago."""
        round_, who = divmod(number, len(self.cast))
        step = round_ % len(self.steps)
        script = self._script(step, who)
        body = script.body(round_ // len(self.steps), late=late)
        return script.event, self._linked(body, self.steps[step][1], who)

    def _linked(self, body: bytes, sample: str, who: int) -> bytes:
        """The body, about the message it is about in this conversation."""
        if len(self.steps) == 1:
            return body
        data = orjson.loads(body).get("data")
        about = self._made.get((who, _ABOUT.get(sample, "")))
        if about and (old := _reference(data)):
            body = body.replace(old.encode(), about.encode())
        if isinstance(data, dict) and isinstance(key := data.get("key"), dict) and key.get("id"):
            self._made[who, sample] = key["id"]
        return body

    def _new_script(self, step: int, who: int) -> Script:
        event, sample = self.steps[step]
        return Script(event, sample, self.cast[who], texts=self._texts, clock=self._clock, random=self._random)


def _reference(data: dict[str, Any]) -> str | None:
    """The id of the message that an event's data is about: acknowledged, voted in, quoted or reacted to."""
    message = data.get("message") or {}
    places = (
        data.get("keyId"),
        (message.get("pollUpdateMessage") or {}).get("pollCreationMessageKey", {}).get("id"),
        (data.get("contextInfo") or {}).get("stanzaId"),
        (message.get("reactionMessage") or {}).get("key", {}).get("id"),
    )
    return next((each for each in places if each), None)
