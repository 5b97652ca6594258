"""What the sender is told: every case of the answers' table, on a real listener and a real journal."""

import asyncio
import gzip
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import msgspec
import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from prometheus_client import CollectorRegistry, generate_latest
from yarl import URL

from gateway import names, samples
from gateway.config import Config, HeaderAuth, Secret, Webhook
from gateway.config.settings import Auth
from gateway.journal import Journal, JournalReader
from gateway.web.listener import PostSite
from gateway.web.reception import Reception
from gateway.web.traffic import Traffic
from gateway.web.webhook import Endpoint, endpoints, webhook_app
from tests.support.waiting import until

BODY = samples.read("messages-upsert__text-private-v223.json")


class Answer(msgspec.Struct):
    """One HTTP answer."""

    status: int
    json: dict[str, str]
    headers: dict[str, str]


class Site:
    """A webhook listener on a free port."""

    def __init__(self, journal: Journal, port: int, registry: CollectorRegistry, accepted: list[int]) -> None:
        self.journal = journal
        self.port = port
        self.registry = registry
        self.accepted = accepted

    async def post(self, path: str, body: bytes = BODY, *, method: str = "POST", **headers: str) -> Answer:
        url = f"http://127.0.0.1:{self.port}{path}"
        sent = {
            "Content-Type": "application/json",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, URL(url, encoded=True), data=body, headers=sent, allow_redirects=False) as response,
        ):
            return Answer(response.status, orjson.loads(await response.read() or b"null"), dict(response.headers))

    def events(self) -> list[str]:
        return [row.event for row in JournalReader(self.journal.folder).after(0, 10_000)]


Open = Callable[[Webhook], Awaitable[Site]]


@pytest.fixture(params=["application", "listener"])
async def open_site(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Open]:
    """Whether it is mounted somewhere or has the gateway's own listener, the sender is told the same."""
    async with AsyncExitStack() as stack:

        async def open_one(webhook: Webhook) -> Site:
            config = Config(webhook=webhook, data=tmp_path)
            registry, accepted = CollectorRegistry(), list[int]()
            journal = Journal(tmp_path, accepted=lambda seqs, _events: accepted.extend(seqs))
            stack.push_async_callback(journal.close)
            reception = Reception(config, journal, Traffic(registry))
            app = webhook_app(reception, is_ready=lambda: True)
            runner = web.AppRunner(app, max_line_size=32_768, max_field_size=32_768, shutdown_timeout=1)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            own = PostSite(runner, reception, "127.0.0.1", 0, backlog=128, stop_within=1)
            await (web.TCPSite(runner, "127.0.0.1", 0) if request.param == "application" else own).start()
            return Site(journal, runner.addresses[0][1], registry, accepted)

        yield open_one


@pytest.fixture
async def site(open_site: Open) -> Site:
    return await open_site(Webhook())


async def test_a_stored_event_is_202_with_its_id(site: Site) -> None:
    answer = await site.post("/webhook/messages-upsert")

    assert (answer.status, answer.json) == (202, {"status": "accepted", "id": "1"})
    assert site.events() == ["messages.upsert"]
    assert site.accepted == [1]


async def test_a_repeat_is_200_with_the_first_ones_id(site: Site) -> None:
    await site.post("/webhook/messages-upsert")
    await site.post("/webhook/call", b'{"event": "call"}')
    answer = await site.post("/webhook/messages-upsert")

    assert (answer.status, answer.json) == (200, {"status": "duplicate", "id": "1"})
    assert site.accepted == [1, 2]


@pytest.mark.parametrize("endpoint", endpoints("/webhook"), ids=lambda endpoint: endpoint.path)
async def test_every_endpoint_stores_its_event(site: Site, endpoint: Endpoint) -> None:
    answer = await site.post(endpoint.path, b'{"instance": "shop-1", "data": null}')

    assert answer.status == 202
    assert site.events() == [endpoint.event or "unknown"]


def test_the_documentations_nineteen_events_have_their_documented_suffixes() -> None:
    suffixes = """application-startup qrcode-updated connection-update messages-set messages-upsert messages-update
        messages-delete send-message send-messages contacts-set contacts-upsert contacts-update presence-update
        chats-set chats-update chats-upsert groups-upsert groups-update group-participants-update
        groups-participants-update new-token new-jwt"""
    documented = set(re.findall(r"[a-z-]+", suffixes))

    served = {endpoint.path.removeprefix("/webhook/") for endpoint in endpoints("/webhook")}

    assert documented <= served
    assert sum(event.documented for event in names.EVENTS.values()) == 19


