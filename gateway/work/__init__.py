"""What became of each event: deliveries, dead letters and the outbox, in `work.db`.

Written by the worker alone, read by everybody.
"""

from gateway.work.attempts import Failed
from gateway.work.batch import Batch, Delivery, Settled
from gateway.work.outbox import Message, OutboxReader
from gateway.work.reader import DeliveryRow, OutboxRow, WorkReader, highest_seq
from gateway.work.store import WorkStore, storable, storable_json

__all__ = [
    "Batch",
    "Delivery",
    "DeliveryRow",
    "Failed",
    "Message",
    "OutboxReader",
    "OutboxRow",
    "Settled",
    "WorkReader",
    "WorkStore",
    "highest_seq",
    "storable",
    "storable_json",
]
