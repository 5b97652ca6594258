"""The page's listener on a free port, over real files that a test writes as receiver and worker do."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from prometheus_client import CollectorRegistry, Counter

from gateway import samples
from gateway.config import Admin, Config, Secret
from gateway.envelope import read_envelope
from gateway.journal import Arrival, Journal, Refusal
from gateway.journal.controls import Kind
from gateway.redact import Redactor
from gateway.web.admin import admin_app
from gateway.web.feed import Feed
from gateway.web.login import Logins
from gateway.web.look import Look
from gateway.work import Batch, Delivery, Message, Settled, WorkStore
from gateway.work.batch import Status
from tests.support.described import check_answer

TOKEN = "the-admin-token-of-the-tests"
TEXT = "messages-upsert__text-private-v223"


class Answer(msgspec.Struct):
    """One HTTP answer."""

    status: int
    text: str
    headers: Mapping[str, str]

    @property
    def json(self) -> Any:  # noqa: ANN401 -- JSON of any shape
        return orjson.loads(self.text)


class AdminSite:
    """What a test of the page needs: the listener, and the pens of receiver and worker."""

    def __init__(self, folder: Path, config: Config) -> None:
        self.config = config
        self.folder = folder
        self.now = time.time()
        self.status: dict[str, Any] = {"ready": True}
        self.logins = Logins(Secret(TOKEN), lambda: self.now)
        self.look = Look(folder, Redactor(["a-secret-of-the-gateway"]), lambda: self.now)
        self.feed = Feed(self.look, lambda: self.status)
        self.registry = CollectorRegistry()
        Counter("gateway_probe", "Of the tests.", registry=self.registry).inc()
        self.server = TestServer(self._app(), host="127.0.0.1")
        self._journal: Journal | None = None
        self._work: WorkStore | None = None
        self._deliveries = 0

    def _app(self) -> web.Application:
        return admin_app(
            config=self.config,
            look=self.look,
            feed=self.feed,
            logins=self.logins,
            status=lambda: self.status,
            registry=self.registry,
            keep=self.keep,
        )

    async def keep(self, kind: Kind, payload: str) -> int:
        """Write down what the worker is asked for, as the receiver does."""
        self._journal = self._journal or Journal(self.folder)
        return await self._journal.control(kind, payload)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    @property
    def link(self) -> str:
        return f"{self.url}/live?code={self.logins.new_code()}"

    @property
    def cookie(self) -> str:
        return f"{self.logins.cookie}={self.logins.new_session()}"

    async def ask(
        self,
        path: str,
        *,
        method: str = "GET",
        token: str | None = TOKEN,
        data: dict[str, str] | bytes | None = None,
        **headers: str,
    ) -> Answer:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        async with (
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
            session.request(method, self.url + path, headers=sent, data=data, allow_redirects=False) as answer,
        ):
            text = "" if answer.content_type.startswith("image/") else await answer.text()
            check_answer(method, path, answer.status, answer.content_type, text)
            return Answer(answer.status, text, answer.headers.copy())

    async def event(self, sample: str | dict[str, Any] = TEXT, *, nonce: int = 0, **changes: object) -> int:
        """Post an event as the receiver stores it; gives its number. Another `nonce` makes it another message."""
        document = samples.load(sample) if isinstance(sample, str) else dict(sample)
        if nonce and document["event"] == "messages.upsert":
            document["data"]["key"]["id"] += f"-{nonce}"
        return await self.body(orjson.dumps({**document, "nonce": nonce, **changes}))

    async def events(self, count: int, *, first: int = 1) -> None:
        """Post so many different ones at once."""
        await asyncio.gather(*(self.event(nonce=first + number) for number in range(count)))

    async def body(self, body: bytes) -> int:
        """The same, of bytes."""
        self._journal = self._journal or Journal(self.folder)
        arrival = Arrival(read_envelope(body, None), body, "messages-upsert", "10.0.0.7", time.perf_counter())
        receipt = await self._journal.append(arrival)
        self.feed.notify([receipt.seq])
        return receipt.seq

    async def refuse(self, body: bytes, reason: str) -> None:
        """Keep a post that is answered 400."""
        self._journal = self._journal or Journal(self.folder)
        await self._journal.refuse(Refusal("10.0.0.7", "/webhook/call", reason, body))

    async def settle(
        self,
        seq: int,
        plugin: str = "ping",
        status: Status = "done",
        *,
        text: str | None = None,
        handler: str | None = None,
        error: str | None = None,
    ) -> None:
        """Settle an event in a plugin, as the worker does."""
        delivery = await self.take(seq, plugin)
        delivery.failures = 1 if error else 0
        messages = () if text is None else (self._message(delivery, text),)
        settled = Settled(
            delivery=delivery,
            status=status,
            started=time.time(),
            millis=12.4,
            handler=handler,
            error=error,
            messages=messages,
        )
        await self.work.write(Batch(settled=[settled]))
        self.feed.notify([seq])

    async def take(self, seq: int, plugin: str = "ping") -> Delivery:
        """Let a plugin take an event up; it waits."""
        self._deliveries += 1
        delivery = Delivery(id=self._deliveries, seq=seq, plugin=plugin, lane="shop-1/ana")
        await self.work.write(Batch(taken=[delivery]))
        return delivery

    async def load_error(self, file: str, line: int, text: str) -> None:
        errors = [{"file": file, "line": line, "text": text}]
        await self.work.write(Batch(facts={"plugins": [{"name": "ping"}], "load_errors": errors}))

    @property
    def work(self) -> WorkStore:
        self._work = self._work or WorkStore(self.folder)
        return self._work

    def _message(self, delivery: Delivery, text: str) -> Message:
        return Message(
            id=delivery.id,
            seq=delivery.seq,
            plugin=delivery.plugin,
            run=0,
            n=1,
            instance="shop-1",
            target="5511999990002@s.whatsapp.net",
            kind="text",
            payload={"text": text},
            created=time.time(),
            status="shown",
        )

    async def close(self) -> None:
        await self.server.close()
        for writer in (self._journal, self._work):
            if writer is not None:
                await writer.close()
        self._journal = self._work = None


@contextlib.asynccontextmanager
async def running(config: Config) -> AsyncIterator[AdminSite]:
    """A listener over the data folder as it is."""
    site = AdminSite(config.data, config)
    await site.server.start_server()
    try:
        yield site
    finally:
        await site.close()


def empty(folder: Path) -> Config:
    """The settings of a listener over a data folder in which nothing is yet."""
    return Config(admin=Admin(allowed_hosts=("gateway.example",)), data=folder)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[AdminSite]:
    """A listener over an empty data folder."""
    async with running(empty(tmp_path)) as site:
        yield site
