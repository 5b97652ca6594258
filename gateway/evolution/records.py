"""The calls that look something up: stored messages and chats, contacts, numbers, profiles, a message's file."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Final

from gateway.events import Chat, Contact
from gateway.evolution.answers import (
    FoundMessage,
    MediaContent,
    NumberCheck,
    Profile,
    Receipt,
    read_chats,
    read_contacts,
    read_found,
    read_media,
    read_numbers,
    read_profile,
    read_receipts,
    reader,
)
from gateway.evolution.call import Body, Call, sparse
from gateway.evolution.errors import UnsupportedCall
from gateway.evolution.inside import Base64Member
from gateway.evolution.keys import MessageKey, whole_address
from gateway.evolution.messages import FILE_EXTRA
from gateway.evolution.options import digits_or_jid
from gateway.evolution.server import Server

PAGE: Final = 50  # rows; Evolution's own default
MOST_PAGES: Final = 20
"""Pages that one look through a chat takes at most."""


class Records(Server):
    """Looks things up; changes nothing. Every method raises `EvolutionError`."""

    async def find_messages(
        self,
        instance: str,
        *,
        chat: str | None = None,
        message_id: str | None = None,
        from_me: bool | None = None,
        back_to: float | None = None,
        size: int = PAGE,
    ) -> list[FoundMessage]:
        """Messages that Evolution keeps, newest first: one page of them, or page after page back to a moment.

        An empty list may also mean that it keeps none: storing messages is a setting of the server.

        Args:
            instance: whose.
            chat: of this chat alone: a jid, or a number as people write it. A chat that WhatsApp names by LID has
                another jid than its number's, and a number of Brazil two.
            message_id: this message alone.
            from_me: own messages alone, or those of others alone.
            back_to: unix seconds; pages are read until one reaches behind it, `MOST_PAGES` at most.
            size: messages a page.
        """
        key = sparse(remoteJid=whole_address(chat) if chat else None, id=message_id, fromMe=from_me or None)
        found: dict[tuple[str | None, str | None], FoundMessage] = {}
        for page in range(1, MOST_PAGES + 1):
            records = read_found(await self.ask(_find_messages(instance, key, page, size)))
            known = len(found)
            found |= {(record.chat, record.id): record for record in records}  # 1.x gives the earlier ones again
            if back_to is None or len(found) == known or (records[-1].timestamp or 0) < back_to:
                break
        return [record for record in found.values() if from_me in (None, record.from_me)]

    async def find_receipts(self, instance: str, key: MessageKey) -> list[Receipt]:
        """What became of a message."""
        where = {"remoteJid": whole_address(key.chat), "id": key.id}
        return read_receipts(await self.ask(_find(instance, "findStatusMessage", where)))

    async def find_chats(self, instance: str) -> list[Chat]:
        """The chats that Evolution keeps."""
        call = Call(
            name="chat/findChats", instance=instance, body={}, old_method="GET", old_body=None, is_question=True
        )
        return read_chats(await self.ask(call))

    async def find_contacts(self, instance: str, who: str | None = None) -> list[Contact]:
        """The contacts that Evolution keeps, or the one with this address."""
        address = whole_address(who) if who else None
        body, old_body = (sparse(where=sparse(**{name: address}) or None) for name in ("remoteJid", "id"))
        call = Call(name="chat/findContacts", instance=instance, body=body, old_body=old_body, is_question=True)
        return read_contacts(await self.ask(call))

    async def check_numbers(self, instance: str, numbers: Sequence[str]) -> list[NumberCheck]:
        """Which of these numbers are on WhatsApp."""
        body = {"numbers": [digits_or_jid(number) for number in numbers]}
        call = Call(name="chat/whatsappNumbers", instance=instance, body=body, is_question=True)
        return read_numbers(await self.ask(call))

    async def picture_url(self, instance: str, who: str) -> str | None:
        """Where the profile picture of a person or group is; None when there is none to see."""
        call = Call(name="chat/fetchProfilePictureUrl", instance=instance, body=_number(who), is_question=True)
        return reader(await self.ask(call)).text("profilePictureUrl")

    async def fetch_profile(self, instance: str, who: str) -> Profile:
        """What a person or business shows of itself."""
        call = Call(name="chat/fetchProfile", instance=instance, body=_number(who), is_question=True)
        return read_profile(await self.ask(call))

    async def fetch_media(
        self, instance: str, message: MessageKey | str | Mapping[str, Any], *, as_mp4: bool = False
    ) -> MediaContent:
        """The file of a message: by key or id where Evolution keeps messages, else by an event's whole `data`.

        `as_mp4` turns a sound file into one that plays anywhere.
        """
        return read_media(await self.ask(_media(instance, message, as_mp4=as_mp4)))

    async def stream_media(
        self, instance: str, message: MessageKey | str | Mapping[str, Any]
    ) -> AsyncGenerator[bytes, None]:
        """The same file in pieces, so that a large one is never whole in memory."""
        inside = Base64Member("base64")
        async with aclosing(self.stream(_media(instance, message))) as pieces:
            async for piece in pieces:
                yield inside.feed(piece)
        if not inside.is_whole:
            raise UnsupportedCall("Evolution's answer holds no whole file")


def _media(instance: str, message: MessageKey | str | Mapping[str, Any], *, as_mp4: bool = False) -> Call:
    body: Body = {"message": _named(message)} | sparse(convertToMp4=as_mp4 or None)
    return Call(name="chat/getBase64FromMediaMessage", instance=instance, body=body, is_question=True, extra=FILE_EXTRA)


def _find_messages(instance: str, key: Body, page: int, size: int) -> Call:
    """`fromMe` false is left out: both versions read it as any.

    From 2.3.7 on `remoteJid` and `remoteJidAlt` are alternatives, and the latter is where a chat by LID has its number;
    2.x before knows only the former.
    """
    either = key | sparse(remoteJidAlt=key.get("remoteJid"))
    return Call(
        name="chat/findMessages",
        instance=instance,
        body=sparse(where={"key": either} if key else None, page=page, offset=size),
        old_body=sparse(where={"key": key} if key else None, limit=size * page),
        is_question=True,
    )


def _find(instance: str, action: str, where: Body) -> Call:
    """Versions before 2.3 fail without page and offset, which is the size of a page."""
    return Call(
        name=f"chat/{action}",
        instance=instance,
        body={"where": where, "page": 1, "offset": PAGE},
        old_body={"where": where, "limit": PAGE},
        is_question=True,
    )


def _number(who: str) -> Body:
    return {"number": digits_or_jid(who)}


def _named(message: MessageKey | str | Mapping[str, Any]) -> Body:
    if isinstance(message, Mapping):
        return dict(message)
    return {"key": {"id": message if isinstance(message, str) else message.id}}
