"""What a settled delivery leaves behind: messages in the outbox, and one line in the log."""

import time
from collections.abc import Mapping, Sequence

from gateway.plugins import Send
from gateway.redact import printable
from gateway.work import Delivery, Message, Settled, storable
from gateway.work.store import OutboxStatus

SHOWN_TEXT = 60  # characters of an unsent message in the log


def queue_messages(
    delivery: Delivery, sends: Sequence[Send], first_id: int, status: OutboxStatus
) -> tuple[Message, ...]:
    """The outbox rows for what a handler queued, in its order."""
    now = time.time()
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
            payload={"text": storable(send.text), "mentions": [storable(each) for each in send.mentions]},
            created=now,
            status=status,
        )
        for at, send in enumerate(sends)
    )


def describe(settled: Settled) -> Mapping[str, object]:
    """A log line's values for a settled delivery: a message's text only where saying it is all that happens."""
    delivery = settled.delivery
    return {
        "plugin": delivery.plugin,
        "id": str(delivery.seq),
        "result": _shown(settled) or settled.status,
        "ms": round(settled.millis, 1),
        "failures": delivery.failures or None,
        "error": last_line(settled.error) if settled.error else None,
    }


def last_line(error: str) -> str:
    """What a traceback ends with; that of a group of errors ends with a frame drawn in `+`, `|` and `-`."""
    lines = [line.strip(" |+-") for line in error.splitlines()]
    return next((line for line in reversed(lines) if line), "")


def _shown(settled: Settled) -> str:
    texts = [str(message.payload["text"]) for message in settled.messages if message.status == "shown"]
    quoted = ", ".join(f'"{printable(text)[:SHOWN_TEXT]}"' for text in texts)
    return f"would send {quoted}  (no evolution.apikey in config.yaml)" if texts else ""
