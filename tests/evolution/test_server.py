"""How requests travel, which version answers, and what is known when no answer comes."""

import asyncio
import socket

import pytest
from aiohttp import web

from gateway.evolution import (
    Evolution,
    EvolutionError,
    EvolutionUnreachable,
    EvolutionUnsure,
    ServerFault,
    UnsupportedCall,
)
from tests.evolution.conftest import Answer, FakeEvolution

TO = "5511999990002"


async def test_an_instances_name_is_quoted_as_a_whole(evolution: FakeEvolution, client: Evolution) -> None:
    await client.send_text("loja/São Paulo?#1", TO, "hi")

    assert evolution.requests[0].path == "/message/sendText/loja%2FS%C3%A3o%20Paulo%3F%231"


async def test_half_an_emoji_in_a_text_is_sent_as_it_is(evolution: FakeEvolution, client: Evolution) -> None:
    await client.send_text("shop-1", TO, "cut \ud83d")

    assert evolution.requests[0].body["text"] == "cut \ud83d"


async def test_a_large_file_is_sent(evolution: FakeEvolution, client: Evolution) -> None:
    evolution.answer = lambda _: (201, {"key": {"id": "BAE5"}})

    sent = await client.send_media("shop-1", TO, bytes(3 * 2**20), kind="document", filename="a.bin")

    assert sent.id == "BAE5"
    assert len(evolution.requests[0].body["media"]) == 4 * 2**20


@pytest.mark.parametrize("said", ["1.8.2", "v1.5.0"])
async def test_a_server_that_says_1_is_spoken_to_in_1(evolution: FakeEvolution, client: Evolution, said: str) -> None:
    evolution.version = said

    await client.send_text("shop-1", TO, "hi")

    assert "textMessage" in evolution.requests[0].body


@pytest.mark.parametrize("said", ["2.3.6", "2.4.0-rc1", 7, None])
async def test_any_other_is_spoken_to_in_2(evolution: FakeEvolution, client: Evolution, said: object) -> None:
    evolution.version = said

    await client.send_text("shop-1", TO, "hi")

    assert "text" in evolution.requests[0].body


async def test_the_version_is_asked_for_once_by_calls_at_once(evolution: FakeEvolution, client: Evolution) -> None:
    await asyncio.gather(*(client.send_text("shop-1", TO, f"{n}") for n in range(5)))

    assert evolution.welcomes == 1


async def test_a_configured_version_is_not_asked_for(evolution: FakeEvolution) -> None:
    client = Evolution(evolution.url, "key", version="1")

    await client.send_text("shop-1", TO, "hi")
    await client.close()

    assert evolution.welcomes == 0
    assert "textMessage" in evolution.requests[0].body


async def test_a_server_that_failed_may_be_another_version_afterwards(
    evolution: FakeEvolution, client: Evolution
) -> None:
    evolution.version = "1.8.2"
    evolution.answer = lambda _: (500, {})
    with pytest.raises(ServerFault):
        await client.send_text("shop-1", TO, "before")

    evolution.version = "2.3.6"
    with pytest.raises(ServerFault):
        await client.send_text("shop-1", TO, "after")

    assert ["text" in request.body for request in evolution.requests] == [False, True]


async def test_a_server_that_does_not_tell_its_version_has_been_sent_nothing(evolution: FakeEvolution) -> None:
    evolution.welcome = lambda: web.Response(status=503, text="starting")
    client = Evolution(evolution.url, "key")

    with pytest.raises(ServerFault, match="answered 503: starting") as caught:
        await client.send_text("shop-1", TO, "hi")
    await client.close()

    assert not caught.value.may_have_left
    assert evolution.requests == []


@pytest.mark.parametrize("status", [200, 302, 401, 403, 404])
async def test_a_proxy_that_hides_the_version_does_not_hinder(
    evolution: FakeEvolution, client: Evolution, status: int
) -> None:
    evolution.welcome = lambda: web.Response(status=status, text="<html>Not for you</html>")

    await client.send_text("shop-1", TO, "hi")

    assert "text" in evolution.requests[0].body


