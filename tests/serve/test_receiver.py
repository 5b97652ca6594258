"""What is new is passed on, and what was answered last is said before the receiver is gone."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import cast

import aiohttp
import pytest
from prometheus_client import generate_latest

from gateway.config import Admin, Config, Webhook
from gateway.journal import Journal, JournalReader, StoredEvent
from gateway.journal.journal import SMALL
from gateway.owner import data_folder
from gateway.serve import lag
from gateway.serve.receiver import Gateway
from gateway.serve.supervisor import Supervisor
from gateway.web import reception
from tests.support.bodies import message
from tests.support.waiting import until


async def test_what_was_answered_last_is_counted_and_logged_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(reception, "MOMENT", 600)
    monkeypatch.setattr(reception, "write_lines", lambda lines: said.extend(line.fact for line in lines))
    config = Config(data=tmp_path / "data", webhook=Webhook(port=0), admin=Admin(port=0))
    data_folder(config)
    gateway = Gateway(config, None)

    async with gateway.open("try it") as (url, _page, _logins), aiohttp.ClientSession() as session:
        async with session.post(url, data=message(1)) as answer:
            assert answer.status == 202
        await until(lambda: said, "the first one is said at once")
        async with session.post(url, data=message(2)) as answer:
            assert answer.status == 202
        during = list(said)

    assert (during, said) == (["accepted"], ["accepted"] * 2)
    assert b'outcome="accepted"} 2.0' in generate_latest(gateway._registry)


class Woken:
    """Stands in for the supervisor, and notes what the worker is told."""

    def __init__(self) -> None:
        self.events: list[Sequence[StoredEvent]] = []
        self.is_ready = True
        self.on_changed: Callable[[Collection[int]], None] = lambda _seqs: None

    async def __aenter__(self) -> None: ...
    async def __aexit__(self, *_: object) -> None: ...

    def wake(self, events: Sequence[StoredEvent] = ()) -> None:
        self.events.append(events)


async def test_the_worker_is_told_of_a_few_small_events_and_that_others_came(tmp_path: Path) -> None:
    config = Config(data=tmp_path / "data", webhook=Webhook(port=0), admin=Admin(port=0))
    data_folder(config)
    woken = Woken()
    gateway = Gateway(config, cast("Supervisor", woken))

    async with gateway.open("try it") as (url, _page, _logins), aiohttp.ClientSession() as session:
        async with session.post(url, data=message(1)) as answer:
            assert answer.status == 202
        await until(lambda: woken.events, "the worker is told")
        await asyncio.gather(*(session.post(url, data=message(n)) for n in range(2, 5)))
        await until(lambda: sum(map(len, woken.events)) == 4, "it is told of each")
        async with session.post(url, data=message(5) + b" " * SMALL) as answer:
            assert answer.status == 202
        await until(lambda: () in woken.events, "it is told that there is more")

    told = [event for events in woken.events for event in events]
    assert told == list(JournalReader(config.data).events([1, 2, 3, 4]).values())


async def test_the_page_is_told_of_each_event_where_no_worker_says_what_becomes_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = Config(data=tmp_path / "data", webhook=Webhook(port=0), admin=Admin(port=0))
    data_folder(config)
    gateway = Gateway(config, None)
    told: list[int] = []
    monkeypatch.setattr(gateway._feed, "notify", told.extend)

    async with gateway.open("try it") as (url, _page, _logins), aiohttp.ClientSession() as session:
        for n in (1, 2, 1):
            async with session.post(url, data=message(n)) as answer:
                assert answer.ok
        await until(lambda: len(told) == 2, "the page is told")

    assert told == [1, 2]


async def test_events_gather_while_the_worker_is_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(lag, "LATE", 1e-9)
    monkeypatch.setattr(Journal, "pause", lambda _journal, seconds: pauses.append(seconds))
    config = Config(data=tmp_path / "data", webhook=Webhook(port=0), admin=Admin(port=0))
    data_folder(config)
    woken = Woken()

    async with (
        Gateway(config, cast("Supervisor", woken)).open("try it") as (url, _page, _logins),
        aiohttp.ClientSession() as session,
    ):
        for number in (1, 2):
            async with session.post(url, data=message(number)) as answer:
                assert answer.status == 202
        woken.on_changed([2])
        woken.on_changed(())
        before = list(pauses)
        async with session.post(url, data=message(3)) as answer:
            assert answer.status == 202
        woken.on_changed([2])

    assert (before, pauses[0]) == ([], lag.GATHER)
