"""Bodies as Evolution posts them: a sample with an id, a chat and a text of its own."""

from collections.abc import Mapping
from typing import Final

import orjson

from gateway import samples

_SAMPLE: Final = "messages-upsert__text-private-v223"


def message(
    number: int, text: str = "Olá!", *, chat: int = 0, name: str = "Maria", envelope: Mapping[str, object] | None = None
) -> bytes:
    """A text message; equal arguments give equal bytes. `envelope` replaces fields of the whole."""
    document = samples.load(_SAMPLE)
    document["data"]["key"] |= {"id": f"3EB0{number:016X}", "remoteJid": f"55119999{chat:05d}@s.whatsapp.net"}
    document["data"] |= {"message": {"conversation": text}, "pushName": name}
    return orjson.dumps({**document, **(envelope or {})})


def messages(count: int, *, first: int = 0, chats: int = 1) -> list[bytes]:
    """So many messages, spread over so many chats; each says its number."""
    return [message(number, f"message {number}", chat=number % chats) for number in range(first, first + count)]
