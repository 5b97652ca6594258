"""What messages are made of that are more than a text: contacts to save, lines and buttons to pick from.

A module of its own, because handlers ask for them and the client spells them.
"""

from typing import Literal

import msgspec

ButtonKind = Literal["reply", "url", "call", "copy", "pix"]


class Row(msgspec.Struct, frozen=True):
    """One line of a list that a person can pick."""

    id: str
    label: str
    description: str = ""


class Card(msgspec.Struct, frozen=True):
    """A contact to send."""

    name: str
    phone: str
    """As people write it, with its country code."""
    organization: str = ""
    email: str = ""
    url: str = ""


class Button(msgspec.Struct, frozen=True, kw_only=True):
    """A button below a message."""

    kind: ButtonKind = "reply"
    """`reply` comes back as an answer; the others open a link, call, copy a text, or pay by Pix (2.x alone)."""
    label: str = ""
    value: str = ""
    """By kind: the id that comes back, the link, the number to call, the text to copy, the Pix key."""
    name: str = ""
    """Of `pix`: who is paid."""
    key_type: Literal["", "phone", "email", "cpf", "cnpj", "random"] = ""
    """Of `pix`: what the key is."""
    currency: str = "BRL"
    """Of `pix`."""
