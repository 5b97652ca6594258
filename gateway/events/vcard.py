"""Read the vCards of shared contacts: names, numbers, mail addresses.

WhatsApp writes `item1.TEL;waid=5511...:+55 11 ...` with the number's own jid digits in `waid`; phones and other
applications write their own dialects of vCard 2.1 to 4.0. What isn't understood is left out; `vcard` keeps it all.
"""

import quopri
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec

_FOLD: Final = re.compile(r"\r?\n[ \t]")
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)


class ContactPhone(msgspec.Struct, frozen=True, kw_only=True):
    """One number of a shared contact."""

    number: str
    """As written on the card: `+55 11 99999-0003`."""
    phone: str | None = None
    """Digits that WhatsApp knows the number by; None when the card doesn't say that it is on WhatsApp."""
    label: str | None = None
    """What the card calls it: `Celular`, `CELL`."""


class ContactCard(msgspec.Struct, frozen=True, kw_only=True):
    """A contact somebody shared in a message."""

    name: str | None = None
    """Name shown in the chat, else the card's own."""
    phones: tuple[ContactPhone, ...] = ()
    """Its numbers, in the card's order."""
    emails: tuple[str, ...] = ()
    """Its mail addresses."""
    organization: str | None = None
    """Company or department."""
    vcard: str | None = None
    """The card as it came."""


class _Line(NamedTuple):
    group: str
    name: str
    params: dict[str, str]
    value: str


def contact_card(display_name: str | None, vcard: str | None) -> ContactCard:
    """A shared contact from its shown name and its vCard."""
    lines = tuple(_lines(vcard or ""))
    labels = {line.group: line.value for line in lines if line.name == "X-ABLABEL" and line.group}
    return ContactCard(
        name=display_name or _value(lines, "FN") or _value(lines, "N"),
        phones=tuple(_phone(line, labels) for line in lines if line.name == "TEL" and line.value),
        emails=tuple(line.value for line in lines if line.name == "EMAIL" and line.value),
        organization=_value(lines, "ORG"),
        vcard=vcard,
    )


def _phone(line: _Line, labels: dict[str, str]) -> ContactPhone:
    waid = line.params.get("WAID", "")
    return ContactPhone(
        number=line.value.removeprefix("tel:"),
        phone=waid if waid.isascii() and waid.isdigit() else None,
        label=labels.get(line.group) or line.params.get("TYPE") or None,
    )


def _value(lines: tuple[_Line, ...], name: str) -> str | None:
    for line in lines:
        if line.name == name and (text := " ".join(part for part in line.value.split(";") if part).strip()):
            return text
    return None


def _lines(vcard: str) -> Iterator[_Line]:
    for line in _FOLD.sub("", vcard).splitlines():
        head, colon, value = line.partition(":")
        if not colon:
            continue
        group, _, name = head.partition(";")[0].rpartition(".")
        params = _params(head)
        yield _Line(group, name.strip().upper(), params, _decoded(value.strip(), params))


def _params(head: str) -> dict[str, str]:
    params: dict[str, str] = {}
    for part in head.split(";")[1:]:
        key, equals, value = part.partition("=")
        name = key.upper() if equals else "TYPE"
        params.setdefault(name, (value if equals else key).strip('"'))
    return params


def _decoded(value: str, params: dict[str, str]) -> str:
    if params.get("ENCODING", "").upper() == "QUOTED-PRINTABLE" and value.isascii():
        return quopri.decodestring(value).decode(errors="replace")
    return _ESCAPED.sub(lambda match: "\n" if match[1] in "nN" else match[1], value)
