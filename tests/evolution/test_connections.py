"""What a connection may do to a message: what certainly has not left must not be taken for what may have."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import orjson
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from gateway.evolution import Evolution, EvolutionUnreachable, EvolutionUnsure
from gateway.evolution.call import Request
from gateway.evolution.transport import KEPT, Answer, Transport

SENT = b'{"key":{"id":"BAE5"}}'
ANSWER = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(SENT), SENT)

SMALL = Request(method="POST", path="/message/sendText/shop", body={"text": "hi"})
LARGE = Request(method="POST", path="/message/sendMedia/shop", body={"media": "x" * 20_000_000})


class Host:
    """A server that closes a connection at the request after its last answer, as Node does when its patience ends."""

    def __init__(self) -> None:
        self.answers = [ANSWER]
        """What it says on one connection, one after the other."""
        self.asked_on: list[int] = []
        """Which connection each request came on."""
        self.heads: list[bytes] = []
        self.bodies: list[bytes] = []
        self.reads = True
        """It takes requests' bodies before it answers."""
        self.left = asyncio.Event()
        """A connection was closed from the other side."""
        self._connections = 0

    @asynccontextmanager
    async def listening(self, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls)
        async with server:
            yield address(server.sockets[0].getsockname())

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections += 1
        number = self._connections
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            for answer in self.answers:
                await self._take(reader, number)
                writer.write(answer)
                await writer.drain()
            await self._take(reader, number)
        if reader.at_eof():
            self.left.set()
        writer.close()

    async def _take(self, reader: asyncio.StreamReader, number: int) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.asked_on.append(number)
        self.heads.append(head)
        if self.reads:
            self.bodies.append(await reader.readexactly(int(head.split(b"Content-Length: ")[1].split(b"\r\n")[0])))


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
async def transport(url: str) -> AsyncIterator[Transport]:
    transport = Transport(url, "key", timeout=5, connect_within=5)
    yield transport
    await transport.close()


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


async def test_connections_that_will_not_be_used_again_are_closed(evolution: Evolution, host: Host) -> None:
    await evolution.send_text("shop", "5511999990002", "one")

    async with asyncio.timeout(10):
        await host.left.wait()


async def test_a_large_body_arrives_whole(transport: Transport, host: Host) -> None:
    await transport.carry(LARGE)

    assert orjson.loads(host.bodies[0]) == LARGE.body


async def test_a_large_body_that_is_refused_before_it_is_read_ends_its_connection(
    transport: Transport, host: Host
) -> None:
    host.reads = False
    host.answers = [b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"] * 2
    statuses = [(await transport.carry(request)).status for request in (LARGE, SMALL)]

    assert statuses == [413, 413]
    assert host.asked_on == [1, 2]


async def test_after_a_large_answer_the_next_request_is_answered_too(transport: Transport, host: Host) -> None:
    large = b"x" * 3_000_000
    host.answers = [b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(large), large), ANSWER]
    answers = [await transport.carry(SMALL) for _ in range(2)]

    assert [answer.content for answer in answers] == [large, SENT]
    assert host.asked_on == [1, 1]


async def test_an_answer_whose_end_does_not_come_in_time_is_none(url: str, host: Host) -> None:
    host.answers = [ANSWER[:-1]]
    transport = Transport(url, "key", timeout=0.1, connect_within=5)

    with pytest.raises(EvolutionUnsure, match=r"not within 0\.1 s"):
        await transport.carry(SMALL)

    await transport.close()


async def test_one_who_is_cancelled_leaves_no_connection_to_be_used_again(transport: Transport, host: Host) -> None:
    host.answers = [ANSWER[:-1]]
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(transport.carry(SMALL), 0.1)
    host.answers = [ANSWER]
    await transport.carry(SMALL)

    assert host.asked_on == [1, 2]


async def test_a_name_and_a_password_in_the_url_are_shown_to_the_proxy_that_asks_for_them(url: str, host: Host) -> None:
    transport = Transport(url.replace("://", "://ana:p%40ss@") + "/evo", "key", timeout=5, connect_within=5)
    await transport.carry(SMALL)
    await transport.close()

    assert host.heads[0].startswith(b"POST /evo/message/sendText/shop HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"\r\nAuthorization: Basic YW5hOnBAc3M=\r\n" in host.heads[0]


@pytest.mark.parametrize(("url", "key"), [("evo.example", "key"), ("ftp://evo", "key"), ("http://evo", "k\r\nX: y")])
async def test_what_leads_nowhere_is_refused_at_once(url: str, key: str) -> None:
    with pytest.raises(ValueError, match="http or https"):
        Transport(url, key, timeout=5, connect_within=5)


async def test_a_server_is_believed_only_with_a_certificate_that_is_trusted(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = certify("127.0.0.1", tmp_path)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate)
    async with host.listening(tls) as url:
        stranger = Transport(url.replace("http:", "https:"), "key", timeout=5, connect_within=5)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        friend = Transport(url.replace("http:", "https:"), "key", timeout=5, connect_within=5)

        with pytest.raises(EvolutionUnreachable, match="certificate verify failed"):
            await stranger.carry(SMALL)
        answers = [await friend.carry(SMALL)]
        await friend.close()

    assert answers == [Answer(201, SENT, "")]


def certify(host: str, folder: Path) -> Path:
    """A file with a key and a certificate that signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    alternative = x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(alternative, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file = folder / "server.pem"
    file.write_bytes(private + certificate.public_bytes(Encoding.PEM))
    return file


def address(name: tuple[str, int]) -> str:
    return f"http://{name[0]}:{name[1]}"