@pytest.mark.parametrize(
    "path",
    [
        "/webhook/messages-upsert",
        "/webhook//messages-upsert",
        "//webhook///messages-upsert//",
        "/webhook/messages-upsert/",
        "/webhook/MESSAGES-UPSERT",
        "/WebHook/Messages-Upsert",
        "/webhook/messages_upsert",
        "/webhook/message-upsert",
        "/webhook?token=abc/messages-upsert",
        "/webhook/shop-1?token=abc/messages-upsert",
        "/webhook/shop-1/messages-upsert",
        "/webhook/messages%2Dupsert",
    ],
)
async def test_every_way_to_write_the_url_reaches_the_event(site: Site, path: str) -> None:
    answer = await site.post(path, b'{"instance": "shop-1"}')

    assert answer.status == 202
    assert site.events() == ["messages.upsert"]


@pytest.mark.parametrize("path", ["/webhook", "/webhook/", "/webhook?token=abc", "/webhook/plain"])
async def test_the_base_path_takes_every_event_by_its_body(site: Site, path: str) -> None:
    await site.post(path, b'{"event": "chats.update", "instance": "shop-1", "data": []}')

    assert site.events() == ["chats.update"]


@pytest.mark.parametrize(
    ("path", "body", "event"),
    [
        ("/webhook/moon-landed", b"{}", "moon-landed"),
        ("/webhook/messages-upsert", b'{"event": "call"}', "call"),
        ("/webhook/messages-upsert", b'{"event": "messages.upsert", "data": null}', "messages.upsert"),
        ("/webhook/messages-upsert", b'{"event": "messages.upsert", "data": "text"}', "messages.upsert"),
        ("/webhook/%2e%2e/%2e%2e/etc", b"{}", "etc"),
        ("/webhook/%00", b"{}", "\x00"),
        ("/webhook/" + "x" * 8192, b"{}", "x" * 200),
        ("/webhook", rb'{"event": "call", "data": "\ud83d"}', "call"),
    ],
)
async def test_what_nobody_knows_is_stored_as_what_can_be_said_of_it(
    site: Site, path: str, body: bytes, event: str
) -> None:
    assert (await site.post(path, body)).status == 202
    assert site.events() == [event]


async def test_without_a_base_path_every_path_is_an_endpoint(open_site: Open) -> None:
    site = await open_site(Webhook(base_path=""))

    assert (await site.post("/messages-upsert")).status == 202
    assert (await site.post("/", b"{}")).status == 202


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"", "line 1, column 1"),
        (b'{"event": 1,}', "line 1, column 12"),
        (b'{"a": "\xff"}', "byte 0xff at position 7"),
        (b"[1]", "an array"),
    ],
)
async def test_what_is_no_json_object_is_400_with_where_and_is_kept_as_refused(
    site: Site, body: bytes, detail: str
) -> None:
    answer = await site.post("/webhook/call", body)

    assert answer.status == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json["title"] == "Bad Request"
    assert detail in answer.json["detail"]
    reader = JournalReader(site.journal.folder)
    assert reader._connection.execute("SELECT path, body FROM refused").fetchall() == [("/webhook/call", body)]


async def test_a_browser_is_403(site: Site) -> None:
    assert (await site.post("/webhook/call", Origin="https://evil.example")).status == 403
    assert (await site.post("/webhook/call", Sec_Fetch_Site="cross-site")).status == 403
    assert site.events() == []


async def test_a_post_to_a_wrong_path_is_told_to_come_again(site: Site) -> None:
    answer = await site.post("/hook/messages-upsert")

    assert answer.status == 421
    assert "/webhook" in answer.json["detail"]


async def test_a_get_is_told_what_the_url_is_for(site: Site) -> None:
    answer = await site.post("/webhook", b"", method="GET")

    assert (answer.status, answer.headers["Allow"]) == (405, "HEAD, POST")


async def test_a_head_says_whether_a_post_would_be_let_in_and_stores_nothing(open_site: Open) -> None:
    site = await open_site(Webhook(auth=Auth(header=HeaderAuth(values=(Secret("right"),)))))

    taken = await site.post("/webhook/call", b"", method="HEAD", X_Webhook_Token="right")
    refused = await site.post("/webhook", b"", method="HEAD", X_Webhook_Token="wrong")
    elsewhere = await site.post("/hook", b"", method="HEAD", X_Webhook_Token="right")

    assert (taken.status, refused.status, elsewhere.status) == (204, 401, 421)
    assert site.events() == []


async def test_a_compressed_body_is_415(site: Site) -> None:
    answer = await site.post("/webhook", gzip.compress(BODY), Content_Encoding="gzip")

    assert answer.status == 415
    assert site.events() == []