@pytest.mark.parametrize("status", [502, 504, 520, 524])
async def test_a_proxy_that_gave_up_leaves_it_open_whether_the_message_left(
    evolution: FakeEvolution, client: Evolution, status: int
) -> None:
    evolution.answer = lambda _: (status, web.Response(status=status, text="<html>Bad Gateway</html>"))

    with pytest.raises(EvolutionUnsure, match=f"answered {status}: a proxy before Evolution gave up .*: Bad Gateway"):
        await client.send_text("shop-1", TO, "hi")


async def test_a_page_instead_of_an_answer_leaves_it_open(evolution: FakeEvolution, client: Evolution) -> None:
    evolution.answer = lambda _: (200, web.Response(text="<html>Welcome to nginx</html>"))

    with pytest.raises(EvolutionUnsure, match=r"no JSON: does evolution\.url"):
        await client.send_text("shop-1", TO, "hi")


async def test_a_redirect_is_not_followed(evolution: FakeEvolution, client: Evolution) -> None:
    elsewhere = f"{evolution.url}/elsewhere"
    evolution.answer = lambda _: (301, web.Response(status=301, headers={"Location": elsewhere}))

    with pytest.raises(UnsupportedCall, match=r"redirects to .*/elsewhere"):
        await client.send_text("shop-1", TO, "hi")
    assert len(evolution.requests) == 1


async def test_nobody_listening_means_nothing_was_sent() -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        client = Evolution(f"http://127.0.0.1:{reserved.getsockname()[1]}", "key")

        with pytest.raises(EvolutionUnreachable, match="does not answer"):
            await client.send_text("shop-1", TO, "hi")
        await client.close()


async def test_a_connection_cut_before_the_answer_leaves_it_open(evolution: FakeEvolution, client: Evolution) -> None:
    evolution.answer = lambda _: None

    with pytest.raises(EvolutionUnsure):
        await client.send_text("shop-1", TO, "hi")
    assert len(evolution.requests) == 1


async def test_an_answer_that_does_not_come_in_time_leaves_it_open(evolution: FakeEvolution) -> None:
    evolution.hold.clear()
    client = Evolution(evolution.url, "key", timeout=0.1)

    with pytest.raises(EvolutionUnsure, match="TimeoutError"):
        await client.send_text("shop-1", TO, "hi")
    await client.close()


async def test_a_send_that_shows_typing_is_waited_for_as_much_longer(evolution: FakeEvolution) -> None:
    evolution.hold.clear()
    client = Evolution(evolution.url, "key", timeout=0.1)

    sending = asyncio.create_task(client.send_text("shop-1", TO, "hi", delay=30))
    await evolution.until(1)
    with pytest.raises(EvolutionUnsure):  # the control: one without typing gives up meanwhile
        await client.send_text("shop-1", TO, "control")
    evolution.hold.set()

    assert (await sending).id == "id-hi"
    await client.close()


@pytest.mark.parametrize("content", [{}, [], None, {"key": None}, {"key": {"id": 7}}])
async def test_an_answer_without_an_id_still_means_sent(
    evolution: FakeEvolution, client: Evolution, content: object
) -> None:
    evolution.answer = lambda _: (201, content)

    sent = await client.send_text("shop-1", TO, "hi")

    assert (sent.id, sent.raw) == (None, content)
    with pytest.raises(ValueError, match="no id"):
        _ = sent.key


@pytest.mark.parametrize(
    "answer",
    [
        None,
        (401, {"message": "Unauthorized: secret-key is wrong"}),
        (500, web.Response(status=500, text="apikey: secret-key")),
        (302, web.Response(status=302, headers={"Location": "http://ana:secret-key@example.com/"})),
    ],
)
async def test_the_key_is_in_no_error(evolution: FakeEvolution, client: Evolution, answer: Answer | None) -> None:
    evolution.answer = lambda _: answer

    with pytest.raises(EvolutionError) as caught:
        await client.send_text("shop-1", TO, "hi")
    assert "secret-key" not in f"{caught.value!r} {caught.value.__cause__!r}"


async def test_name_and_password_of_the_address_are_in_no_error() -> None:
    client = Evolution("http://ana:hunter2@127.0.0.1:1", "key")

    with pytest.raises(EvolutionUnreachable) as caught:
        await client.send_text("shop-1", TO, "hi")
    await client.close()

    assert "hunter2" not in str(caught.value)
