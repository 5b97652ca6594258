"""What goes wrong inside a bot, as a failing test shows it.

These are `AssertionError`s: a test that did not ask for a failure fails with the handler's own traceback.
"""

import msgspec

from gateway.work import Settled


class BotFailure(AssertionError):
    """Something that a bot should not do."""


class HandlerFailed(BotFailure):
    """A handler or a filter raised; the text has its traceback.

    `pytest.raises(HandlerFailed, match="...")` expects it. The delivery then waits for its next attempt as it would in
    the gateway, so `bot.advance(...)` goes on.
    """


class NotSent(BotFailure):
    """A message was refused by Evolution for good, could not leave in time, or nobody knows whether it left."""


class DeadLetter(msgspec.Struct, frozen=True):
    """A delivery that was given up."""

    plugin: str
    handler: str | None
    attempts: int
    error: str
    """The last attempt's traceback."""


def failed(settled: Settled) -> HandlerFailed:
    """An attempt that raised, as an error."""
    return HandlerFailed(f"{_name(settled)} failed:\n\n{settled.error}")


def dead_letter(settled: Settled) -> DeadLetter:
    """What is kept of a delivery that was given up."""
    delivery = settled.delivery
    attempts = delivery.failures + delivery.retries + delivery.deaths
    return DeadLetter(delivery.plugin, settled.handler, attempts, settled.error or "")


def _name(settled: Settled) -> str:
    return f"{settled.handler} of {settled.delivery.plugin}" if settled.handler else settled.delivery.plugin
