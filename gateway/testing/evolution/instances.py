"""The calls about instances: `/instance/{call}/{instance}`."""

from typing import Any, Final

from gateway.testing.evolution import bodies, old_bodies, refusals
from gateway.testing.evolution.call import Answer, Call, Endpoint
from gateway.testing.evolution.webhooks import set_webhook
from gateway.testing.evolution.world import Instance, World, now_text

LOGGED_OUT: Final = 401
"""Baileys' reason of a connection that was ended on purpose."""
_PIXEL: Final = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def new_instance(world: World, name: str, phone: str, token: str = "") -> Instance:
    """An account that is connected."""
    token = token or world.uuid().upper()
    instance = Instance(name=name, id=world.uuid(), token=token, phone=phone, created=now_text())
    world.instances[name] = instance
    return instance


def create(call: Call) -> Answer:
    """A new instance, not connected yet."""
    body, world = call.body, call.world
    name = body["instanceName"]
    if name in world.instances:
        raise refusals.refusal(403, [f'This name "{name}" is already in use.'])
    instance = new_instance(world, name, phone=f"55119888{len(world.instances):05d}", token=body.get("token", ""))
    instance.integration = body.get("integration", "WHATSAPP-BAILEYS")
    instance.state = "close"
    hook = _hook_of(body, is_old=world.is_old)
    if hook:
        instance.webhook = set_webhook(world, hook)
    call.emit(instance, "instance.create", {"instanceName": name, "instanceId": instance.id})
    qrcode = {"qrcode": show_code(call, instance)} if body.get("qrcode") else {}
    return 201, (_created_by_old if world.is_old else _created)(instance) | qrcode


def _hook_of(body: dict[str, Any], *, is_old: bool) -> dict[str, Any] | None:
    if not is_old:
        return body.get("webhook")
    return old_bodies.flat_webhook({**body, "url": body["webhook"]}) if body.get("webhook") else None


def _created_by_old(instance: Instance) -> dict[str, Any]:
    hook = instance.webhook
    return {
        "instance": {"instanceName": instance.name, "instanceId": instance.id, "status": "created"},
        "hash": {"apikey": instance.token},
        "webhook": hook.url if hook else None,
        "webhook_by_events": bool(hook and hook.by_events),
        "events": list(hook.events) if hook else [],
        "settings": {"reject_call": False, "groups_ignore": False, "always_online": False, "read_messages": False},
    }


def _created(instance: Instance) -> dict[str, Any]:
    hook = instance.webhook
    return {
        "instance": {
            "instanceName": instance.name,
            "instanceId": instance.id,
            "integration": instance.integration,
            "webhookWaBusiness": None,
            "accessTokenWaBusiness": "",
            "status": "connecting" if instance.codes else "close",
        },
        "hash": instance.token,
        "webhook": {
            "webhookUrl": hook.url if hook else None,
            "webhookHeaders": hook.headers if hook else None,
            "webhookByEvents": hook.by_events if hook else None,
            "webhookBase64": hook.base64 if hook else None,
        },
        "websocket": {"enabled": False},
        "rabbitmq": {"enabled": False},
        "nats": {"enabled": False},
        "sqs": {"enabled": False},
        "settings": {
            "rejectCall": False,
            "msgCall": "",
            "groupsIgnore": False,
            "alwaysOnline": False,
            "readMessages": False,
            "readStatus": False,
            "syncFullHistory": False,
            "wavoipToken": "",
        },
    }


def connect(call: Call) -> Answer:
    """A QR code to scan, or the word that it is open already."""
    instance = call.instance
    if instance.state == "open":
        return 200, {"instance": {"instanceName": instance.name, "state": "open"}}
    return 200, show_code(call, instance)


def show_code(call: Call, instance: Instance) -> dict[str, Any]:
    """Begin to connect: the code is in the answer, and in a webhook."""
    instance.state = "connecting"
    instance.codes += 1
    told = {"instance": instance.name, "state": "connecting", "statusReason": 200}
    call.emit(instance, "connection.update", told)
    code = f"2@{call.world.message_id('', 40)}"
    pairing = call.world.message_id("", 8) if call.body.get("number") else None
    image = f"data:image/png;base64,{_PIXEL}"
    shown = {"instance": instance.name, "pairingCode": pairing, "code": code, "base64": image}
    call.emit(instance, "qrcode.updated", {"qrcode": shown})
    return {"pairingCode": pairing, "code": code, "base64": image, "count": instance.codes}


def opened(instance: Instance) -> dict[str, Any]:
    """What connection.update says of an open connection."""
    return {
        "instance": instance.name,
        "wuid": instance.jid,
        "profileName": instance.name,
        "profilePictureUrl": None,
        "state": "open",
        "statusReason": 200,
    }


