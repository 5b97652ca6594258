"""What is asked of Evolution 2.x, and what its answers mean for the message."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from gateway.evolution import Evolution, EvolutionError, EvolutionUnreachable, EvolutionUnsure
from tests.evolution.conftest import FakeEvolution


@pytest.fixture
async def client(evolution: FakeEvolution) -> AsyncIterator[Evolution]:
    client = Evolution(evolution.url, "secret-key", timeout=5)
    yield client
    await client.close()


async def test_a_text_is_posted_as_evolution_2_wants_it(evolution: FakeEvolution, client: Evolution) -> None:
    id_ = await client.send_text("shop-1", "5511999990002@s.whatsapp.net", "olá 👋")

    (request,) = evolution.requests
    assert (request.method, request.path) == ("POST", "/message/sendText/shop-1")
    assert request.body == {"number": "5511999990002@s.whatsapp.net", "text": "olá 👋"}
    assert request.headers["apikey"] == "secret-key"
    assert request.headers["Content-Type"].startswith("application/json")
    assert id_ == "id-olá 👋"


async def test_mentions_are_a_list_and_left_out_without_any(evolution: FakeEvolution, client: Evolution) -> None:
    await client.send_text("shop-1", "120363@g.us", "hi", mentions=("5511999990002", "5511999990003"))

    assert evolution.requests[0].body["mentioned"] == ["5511999990002", "5511999990003"]


async def test_an_instances_name_is_quoted_as_a_whole(evolution: FakeEvolution, client: Evolution) -> None:
    await client.send_text("loja/São Paulo?#1", "5511999990002", "hi")

    assert evolution.requests[0].path == "/message/sendText/loja%2FS%C3%A3o%20Paulo%3F%231"


@pytest.mark.parametrize(
    ("status", "content", "words"),
    [
        (400, {"status": 400, "error": "Bad Request", "response": {"message": [["Invalid format"]]}}, "Invalid format"),
        (400, {"status": 400, "response": {"message": ["Error: a", "Error: b"]}}, "Error: a; Error: b"),
        (
            400,
            {"response": {"message": [{"jid": "55@s.whatsapp.net", "exists": False, "number": "55"}]}},
            "this number is not on WhatsApp",
        ),
        (401, {"status": 401, "error": "Unauthorized", "response": {"message": "Unauthorized"}}, "Unauthorized"),
        (404, {"response": {"message": ['The "x" instance does not exist']}}, 'The "x" instance does not exist'),
        (500, {"message": "Internal Server Error"}, "Internal Server Error"),
        (400, {"error": "no"}, "no"),
        (400, ["odd"], "odd"),
        (400, {}, "no reason given"),
    ],
)
async def test_a_refusal_says_why_in_evolutions_own_words(
    evolution: FakeEvolution, client: Evolution, status: int, content: object, words: str
) -> None:
    evolution.answer = lambda _: (status, content)

    with pytest.raises(EvolutionError) as caught:
        await client.send_text("shop-1", "5511999990002", "hi")
    assert str(caught.value) == f"Evolution answered {status}: {words}"


@pytest.mark.parametrize(
    ("status", "passing"),
    [(400, False), (401, False), (404, False), (408, True), (429, True), (500, True), (503, True)],
)
async def test_some_refusals_pass(evolution: FakeEvolution, client: Evolution, status: int, *, passing: bool) -> None:
    evolution.answer = lambda _: (status, {})

    with pytest.raises(EvolutionError) as caught:
        await client.send_text("shop-1", "5511999990002", "hi")
    assert caught.value.passing is passing


@pytest.mark.parametrize("status", [502, 504])
async def test_a_proxy_that_gave_up_leaves_it_open_whether_the_message_left(
    evolution: FakeEvolution, client: Evolution, status: int
) -> None:
    evolution.answer = lambda _: (status, web.Response(status=status, text="<html>Bad Gateway</html>"))

    with pytest.raises(EvolutionUnsure, match=f"proxy .* answered {status}"):
        await client.send_text("shop-1", "5511999990002", "hi")


async def test_metas_refusal_in_a_201_is_a_refusal(evolution: FakeEvolution, client: Evolution) -> None:
    evolution.answer = lambda _: (201, {"message": "(#131030) not in allowed list", "type": "OAuth", "code": 131030})

    with pytest.raises(EvolutionError, match="not in allowed list"):
        await client.send_text("shop-1", "5511999990002", "hi")


async def test_a_redirect_is_not_followed(evolution: FakeEvolution, client: Evolution) -> None:
    elsewhere = f"{evolution.url}/elsewhere"
    evolution.answer = lambda _: (301, web.Response(status=301, headers={"Location": elsewhere}))

    with pytest.raises(EvolutionError, match=r"redirects to .*/elsewhere"):
        await client.send_text("shop-1", "5511999990002", "hi")
    assert len(evolution.requests) == 1


async def test_nobody_listening_means_nothing_was_sent() -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        client = Evolution(f"http://127.0.0.1:{reserved.getsockname()[1]}", "key")

        with pytest.raises(EvolutionUnreachable, match="does not answer"):
            await client.send_text("shop-1", "5511999990002", "hi")
        await client.close()


async def test_a_connection_cut_before_the_answer_leaves_it_open(evolution: FakeEvolution, client: Evolution) -> None:
    evolution.answer = lambda _: None

    with pytest.raises(EvolutionUnsure):
        await client.send_text("shop-1", "5511999990002", "hi")
    assert len(evolution.requests) == 1


async def test_an_answer_that_does_not_come_in_time_leaves_it_open(evolution: FakeEvolution) -> None:
    evolution.hold.clear()
    client = Evolution(evolution.url, "key", timeout=0.1)

    with pytest.raises(EvolutionUnsure, match="TimeoutError"):
        await client.send_text("shop-1", "5511999990002", "hi")
    await client.close()


@pytest.mark.parametrize("content", [{}, [], {"key": None}, {"key": {"id": 7}}])
async def test_an_answer_without_an_id_still_means_sent(
    evolution: FakeEvolution, client: Evolution, content: object
) -> None:
    evolution.answer = lambda _: (201, content)

    assert await client.send_text("shop-1", "5511999990002", "hi") is None


async def test_the_key_is_in_no_error(evolution: FakeEvolution, client: Evolution) -> None:
    evolution.answer = lambda _: None

    with pytest.raises(EvolutionUnsure) as caught:
        await asyncio.wait_for(client.send_text("shop-1", "5511999990002", "hi"), 5)
    assert "secret-key" not in f"{caught.value!r} {caught.value.__cause__!r}"
