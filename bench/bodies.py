"""Bodies to post: a text message of any size, with places where each post writes its own chat and id."""

from typing import Final

import orjson

from gateway import samples

USUAL: Final = 932
"""Bytes: what a text message of a few words comes to with Evolution 2.2."""
CHATS: Final = 200

_SAMPLE: Final = "messages-upsert__text-private-v223"
_CHAT: Final = "CHATC"
_ID: Final = "IDIDIDIDIDIDIDID"


def template(size: int = USUAL) -> bytes:
    """A body of so many bytes; a smaller one than the sample loses what is not needed to understand it."""
    document = samples.load(_SAMPLE)
    data = document["data"]
    data["key"] |= {"id": _ID, "remoteJid": f"55119999{_CHAT}@s.whatsapp.net"}
    data["message"] = {"conversation": ""}
    for droppable in ("contextInfo", "source", "instanceId", "status"):
        if len(orjson.dumps(document)) >= size:
            data.pop(droppable, None)
    missing = size - len(orjson.dumps(document))
    data["message"]["conversation"] = ("Olá " + "x" * missing)[: max(missing - 1, 0)]
    return orjson.dumps(document)


def body(form: bytes, number: int) -> bytes:
    """The post with this number: its own id, in one of the chats."""
    chat, message = f"{number % CHATS:05d}", f"{number:016d}"
    return form.replace(_CHAT.encode(), chat.encode()).replace(_ID.encode(), message.encode())
