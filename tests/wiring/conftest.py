"""A receiver and a fake Evolution on one loop, over real HTTP and on real files, and what brings them together."""

import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest

from gateway.config import Config, load
from gateway.evolution.errors import EvolutionError
from gateway.owner import Owner, data_folder
from gateway.serve.receiver import Gateway as Receiver
from gateway.testing.evolution import EvolutionServer
from gateway.wiring.connecting import Stuck, Wishes, connect
from gateway.wiring.examination import examine
from gateway.wiring.finding import Finding
from gateway.wiring.peer import Peer
from gateway.wiring.probe import newest
from tests.support.gateway import free_port

PATIENCE = 0.5
"""Seconds after which a test event counts as lost: here it comes in milliseconds, or never."""


class Steps:
    """What connecting said, as the command prints it."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.codes: list[str] = []

    def done(self, text: str) -> None:
        self.lines.append(f"✓ {text}")

    def note(self, text: str) -> None:
        self.lines.append(f"▸ {text}")

    def code(self, code: str, pairing_code: str | None) -> None:
        del pairing_code
        self.codes.append(code)

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


class Site:
    """One folder, the receiver on it, and an Evolution."""

    def __init__(self, folder: Path, evolution: EvolutionServer) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.evolution = evolution
        self.port = free_port()
        self._receiver: AsyncExitStack | None = None
        (folder / "routes").mkdir()
        self.settings()

    @property
    def webhook(self) -> str:
        """What is pasted into Evolution."""
        return f"http://127.0.0.1:{self.port}/webhook"

    def settings(self, *, webhook: Mapping[str, object] | None = None, **more: object) -> None:
        """Write config.yaml, with Evolution's address and key."""
        whole = {
            "webhook": {"port": self.port, **(webhook or {})},
            "admin": {"port": 0},
            "evolution": {"url": self.evolution.url, "apikey": self.evolution.apikey},
            **more,
        }
        (self.folder / "config.yaml").write_bytes(orjson.dumps(whole))  # JSON is YAML

    def plugin(self, name: str, handled: str) -> None:
        """A plugin that handles events of a type."""
        source = f"from gateway import *\nplugin = Plugin()\n@plugin.on({handled})\nasync def take(event, ctx): ...\n"
        (self.folder / "routes" / f"{name}.py").write_text(source)

    @property
    def config(self) -> Config:
        return load(self.folder / "config.yaml")

    async def start(self) -> None:
        """Receive, by the settings there are."""
        self._receiver = AsyncExitStack()
        self._receiver.enter_context(Owner(data_folder(self.config), "receiver"))
        await self._receiver.enter_async_context(Receiver(self.config, None).open("try it"))

    async def stop(self) -> None:
        if self._receiver:
            await self._receiver.aclose()
            self._receiver = None

    async def connect(self, instance: str = "shop-1", *, apikey: str = "", at: str = "", **wishes: Any) -> Steps:  # noqa: ANN401
        """Connect; the last line is what it got stuck at, if it did."""
        steps = Steps()
        wanted = Wishes(instance=instance, patience=PATIENCE, **wishes)
        async with Peer(at or self.evolution.url, apikey or self.evolution.apikey) as peer:
            try:
                await connect(self.config, peer, wanted, steps)
            except Stuck as stuck:
                steps.lines.append(f"✗ {stuck.found} -> {stuck.fix}")
            except EvolutionError as error:
                steps.lines.append(f"✗ {error}")
        return steps

    async def well(self, **wishes: Any) -> None:  # noqa: ANN401
        """Start, and have an instance post here."""
        await self.start()
        steps = await self.connect(**wishes)
        assert "✗" not in steps.text, steps.text

    async def examined(
        self, *, apikey: str = "", at: str = "", instance: str | None = None, patience: float = PATIENCE
    ) -> list[Finding]:
        """What the doctor finds."""
        async with Peer(at or self.evolution.url, apikey or self.evolution.apikey) as peer:
            return [each async for each in examine(self.config, peer, instance, patience=patience)]

    async def wrong(self, **how: Any) -> list[Finding]:  # noqa: ANN401
        """What is wrong or doubtful; that the fake's events carry a key is no news here."""
        found = await self.examined(**how)
        assert all(bool(each.fix) == (each.level != "ok") for each in found)
        return [each for each in found if each.level != "ok" and "carry the instance's key" not in each.found]

    async def post(self, body: bytes, **headers: str) -> int:
        """Post an event by hand; gives the status."""
        async with (
            aiohttp.ClientSession() as session,
            session.post(self.webhook, data=body, headers={"Content-Type": "application/json", **headers}) as answer,
        ):
            return answer.status

    @property
    def events(self) -> Sequence[str]:
        """Names of the events in the journal, newest first."""
        return [event.event for event in newest(self.data)]


Open = Callable[..., AbstractAsyncContextManager[Site]]


@pytest.fixture
def site(tmp_path: Path) -> Open:
    """`async with site(...) as here`: the arguments are the fake Evolution's."""

    @asynccontextmanager
    async def opened(**evolution: Any) -> AsyncIterator[Site]:  # noqa: ANN401
        async with EvolutionServer(retry_scale=0.01, **evolution) as server:
            made = Site(tmp_path, server)
            try:
                yield made
            finally:
                await made.stop()

    return opened


def envelope(instance: str = "shop-1", **more: object) -> bytes:
    """An event of an instance that says nothing else."""
    data = {"id": "1@s.whatsapp.net", "presences": {}}
    return orjson.dumps({"event": "presence.update", "instance": instance, "data": data, "at": time.time(), **more})
