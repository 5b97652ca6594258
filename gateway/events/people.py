"""Who wrote, joined or called: one person, whichever of two identities a payload shows.

WhatsApp addresses a person by telephone number (`5511...@s.whatsapp.net`) or by an opaque identity (`2011...@lid`)
whose digits are not a phone. Which fields carry the other identity changed with nearly every Evolution version.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

import msgspec

from gateway import jid
from gateway.events.reader import Reader

Directory = Mapping[str, str]
"""Phone digits by LID jid, as learned from earlier events."""

NOBODY: Final[Directory] = {}
_REMEMBERED: Final = 4096
"""People who are remembered, for the same ones write again and again."""
_SHORT: Final = 100  # characters of a name; WhatsApp allows 25


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """A WhatsApp account, as far as the payload and the directory know it."""

    jid: str | None = None
    """Address the payload uses for the person, without device: `@s.whatsapp.net` or `@lid`; a channel's own jid for a
    channel's post. Answers and mentions take it as it is."""
    phone: str | None = None
    """Telephone number, digits with country code and no `+`; None where only the LID is known. Never taken from
    `pushName`. Brazilian numbers may lack the ninth digit; Mexican (521) and Argentinian (549) prefixes vary."""
    lid: str | None = None
    """Opaque identity `...@lid`; None where the payload shows only the phone."""
    name: str | None = None
    """Name the person gave themselves. From 2.3.0 Evolution puts `Você` on own messages, and the jid's digits where
    it knows no name."""

    @property
    def mention(self) -> str:
        """Text that WhatsApp shows as a mention: `@` and the jid's user part, which in LID groups is not the phone."""
        return "@" + (self.jid or "").partition("@")[0]


def person(candidates: Sequence[str | None], name: str | None, directory: Directory) -> Person:
    """One person from jids that all name them; the first that is not None is the address in use."""
    is_usual = name is None or len(name) <= _SHORT
    found = (_remembered if is_usual else _shown)(tuple(candidates), name)
    if found.phone is None and found.lid is not None and (phone := directory.get(found.lid)):
        return msgspec.structs.replace(found, phone=phone)
    return found


def _shown(candidates: tuple[str | None, ...], name: str | None) -> Person:
    """As far as the jids say it."""
    address = phone = lid = None
    for found in candidates:
        if found is None:
            continue
        address = address or found
        kind = jid.kind(found)
        if kind == "lid":
            lid = lid or found
        elif phone is None:
            phone = phone_of(found)
    return Person(jid=address, phone=phone, lid=lid, name=name)


_remembered = lru_cache(_REMEMBERED)(_shown)


def phone_of(address: str | None) -> str | None:
    """Phone digits of a jid; the EVOLUTION channel writes bare digits without a server."""
    if address is None:
        return None
    return address if address.isascii() and address.isdigit() else jid.phone(address)


def known(found: Reader, name: str | None, directory: Directory, *keys: str) -> Person:
    """The person that several fields of one object name."""
    return person(tuple(found.jid(key) for key in keys), name, directory)
