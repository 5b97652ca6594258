"""Raises its voice when an instance of Evolution loses its WhatsApp account, and says what to do about it.

Evolution 1.x and 2.2.0 also report a `close` that they mend by themselves; a line saying `open` follows then.
"""

from typing import Final

from gateway import ConnectionUpdate, EventContext, Plugin, QrcodeUpdated
from gateway import filters as f

plugin = Plugin()

SCAN_AGAIN: Final = "connect the instance again and scan its QR code with the phone"
ADVICE: Final = {
    401: f"WhatsApp logged this device out: {SCAN_AGAIN}",
    402: "WhatsApp wants something settled on the account: open WhatsApp on its phone and see what it says",
    403: "WhatsApp has banned or restricted the account: open WhatsApp on its phone and see what it says",
    406: "WhatsApp has banned or restricted the account: open WhatsApp on its phone and see what it says",
    411: f"the session doesn't fit this account's devices: delete the instance, create it again, then {SCAN_AGAIN}",
    440: "another program uses the same session: stop it, then restart the instance",
    500: f"the stored session is damaged: log the instance out, then {SCAN_AGAIN}",
}
"""What to do, by the reason Evolution gives for a close."""


@plugin.on(ConnectionUpdate, f.connection("close"))
async def closed(event: ConnectionUpdate, ctx: EventContext) -> None:
    """Messages neither come nor go until somebody acts."""
    reason = event.connection.reason
    todo = ADVICE.get(reason or 0, "if no line instance_open follows within a minute, restart the instance")
    ctx.log.error("instance_closed", instance=event.instance, reason=reason, todo=todo)


@plugin.on(ConnectionUpdate, f.connection("refused"))
async def refused(event: ConnectionUpdate, ctx: EventContext) -> None:
    """Evolution sends this when it has shown QR codes long enough and nobody scanned one."""
    ctx.log.error("instance_refused", instance=event.instance, reason=event.connection.reason, todo=SCAN_AGAIN)


@plugin.on(ConnectionUpdate, f.connection("open"))
async def opened(event: ConnectionUpdate, ctx: EventContext) -> None:
    """All is well again."""
    ctx.log.info("instance_open", instance=event.instance)


def limit_reached(event: QrcodeUpdated) -> bool:
    """Evolution says so once, in place of a code."""
    return event.qr.limit_reached


@plugin.on(QrcodeUpdated, f.check(limit_reached))
async def qr_limit(event: QrcodeUpdated, ctx: EventContext) -> None:
    """No further QR code comes by itself."""
    ctx.log.error("qr_limit_reached", instance=event.instance, todo=SCAN_AGAIN)
