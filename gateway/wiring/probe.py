"""Have Evolution itself post an event, and wait for it in the journal: the one proof that its webhooks arrive.

An instance that is made with its webhook in the same call posts `instance.create` at once (2.3.0 and later). So a
short-lived one of the EVOLUTION channel, which needs no phone, tells what URL, network and credential are worth.
"""

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from sqlite3 import OperationalError
from typing import Final

import msgspec

from gateway.evolution import Webhook
from gateway.evolution.errors import EvolutionError
from gateway.journal import JournalReader, Summary
from gateway.wiring.peer import Peer

FIRST: Final = (2, 3, 0)
"""The first version that posts `instance.create` to the instance's own webhook."""
PREFIX: Final = "gateway-test-"
"""What the short-lived instances are called, so that whoever sees one knows."""
WITHIN: Final = 4.0
"""Seconds an event may take; the second attempt would come after five."""
_LOOK_EVERY: Final = 0.02
_RECENT: Final = 50  # events looked at


async def send_through(peer: Peer, hook: Webhook, data: Path, *, within: float = WITHIN) -> float | None:
    """Milliseconds an event took from Evolution to the journal in `data`; None if none came.

    Raises:
        EvolutionError: Evolution would not do it.
    """
    name = PREFIX + secrets.token_hex(4)
    began = time.time()
    only = msgspec.structs.replace(hook, events=("instance.create",))
    await peer.api.create_instance(name, integration="EVOLUTION", qr=False, webhook=only)
    try:
        came = await arrived(data, lambda event: event.instance == name, within=within)
    finally:
        with contextlib.suppress(EvolutionError):
            await peer.api.delete_instance(name)
    return (came.accepted_at - began) * 1000 if came else None


async def arrived(data: Path, is_it: Callable[[Summary], bool], *, within: float) -> Summary | None:
    """The newest event of the journal that is meant, once it is there."""
    deadline = time.monotonic() + within
    while True:
        for event in newest(data):
            if is_it(event):
                return event
        if time.monotonic() >= deadline:
            return None
        await asyncio.sleep(_LOOK_EVERY)


def newest(data: Path, limit: int = _RECENT) -> list[Summary]:
    """The newest events of a journal, newest first; none where there is no journal yet."""
    try:
        with closing(JournalReader(data)) as journal:
            return journal.newest(limit)
    except OperationalError:
        return []
