"""Read what only some kinds of message hold: an answer, a file, a place, a poll, what people share."""

from typing import Final, TypedDict

from gateway.events.content import Found, edited_message, text_of
from gateway.events.kinds import MEDIA
from gateway.events.media import Media, media_of
from gateway.events.parts import (
    CalendarEvent,
    Choice,
    GroupInvite,
    Location,
    Order,
    Poll,
    PollVotes,
    Product,
    Reaction,
    Vote,
    calendar_event_of,
    choice_of,
    contacts_of,
    group_invite_of,
    location_of,
    order_of,
    poll_of,
    product_of,
    reaction_of,
    vote_of,
)
from gateway.events.people import Person
from gateway.events.reader import Reader
from gateway.events.vcard import ContactCard

PICKED: Final = frozenset({"buttonMessage", "interactiveMessage"})
"""Message types of the Business channel whose text is the label of a choice."""

_TRANSCRIPT_MARK: Final = "[audio] "
"""Newer versions put this before the words they heard."""


class Specifics(TypedDict, total=False):
    """Keyword arguments of `Message`."""

    text: str | None
    edit_of: str | None
    media: Media | None
    reaction: Reaction
    choice: Choice | None
    poll: Poll
    vote: Vote
    location: Location | None
    contacts: tuple[ContactCard, ...]
    group_invite: GroupInvite
    calendar_event: CalendarEvent
    order: Order
    product: Product
    transcript: str | None
    album_id: str | None


def specifics_of(
    found: Found,
    outer: Reader,
    message_type: str | None,
    *,
    from_me: bool,
    sender: Person,
    votes: tuple[PollVotes, ...],
) -> Specifics:
    """What a message holds besides what all have. `sender` and `votes` tell what an undecoded vote was for."""
    if found.kind == "text":
        parts: Specifics = {"text": text_of(found)}
        if message_type in PICKED and not from_me:
            parts["choice"] = choice_of(found)
        return parts
    if found.kind == "edited":
        return _edit(found)
    if found.kind in MEDIA:
        return _media(found, outer)
    if found.body is None:  # the EVOLUTION channel's buttons and lists, or nothing known
        return {"text": outer.text("description") if found.kind in ("buttons", "list") else None}
    parts = {"text": text_of(found)}
    _add(parts, found, found.body)
    if "vote" in parts:
        parts["text"] = ", ".join(parts["vote"].options or _voted(votes, sender)) or None
    return parts


def _edit(found: Found) -> Specifics:
    if found.key != "protocolMessage" or found.body is None:
        return {"text": text_of(found)}
    key, new = found.body.inner("key"), edited_message(found.body)
    return {"text": text_of(new) if new else None, "edit_of": key.text("id") if key else None}


def _media(found: Found, outer: Reader) -> Specifics:
    heard = outer.text("speechToText")
    return {
        "text": text_of(found),
        "media": media_of(outer, found),
        "transcript": heard.removeprefix(_TRANSCRIPT_MARK) if heard else None,
        "album_id": _album_id(outer) or _album_id(found.message),
    }


def _album_id(message: Reader) -> str | None:
    at: Reader | None = message
    for key in ("messageContextInfo", "messageAssociation", "parentMessageKey"):
        at = at.inner(key) if at else None
    return at.text("id") if at else None


def _voted(votes: tuple[PollVotes, ...], sender: Person) -> tuple[str, ...]:
    """What the sender has chosen by the poll's result, where the vote itself came undecoded."""
    names = {sender.jid, sender.lid, f"{sender.phone}@s.whatsapp.net"}
    return tuple(vote.option for vote in votes if names.intersection(vote.voters))


def _add(parts: Specifics, found: Found, body: Reader) -> None:
    """Read what a person answered with, or what they shared."""
    match found.kind:
        case "reaction":
            parts["reaction"] = reaction_of(body)
        case "button_reply" | "list_reply" | "template_reply" | "interactive_reply":
            parts["choice"] = choice_of(found)
        case "poll":
            parts["poll"] = poll_of(body)
        case "poll_vote":
            parts["vote"] = vote_of(body)
        case _:
            _add_shared(parts, found, body)


def _add_shared(parts: Specifics, found: Found, body: Reader) -> None:
    match found.kind:
        case "location" | "live_location":
            parts["location"] = location_of(found)
        case "contact" | "contacts":
            parts["contacts"] = contacts_of(body)
        case "group_invite":
            parts["group_invite"] = group_invite_of(body)
        case "event":
            parts["calendar_event"] = calendar_event_of(body)
        case "order":
            parts["order"] = order_of(body)
        case "product":
            parts["product"] = product_of(body)
        case _:
            return
