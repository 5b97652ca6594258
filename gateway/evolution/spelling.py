"""Cards, list rows and buttons as Evolution spells them."""

from collections.abc import Iterable, Mapping
from typing import Final

from gateway import jid
from gateway.address import address
from gateway.evolution.call import Body, sparse
from gateway.pieces import Button, ButtonKind, Card, Row

_VALUE: Final[Mapping[ButtonKind, str]] = {
    "reply": "id",
    "url": "url",
    "call": "phoneNumber",
    "copy": "copyCode",
    "pix": "key",
}


def spell_card(card: Card) -> Body:
    """A contact; `wuid` lets phones offer a chat with it.

    Raises:
        ValueError: its phone is no telephone number.
    """
    found = address(card.phone)
    digits = jid.phone(found) if "@" in found else found
    if digits is None:
        raise ValueError(f"the contact {card.name} needs a telephone number, got another kind of address")
    return sparse(
        fullName=card.name,
        phoneNumber=card.phone,
        wuid=digits,
        organization=card.organization,
        email=card.email,
        url=card.url,
    )


def spell_sections(sections: Mapping[str, Iterable[Row]]) -> list[Body]:
    """The sections of a list, with their rows."""
    return [{"title": title, "rows": [_spell_row(row) for row in rows]} for title, rows in sections.items()]


def spell_button(button: Button) -> Body:
    """A button of 2.x."""
    found = {"type": button.kind} | sparse(displayText=button.label) | {_VALUE[button.kind]: button.value}
    if button.kind != "pix":
        return found
    return found | sparse(currency=button.currency, name=button.name, keyType=button.key_type)


def spell_old_button(button: Button) -> Body:
    """A button of 1.x, where all reply."""
    return {"buttonText": button.label, "buttonId": button.value}


def _spell_row(row: Row) -> Body:
    return sparse(title=row.label, rowId=row.id, description=row.description)
