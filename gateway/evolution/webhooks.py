"""The calls about where an instance posts its events."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from gateway import names
from gateway.events.quiet import quiet
from gateway.evolution.answers import Json, reader
from gateway.evolution.call import Body, Call, sparse
from gateway.evolution.server import Server

_OTHERWISE: Final[Mapping[str, str]] = {"groups.update": "GROUP_UPDATE", "new.jwt": "NEW_JWT_TOKEN"}
"""Events whose name in the settings is not their own."""


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """Where an instance posts its events, and how."""

    url: str
    enabled: bool = True
    events: tuple[str, ...] = ()
    """Which; none to set it means all. Any spelling: `messages.upsert`, `MESSAGES_UPSERT`."""
    by_events: bool = False
    """Put each event's name behind the URL."""
    base64: bool = False
    """Put files into the events."""
    headers: Mapping[str, str] = {}
    """What each post carries, such as a secret (2.x). One named `jwt_key` makes Evolution sign."""
    raw: Json = None
    """As Evolution told it."""

    def __repr__(self) -> str:
        return quiet(self, "headers", "raw")


class Webhooks(Server):
    """The webhook of an instance. Every method raises `EvolutionError`."""

    async def set_webhook(self, instance: str, webhook: Webhook) -> Webhook:
        """Have an instance post its events there; gives what Evolution made of it."""
        call = Call(
            name="webhook/set",
            instance=instance,
            body={"webhook": {"enabled": webhook.enabled, "url": webhook.url} | spell_rest(webhook)},
            old_body={"enabled": webhook.enabled, "url": webhook.url} | spell_old_rest(webhook),
            lacking=lacking_of(webhook),
        )
        return read_webhook(await self.ask(call)) or webhook

    async def find_webhook(self, instance: str) -> Webhook | None:
        """Where an instance posts its events; None if that was never set."""
        call = Call(name="webhook/find", instance=instance, method="GET", is_question=True)
        return read_webhook(await self.ask(call))


def spell_rest(webhook: Webhook) -> Body:
    """All but URL and switch, as 2.x takes it. `events` has to be there: without it the server fails."""
    headers = dict(webhook.headers) or None
    return sparse(headers=headers, byEvents=webhook.by_events, base64=webhook.base64, events=_settings(webhook.events))


def spell_old_rest(webhook: Webhook) -> Body:
    """The same as 1.x takes it."""
    flags = {"webhook_by_events": webhook.by_events, "webhook_base64": webhook.base64}
    return {"events": _settings(webhook.events)} | flags


def lacking_of(webhook: Webhook) -> str:
    """Why 1.x can't have this webhook."""
    return "its webhooks carry no headers" if webhook.headers else ""


def read_webhook(answer: object) -> Webhook | None:
    """Read a webhook: 2.x gives the row of its database, 1.x wraps it when it was set and invents one without URL."""
    found = reader(answer)
    while (inner := found.inner("webhook")) is not None:
        found = inner
    url = found.text("url")
    if url is None:
        return None
    headers = found.data.get("headers")
    return Webhook(
        url=url,
        enabled=found.flag("enabled") is not False,
        events=found.texts("events"),
        by_events=_flag(found.data, "webhookByEvents", "webhook_by_events"),
        base64=_flag(found.data, "webhookBase64", "webhook_base64"),
        headers={str(key): str(value) for key, value in headers.items()} if isinstance(headers, dict) else {},
        raw=answer,
    )


def _flag(row: dict[str, Any], *keys: str) -> bool:
    return any(row.get(key) is True for key in keys)


def _settings(events: Sequence[str]) -> list[str]:
    return [_setting(event) for event in events]


def _setting(event: str) -> str:
    """An event's name in Evolution's settings: `messages.upsert` -> `MESSAGES_UPSERT`."""
    known = names.canonical(event)
    name = _OTHERWISE.get(known or "", known or event)
    return name.upper().replace(".", "_").replace("-", "_")
