"""What a message can hold besides text and files: reactions, choices, polls, places, orders."""

from datetime import datetime

import msgspec

from gateway import jid
from gateway.events.content import Found, native_flow
from gateway.events.numbers import instant
from gateway.events.reader import Reader
from gateway.events.vcard import ContactCard, contact_card


class Reaction(msgspec.Struct, frozen=True, kw_only=True):
    """An emoji put on a message, or taken back."""

    emoji: str
    """The emoji; `""` when the reaction was taken back."""
    target_id: str | None = None
    """Id of the message it is on."""
    target_from_me: bool | None = None
    """Whether that message is the bot's own; None on the Business channel, which doesn't say."""

    @property
    def removed(self) -> bool:
        """The reaction was taken back."""
        return not self.emoji


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """What a person picked from buttons, a list or a template."""

    id: str | None = None
    """Id the sender gave the button or row; None on the Business channel, where Evolution drops it."""
    label: str | None = None
    """Text shown on it."""


class Poll(msgspec.Struct, frozen=True, kw_only=True):
    """A question with options."""

    name: str | None = None
    """The question."""
    options: tuple[str, ...] = ()
    """Texts to choose from."""
    selectable: int = 0
    """How many one person may choose; 0 is any number."""


class PollVotes(msgspec.Struct, frozen=True, kw_only=True):
    """Who has chosen one option so far."""

    option: str
    """Text of the option."""
    voters: tuple[str, ...] = ()
    """Jids without device; the bot itself can be the word `me`."""


class Vote(msgspec.Struct, frozen=True, kw_only=True):
    """One person's answer to a poll, sent as a message (2.3.7 and later)."""

    poll_id: str | None = None
    """Id of the message that asked."""
    options: tuple[str, ...] = ()
    """Texts chosen; empty when the vote was taken back or Evolution could not decrypt it."""


class Location(msgspec.Struct, frozen=True, kw_only=True):
    """A place, or a position that moves."""

    latitude: float | None = None
    """Degrees, south negative."""
    longitude: float | None = None
    """Degrees, west negative."""
    name: str | None = None
    """Name of the place."""
    address: str | None = None
    """Its postal address."""
    url: str | None = None
    """Its web page."""
    live: bool = False
    """A position that moves."""
    accuracy: int | None = None
    """Metres; live positions only."""


class GroupInvite(msgspec.Struct, frozen=True, kw_only=True):
    """An invitation into a group."""

    group: str | None = None
    """Jid of the group."""
    name: str | None = None
    """Subject of the group."""
    code: str | None = None
    """Code that joins it."""
    expires: int | None = None
    """Unix seconds after which the code is void."""


class CalendarEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A meeting announced in a chat."""

    name: str | None = None
    """Its title."""
    description: str | None = None
    """Its details."""
    start: int | None = None
    """Unix seconds."""
    canceled: bool = False
    """It was called off."""

    @property
    def starts_at(self) -> datetime | None:
        """`start` as an aware UTC time."""
        return instant(self.start)


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """A cart sent from the catalogue."""

    id: str | None = None
    """Order id."""
    items: int | None = None
    """Number of items."""
    total: float | None = None
    """Sum in units of `currency`."""
    currency: str | None = None
    """ISO 4217 code, such as `BRL`."""
    title: str | None = None
    """Name of the shop."""


class Product(msgspec.Struct, frozen=True, kw_only=True):
    """A product of a catalogue."""

    id: str | None = None
    """Product id."""
    title: str | None = None
    """Its name."""
    description: str | None = None
    """Its description."""
    price: float | None = None
    """Price in units of `currency`."""
    currency: str | None = None
    """ISO 4217 code, such as `BRL`."""
    seller: str | None = None
    """Jid of the shop."""


def reaction_of(body: Reader) -> Reaction:
    """The reaction; no text means that it was taken back."""
    key = body.inner("key")
    return Reaction(
        emoji=body.text("text") or "",
        target_id=key.text("id") if key else None,
        target_from_me=key.flag("fromMe") if key else None,
    )


def choice_of(found: Found) -> Choice | None:
    """What was picked. The Business channel sends a pick as plain text; only its `messageType` says what it was."""
    body = found.body
    if body is None:
        return Choice(label=found.message.text("conversation")) if found.key == "conversation" else None
    if found.kind == "button_reply":
        return Choice(id=body.text("selectedButtonId"), label=body.text("selectedDisplayText"))
    if found.kind == "template_reply":
        return Choice(id=body.text("selectedId"), label=body.text("selectedDisplayText"))
    if found.kind == "list_reply":
        reply = body.inner("singleSelectReply")
        return Choice(id=reply.text("selectedRowId") if reply else None, label=body.text("title"))
    return _native_flow_choice(body) if found.kind == "interactive_reply" else None


def _native_flow_choice(body: Reader) -> Choice:
    params, said = native_flow(body), body.inner("body")
    picked, shown = params.get("id"), params.get("display_text")
    return Choice(
        id=str(picked) if isinstance(picked, str | int) and picked != "" else None,
        label=(said.text("text") if said else None) or (shown if isinstance(shown, str) and shown else None),
    )


def poll_of(body: Reader) -> Poll:
    """The poll that a message opens."""
    names = (option.text("optionName") for option in body.entries("options"))
    return Poll(
        name=body.text("name"),
        options=tuple(name for name in names if name is not None),
        selectable=body.whole("selectableOptionsCount") or 0,
    )


def votes_of(data: Reader) -> tuple[PollVotes, ...] | None:
    """The poll's result so far; None when the event carries none."""
    if data.data.get("pollUpdates") is None:
        return None
    return tuple(
        PollVotes(option=name, voters=tuple(jid.bare(voter) for voter in option.texts("voters")))
        for option in data.entries("pollUpdates")
        if (name := option.text("name")) is not None
    )


def vote_of(body: Reader) -> Vote:
    """One person's answer to a poll."""
    key, vote = body.inner("pollCreationMessageKey"), body.inner("vote")
    return Vote(
        poll_id=key.text("id") if key else None,
        options=vote.texts("selectedOptions") if vote else (),
    )


def location_of(found: Found) -> Location | None:
    """The place a message shows."""
    body = found.body
    if body is None or found.kind not in ("location", "live_location"):
        return None
    return Location(
        latitude=body.real("degreesLatitude"),
        longitude=body.real("degreesLongitude"),
        name=body.text("name"),
        address=body.text("address"),
        url=body.text("url"),
        live=found.kind == "live_location" or body.flag("isLive") is True,
        accuracy=body.whole("accuracyInMeters"),
    )


def contacts_of(body: Reader) -> tuple[ContactCard, ...]:
    """The contacts of a message: one, or those of a list."""
    cards = body.entries("contacts") if "contacts" in body.data else (body,)
    return tuple(contact_card(card.text("displayName"), card.text("vcard")) for card in cards)


def group_invite_of(body: Reader) -> GroupInvite:
    """The invitation a message brings."""
    return GroupInvite(
        group=body.jid("groupJid"),
        name=body.text("groupName"),
        code=body.text("inviteCode"),
        expires=body.whole("inviteExpiration"),
    )


def calendar_event_of(body: Reader) -> CalendarEvent:
    """The meeting a message announces."""
    return CalendarEvent(
        name=body.text("name"),
        description=body.text("description"),
        start=body.whole("startTime"),
        canceled=body.flag("isCanceled") is True,
    )


def order_of(body: Reader) -> Order:
    """The cart a message brings."""
    return Order(
        id=body.label("orderId"),
        items=body.whole("itemCount"),
        total=_thousandths(body.whole("totalAmount1000")),
        currency=body.text("totalCurrencyCode"),
        title=body.text("orderTitle"),
    )


def product_of(body: Reader) -> Product:
    """The product a message shows."""
    item = body.inner("product")
    seller = body.jid("businessOwnerJid")
    if item is None:
        return Product(seller=seller)
    return Product(
        id=item.label("productId"),
        title=item.text("title"),
        description=item.text("description"),
        price=_thousandths(item.whole("priceAmount1000")),
        currency=item.text("currencyCode"),
        seller=seller,
    )


def _thousandths(amount: int | None) -> float | None:
    return None if amount is None else amount / 1000
