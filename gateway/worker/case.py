"""What one attempt is about, and what its handler may ask of its context for.

All of it is made when a handler first asks: most use little of their context, and made in advance it would cost more
than they do.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from structlog.typing import FilteringBoundLogger

from gateway import jid
from gateway.envelope import lane_of
from gateway.events import Event, MessageEvent
from gateway.evolution import Evolution
from gateway.journal import StoredEvent
from gateway.log import log
from gateway.plugins import Delivery as DeliveryInfo
from gateway.plugins import Plugin, open_context
from gateway.plugins.context import EventContext
from gateway.plugins.filters.base import AskMembers, know_nobody
from gateway.plugins.state import Memory, StateSource
from gateway.work import Delivery
from gateway.worker.around import Around
from gateway.worker.outbox.servers import Servers, allowed


class Desk:
    """What all attempts of a plugin share."""

    def __init__(self, plugin: Plugin[Any, Any], around: Around, state: StateSource) -> None:
        self.plugin = plugin
        self.around = around
        self.state = state
        self.members = around.members.of if around.members else know_nobody
        self.servers = Servers(around.evolution) if around.evolution else None
        self.resource: object = None
        """What the plugin's lifespan has yielded."""

    def open(self, delivery: Delivery, stored: StoredEvent, event: Event) -> EventContext[Any, Any]:
        """The context of an attempt."""
        return open_context(event, Case(self, delivery, stored, event))


class Case:
    """Of one attempt: a `gateway.plugins.context.Case`."""

    __slots__ = ("_delivery", "_desk", "_event", "_stored")

    def __init__(self, desk: Desk, delivery: Delivery, stored: StoredEvent, event: Event) -> None:
        self._desk = desk
        self._delivery = delivery
        self._stored = stored
        self._event = event

    @property
    def plugin(self) -> Plugin[Any, Any]:
        """Whose handler is asked."""
        return self._desk.plugin

    @property
    def resource(self) -> object:
        """What its lifespan has yielded."""
        return self._desk.resource

    @property
    def members(self) -> AskMembers:
        """Who is in which group."""
        return self._desk.members

    def delivery(self) -> DeliveryInfo:
        """What the handler is told about its delivery."""
        found = self._delivery
        name = f"{found.seq}.{found.plugin}.{found.run}"
        return DeliveryInfo(id=name, attempt=found.attempt, replay=found.run > 0)

    def log(self) -> FilteringBoundLogger:
        """A log whose lines say of which event they are."""
        found = self._delivery
        bound: FilteringBoundLogger = log.bind(plugin=found.plugin, id=str(found.seq))
        return bound

    def now(self) -> datetime:
        """The worker's time."""
        return datetime.fromtimestamp(self._desk.around.clock(), UTC)

    def api(self) -> Callable[[], Evolution] | str:
        """What makes the client for `ctx.api` on the plugin's own loop, or why there is none."""
        settings, servers = self._desk.around.evolution, self._desk.servers
        if servers is None or settings is None:
            return "a dry run calls nobody"
        if not settings.apikey:
            return "there is no evolution.apikey in config.yaml to call Evolution with"
        return partial(servers.client, allowed(settings, self._event.server_url))

    def memory(self) -> Memory:
        """The chat goes by its lane, which a chat known by LID and by telephone shares, and by what the event shows."""
        stored = self._stored
        shown = lane_of(stored.event, stored.instance, stored.chat)
        chats = (stored.lane,) if shown == stored.lane else (stored.lane, shown)
        return Memory(
            plugin=self._desk.plugin.name,
            instance=self._event.instance,
            chats=() if stored.chat is None else chats,
            people=_people(self._event),
            source=self._desk.state,
        )


def _people(event: Event) -> list[str]:
    """What the sender goes by where several people write, the telephone first; nothing in a private chat."""
    if not isinstance(event, MessageEvent) or jid.kind(event.chat or "") in ("phone", "lid", "unknown"):
        return []
    sender = event.message.sender
    return [address for address in (sender.phone, sender.lid, sender.jid) if address]
