"""How the server can fail, and when: the next so many calls, or a share of all, drawn from a seeded random."""

from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from fnmatch import fnmatchcase
from random import Random
from typing import Final

import msgspec

from gateway.testing.evolution import refusals
from gateway.testing.evolution.refusals import Refused
from gateway.testing.evolution.world import create_jid


class Fault(Enum):
    """One way to fail. `LOST_ANSWER` and `RESET_AFTER` do what was asked first; all others but `SLOW` do nothing."""

    LOST_ANSWER = "lost answer"
    """Done, and no answer ever comes."""
    NO_ANSWER = "no answer"
    """Not done, and no answer ever comes."""
    RESET_AFTER = "reset after"
    """Done, and the connection is reset instead of an answer."""
    RESET = "reset"
    """Not done; the connection is reset."""
    SLOW = "slow"
    """Done and answered, later."""
    NOT_ON_WHATSAPP = "not on WhatsApp"
    UNAUTHORIZED = "unauthorized"
    NO_INSTANCE = "no instance"
    TOO_MANY = "too many"
    """429."""
    RATE_OVERLIMIT = "rate-overlimit"
    """WhatsApp's own limit: 400 with this text."""
    SERVER_FAULT = "server fault"
    """500."""
    DISCONNECTED = "disconnected"
    """WhatsApp is out of reach: 500 `Connection Closed`."""
    UNLICENSED = "unlicensed"
    """503 `LICENSE_REQUIRED`, as 2.4 until it is activated."""
    META_ERROR = "Meta error"
    """Business: not sent, yet 201 with Meta's error as its body."""

    @property
    def is_after(self) -> bool:
        """It shows once the call is done."""
        return self in (Fault.LOST_ANSWER, Fault.RESET_AFTER, Fault.SLOW)


class Rule(msgspec.Struct, kw_only=True):
    """One order to fail."""

    fault: Fault
    calls: str
    """`message/sendText`, or a pattern: `message/*`."""
    times: int | None
    """How often still; None: for ever."""
    share: float = 1.0
    seconds: float = 0.0
    """How long a slow one takes more."""


class Faults:
    """All orders; the first that fits a call counts."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._rules: list[Rule] = []

    def add(self, rule: Rule) -> None:
        """Order something."""
        self._rules.append(rule)

    def clear(self) -> None:
        """Work again."""
        self._rules.clear()

    def draw(self, call: str) -> Rule | None:
        """What happens to this call; None: nothing."""
        for rule in self._fitting(call):
            if rule.share >= 1 or self._random.random() < rule.share:
                self._count(rule)
                return rule
        return None

    def _fitting(self, call: str) -> Iterator[Rule]:
        yield from [rule for rule in self._rules if fnmatchcase(call, rule.calls)]

    def _count(self, rule: Rule) -> None:
        if rule.times is None:
            return
        rule.times -= 1
        if rule.times <= 0:
            self._rules.remove(rule)


def refused(fault: Fault, instance: str, number: str) -> Refused | None:
    """The answer that makes a fault; None for one that has no answer of its own."""
    if fault is Fault.NOT_ON_WHATSAPP:
        return refusals.not_on_whatsapp(create_jid(number), number)
    if fault is Fault.NO_INSTANCE:
        return refusals.no_instance(instance)
    make = _ANSWERS.get(fault)
    return make() if make else None


_ANSWERS: Final[Mapping[Fault, Callable[[], Refused]]] = {
    Fault.UNAUTHORIZED: refusals.unauthorized,
    Fault.TOO_MANY: refusals.too_many,
    Fault.RATE_OVERLIMIT: refusals.rate_overlimit,
    Fault.SERVER_FAULT: refusals.server_fault,
    Fault.DISCONNECTED: refusals.disconnected,
    Fault.UNLICENSED: refusals.unlicensed,
    Fault.META_ERROR: refusals.meta_error,
}
