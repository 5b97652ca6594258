"""One thing that can go wrong, and how to run it in a gateway of its own."""

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random
from typing import Final

import msgspec

from tests.support.gateway import Gateway
from torture.stage import Stage
from torture.table import Row

WITHIN: Final = 900.0
"""Seconds that one fault may take with all its rounds."""


class Fault(msgspec.Struct, frozen=True):
    """A name, how often, and what happens."""

    name: str
    rounds: int
    happen: Callable[[Stage], Awaitable[None]]


async def survive(fault: Fault, *, rounds: int | None, seed: str) -> Row:
    """Let it happen to a gateway in a temporary folder, and look what is left."""
    began = time.monotonic()
    count = rounds or fault.rounds
    random = Random(f"{seed} {fault.name}")  # noqa: S311 -- no secret
    with tempfile.TemporaryDirectory(prefix="torture-") as folder:
        async with Gateway(Path(folder) / "gateway") as gateway:
            stage = Stage(gateway, random, count)
            try:
                async with asyncio.timeout(WITHIN):
                    await fault.happen(stage)
                    await stage.settled()
                return stage.row(fault.name, began)
            except Exception as error:  # noqa: BLE001 -- whatever it was, the other faults are still to come
                return _broken_off(fault.name, count, stage, began, error)


def _broken_off(name: str, rounds: int, stage: Stage, began: float, error: Exception) -> Row:
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    log = stage.gateway.log_file.read_text()[-2000:] if stage.gateway.log_file.exists() else ""
    return Row(
        fault=name,
        rounds=rounds,
        acknowledged=len(stage.sender.acknowledged),
        handled=0,
        failures=[*stage.failures, f"broken off: {type(error).__name__}: {error}", log],
        seconds=round(time.monotonic() - began, 1),
    )
