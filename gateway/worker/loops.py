"""Stop a bot that goes round in circles: one that answers one chat more often than anybody reads.

Two bots in one chat, or a bot that answers itself, would else go on until WhatsApp bans the number. No I/O and no clock
here: what counts is when the events were accepted, so a backlog after an outage, handled in one go, is no loop.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from gateway.log import log
from gateway.redact import shorten_phone
from gateway.work import Delivery

SPAN: Final = 60.0
"""Seconds within which answers are counted."""
MOST_CHATS: Final = 10_000
"""Chats whose answers are remembered; above it, those go whose last one is older than SPAN."""

Chat = tuple[str, str]
"""Plugin and lane."""


class Loops:
    """Counts answers by plugin and chat. `told` hears where somebody is stopped, and None once that is over."""

    def __init__(
        self,
        limits: Mapping[str, int],
        told: Callable[[str, str | None], None],
        recent: Iterable[tuple[str, str, float]] = (),
    ) -> None:
        """`limits`: answers by plugin, 0 for any number; `recent`: those an earlier worker settled, in their order."""
        self._limits = limits
        self._tell = told
        self._answers: dict[Chat, deque[float]] = {}
        self._stopped: dict[Chat, float] = {}
        for plugin, lane, at in recent:
            self._note((plugin, lane), at)

    def stops(self, delivery: Delivery, at: float | None) -> str | None:
        """Count an answer to an event that was accepted at `at` (None: it answered nobody); why it must not leave.

        One that is stopped counts too, so a chat is free again once it was quiet. What a person asked for again counts
        as nothing.
        """
        limit = self._limits.get(delivery.plugin, 0)
        if at is None or not limit or delivery.run or delivery.is_again:
            return None
        chat = (delivery.plugin, delivery.lane)
        if self._note(chat, at) <= limit:
            return None
        self._stop(chat, at, limit)
        return (
            f"It has answered this chat {limit} times within a minute, as bots do that answer each other. "
            "So this answer was neither sent nor remembered. If it is meant to answer that often, raise "
            f"delivery.replies_per_minute (now {limit}; 0: no limit); gateway dead --retry handles the event again."
        )

    def release(self, now: float) -> None:
        """Say of the chats that have been quiet that all is well."""
        for chat in [chat for chat, last in self._stopped.items() if not _near(last, now)]:
            del self._stopped[chat]
            log.info("loop_over", plugin=chat[0], lane=_shown(chat))
            self._tell(_key(chat), None)

    def _note(self, chat: Chat, at: float) -> int:
        """Answers within the span, this one included."""
        if len(self._answers) > MOST_CHATS:
            self._answers = {each: found for each, found in self._answers.items() if _near(found[-1], at)}
        answers = self._answers.setdefault(chat, deque())
        answers.append(at)
        while not _near(answers[0], at):
            answers.popleft()
        return len(answers)

    def _stop(self, chat: Chat, at: float, limit: int) -> None:
        is_new = chat not in self._stopped
        self._stopped[chat] = at
        if is_new:
            log.error("loop_stopped", plugin=chat[0], lane=_shown(chat), answers=limit)
            text = (
                f"{chat[0]} was stopped in {_shown(chat)}: it had answered {limit} times within a minute, as in a loop."
            )
            self._tell(_key(chat), f"{text} What it would have said is among the dead letters.")


def _near(one: float, other: float) -> bool:
    """Within the span of each other; a clock that was set back leaves no time that is near."""
    return abs(one - other) <= SPAN


def _key(chat: Chat) -> str:
    return f"{chat[0]} loops in {chat[1]}"


def _shown(chat: Chat) -> str:
    """The lane without a whole telephone number in it."""
    instance, _, address = chat[1].partition("/")
    return f"{instance}/{shorten_phone(address)}"
