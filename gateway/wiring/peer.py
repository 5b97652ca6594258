"""One Evolution API as somebody sees it who sets it up: its version, instances and webhooks, 1.x and 2.x alike."""

import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Final, Self

import aiohttp
import msgspec

from gateway.evolution.call import Call
from gateway.evolution.errors import NoSuchInstance
from gateway.evolution.server import Server

TIMEOUT: Final = 15.0  # seconds; a person waits for it


class Hook(msgspec.Struct, frozen=True, kw_only=True):
    """An instance's webhook."""

    url: str
    enabled: bool = True
    by_events: bool = True
    base64: bool = False
    events: tuple[str, ...] = ()
    """Names in capitals; when it is set, none means all that the version knows."""
    headers: Mapping[str, str] = {}
    """2.x only. May hold a secret."""


class Seen(msgspec.Struct, frozen=True):
    """An instance as the server lists it."""

    name: str
    state: str
    """`open`, `connecting` or `close`."""
    owner: str | None
    """Jid of its account; None before it was ever connected."""


class Qr(msgspec.Struct, frozen=True):
    """What a phone scans."""

    code: str
    pairing_code: str | None = None


class Peer:
    """An Evolution server. Use it with `async with`. Every method raises EvolutionError."""

    def __init__(self, url: str, apikey: str) -> None:
        self.url = url
        self._apikey = apikey
        self._server = Server(url, apikey, timeout=TIMEOUT)
        self.version = ""
        """As it says: `2.3.6`; empty until `greet`, and for one that doesn't say."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._server.close()

    @property
    def is_old(self) -> bool:
        """It is a 1.x."""
        return self.version.startswith("1.")

    @property
    def number(self) -> tuple[int, ...]:
        """Its version, to be compared."""
        return tuple(int(part) for part in self.version.split("-")[0].split(".") if part.isdigit())

    async def greet(self) -> None:
        """Ask what it is."""
        said = await self._server.welcome()
        version = said.get("version") if isinstance(said, dict) else None
        self.version = version.lstrip("v") if isinstance(version, str) else ""

    async def instances(self) -> list[Seen]:
        """All that this key may see."""
        found = await self._server.ask(Call(name="instance/fetchInstances", method="GET", is_question=True))
        return [_seen(row) for row in found if isinstance(row, dict)] if isinstance(found, list) else []

    async def find(self, name: str) -> Seen | None:
        """One instance; None if there is none. A key of this instance alone suffices."""
        call = Call(name="instance/connectionState", instance=name, method="GET", is_question=True)
        try:
            answer = await self._server.ask(call)
        except NoSuchInstance:
            return None
        inner = answer.get("instance") if isinstance(answer, dict) else None
        return Seen(name, _text(inner, "state") or "close", None)

    async def create(self, name: str, hook: Hook | None = None, *, integration: str = "WHATSAPP-BAILEYS") -> None:
        """Make an instance, with its webhook from the start if one is given."""
        body: dict[str, Any] = {"instanceName": name, "integration": integration, "qrcode": False}
        old = dict(body)
        if hook:
            body["webhook"] = _new_hook(hook)
            old |= {"webhook": hook.url, "webhook_by_events": hook.by_events, "events": list(hook.events)}
        await self._server.ask(Call(name="instance/create", body=body, old_body=old))

    async def delete(self, name: str) -> None:
        """Remove an instance."""
        await self._server.ask(Call(name="instance/delete", instance=name, method="DELETE"))

    async def show_code(self, name: str) -> Qr | None:
        """The QR code to scan; None when it is connected already, or has none to show yet."""
        answer = await self._server.ask(Call(name="instance/connect", instance=name, method="GET"))
        code = _text(answer, "code")
        return Qr(code, _text(answer, "pairingCode")) if code else None

    async def hook(self, name: str) -> Hook | None:
        """Where an instance posts; None if that was never set."""
        found = await self._server.ask(Call(name="webhook/find", instance=name, method="GET", is_question=True))
        if not isinstance(found, dict) or not _text(found, "url"):
            return None
        headers = found.get("headers")
        return Hook(
            url=str(found["url"]),
            enabled=found.get("enabled") is not False,
            by_events=bool(found.get("webhookByEvents", found.get("webhook_by_events"))),
            base64=bool(found.get("webhookBase64", found.get("webhook_base64"))),
            events=tuple(str(event) for event in found.get("events") or ()),
            headers={str(key): str(value) for key, value in headers.items()} if isinstance(headers, dict) else {},
        )

    async def set_hook(self, name: str, hook: Hook) -> None:
        """Have an instance post there."""
        old = {
            "enabled": True,
            "url": hook.url,
            "events": list(hook.events),
            "webhook_by_events": hook.by_events,
            "webhook_base64": hook.base64,
        }
        await self._server.ask(Call(name="webhook/set", instance=name, body={"webhook": _new_hook(hook)}, old_body=old))

    async def clock_ahead(self) -> float | None:
        """Seconds by which its clock is ahead of this machine's, as its answers' Date says; None if they have none."""
        began = time.time()
        timeout = aiohttp.ClientTimeout(total=TIMEOUT)
        try:
            async with aiohttp.ClientSession(timeout=timeout) as session, session.get(f"{self.url}/") as answer:
                stamp = answer.headers.get("Date")
        except (aiohttp.ClientError, TimeoutError, OSError):
            return None
        try:
            moment = parsedate_to_datetime(stamp or "").timestamp()
        except ValueError:
            return None
        return moment + 0.5 - (began + time.time()) / 2  # Date leaves the fraction out


def _new_hook(hook: Hook) -> dict[str, Any]:
    return {
        "enabled": True,
        "url": hook.url,
        "byEvents": hook.by_events,
        "base64": hook.base64,
        "events": list(hook.events),
        **({"headers": dict(hook.headers)} if hook.headers else {}),
    }


def _seen(row: dict[str, Any]) -> Seen:
    """A row of 2.x, or of 1.x, which wraps it."""
    inner = row.get("instance")
    row = inner if isinstance(inner, dict) else row
    return Seen(
        name=_text(row, "name") or _text(row, "instanceName") or "",
        state=_text(row, "connectionStatus") or _text(row, "status") or "close",
        owner=_text(row, "ownerJid") or _text(row, "owner"),
    )


def _text(value: object, key: str) -> str | None:
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, str) and found else None
