"""What the fake posts has the shapes of the samples: the same keys, the same kinds of values, version by version."""

from typing import Any

import aiohttp
import pytest

from gateway import samples
from gateway.testing import EvolutionServer
from tests.testing.conftest import ANA, CHAT, Asker, Receiver

NEW, OLD = "2.3.6", "1.8.2"
OF_THE_PHONE = {"messageContextInfo", "senderKeyDistributionMessage"}
"""Beside the content of a message: what phones say to each other."""


def shape(value: Any) -> Any:  # noqa: ANN401 -- JSON
    if isinstance(value, dict):
        if value and all(key.isdigit() for key in value):
            return "bytes"
        return {key: shape(below) for key, below in value.items() if key not in OF_THE_PHONE}
    if isinstance(value, list):
        return "list"
    return type(value).__name__


async def happen(version: str, receiver: Receiver) -> None:
    """Everything that is posted for a person who writes and a bot that answers."""
    async with EvolutionServer(version=version, webhook=receiver.url, typing_scale=0) as server:
        ana = server.person(ANA, name="Ana")
        await ana.write("hi")
        await ana.write("hi all", group=server.group("Friends", [ana]).id)
        async with aiohttp.ClientSession() as session:
            body = {"text": "pong"} if version == NEW else {"textMessage": {"text": "pong"}}
            await Asker(server, session)("POST", "/message/sendText/shop-1", {"number": CHAT} | body)
        server.connect()
        await server.settled()
        assert server.complaints == []


@pytest.mark.parametrize(
    ("version", "event", "at", "sample"),
    [
        (NEW, "messages.upsert", 0, "messages-upsert__list-response-v236"),
        (NEW, "messages.upsert", 1, "messages-upsert__text-group-lid-v236"),
        (NEW, "send.message", 0, "send-message__text-v236"),
        (NEW, "messages.update", 0, "messages-update__delivery-ack-v236"),
        (NEW, "contacts.upsert", 0, "contacts-upsert__object-group-v236"),
        (NEW, "connection.update", 0, "connection-update__open-v236"),
        (OLD, "messages.upsert", 0, "messages-upsert__text-private-v18"),
        (OLD, "messages.upsert", 1, "messages-upsert__text-group-v18"),
        (OLD, "send.message", 0, "send-message__text-v18"),
    ],
)
async def test_what_is_posted_has_the_samples_shape(
    receiver: Receiver, version: str, event: str, at: int, sample: str
) -> None:
    await happen(version, receiver)

    posted, real = shape(receiver.events(event)[at]), shape(samples.load(sample))

    if sample == "messages-upsert__list-response-v236":  # of a private message addressed by number, the key alone
        posted, real = posted["data"]["key"], real["data"]["key"]
    assert posted == real
