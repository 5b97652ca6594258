"""WhatsApp's addresses: what a jid says about whom it names.

A jid is `user@server`; the user may carry `:device`. Only the servers below name a telephone number: the digits before
`@lid` are an opaque identity and never a phone.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final, Literal

JidKind = Literal["phone", "lid", "group", "status", "broadcast", "newsletter", "bot", "unknown"]

_KINDS: Final[Mapping[str, JidKind]] = {
    "s.whatsapp.net": "phone",
    "c.us": "phone",
    "hosted": "phone",
    "lid": "lid",
    "hosted.lid": "lid",
    "g.us": "group",
    "broadcast": "broadcast",
    "newsletter": "newsletter",
    "bot": "bot",
}


_REMEMBERED: Final = 4096
"""Of the addresses that were looked at: each comes many times, with every message of its chat."""


@lru_cache(_REMEMBERED)
def kind(jid: str) -> JidKind:
    """What a jid names; `unknown` for one without a known server, such as the EVOLUTION channel's bare digits."""
    if jid == "status@broadcast":
        return "status"
    return _KINDS.get(jid.rpartition("@")[2], "unknown") if "@" in jid else "unknown"


def bare(jid: str) -> str:
    """The jid without its device: `5511999990002:75@s.whatsapp.net` -> `5511999990002@s.whatsapp.net`."""
    if ":" not in jid:
        return jid
    user, at, server = jid.partition("@")
    return user.partition(":")[0] + at + server


@lru_cache(_REMEMBERED)
def phone(jid: str) -> str | None:
    """The digits of the telephone number a jid names, or None when it names none."""
    if kind(jid) != "phone":
        return None
    user = bare(jid).partition("@")[0]
    return user if user.isascii() and user.isdigit() else None


def lid(jid: str) -> str | None:
    """The jid without device when it is a LID, else None."""
    return bare(jid) if kind(jid) == "lid" else None
