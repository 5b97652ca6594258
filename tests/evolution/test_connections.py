"""What a connection may do to a message: what certainly has not left must not be taken for what may have."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from gateway.evolution import Evolution, EvolutionUnreachable, EvolutionUnsure
from gateway.evolution.transport import KEPT

SENT = b'{"key":{"id":"BAE5"}}'
ANSWER = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(SENT), SENT)


class Host:
    """A server that closes a connection at its second request, unanswered, as Node does when its patience ends."""

    def __init__(self) -> None:
        self.connections = 0
        self.asked_on: list[int] = []
        """Which connection each request came on."""

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        async with server:
            yield address(server.sockets[0].getsockname())

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = self.connections
        await self._take(reader, number)
        writer.write(ANSWER)
        with contextlib.suppress(asyncio.IncompleteReadError):
            await self._take(reader, number)
        writer.close()

    async def _take(self, reader: asyncio.StreamReader, number: int) -> None:
        await read_request(reader)
        self.asked_on.append(number)


@pytest.fixture
def host() -> Host:
    return Host()


@pytest.fixture
async def url(host: Host) -> AsyncIterator[str]:
    async with host.listening() as url:
        yield url


@pytest.fixture
async def evolution(url: str) -> AsyncIterator[Evolution]:
    client = Evolution(url, "key", version="2")
    yield client
    await client.close()


@pytest.fixture
def deaf() -> Iterator[str]:
    """A port whose queue is full: connecting to it never ends, as behind a firewall that drops."""
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for each in (first, second):
            each.settimeout(0)
            each.connect_ex(listener.getsockname())
        yield address(listener.getsockname())


async def test_a_connection_is_used_again_and_one_that_is_lost_says_nothing_of_its_message(
    evolution: Evolution, host: Host
) -> None:
    await evolution.send_text("shop", "5511999990002", "one")

    with pytest.raises(EvolutionUnsure, match="no answer from"):
        await evolution.send_text("shop", "5511999990002", "two")

    assert host.asked_on == [1, 1]


async def test_a_connection_that_was_idle_for_long_is_not_used_again(evolution: Evolution, host: Host) -> None:
    first = await evolution.send_text("shop", "5511999990002", "one")
    await asyncio.sleep(KEPT + 0.2)  # what passes is the claim
    second = await evolution.send_text("shop", "5511999990002", "two")

    assert (first.id, second.id) == ("BAE5", "BAE5")
    assert host.asked_on == [1, 2]


async def test_a_connection_that_does_not_come_about_in_time_has_sent_nothing(deaf: str) -> None:
    evolution = Evolution(deaf, "key", version="2", connect_within=0.2)

    with pytest.raises(EvolutionUnreachable, match="no connection in time"):
        await evolution.send_text("shop", "5511999990002", "one")

    await evolution.close()


async def read_request(reader: asyncio.StreamReader) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    await reader.readexactly(int(head.split(b"content-length: ")[1].split(b"\r\n")[0]))


def address(name: tuple[str, int]) -> str:
    return f"http://{name[0]}:{name[1]}"
