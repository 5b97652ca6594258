"""Put an outbox together from a worker's parts."""

import random
from collections.abc import Callable, Sequence

from gateway.config import Config
from gateway.work import Batch, OutboxReader, WorkStore
from gateway.work.files import OutgoingFiles
from gateway.work.outbox import Sent
from gateway.worker.intake import Intake
from gateway.worker.outbox.calls import Calls
from gateway.worker.outbox.courier import Courier
from gateway.worker.outbox.evidence import Evidence
from gateway.worker.outbox.line import Line, Trouble
from gateway.worker.outbox.notes import Notes
from gateway.worker.outbox.outbox import Outbox
from gateway.worker.outbox.pace import Pacer
from gateway.worker.outbox.servers import Servers
from gateway.worker.outbox.waiting import Tempo, Waiting


def open_outbox(
    config: Config,
    store: WorkStore,
    intake: Intake,
    own: OutboxReader,
    *,
    clock: Callable[[], float],
    changed: Callable[[Sequence[int]], None],
    trouble: Trouble,
    tempo: Tempo | None = None,
) -> Outbox:
    """The outbox of one worker.

    Args:
        config: whom messages go through, how fast, and for how long.
        store: where their rows are written.
        intake: the journal, in which echoes arrive.
        own: reads the rows.
        clock: unix seconds that pass evenly.
        changed: hears of the events whose messages moved on.
        trouble: hears what a person should know.
        tempo: how long it waits between tries.
    """
    waiting, tempo = Waiting(clock), tempo or Tempo()
    calls = Calls(Servers(config.evolution), own, OutgoingFiles(config.data))

    async def commit(changes: Sequence[Sent]) -> None:
        await store.write(Batch(outbox=list(changes)))

    def open_line(instance: str) -> Line:
        return Line(instance, Pacer(config.outbox.pace, random.random), waiting, trouble, tempo=tempo)

    notes = Notes(commit, changed)
    courier = Courier(
        calls=calls,
        evidence=Evidence(intake, own, calls.records),
        waiting=waiting,
        notes=notes,
        changed=changed,
        expire=config.outbox.expire,
        settle=config.outbox.settle,
        tempo=tempo,
    )
    return Outbox(courier, notes, waiting, open_line)
