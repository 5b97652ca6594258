"""Tell this gateway's own messages from those that a person or another program sent for the same account."""

from typing import TypeVar

import msgspec

from gateway.events import MessageEvent
from gateway.work import OutboxReader
from gateway.worker.outbox.evidence import is_same

E = TypeVar("E", bound=MessageEvent)


class Own:
    """Asks the outbox; usable from every plugin's thread."""

    def __init__(self, outbox: OutboxReader) -> None:
        self._outbox = outbox

    def mark(self, event: E) -> E:
        """The event, its message's origin `gateway` where a plugin of this gateway sent it."""
        message = event.message
        if not message.from_me or not message.id or not self._is_own(event):
            return event
        return msgspec.structs.replace(event, message=msgspec.structs.replace(message, origin="gateway"))

    def _is_own(self, event: MessageEvent) -> bool:
        """By its id; an echo that is here before Evolution's answer is known by what it says."""
        message = event.message
        if self._outbox.claimed([message.id or ""]):
            return True
        return any(
            chat == message.chat and is_same(message, kind, payload, None)
            for kind, chat, payload in self._outbox.under_way(event.instance or "")
        )
