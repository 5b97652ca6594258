"""Claims about the fake Evolution: what it takes, answers and posts back, and how it fails. Asked by hand."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.events import MessagesUpsert, decode
from gateway.testing import EvolutionServer, Fault
from gateway.testing.evolution.place import CONTAINER

ANA = "+55 11 99999-0002"
CHAT = "5511999990002@s.whatsapp.net"


class Receiver:
    """A webhook that remembers what it was posted."""

    def __init__(self) -> None:
        self.url = ""
        self.posts: list[tuple[str, dict[str, Any]]] = []

    async def take(self, request: web.Request) -> web.Response:
        self.posts.append((request.path, await request.json()))
        return web.json_response({"status": "accepted", "id": str(len(self.posts))}, status=202)

    def events(self, name: str) -> list[dict[str, Any]]:
        return [body for _, body in self.posts if body["event"] == name]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", receiver.take)
    async with TestServer(app) as server:
        receiver.url = f"http://127.0.0.1:{server.port}/webhook"
        yield receiver


@pytest.fixture
async def server(receiver: Receiver) -> AsyncIterator[EvolutionServer]:
    async with EvolutionServer(webhook=receiver.url, typing_scale=0) as server:
        yield server


class Asker:
    """Asks a server, with its key."""

    def __init__(self, server: EvolutionServer, session: aiohttp.ClientSession) -> None:
        self._server = server
        self._session = session

    async def __call__(self, method: str, path: str, body: object = None, *, apikey: str = "") -> tuple[int, Any]:
        headers = {"apikey": apikey or self._server.apikey}
        async with self._session.request(method, self._server.url + path, json=body, headers=headers) as answer:
            return answer.status, json.loads(await answer.text())


@pytest.fixture
async def ask(server: EvolutionServer) -> AsyncIterator[Asker]:
    async with aiohttp.ClientSession() as session:
        yield Asker(server, session)


async def test_a_text_leaves_and_the_answer_names_it(server: EvolutionServer, ask: Asker) -> None:
    status, answer = await ask("POST", "/message/sendText/shop-1", {"number": "5511999990002", "text": "pong"})

    assert status == 201
    assert answer["key"]["remoteJid"] == CHAT
    assert (answer["message"], answer["status"]) == ({"conversation": "pong"}, "PENDING")
    assert [(each.chat, each.text, each.id) for each in server.sent] == [(CHAT, "pong", answer["key"]["id"])]
    assert server.complaints == []


async def test_what_left_comes_back_as_echo_and_acknowledgements(
    server: EvolutionServer, ask: Asker, receiver: Receiver
) -> None:
    _, answer = await ask("POST", "/message/sendText/shop-1", {"number": CHAT, "text": "pong"})
    await server.settled()

    (echo,) = receiver.events("send.message")
    assert echo["data"] == answer
    updates = receiver.events("messages.update")
    assert {each["data"]["status"] for each in updates} == {"SERVER_ACK", "DELIVERY_ACK"}
    assert {each["data"]["keyId"] for each in updates} == {answer["key"]["id"]}
    assert "/webhook/send-message" in [path for path, _ in receiver.posts]


async def test_a_person_who_writes_is_posted_as_a_message(server: EvolutionServer, receiver: Receiver) -> None:
    written = await server.write(ANA, "Olá 👋", name="Ana")

    (posted,) = receiver.events("messages.upsert")
    event = decode("messages.upsert", posted)
    assert isinstance(event, MessagesUpsert)
    assert (event.message.id, event.message.text) == (written.id, "Olá 👋")
    assert (event.message.sender.phone, event.message.sender.name) == ("5511999990002", "Ana")
    assert event.problems == ()


async def test_a_key_that_evolution_does_not_know_is_complained_of_and_ignored(
    server: EvolutionServer, ask: Asker
) -> None:
    status, _ = await ask("POST", "/message/sendText/shop-1", {"number": CHAT, "text": "hi", "txet": "hi"})

    assert status == 201
    assert server.complaints == ["POST /message/sendText/shop-1: txet is no key that Evolution knows here"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"number": CHAT}, 'instance requires property "text"'),
        ({"number": 5511999990002, "text": "hi"}, "Invalid format"),
        ({"number": CHAT, "text": "hi", "delay": "1000"}, "Enter a value in milliseconds"),
        ({"number": CHAT, "text": "hi", "mentioned": ["Ana"]}, '"mentioned" must be an array of numeric strings'),
    ],
)
async def test_a_wrong_body_is_refused_in_evolutions_words(
    server: EvolutionServer, ask: Asker, body: dict[str, Any], words: str
) -> None:
    status, answer = await ask("POST", "/message/sendText/shop-1", body)

    assert (status, answer) == (400, {"status": 400, "error": "Bad Request", "response": {"message": [[words]]}})
    assert len(server.complaints) == 1
    assert server.sent == []


async def test_a_lost_answer_has_left_all_the_same(server: EvolutionServer, ask: Asker) -> None:
    server.fail(Fault.RESET_AFTER)

    with pytest.raises(aiohttp.ClientError):
        await ask("POST", "/message/sendText/shop-1", {"number": CHAT, "text": "pong"})

    assert server.texts(ANA) == ["pong"]


async def test_without_an_answer_nothing_has_left(server: EvolutionServer, ask: Asker) -> None:
    server.fail(Fault.NO_ANSWER)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await ask("POST", "/message/sendText/shop-1", {"number": CHAT, "text": "pong"})

    assert server.sent == []


async def test_find_messages_has_what_left_and_what_came(server: EvolutionServer, ask: Asker) -> None:
    await server.write(ANA, "ping")
    _, sent = await ask("POST", "/message/sendText/shop-1", {"number": CHAT, "text": "pong"})

    where = {"where": {"key": {"remoteJid": CHAT, "fromMe": True}}}
    status, own = await ask("POST", "/chat/findMessages/shop-1", where)
    _, page = await ask("POST", "/chat/findMessages/shop-1", {"offset": 1, "page": 2})

    assert status == 200
    assert [each["key"]["id"] for each in own["messages"]["records"]] == [sent["key"]["id"]]
    assert page["messages"] | {"records": None} == {"total": 2, "pages": 2, "currentPage": 2, "records": None}
    assert page["messages"]["records"][0]["message"] == {"conversation": "ping"}


async def test_media_can_be_fetched_again(server: EvolutionServer, ask: Asker) -> None:
    photo = await server.person(ANA).send("image", b"\x89PNG", caption="look", mimetype="image/png")

    status, answer = await ask("POST", "/chat/getBase64FromMediaMessage/shop-1", {"message": {"key": {"id": photo.id}}})

    assert status == 201
    assert (base64.b64decode(answer["base64"]), answer["mimetype"]) == (b"\x89PNG", "image/png")


async def test_a_server_in_a_container_reaches_this_machine_by_its_other_names_alone(receiver: Receiver) -> None:
    async with EvolutionServer(retry_scale=0.0, place=CONTAINER) as server:
        server.point(receiver.url)
        await server.write(ANA, "by loopback")
        server.point(receiver.url.replace("127.0.0.1", "host.docker.internal"))
        await server.write(ANA, "by the host's name")

        assert [post["data"]["message"]["conversation"] for _, post in receiver.posts] == ["by the host's name"]
        assert receiver.posts[0][1]["destination"].startswith("http://host.docker.internal:")


async def test_the_date_of_its_answers_is_its_own_clocks() -> None:
    async with (
        EvolutionServer(clock=lambda: 1_800_000_000.0) as server,
        aiohttp.ClientSession() as session,
        session.get(f"{server.url}/") as answer,
    ):
        assert answer.headers["Date"] == "Fri, 15 Jan 2027 08:00:00 GMT"
