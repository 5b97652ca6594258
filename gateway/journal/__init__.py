"""The durable log of accepted events: written by the receiver alone, read by everybody.

An event that was acknowledged is a committed row here. Nothing else in the gateway is a source of truth about events.
"""

from gateway.journal.admission import Arrival, Receipt
from gateway.journal.journal import Journal, Refusal
from gateway.journal.reader import JournalReader, Summary
from gateway.journal.stored import StoredEvent

__all__ = ["Arrival", "Journal", "JournalReader", "Receipt", "Refusal", "StoredEvent", "Summary"]
