"""An event as the journal gives it back, without a journal."""

from gateway.envelope import read_envelope
from gateway.journal import StoredEvent
from gateway.journal.rows import checksum


def stored(body: bytes, seq: int = 1) -> StoredEvent:
    """The event that a body is, as a row that is intact."""
    envelope = read_envelope(body, None)
    return StoredEvent(
        seq=seq,
        accepted_at=0.0,
        event=envelope.event,
        instance=envelope.instance,
        chat=envelope.chat,
        lane=envelope.lane,
        checksum=checksum(seq, envelope.event, envelope.lane, body),
        body=body,
    )
