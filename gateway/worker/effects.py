"""What a settled delivery leaves behind: messages in the outbox, and one line in the log."""

import re
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

from gateway.config import Evolution
from gateway.plugins import Send
from gateway.plugins.outgoing import summary
from gateway.redact import printable
from gateway.work import Delivery, Message, Settled, storable, storable_json
from gateway.work.batch import WELL
from gateway.work.outbox import OutboxStatus
from gateway.worker.outbox.servers import allowed

_LONG_NUMBER: Final = re.compile(r"\d{8,}")
_PLACE: Final = re.compile(r'^ *(?:\| +)?File "([^"]+)", line (\d+)', re.MULTILINE)
_GATEWAY: Final = f"{Path(__file__).parents[1]}/"
SHOWN_TEXT = 60  # characters of an unsent message in the log


def queue_messages(
    delivery: Delivery, sends: Sequence[Send], first_id: int, now: float, evolution: Evolution
) -> tuple[Message, ...]:
    """The outbox rows for what a handler queued, in its order; `now` is unix seconds by the outbox's clock."""
    status: OutboxStatus = "queued" if evolution.apikey else "shown"
    return tuple(
        Message(
            id=first_id + at,
            seq=delivery.seq,
            plugin=delivery.plugin,
            run=delivery.run,
            n=send.n,
            instance=send.instance,
            target=storable(send.to),
            kind=send.kind,
            payload=storable_json(send.payload),
            file=send.file,
            server=allowed(evolution, send.server),
            created=now,
            status=status,
        )
        for at, send in enumerate(sends)
    )


def describe(settled: Settled) -> Mapping[str, object]:
    """What a log line says of a settled delivery: a message's text only where saying it is all that happens."""
    delivery = settled.delivery
    if settled.status in WELL and not (settled.messages or settled.error or delivery.failures):
        return _plain(delivery.plugin, settled.status)
    values: dict[str, object] = {
        "plugin": delivery.plugin,
        "result": (settled.messages and _shown(settled)) or settled.status,
    }
    if delivery.failures:
        values["failures"] = delivery.failures
    if settled.status == "waiting" and delivery.due:
        values["again_in"] = max(0, round(delivery.due - time.time()))
    if settled.error:
        values["error"] = shorten_phone_numbers(last_line(settled.error))
        values["at"] = _place(settled.error)
    return values


@cache
def _plain(plugin: str, result: str) -> Mapping[str, object]:
    """Of nearly all of them: there is nothing else to say."""
    return MappingProxyType({"plugin": plugin, "result": result})


def last_line(error: str) -> str:
    """What a traceback ends with; that of a group of errors ends with a frame drawn in `+`, `|` and `-`."""
    lines = [line.strip(" |+-") for line in error.splitlines()]
    return next((line for line in reversed(lines) if line), "")


def shorten_phone_numbers(text: str) -> str:
    """A stranger's error text for the log: long numbers in it are most likely somebody's telephone."""
    return _LONG_NUMBER.sub(lambda found: f"…{found[0][-4:]}", text)


def _place(error: str) -> str | None:
    """File and line of a traceback's innermost frame outside the gateway; of the innermost where all are in it."""
    places = _PLACE.findall(error)
    if not places:
        return None
    file, line = next((place for place in reversed(places) if not place[0].startswith(_GATEWAY)), places[-1])
    return f"{file.rpartition('/')[2]}:{line}"


def _shown(settled: Settled) -> str:
    shown = [summary(message.kind, message.payload) for message in settled.messages if message.status == "shown"]
    texts = ", ".join(printable(text)[:SHOWN_TEXT] for text in shown)
    return f"would send {texts}  (no evolution.apikey in config.yaml)" if shown else ""
