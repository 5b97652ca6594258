"""Filters on where a message was written, by whom, and what kind it is."""

import re
from collections.abc import Callable
from typing import Final, get_args

from gateway import jid
from gateway.address import address
from gateway.events import MessageEvent
from gateway.events.kinds import Kind
from gateway.events.message import Origin
from gateway.events.people import phone_of
from gateway.plugins.filters.arguments import written, written_of
from gateway.plugins.filters.base import Answer, Filter, Look
from gateway.plugins.misuse import Misuse

_POSTS: Final = frozenset({"status", "newsletter", "broadcast"})
_TYPE: Final = re.compile(r"[a-z]+/([a-z0-9.+-]+)?")


def _of_message(text: str, test: Callable[[MessageEvent], bool]) -> Filter[MessageEvent]:
    return Filter(text, lambda event, _: test(event), needs=(MessageEvent,))


def _is_post(event: MessageEvent) -> bool:
    """Written to everybody who follows, so that answering would be out of place."""
    return jid.kind(event.message.chat or "") in _POSTS


def _is_inbound(event: MessageEvent) -> bool:
    return not event.message.from_me and not _is_post(event)


def _is_private(event: MessageEvent) -> bool:
    return not event.message.is_group and not _is_post(event)


def _ask_for_admin(event: MessageEvent, look: Look) -> Answer:
    """An answer at once where nobody needs to be asked."""
    group = event.message.chat if event.message.is_group else None
    return _is_admin(event, group, look) if group and event.instance else False


async def _is_admin(event: MessageEvent, group: str, look: Look) -> bool:
    sender = event.message.sender
    names = {name for name in (sender.jid, sender.phone, sender.lid) if name}
    members = await look.members(event.instance or "", group)
    return any(each.is_admin and not names.isdisjoint((each.jid, each.phone, each.lid)) for each in members)


def _replies_to_me(event: MessageEvent) -> bool:
    quoted, account = event.message.quoted, event.account
    if quoted is None or account is None:
        return False
    return quoted.sender == account or (quoted.sender_phone is not None and quoted.sender_phone == phone_of(account))


inbound: Final = _of_message("inbound", _is_inbound)
"""Written by somebody else, to this number or a group: no own message, no status, no channel or broadcast post."""
private: Final = _of_message("private", _is_private)
"""In a chat between two."""
group: Final = _of_message("group", lambda event: event.message.is_group)
"""In a group."""
from_me: Final = _of_message("from_me", lambda event: event.message.from_me)
"""Written by the instance's own number, on whichever device."""

mentions_me: Final = _of_message("mentions_me", lambda event: event.message.mentions_me is True)
"""The instance's own number is among the mentioned; not where that can't be known, as with a LID never seen before."""
quoted: Final = _of_message("quoted", lambda event: event.message.quoted is not None)
"""It answers another message."""
replies_to_me: Final = _of_message("replies_to_me", _replies_to_me)
"""It answers a message of the instance's own number."""
forwarded: Final = _of_message("forwarded", lambda event: event.message.forwarded)
"""It was written elsewhere and passed on."""
has_media: Final = _of_message("has_media", lambda event: event.message.media is not None)
"""It brings a file: a photo, video, voice message, document or sticker."""

from_admin: Final[Filter[MessageEvent]] = Filter("from_admin", _ask_for_admin, needs=(MessageEvent,))
"""Written by an admin of the group it stands in. Evolution is asked for the members, once in 5 minutes for a group."""


def origin(*origins: Origin) -> Filter[MessageEvent]:
    """Who wrote it: `contact`, `gateway` (a plugin of this one), `phone` (a person on the own phone), `client`.

    A person who answers on the phone, and should not be talked over by a bot: `plugin.on(MessagesUpsert,
    f.origin("phone"))`.
    """
    wanted = frozenset(origins)
    text = written_of("origin", origins, get_args(Origin))
    return _of_message(text, lambda event: event.message.origin in wanted)


def chat(*addresses: str) -> Filter[MessageEvent]:
    """In one of these chats: jids (a group's ends in `@g.us`), or numbers as people write them."""
    wanted = _addresses("chat", addresses)
    return _of_message(written("chat", addresses), lambda event: not wanted.isdisjoint(_names(event.message.chat)))


def from_sender(*addresses: str) -> Filter[MessageEvent]:
    """Written by one of these people: jids, LIDs, or numbers as people write them."""
    wanted = _addresses("from_sender", addresses)

    def test(event: MessageEvent) -> bool:
        sender = event.message.sender
        return not wanted.isdisjoint((*_names(sender.jid), sender.phone, sender.lid))

    return _of_message(written("from_sender", addresses), test)


def kind(*kinds: Kind) -> Filter[MessageEvent]:
    """The message is one of these: `text`, `image`, `voice`, `location`, ..."""
    wanted = frozenset(kinds)
    return _of_message(written_of("kind", kinds, get_args(Kind)), lambda event: event.message.kind in wanted)


def mimetype(*types: str) -> Filter[MessageEvent]:
    """It brings a file of one of these media types: `image/png`, `application/pdf`, or a family, `audio/*`."""
    wanted = tuple(each.lower().removesuffix("*") for each in types)
    text = written("mimetype", types)
    if any(not _TYPE.fullmatch(each) for each in wanted):
        raise Misuse.here(f"{text} compares with what is no media type, such as image/png or image/*")

    def test(event: MessageEvent) -> bool:
        media = event.message.media
        found = (media.mimetype or "").partition(";")[0].strip().lower() if media else ""
        return any(found.startswith(each) if each.endswith("/") else found == each for each in wanted)

    return _of_message(text, test)


def _names(address_in_use: str | None) -> tuple[str | None, str | None]:
    """A jid as it is, and the digits of its number."""
    return (address_in_use, jid.phone(address_in_use or ""))


def _addresses(name: str, addresses: tuple[str, ...]) -> frozenset[str | None]:
    try:
        return frozenset(jid.phone(found) or jid.bare(found) for found in map(address, addresses))
    except ValueError as error:
        raise Misuse.here(f"{written(name, addresses)}: {error}") from None
