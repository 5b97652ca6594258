"""The calls about an instance's webhook: `/webhook/{call}/{instance}`."""

from typing import Any, Final

from gateway.testing.evolution import bodies, old_bodies, refusals
from gateway.testing.evolution.call import Answer, Call, Endpoint
from gateway.testing.evolution.world import Instance, Webhook, World, now_text


def set_hook(call: Call) -> Answer:
    """Point an instance's webhook somewhere."""
    given = call.body if call.world.is_old else call.body["webhook"]
    if given["enabled"] and "events" not in given:
        raise refusals.refusal(500, ["Cannot read properties of undefined (reading 'length')"])
    call.instance.webhook = set_webhook(call.world, given)
    if call.world.is_old:
        return 201, {"webhook": {"instanceName": call.instance.name, "webhook": _old_hook(call.instance.webhook)}}
    return 201, _hook_row(call.instance, call.instance.webhook)


def set_webhook(world: World, given: dict[str, Any]) -> Webhook:
    """A webhook row out of what the API is told; an empty list of events means all of them."""
    enabled = given.get("enabled", True)
    events = tuple(given.get("events") or bodies.EVENTS) if enabled else ()
    return Webhook(
        id=world.row_id(),
        enabled=enabled,
        url=given["url"],
        headers=given.get("headers"),
        events=events,
        by_events=given.get("byEvents", False),
        base64=given.get("base64", False),
        created=now_text(),
    )


def find_hook(call: Call) -> Answer:
    """Where it points; `null` in 2.x when it was never set."""
    hook = call.instance.webhook
    if call.world.is_old:
        return 200, _old_hook(hook)
    return 200, _hook_row(call.instance, hook) if hook else None


def _hook_row(instance: Instance, hook: Webhook) -> dict[str, Any]:
    return {
        "id": hook.id,
        "url": hook.url,
        "headers": hook.headers,
        "enabled": hook.enabled,
        "events": list(hook.events),
        "webhookByEvents": hook.by_events,
        "webhookBase64": hook.base64,
        "createdAt": hook.created,
        "updatedAt": hook.created,
        "instanceId": instance.id,
    }


def _old_hook(hook: Webhook | None) -> dict[str, Any]:
    return {
        "enabled": bool(hook and hook.enabled),
        "url": hook.url if hook else "",
        "events": list(hook.events) if hook else [],
        "webhook_by_events": bool(hook and hook.by_events),
        "webhook_base64": bool(hook and hook.base64),
    }


ENDPOINTS: Final = (
    Endpoint(
        name="webhook/set",
        method="POST",
        answer=set_hook,
        body=bodies.WEBHOOK,
        old_body=old_bodies.WEBHOOK,
        flat=old_bodies.flat_webhook,
    ),
    Endpoint(name="webhook/find", method="GET", answer=find_hook),
)
