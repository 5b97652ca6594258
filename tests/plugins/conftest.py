"""Events as Evolution posts them, and the folder a bot author works in."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import structlog

from gateway.events import Event, MessagesUpsert, decode
from gateway.plugins import Context, Delivery, EventContext, Plugin, open_context
from gateway.plugins.filters.base import AskMembers, know_nobody
from gateway.plugins.state import Memory, Nothing

ANA = "5511999990002@s.whatsapp.net"


@pytest.fixture
def arrived() -> Callable[..., MessagesUpsert]:
    """Makes a `messages.upsert`."""

    def make(
        text: str | None = "ping",
        *,
        chat: str = ANA,
        from_me: bool = False,
        participant: str | None = None,
        instance: str = "shop-1",
        message_id: str = "3EB0A1",
        message: dict[str, Any] | None = None,
    ) -> MessagesUpsert:
        key = {"remoteJid": chat, "fromMe": from_me, "id": message_id, "participant": participant}
        data = {"key": key, "pushName": "Ana", "messageType": "conversation", "messageTimestamp": 1761300549}
        content = message if message is not None else {"conversation": text}
        event = decode("messages.upsert", envelope("messages.upsert", {**data, "message": content}, instance))
        assert isinstance(event, MessagesUpsert)
        return event

    return make


@pytest.fixture
def happened() -> Callable[..., Event]:
    """Makes an event of any name from its `data`."""

    def make(name: str, data: object, *, instance: str | None = "shop-1") -> Event:
        return decode(name, envelope(name, data, instance))

    return make


@pytest.fixture
def opened() -> Callable[..., EventContext]:
    """Opens the context that the worker would hand to a handler of an event."""

    def make(event: Event, log: structlog.typing.FilteringBoundLogger | None = None) -> EventContext:
        return open_context(event, Ping(log or structlog.get_logger()))

    return make


class Ping:
    """What a context of the plugin `ping` is about; nothing is remembered, and nobody can be called."""

    plugin: Plugin[Any, Any] = Plugin("ping")
    resource = None

    def __init__(self, log: structlog.typing.FilteringBoundLogger) -> None:
        self._log = log

    @property
    def members(self) -> AskMembers:
        return know_nobody

    def delivery(self) -> Delivery:
        return Delivery(id="41.ping.0", attempt=1)

    def log(self) -> structlog.typing.FilteringBoundLogger:
        return self._log

    def now(self) -> datetime:
        return datetime(2026, 3, 1, 12, tzinfo=UTC)

    def memory(self) -> Memory:
        return Memory(plugin="ping", instance=None, chats=(), people=(), source=Nothing())

    def api(self) -> str:
        return "nobody said which Evolution to call"


@pytest.fixture
def ctx(arrived: Callable[..., MessagesUpsert], opened: Callable[..., EventContext]) -> Context:
    """The context of a message from Ana in private."""
    made = opened(arrived())
    assert isinstance(made, Context)
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    """Writes plugin files into a folder, by name."""

    def write(**files: str) -> Path:
        routes = tmp_path / "routes"
        routes.mkdir(exist_ok=True)
        for name, source in files.items():
            (routes / f"{name}.py").write_text(source)
        return routes

    return write


def envelope(name: str, data: object, instance: str | None) -> dict[str, Any]:
    return {"event": name, "instance": instance, "data": data, "sender": "5511999990001@s.whatsapp.net"}
