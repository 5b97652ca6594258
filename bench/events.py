"""What decoding costs: a typical text message, over parsing its JSON alone, beside a pydantic model of the same depth.

The pydantic model is the usual alternative: it names the fields of one version and fails on the others, so it does
less; both start from the same bytes.
"""

import sys
import timeit
from collections.abc import Callable
from typing import Any, Final

import orjson
from pydantic import BaseModel, ConfigDict, Field

from gateway import samples
from gateway.events import decode

SAMPLE: Final = "messages-upsert__text-link-flattened-v236"
ROUNDS: Final = 20
CALLS: Final = 2_000
LIMIT: Final = 15.0  # microseconds over orjson.loads alone


class _Loose(BaseModel):
    model_config = ConfigDict(extra="allow")


class _Key(_Loose):
    remote_jid: str = Field(alias="remoteJid")
    remote_jid_alt: str | None = Field(default=None, alias="remoteJidAlt")
    from_me: bool = Field(alias="fromMe")
    id: str
    participant: str | None = None
    addressing_mode: str | None = Field(default=None, alias="addressingMode")


class _Long(_Loose):
    low: int
    high: int
    unsigned: bool


class _DeviceList(_Loose):
    sender_timestamp: _Long | int | str | None = Field(default=None, alias="senderTimestamp")
    recipient_timestamp: _Long | int | str | None = Field(default=None, alias="recipientTimestamp")


class _MessageContext(_Loose):
    device_list: _DeviceList | None = Field(default=None, alias="deviceListMetadata")
    version: int | None = Field(default=None, alias="deviceListMetadataVersion")


class _Content(_Loose):
    conversation: str | None = None
    context: _MessageContext | None = Field(default=None, alias="messageContextInfo")


class _Data(_Loose):
    key: _Key
    push_name: str | None = Field(default=None, alias="pushName")
    status: str | None = None
    message: _Content
    context: dict[str, Any] | None = Field(default=None, alias="contextInfo")
    message_type: str = Field(alias="messageType")
    timestamp: int = Field(alias="messageTimestamp")
    instance_id: str | None = Field(default=None, alias="instanceId")
    source: str | None = None


class _Envelope(_Loose):
    event: str
    instance: str
    data: _Data
    destination: str | None = None
    date_time: str | None = None
    sender: str | None = None
    server_url: str | None = None
    apikey: str | None = None


def main() -> None:
    """Print microseconds, and the ratio to pydantic."""
    body = samples.read(SAMPLE)
    parse = measure(lambda: orjson.loads(body))
    ours = measure(lambda: decode("messages.upsert", orjson.loads(body)))
    theirs = measure(lambda: _Envelope.model_validate(orjson.loads(body)))
    over, over_theirs = ours - parse, theirs - parse
    lines = (
        f"decode a text message ({len(body)} bytes, {SAMPLE})",
        f"  orjson.loads alone      {parse:6.1f} µs",
        f"  gateway.events.decode   {over:6.1f} µs over it (limit {LIMIT:.0f})",
        f"  pydantic, same depth    {over_theirs:6.1f} µs over it",
        f"  ratio pydantic / ours   {over_theirs / over:6.1f}",
    )
    sys.stdout.write("\n".join(lines) + "\n")


def measure(call: Callable[[], object]) -> float:
    """Microseconds of one call: the best of many rounds, which is the one least disturbed by other processes."""
    return min(timeit.repeat(call, number=CALLS, repeat=ROUNDS)) / CALLS * 1e6


if __name__ == "__main__":
    main()
