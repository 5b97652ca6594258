"""What a connection may do to a message: what certainly has not left must not be taken for what may have."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator

import pytest

from gateway.evolution import Evolution, EvolutionUnreachable

SENT = b'{"key":{"id":"BAE5"}}'
ANSWER = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(SENT), SENT)


@pytest.fixture
async def impatient() -> AsyncIterator[str]:
    """A server that takes one request a connection and closes at the second, as Node does when its patience ends."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(ANSWER)
        await reader.read(1)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield address(server.sockets[0].getsockname())


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


async def test_a_message_never_travels_on_a_connection_the_server_may_be_closing(impatient: str) -> None:
    evolution = Evolution(impatient, "key", version="2")

    first = await evolution.send_text("shop", "5511999990002", "one")
    second = await evolution.send_text("shop", "5511999990002", "two")
    await evolution.close()

    assert (first.id, second.id) == ("BAE5", "BAE5")


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
