"""The usual alternative to this gateway's events: a pydantic model. It names the fields of one version of one event."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Loose(BaseModel):
    """Lets through what it does not name."""

    model_config = ConfigDict(extra="allow")


class Key(Loose):
    """Which message, in which chat."""

    remote_jid: str = Field(alias="remoteJid")
    remote_jid_alt: str | None = Field(default=None, alias="remoteJidAlt")
    from_me: bool = Field(alias="fromMe")
    id: str
    participant: str | None = None
    addressing_mode: str | None = Field(default=None, alias="addressingMode")


class Long(Loose):
    """A number as protobuf writes it."""

    low: int
    high: int
    unsigned: bool


class DeviceList(Loose):
    """When whose devices were listed."""

    sender_timestamp: Long | int | str | None = Field(default=None, alias="senderTimestamp")
    recipient_timestamp: Long | int | str | None = Field(default=None, alias="recipientTimestamp")


class MessageContext(Loose):
    """What surrounds a message."""

    device_list: DeviceList | None = Field(default=None, alias="deviceListMetadata")
    version: int | None = Field(default=None, alias="deviceListMetadataVersion")


class Content(Loose):
    """The message itself."""

    conversation: str | None = None
    context: MessageContext | None = Field(default=None, alias="messageContextInfo")


class Data(Loose):
    """What the event is about."""

    key: Key
    push_name: str | None = Field(default=None, alias="pushName")
    status: str | None = None
    message: Content
    context: dict[str, Any] | None = Field(default=None, alias="contextInfo")
    message_type: str = Field(alias="messageType")
    timestamp: int = Field(alias="messageTimestamp")
    instance_id: str | None = Field(default=None, alias="instanceId")
    source: str | None = None


class Envelope(Loose):
    """A `messages.upsert` as Evolution 2.3 posts it."""

    event: str
    instance: str
    data: Data
    destination: str | None = None
    date_time: str | None = None
    sender: str | None = None
    server_url: str | None = None
    apikey: str | None = None
