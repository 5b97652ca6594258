"""Checkers that find nothing wrong prove nothing: show, before anything else, that they would find it."""

import asyncio
import tempfile
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from tests.support.damage import first_pair_in_a_lane, swapped, without_row
from tests.support.evidence import Evidence
from tests.support.gateway import Gateway
from torture.effects import Effects
from torture.stage import Stage, judge
from torture.table import Row


async def prove(seed: str) -> None:
    """Run a healthy gateway and spoil what is known of it; then one that acknowledges before it has stored.

    Raises:
        AssertionError: a checker has missed something.
    """
    with tempfile.TemporaryDirectory(prefix="torture-") as folder:
        await _spoil(Path(folder) / "healthy", seed)
        await _sabotage(Path(folder) / "sabotaged", seed)


async def _spoil(folder: Path, seed: str) -> None:
    async with Gateway(folder) as gateway:
        stage = Stage(gateway, Random(seed), 1)  # noqa: S311 -- no secret
        await gateway.start()
        await stage.post(120)
        good, effects = stage.evidence(), stage.effects()
        robbed = without_row(gateway, 7)

    def wrong(changed: Effects = effects, **changes: object) -> Row:
        return judge(msgspec.structs.replace(good, **changes), changed)

    one, other = first_pair_in_a_lane(good)
    assert wrong().is_good, wrong().complaints
    assert wrong(journal=_without(good.journal, robbed)).lost, "a lost row was not noticed"
    assert wrong(records=good.records[1:]).lost, "a lost call was not noticed"
    assert wrong(records=swapped(good.records, one, other)).out_of_order, "a swapped lane was not noticed"
    _prove_effects(good, effects, wrong)


def _prove_effects(good: Evidence, effects: Effects, wrong: Any) -> None:  # noqa: ANN401 -- a local function
    last = effects.replies[-1]
    doubled = msgspec.structs.replace(effects, replies=[*effects.replies, last])
    missing = msgspec.structs.replace(effects, replies=effects.replies[:-1])
    counted = msgspec.structs.replace(effects, counters=[effects.counters[0] + 1, *effects.counters[1:]])
    assert len(good.journal) == len(effects.replies)
    assert wrong(doubled).repeated, "a doubled reply was not noticed"
    assert wrong(missing).repeated, "a missing reply was not noticed"
    assert wrong(counted).repeated, "a message counted twice was not noticed"


def _without(journal: Mapping[int, object], robbed: Mapping[int, object]) -> dict[int, object]:
    assert len(robbed) == len(journal) - 1
    return {seq: event for seq, event in journal.items() if seq in robbed}


async def _sabotage(folder: Path, seed: str) -> None:
    async with Gateway(folder) as gateway:
        gateway.sabotage = "answer_before_commit"
        stage = Stage(gateway, Random(seed), 1)  # noqa: S311 -- no secret
        await gateway.start()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(stage.sender.post_all(stage.bodies(400)))
            await stage.reached(200)
            await gateway.kill()
            gateway.sabotage = ""
            await gateway.start()
        await stage.settled()
        assert stage.row("control", 0.0).lost, "a gateway that answers before it has stored was not noticed"