def connection_state(call: Call) -> Answer:
    """Open, connecting or close."""
    return 200, {"instance": {"instanceName": call.instance.name, "state": call.instance.state}}


def fetch(call: Call) -> Answer:
    """All instances, or those that are asked for."""
    wanted = {name: call.body.get(name) for name in ("instanceName", "instanceId")}
    found = [
        each
        for each in call.world.instances.values()
        if wanted["instanceName"] in (None, each.name) and wanted["instanceId"] in (None, each.id)
    ]
    if wanted["instanceName"] and not found:
        raise refusals.no_instance(str(wanted["instanceName"]))
    row = _old_row if call.world.is_old else _row
    return 200, [row(call.world, each) for each in found]


def _row(_world: World, instance: Instance) -> dict[str, Any]:
    is_open = instance.state == "open"
    chats = {each.key["remoteJid"] for each in instance.messages}
    return {
        "id": instance.id,
        "name": instance.name,
        "connectionStatus": instance.state,
        "ownerJid": instance.jid if is_open else None,
        "profileName": instance.name if is_open else None,
        "profilePicUrl": None,
        "integration": instance.integration,
        "number": None,
        "businessId": None,
        "token": instance.token,
        "clientName": "evolution_exchange",
        "disconnectionReasonCode": None,
        "disconnectionObject": None,
        "disconnectionAt": None,
        "createdAt": instance.created,
        "updatedAt": instance.created,
        **dict.fromkeys(("Chatwoot", "Proxy", "Rabbitmq", "Nats", "Sqs", "Websocket", "Setting")),
        "_count": {"Message": len(instance.messages), "Contact": len(instance.names), "Chat": len(chats)},
    }


def _old_row(world: World, instance: Instance) -> dict[str, Any]:
    return {
        "instance": {
            "instanceName": instance.name,
            "instanceId": instance.id,
            "owner": instance.jid,
            "profileName": instance.name,
            "profilePictureUrl": None,
            "profileStatus": None,
            "status": instance.state,
            "serverUrl": world.url,
            "apikey": instance.token,
            "integration": {"integration": instance.integration},
        }
    }


def restart(call: Call) -> Answer:
    """Connect anew."""
    if call.instance.state == "open":
        call.emit(call.instance, "connection.update", opened(call.instance))
    return connect(call)


def log_out(call: Call) -> Answer:
    """End the connection for good."""
    instance = call.instance
    if instance.state == "close":
        raise refusals.refusal(400, [f'The "{instance.name}" instance is not connected'])
    close(call)
    return 200, {"status": "SUCCESS", "error": False, "response": {"message": "Instance logged out"}}


def close(call: Call) -> None:
    """What logging out tells the webhook, in the order captured from 2.3.6."""
    instance = call.instance
    told = {
        "instance": instance.name,
        "status": "closed",
        "disconnectionAt": now_text(),
        "disconnectionReasonCode": LOGGED_OUT,
        "disconnectionObject": "{}",
    }
    call.emit(instance, "status.instance", told)
    call.emit(instance, "logout.instance", None)
    instance.state, instance.codes = "close", 0
    gone = {"instance": instance.name, "state": "close", "statusReason": LOGGED_OUT}
    call.emit(instance, "connection.update", gone)


def delete(call: Call) -> Answer:
    """Remove an instance."""
    instance = call.instance
    call.emit(instance, "instance.delete", {"instanceName": instance.name, "instanceId": instance.id})
    call.emit(instance, "remove.instance", None)
    del call.world.instances[instance.name]
    return 200, {"status": "SUCCESS", "error": False, "response": {"message": "Instance deleted"}}


def set_presence(call: Call) -> Answer:
    """Show the account as online, or not."""
    return 201, {"presence": call.body["presence"]}


ENDPOINTS: Final = (
    Endpoint(name="instance/create", method="POST", answer=create, body=bodies.INSTANCE, old_body=old_bodies.INSTANCE),
    Endpoint(name="instance/connect", method="GET", answer=connect),
    Endpoint(name="instance/connectionState", method="GET", answer=connection_state),
    Endpoint(name="instance/fetchInstances", method="GET", answer=fetch),
    Endpoint(name="instance/restart", method="POST", answer=restart, old_method="PUT"),
    Endpoint(name="instance/logout", method="DELETE", answer=log_out),
    Endpoint(name="instance/delete", method="DELETE", answer=delete),
    Endpoint(name="instance/setPresence", method="POST", answer=set_presence, body=bodies.PRESENCE),
)
UNNAMED: Final = frozenset({"instance/create", "instance/fetchInstances"})
"""Calls whose path names no instance."""
