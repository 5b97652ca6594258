"""Events are looked for by what they are, say and became; a search ends when it is long or nobody waits."""

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from gateway import samples
from gateway import search as searching
from gateway.search import Query
from gateway.web import finder
from tests.web.conftest import TEXT

if TYPE_CHECKING:
    from tests.web.conftest import AdminSite


async def found(site: "AdminSite", query: str) -> list[int]:
    return [int(row["id"]) for row in (await site.ask(f"/api/events?{query}")).json["events"]]


async def test_events_are_narrowed_by_what_they_are(site: "AdminSite") -> None:
    text = await site.event(nonce=1)
    other = await site.event(nonce=2, instance="shop-2")
    state = await site.event("connection-update__open-v236")

    assert await found(site, "event=messages.upsert") == [other, text]
    assert await found(site, "event=MESSAGES_UPSERT&instance=shop-2") == [other]
    assert await found(site, "instance=loja-bot") == [state, text]
    assert await found(site, "chat=%2B55%2011%2099999-0002") == [other, text]
    assert await found(site, f"since={time.time() + 60}") == []
    assert await found(site, f"until={time.time() + 60}&after={text}") == [state, other]


async def test_events_are_narrowed_by_what_became_of_them(site: "AdminSite") -> None:
    done, dead, waiting, alone = [await site.event(nonce=number) for number in range(4)]
    await site.settle(done, "ping")
    await site.settle(dead, "ping", "dead", error="TimeoutError: no answer")
    await site.take(waiting, "support")

    assert await found(site, "plugin=ping") == [dead, done]
    assert await found(site, "state=waiting,dead") == [waiting, dead]
    assert await found(site, "plugin=support&state=dead") == []
    assert await found(site, "error=no+ANSWER") == [dead]
    assert await found(site, "") == [alone, waiting, dead, done]


async def test_a_text_is_found_anywhere_in_the_json(site: "AdminSite") -> None:
    message = samples.load(TEXT)
    message["data"]["message"]["conversation"] = "Onde está o meu PEDIDO?"
    said = await site.event(message)
    await site.event(nonce=1)

    assert await found(site, "text=meu%20pedido") == [said]
    assert len(await found(site, "text=maria+cliente")) == 2


async def test_a_search_that_takes_long_answers_with_what_it_has_and_where_to_go_on(
    site: "AdminSite", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "WINDOW", 2)
    monkeypatch.setattr(finder, "SECONDS", 0.0)
    first = await site.event(nonce=0, note="needle")
    for number in range(1, 8):
        await site.event(nonce=number)

    answers = [(await site.ask("/api/events?text=needle")).json]
    while answers[-1]["next"]:
        answers.append((await site.ask(f"/api/events?text=needle&before={answers[-1]['next']}")).json)

    assert [len(answer["events"]) for answer in answers] == [0, 0, 0, 1, 0][: len(answers)]
    assert answers[3]["events"][0]["id"] == str(first)
    reached = [answer["reached"] for answer in answers[:4]]
    assert reached == sorted(reached, reverse=True)


async def test_a_search_ends_when_nobody_waits_for_it(site: "AdminSite", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "WINDOW", 1)
    monkeypatch.setattr(finder, "SECONDS", 60.0)
    await asyncio.gather(*(site.event(nonce=number) for number in range(1, 1000)))
    searcher = finder.Finder(site.folder)

    left = await searcher.find(Query(text="nothing"), 10, is_wanted=lambda: False)
    stayed = await searcher.find(Query(text="nothing"), 10, is_wanted=lambda: True)
    searcher.close()

    assert left.next is not None
    assert stayed.next is None


@pytest.mark.parametrize("query", ["state=happy", "state=done,happy", "since=soon", "until=nan"])
async def test_what_can_not_be_meant_is_said(site: "AdminSite", query: str) -> None:
    answer = await site.ask(f"/api/events?{query}")

    assert answer.status == 400
    assert answer.json["detail"].startswith(query.partition("=")[0])
