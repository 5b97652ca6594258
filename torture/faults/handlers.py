"""Handlers that end the process, raise, hang or block, beside a bot that must not notice."""

from collections.abc import Awaitable, Callable
from typing import Final

from tests.support.bodies import message
from torture.bot import NAME, SOURCE
from torture.fault import Fault
from torture.stage import Stage

POISON: Final = "poison"
POISON_CHAT: Final = 777
HEALTHY: Final = 200
"""Messages around each poisoned one."""
DEATHS: Final = {
    "calls os._exit": "os._exit(1)",
    "raises": "raise RuntimeError('poisoned')",
    "raises SystemExit": "raise SystemExit(3)",
    "hangs": "await asyncio.sleep(3600)",
    "ignores its cancellation": "await ignore()",
    "blocks": "time.sleep(3600)",
}
"""What a poisoned message does to the other plugin's handler."""


def other_plugin(death: str) -> Callable[[Stage], Awaitable[None]]:
    """A plugin beside the bot does this with every poisoned message."""

    async def happen(stage: Stage) -> None:
        _limit(stage)
        stage.gateway.plugin(
            "bad",
            f"""
            import asyncio
            import os
            import time

            async def ignore():
                while True:
                    try:
                        await asyncio.sleep(3600)
                    except asyncio.CancelledError:
                        pass

            @plugin.message(f.text({POISON!r}))
            async def die(event, ctx):
                {DEATHS[death]}

            @plugin.message()
            async def note(event, ctx):
                record(ctx)
            """,
        )
        await stage.gateway.start()
        await _poison(stage)
        _expect_dead(stage, "bad")

    return happen


async def own_plugin(stage: Stage) -> None:
    """The bot itself is killed by one message while it handles others: that one alone is given up."""
    _limit(stage)
    dying = f'    record(ctx)\n    if event.message.text == "{POISON}":\n        os._exit(1)\n'
    stage.gateway.plugin(NAME, "import os\n" + SOURCE.replace("    record(ctx)\n", dying))
    await stage.gateway.start()
    await _poison(stage)
    _expect_dead(stage, NAME)


def _limit(stage: Stage) -> None:
    stage.gateway.settings(delivery={"timeout": 1, "retry": [0.1]}, worker={"stuck": 1})


async def _poison(stage: Stage) -> None:
    for turn in range(stage.rounds):
        bodies = stage.bodies(HEALTHY)
        await stage.sender.post_all([*bodies[: HEALTHY // 2], _poisoned(turn), *bodies[HEALTHY // 2 :]])
        await stage.settled()
    stage.expect(not stage.sender.refused and not stage.sender.unanswered, "accepting was disturbed")


def _poisoned(turn: int) -> bytes:
    return message(10**9 + turn, POISON, chat=POISON_CHAT)


def _expect_dead(stage: Stage, plugin: str) -> None:
    bodies = {_poisoned(turn) for turn in range(stage.rounds)}
    poisoned = {seq for seq, event in stage.gateway.events().items() if event.body in bodies}
    dead = {(row.plugin, row.seq) for row in stage.gateway.deliveries() if row.status == "dead"}
    stage.expect(dead == {(plugin, seq) for seq in poisoned}, f"dead letters are {sorted(dead)}")
    stage.notes.append(f"{len(dead)} dead letters, {len(stage.gateway.logged('worker_died'))} workers died")


FAULTS: Final = (
    *(Fault(f"a handler {death}", 3, other_plugin(death)) for death in DEATHS),
    Fault("one poison among healthy ones", 5, own_plugin),
)
