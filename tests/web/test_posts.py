"""A sender is told the same, byte for byte of its status and body, however its request comes in on the wire."""

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import NoReturn

import jwt
import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry

from gateway import samples
from gateway.config import Auth, Config, HeaderAuth, Secret, Webhook
from gateway.journal import Journal, JournalReader
from gateway.web import posts, reception
from gateway.web.listener import PostSite
from gateway.web.reaper import Reaper
from gateway.web.reception import Reception
from gateway.web.traffic import Traffic
from gateway.web.webhook import webhook_app
from tests.support.waiting import until

BODY = samples.read("messages-upsert__text-private-v223.json")
OTHER = samples.read("messages-upsert__text-private-v18.json")
WITHIN = 10.0  # seconds


def request(body: bytes = BODY, *headers: bytes, path: bytes = b"/webhook/messages-upsert") -> bytes:
    lines = [b"POST %s HTTP/1.1" % path, b"Host: gateway", b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


class Listener:
    """The gateway's own listener for webhooks."""

    def __init__(self, runner: web.AppRunner, site: PostSite, desk: Reception, journal: Journal) -> None:
        self.runner = runner
        self.desk = desk
        self.site = site
        self.journal = journal

    def events(self) -> list[str]:
        return [row.event for row in JournalReader(self.journal.folder).after(0, 1000)]

    @contextlib.asynccontextmanager
    async def connected(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.runner.addresses[0][1])
        try:
            yield reader, writer
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def say(self, *pieces: bytes, half_close: bool = False) -> bytes:
        """Send pieces, each by itself, and read until the connection is closed."""
        async with self.connected() as (reader, writer):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
            if half_close:
                writer.write_eof()
            return await asyncio.wait_for(reader.read(), WITHIN)


@contextlib.asynccontextmanager
async def listening(folder: Path, webhook: Webhook) -> AsyncIterator[Listener]:
    journal = Journal(folder)
    config = Config(data=folder, webhook=webhook)
    desk = Reception(config, journal, Traffic(CollectorRegistry()))
    runner = web.AppRunner(webhook_app(desk, is_ready=lambda: True), shutdown_timeout=1)
    await runner.setup()
    site = PostSite(runner, desk, "127.0.0.1", 0, backlog=128, stop_within=WITHIN)
    await site.start()
    yield Listener(runner, site, desk, journal)
    await runner.cleanup()
    await journal.close()


@pytest.fixture
async def listener(tmp_path: Path) -> AsyncIterator[Listener]:
    async with listening(tmp_path, Webhook(max_body=100_000, max_in_flight=150_000)) as one:
        yield one


def answers(said: bytes) -> list[tuple[int, bytes]]:
    """Status and body of each answer."""
    found = []
    while said:
        head, _, rest = said.partition(b"\r\n\r\n")
        length = int(re.findall(rb"(?i)content-length: (\d+)", head)[0])
        found.append((int(head.split()[1]), rest[:length]))
        said = rest[length:]
    return found


CLOSE = b"Connection: close"
STORED = (202, b'{"status":"accepted","id":"1"}')


@pytest.mark.parametrize("size", [1, 7, 50, 300])
async def test_a_request_in_pieces_is_one_request(listener: Listener, size: int) -> None:
    whole = request(BODY, CLOSE)

    said = await listener.say(*(whole[at : at + size] for at in range(0, len(whole), size)))

    assert answers(said) == [STORED]


async def test_requests_sent_without_waiting_are_answered_in_turn(listener: Listener) -> None:
    said = await listener.say(request() + request(OTHER) + request() + request(BODY, CLOSE))

    assert [(status, body[-7:]) for status, body in answers(said)] == [
        (202, b'"id":"1"}'[-7:]),
        (202, b'"id":"2"}'[-7:]),
        (200, b'"id":"1"}'[-7:]),
        (200, b'"id":"1"}'[-7:]),
    ]


async def test_hundreds_of_requests_sent_without_reading_an_answer_are_all_answered(listener: Listener) -> None:
    many = [request(b'{"event":"call","data":{"n":%d}}' % n) for n in range(300)]

    said = await listener.say(*many, request(BODY, CLOSE))

    assert [status for status, _ in answers(said)] == [202] * 301
    assert listener.journal.last == 301


CHUNKED = (
    b"POST /webhook HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
)


@pytest.mark.parametrize(
    ("second", "status"),
    [
        (request(b"no JSON", CLOSE), 400),
        (request(BODY, CLOSE, path=b"/elsewhere"), 421),
        (request(BODY, CLOSE, b"Origin: http://evil"), 403),
        (request(BODY, CLOSE, b"Content-Encoding: gzip"), 415),
        (request(b"x" * 100_001, CLOSE), 413),
        (b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 200),
        (b"HEAD /webhook HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 204),
        (CHUNKED, 202),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
    ],
)  # fmt: skip
async def test_what_is_not_a_plain_post_gets_its_answer_on_the_same_connection(
    listener: Listener, second: bytes, status: int
) -> None:
    said = await listener.say(request() + second)

    first, *others = re.findall(rb"HTTP/1\.[01] (\d{3})", said)
    assert (int(first), [int(each) for each in others]) == (202, [status])


async def test_a_post_after_one_that_was_not_plain_is_stored(listener: Listener) -> None:
    said = await listener.say(request(b"no JSON") + request(BODY, CLOSE))

    assert [status for status, _ in answers(said)] == [400, 202]
    assert listener.events() == ["messages.upsert"]


async def test_a_sender_that_closes_its_side_gets_its_answer(listener: Listener) -> None:
    assert answers(await listener.say(request(), half_close=True)) == [STORED]


async def test_a_sender_that_closes_its_side_gets_the_answers_to_all_it_sent(listener: Listener) -> None:
    said = await listener.say(request() + request(OTHER) + request(), half_close=True)

    assert [status for status, _ in answers(said)] == [202, 202, 200]
    assert said.count(b"Connection: close") == 1


async def test_a_sender_that_hangs_up_takes_nothing_back(listener: Listener) -> None:
    async with listener.connected() as (_, writer):
        writer.write(request())
        await writer.drain()
    assert answers(await listener.say(request(BODY, CLOSE)))[0][0] in (200, 202)
    assert listener.events() == ["messages.upsert"]


async def test_a_sender_that_hangs_up_in_a_body_the_web_server_reads_is_no_error(
    listener: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    async with listener.connected() as (_, writer):
        writer.write(CHUNKED[:-8])
        await writer.drain()
        await until(lambda: not listener.site.gate.connections, "the web server has it")
    assert answers(await listener.say(request(BODY, CLOSE))) == [STORED]
    assert not caplog.records


async def test_bodies_that_are_too_much_together_are_503_and_their_room_comes_back(listener: Listener) -> None:
    large = request(b'{"event":"call","data":"%s"}' % (b"x" * 90_000))
    async with listener.connected() as (_, first):
        first.write(large[:-1])
        await first.drain()
        said = await listener.say(request(b'{"event":"call","data":"%s"}' % (b"y" * 80_000), CLOSE))
        assert [status for status, _ in answers(said)] == [503]
        assert b"Retry-After" in said

    assert answers(await listener.say(request(BODY, CLOSE)))[0][0] == 202


async def test_a_journal_that_cannot_write_is_503_and_the_connection_goes_on(listener: Listener) -> None:
    connection = listener.journal._writer._connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")
    large = b'{"event":"call","data":"%s"}' % (b"x" * 90_000)
    async with listener.connected() as (reader, writer):
        writer.write(request(large))
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), WITHIN)
        detail = await reader.readexactly(int(re.findall(rb"Content-Length: (\d+)", head)[0]))
        connection.execute("PRAGMA max_page_count = 1000000")
        writer.write(request(large, CLOSE))
        said = await asyncio.wait_for(reader.read(), WITHIN)

    assert b" 503 " in head
    assert b"Retry-After: 5" in head
    assert b"full" in detail
    assert answers(said) == [STORED]


async def test_what_nobody_expected_is_answered_too_and_holds_nothing(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(reception, "read_envelope", _fail)
        said = await listener.say(request(BODY, CLOSE))

    assert [status for status, _ in answers(said)] == [500]
    assert listener.desk._in_flight == 0
    assert not listener.site.gate.connections


def _fail(_body: bytes, _suffix: str | None) -> NoReturn:
    raise RecursionError


@pytest.mark.parametrize("sent", [b"", b"POST /webhook HTTP/1.1\r\nHost: x\r\nX-Slow: 1"])
async def test_a_connection_without_a_whole_head_is_let_go(listener: Listener, sent: bytes) -> None:
    assert listener.runner.server
    async with Reaper(0.2).watch(listener.runner.server, listener.site.gate.connections):
        assert await listener.say(sent) == b""


async def test_a_body_that_does_not_go_on_is_408(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posts, "BODY_PAUSE", 0.3)
    assert listener.runner.server
    async with Reaper(0.2).watch(listener.runner.server, listener.site.gate.connections):
        said = await listener.say(request()[:-1])

    assert [status for status, _ in answers(said)] == [408]


async def test_what_is_being_read_is_finished_when_the_listener_stops(listener: Listener) -> None:
    whole = request()
    async with listener.connected() as (reader, writer), listener.connected() as (idle, _):
        writer.write(whole[:-10])
        await writer.drain()
        await until(lambda: any(each._ticket for each in listener.site.gate.connections), "the body is being read")
        stopping = asyncio.create_task(listener.runner.cleanup())
        assert await asyncio.wait_for(idle.read(), WITHIN) == b""
        writer.write(whole[-10:])
        said = await asyncio.wait_for(reader.read(), WITHIN)
        await stopping

    assert answers(said) == [STORED]
    assert b"Connection: close" in said


async def test_a_secret_is_judged_anew_in_every_head_that_differs(tmp_path: Path) -> None:
    auth = Auth(header=HeaderAuth(values=(Secret("right"),)))
    async with listening(tmp_path, Webhook(auth=auth)) as listener:
        said = [
            await listener.say(request(BODY, b"X-Webhook-Token: " + value, CLOSE))
            for value in (b"right", b"wrong", b"right", b"Right", b"right2")
        ]

    assert [answers(each)[0][0] for each in said] == [202, 401, 200, 401, 401]


async def test_a_token_is_judged_anew_whenever_it_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key, now = "a key of at least thirty-two bytes", time.time()
    claims = {"app": "evolution", "action": "webhook", "iat": int(now), "exp": int(now) + 600}
    token = jwt.encode(claims, key, algorithm="HS256")
    post = request(BODY, b"Authorization: Bearer " + token.encode(), CLOSE)
    async with listening(tmp_path, Webhook(auth=Auth(jwt_key=(Secret(key),)))) as listener:
        statuses = []
        for later in (0, 1, 3600):
            clock = SimpleNamespace(time=lambda later=later: now + later, perf_counter=time.perf_counter)
            monkeypatch.setattr(reception, "time", clock)
            statuses.append(answers(await listener.say(post))[0][0])

    assert statuses == [202, 200, 401]