async def test_a_body_over_the_limit_is_413_before_it_is_read(open_site: Open) -> None:
    site = await open_site(Webhook(max_body=1000))

    answer = await site.post("/webhook", b"x" * 1001)

    assert answer.status == 413
    assert "max_body" in answer.json["detail"]


async def test_a_chunked_body_over_the_limit_is_413(open_site: Open) -> None:
    site = await open_site(Webhook(max_body=1000))

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 100

    async with (
        aiohttp.ClientSession() as session,
        session.post(f"http://127.0.0.1:{site.port}/webhook", data=pieces()) as response,
    ):
        assert response.status == 413


async def test_too_many_bytes_in_flight_are_503_and_their_room_comes_back(open_site: Open) -> None:
    site = await open_site(Webhook(max_in_flight=1000))

    refused = await site.post("/webhook", b"x" * 1001)
    taken = await site.post("/webhook", b"{}" + b" " * 900)

    assert (refused.status, refused.headers["Retry-After"]) == (503, "5")
    assert taken.status == 202


async def test_a_journal_that_cannot_write_is_503(site: Site) -> None:
    connection = site.journal._writer._connection
    connection.execute("PRAGMA query_only = ON")
    refused = await site.post("/webhook")
    connection.execute("PRAGMA query_only = OFF")
    taken = await site.post("/webhook")

    assert (refused.status, refused.headers["Retry-After"]) == (503, "5")
    assert (taken.status, taken.json["status"]) == (202, "accepted")


async def test_without_a_valid_credential_a_post_is_401_whatever_its_path_and_body(open_site: Open) -> None:
    auth = Auth(header=HeaderAuth(values=(Secret("s3cr3t-value"),)))
    site = await open_site(Webhook(auth=auth))

    for path, body in [("/webhook/call", BODY), ("/elsewhere", b"not json")]:
        answer = await site.post(path, body, X_Webhook_Token="wrong")
        assert answer.status == 401
        assert "s3cr3t-value" not in answer.json["detail"]
    assert site.events() == []
    assert (await site.post("/webhook/call", X_Webhook_Token="s3cr3t-value")).status == 202


async def test_a_path_secret_stands_before_the_suffix(open_site: Open) -> None:
    site = await open_site(Webhook(auth=Auth(path_secret=(Secret("s3cr3t-value"),))))

    assert (await site.post("/webhook/messages-upsert")).status == 401
    assert (await site.post("/webhook/s3cr3t-value//chats-update", b"{}")).status == 202
    assert (await site.post("/webhook/s3cr3t-value", b"{ }")).status == 202
    assert site.events() == ["chats.update", "unknown"]


async def test_fifty_copies_at_once_are_one_row(site: Site) -> None:
    answers = await asyncio.gather(*(site.post("/webhook") for _ in range(50)))

    assert sorted(answer.status for answer in answers) == [200] * 49 + [202]
    assert {answer.json["id"] for answer in answers} == {"1"}


async def test_health_needs_no_credential(open_site: Open) -> None:
    site = await open_site(Webhook(auth=Auth(path_secret=(Secret("s3cr3t-value"),))))

    assert (await site.post("/health/live", b"", method="GET")).json == {"status": "live"}
    assert (await site.post("/health/ready", b"", method="GET")).status == 200


async def test_metrics_count_answers_and_no_sender_can_make_a_new_series(site: Site) -> None:
    await site.post("/webhook", b'{"event": "made.up.%s"}' % (b"x" * 100))
    await site.post("/webhook/call", b'{"event": "call"}')
    await site.post("/webhook/call", b"nonsense")

    await until(lambda: b'event="call"' in generate_latest(site.registry), "answers are counted")
    text = generate_latest(site.registry).decode()
    assert 'gateway_events_total{event="unknown",outcome="accepted"} 1.0' in text
    assert 'gateway_events_total{event="call",outcome="accepted"} 1.0' in text
    assert 'gateway_refused_total{status="400"} 1.0' in text
    assert "made.up" not in text


async def test_the_listener_can_be_mounted_in_another_application(tmp_path: Path) -> None:
    config = Config(data=tmp_path)
    journal = Journal(tmp_path)
    reception = Reception(config, journal, Traffic(CollectorRegistry()))
    outer = web.Application()
    outer.add_subapp("/whatsapp", webhook_app(reception, is_ready=lambda: True))
    server = TestServer(outer, host="127.0.0.1")
    await server.start_server()

    async with (
        aiohttp.ClientSession() as session,
        session.post(f"http://127.0.0.1:{server.port}/whatsapp/webhook/messages-upsert", data=BODY) as response,
    ):
        assert response.status == 202
    await server.close()
    await journal.close()
