"""Writes one log line for every event: what came from where, never who wrote or what they said."""

from gateway import ConnectionUpdate, Event, EventContext, MessageEvent, Plugin

plugin = Plugin()


@plugin.on(Event)
async def log_event(event: Event, ctx: EventContext) -> None:
    """Log the event; `problems` counts the fields whose shape the gateway did not know."""
    ctx.log.info(
        "event_seen",
        event_name=event.event,
        instance=event.instance,
        problems=len(event.problems) or None,
        **_details(event),
    )


def _details(event: Event) -> dict[str, str | bool | None]:
    if isinstance(event, MessageEvent):
        return {"kind": event.message.kind, "from_me": event.message.from_me, "group": event.message.is_group}
    if isinstance(event, ConnectionUpdate):
        return {"state": event.connection.state}
    return {}
