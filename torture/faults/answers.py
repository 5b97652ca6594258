"""A bot that answers through an Evolution which loses answers and requests, its worker killed at random moments.

People write through the same server, so that it knows their chats as the real one does.
"""

import asyncio
from collections import Counter
from typing import Final

from gateway.testing.evolution import EvolutionServer
from gateway.testing.evolution import Fault as Failure
from gateway.testing.evolution.person import Person
from torture.fault import Fault
from torture.stage import TAKEN, Stage

CHATS: Final = 40
MESSAGES: Final = 25  # a chat
LOST_ANSWERS: Final = 0.05
"""Share of the messages that leave and whose answer never comes."""
LOST_REQUESTS: Final = 0.02
"""Share of those that do not even leave."""
CUT_AFTER: Final = 0.5  # seconds without an answer
SETTLE: Final = 3  # seconds; outbox.settle
ROUND: Final = 2.0
"""Seconds between two kills, on average: a worker that starts has some to work."""


async def answer_exactly_once(stage: Stage) -> None:
    """With echoes and `chat/findMessages` to go by, every message is answered exactly once, in its order."""
    async with _server() as server:
        await _converse(stage, server)
        for chat, texts in _answers(server):
            expected = [str(n + 1) for n in range(MESSAGES)]
            stage.expect(texts == expected, f"{chat} was answered {texts}")
        _say(stage)


async def answer_at_most_once(stage: Stage) -> None:
    """With neither, none is answered twice, and each of unknown fate is a dead letter that says so."""
    async with _server() as server:
        server.muted.add("send.message")
        server.fail(Failure.SERVER_FAULT, "chat/findMessages", times=None)
        await _converse(stage, server)
        for chat, texts in _answers(server):
            stage.expect(max(Counter(texts).values(), default=0) <= 1, f"{chat} was answered {texts}")
        came = {(chat, text) for chat, texts in _answers(server) for text in texts}
        for row in stage.gateway.outbox():
            stage.expect(row.status in ("sent", "dead"), f"an answer is {row.status}")
            if row.status == "dead":
                stage.expect("Unknown whether it left" in str(row.error), f"an answer died: {row.error}")
            else:
                stage.expect((row.target, row.payload["text"]) in came, "an answer counts as sent and did not leave")
        _say(stage)


def _server() -> EvolutionServer:
    return EvolutionServer(apikey="torture", hang=CUT_AFTER, typing_scale=0, retry_scale=0.01)


def _answers(server: EvolutionServer) -> list[tuple[str, list[str]]]:
    people = sorted({each.chat for each in server.happenings if each.kind == "wrote"})
    return [(chat, server.texts(chat)) for chat in people]


async def _converse(stage: Stage, server: EvolutionServer) -> None:
    """All chats at once, each message when the one before was taken; the worker dies again and again meanwhile."""
    outbox = {"pace": "off", "settle": SETTLE}
    stage.gateway.settings(evolution={"url": server.url, "apikey": server.apikey}, outbox=outbox)
    stage.sends = True
    await stage.gateway.start()
    server.point(stage.gateway.webhook)
    server.fail(Failure.LOST_ANSWER, "message/*", times=None, share=LOST_ANSWERS)
    server.fail(Failure.NO_ANSWER, "message/*", times=None, share=LOST_REQUESTS)
    people = [server.person(f"+55 11 97777-{n:04d}", name=f"Customer {n}") for n in range(CHATS)]
    async with asyncio.TaskGroup() as tasks:
        for person in people:
            tasks.create_task(_write(stage, person))
        await _strike(stage)
    await stage.settled()
    stage.keep()
    # A person's write returns once its webhook is answered, so each of them was acknowledged.
    stage.acknowledged = {event.body: seq for seq, event in stage.kept.items() if event.event == TAKEN}
    stage.expect(len(stage.acknowledged) == CHATS * MESSAGES, f"{len(stage.acknowledged)} messages are in the journal")


async def _write(stage: Stage, person: Person) -> None:
    for _ in range(MESSAGES):
        await asyncio.sleep(stage.random.uniform(0, 2 * stage.rounds * ROUND / MESSAGES))
        await person.write("hi")


async def _strike(stage: Stage) -> None:
    for _ in range(stage.rounds):
        await asyncio.sleep(stage.random.uniform(0, 2 * ROUND))
        await stage.gateway.kill_worker()


def _say(stage: Stage) -> None:
    statuses = Counter(row.status for row in stage.gateway.outbox())
    again = sum(row.attempts > 1 for row in stage.gateway.outbox())
    stage.notes.append(f"{statuses['sent']} sent, {again} tried again, {statuses['dead']} given up as unknown")


FAULTS: Final = (
    Fault("kill -9 while answers get lost", 30, answer_exactly_once),
    Fault("the same, and nothing tells what left", 30, answer_at_most_once),
)
