"""The calls about instances: make one, pair it with a phone, see how it is, end it."""

from typing import Any, Final, Literal

import msgspec

from gateway.address import address
from gateway.events import QrCode, QrcodeUpdated, decode
from gateway.events.people import phone_of
from gateway.events.quiet import quiet
from gateway.events.reader import Reader
from gateway.evolution.answers import Json, reader, rows
from gateway.evolution.call import Call, sparse
from gateway.evolution.chats import Presence
from gateway.evolution.server import Server
from gateway.evolution.webhooks import Webhook, lacking_of, spell_old_rest, spell_rest

Integration = Literal["WHATSAPP-BAILEYS", "WHATSAPP-BUSINESS", "EVOLUTION"]

PAIRING_EXTRA: Final = 60.0  # seconds more: the server waits for WhatsApp's code


class InstanceSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How a new instance behaves; None: as the server has it."""

    reject_call: bool | None = None
    """Refuse calls."""
    msg_call: str | None = None
    """What callers are written instead."""
    groups_ignore: bool | None = None
    """Leave out everything about groups."""
    always_online: bool | None = None
    read_messages: bool | None = None
    """Mark everything as read at once."""
    read_status: bool | None = None
    sync_full_history: bool | None = None


class Pairing(msgspec.Struct, frozen=True, kw_only=True):
    """How far an instance is with connecting."""

    state: str
    """`open` when it is connected, else `connecting`."""
    qr: QrCode | None = None
    """What to scan; None when it is connected, or the server has no code yet."""


class CreatedInstance(msgspec.Struct, frozen=True, kw_only=True):
    """A new instance."""

    name: str
    id: str | None
    token: str | None
    """Its own key, which opens it alone."""
    qr: QrCode | None
    """What to scan, if a code was asked for."""
    raw: Json

    def __repr__(self) -> str:
        return quiet(self, "token", "raw")


class Instance(msgspec.Struct, frozen=True, kw_only=True):
    """An instance as the server lists it."""

    name: str
    id: str | None
    state: str | None
    """`open`, `connecting` or `close`."""
    jid: str | None
    """The account's address; None before it was ever connected."""
    phone: str | None
    """The account's telephone number, digits."""
    profile_name: str | None
    picture_url: str | None
    integration: str | None
    token: str | None
    """Its own key, where the server shows it."""
    disconnection_reason: int | None
    """Why it was disconnected the last time (2.x): 401 logged out, 403 forbidden, ..."""
    raw: Json

    def __repr__(self) -> str:
        return quiet(self, "token", "raw")


class ServerInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What a server says of itself."""

    version: str | None
    client_name: str | None
    manager: str | None
    """Where its web page is."""
    whatsapp_version: str | None
    raw: Json


class Instances(Server):
    """Instances, by name. Every method raises `EvolutionError`."""

    async def server_info(self) -> ServerInfo:
        """Version and name of the server."""
        found = reader(answer := await self.welcome())
        return ServerInfo(
            version=found.text("version"),
            client_name=found.text("clientName"),
            manager=found.text("manager"),
            whatsapp_version=found.text("whatsappWebVersion"),
            raw=answer,
        )

    async def create_instance(
        self,
        instance: str,
        *,
        integration: Integration = "WHATSAPP-BAILEYS",
        token: str = "",
        number: str = "",
        business_id: str = "",
        qr: bool = True,
        settings: InstanceSettings | None = None,
        webhook: Webhook | None = None,
    ) -> CreatedInstance:
        """Make an instance; takes the server's global key.

        Args:
            instance: its name.
            integration: how it reaches WhatsApp.
            token: its own key; "" lets the server make one. Of the Business channel, Meta's.
            number: the phone to pair with by a code typed in; "" pairs by QR code. Of the Business channel, Meta's id.
            business_id: Meta's, of the Business channel.
            qr: have a code at once.
            settings: how it behaves.
            webhook: where it posts its events, from the first one on.
        """
        head = sparse(
            instanceName=instance,
            integration=integration,
            token=token,
            number=_digits(number) if integration == "WHATSAPP-BAILEYS" else number,
            businessId=business_id,
            qrcode=qr,
        )
        chosen = msgspec.structs.asdict(settings) if settings else {}
        new, old = {_camel(name): value for name, value in chosen.items()}, dict(chosen)
        if webhook:
            new["webhook"] = {"enabled": webhook.enabled, "url": webhook.url} | spell_rest(webhook)
            old |= {"webhook": webhook.url} | spell_old_rest(webhook)
        call = Call(
            name="instance/create",
            body=head | sparse(**new),
            old_body=head | sparse(**old),
            lacking=lacking_of(webhook) if webhook else "",
            extra=PAIRING_EXTRA,
        )
        return _read_created(instance, await self.ask(call))

    async def connect_instance(self, instance: str, *, number: str = "") -> Pairing:
        """Begin to pair, or get the code that is to be scanned now; a `number` gets one to type in besides."""
        query = {"number": digits} if (digits := _digits(number)) else {}
        call = Call(name="instance/connect", instance=instance, method="GET", query=query, extra=PAIRING_EXTRA)
        return _read_pairing(await self.ask(call))

    async def connection_state(self, instance: str) -> str:
        """`open`, `connecting` or `close`."""
        call = Call(name="instance/connectionState", instance=instance, method="GET", is_question=True)
        found = reader(await self.ask(call))
        return (found.inner("instance") or found).text("state") or "close"

    async def find_instances(self, instance: str | None = None) -> list[Instance]:
        """The instances that the key may see, or the one of this name."""
        query = {"instanceName": instance} if instance else {}
        call = Call(name="instance/fetchInstances", method="GET", query=query, is_question=True)
        return [_read_instance(row) for row in rows(await self.ask(call))]

    async def restart_instance(self, instance: str) -> Pairing:
        """Connect anew."""
        call = Call(name="instance/restart", instance=instance, old_method="PUT", extra=PAIRING_EXTRA)
        return _read_pairing(await self.ask(call))

    async def logout_instance(self, instance: str) -> None:
        """End the pairing with the phone."""
        await self.ask(Call(name="instance/logout", instance=instance, method="DELETE"))

    async def delete_instance(self, instance: str) -> None:
        """Remove an instance, and all that the server keeps of it."""
        await self.ask(Call(name="instance/delete", instance=instance, method="DELETE"))

    async def set_presence(self, instance: str, presence: Presence) -> None:
        """Show the account as online (`available`) or not, in all chats."""
        await self.ask(Call(name="instance/setPresence", instance=instance, body={"presence": presence}))


def _digits(number: str) -> str:
    return address(number) if number else ""


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))


def _read_qr(answer: object) -> QrCode | None:
    """The code, which has no place of its own in `connect` and one in `create`."""
    if not reader(answer).first_text("code", "base64", "pairingCode"):
        return None
    event = decode("qrcode.updated", {"event": "qrcode.updated", "data": {"qrcode": answer}})
    return event.qr if isinstance(event, QrcodeUpdated) else None


def _read_pairing(answer: object) -> Pairing:
    instance = reader(answer).inner("instance")
    state = (instance.first_text("state", "status") if instance else None) or "connecting"
    return Pairing(state=state, qr=_read_qr(answer))


def _read_created(name: str, answer: object) -> CreatedInstance:
    found = reader(answer)
    instance, key = found.inner("instance"), found.data.get("hash")
    return CreatedInstance(
        name=name,
        id=instance.text("instanceId") if instance else None,
        token=reader(key).text("apikey") if isinstance(key, dict) else found.text("hash"),
        qr=_read_qr(found.data.get("qrcode")),
        raw=answer,
    )


def _read_instance(row: dict[str, Any]) -> Instance:
    """A row of 2.x, or of 1.x, which wraps it and names most of it otherwise."""
    found: Reader = reader(row).inner("instance") or reader(row)
    account = found.jid("ownerJid") or found.jid("owner")
    return Instance(
        name=found.first_text("name", "instanceName") or "",
        id=found.first_text("id", "instanceId"),
        state=found.first_text("connectionStatus", "status", "state"),
        jid=account,
        phone=phone_of(account),
        profile_name=found.text("profileName"),
        picture_url=found.first_text("profilePicUrl", "profilePictureUrl"),
        integration=_integration(found),
        token=found.first_text("token", "apikey"),
        disconnection_reason=found.whole("disconnectionReasonCode"),
        raw=row,
    )


def _integration(found: Reader) -> str | None:
    """1.x has an object here, with the name inside."""
    if isinstance(found.data.get("integration"), dict):
        inner = found.inner("integration")
        return inner.text("integration") if inner else None
    return found.text("integration")
