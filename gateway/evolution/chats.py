"""The calls about chats and their messages: read, typing, edit, delete, archive, block."""

from collections.abc import Sequence
from typing import Literal

from gateway.address import address
from gateway.evolution.answers import SentMessage, read_sent
from gateway.evolution.call import Body, Call, sparse
from gateway.evolution.keys import MessageKey, spell_key, whole_address
from gateway.evolution.options import digits_or_jid
from gateway.evolution.server import Server

Presence = Literal["unavailable", "available", "composing", "recording", "paused"]


class Chats(Server):
    """Changes what a chat shows. Every method raises `EvolutionError`."""

    async def mark_read(self, instance: str, messages: Sequence[MessageKey]) -> None:
        """Show the senders that their messages were read. Evolution 2.3.6 passes over chats named by LID."""
        items = [sparse(id=key.id, fromMe=key.from_me, remoteJid=whole_address(key.chat)) for key in messages]
        await self.ask(
            Call(
                name="chat/markMessageAsRead",
                instance=instance,
                body={"readMessages": items},
                old_method="PUT",
                old_body={"read_messages": items},
            )
        )

    async def send_presence(self, instance: str, to: str, presence: Presence, *, seconds: float = 1.0) -> None:
        """Show somebody typing, or recording, for so long; the call takes that long."""
        number, shown = {"number": address(to)}, {"presence": presence, "delay": round(seconds * 1000)}
        await self.ask(
            Call(
                name="chat/sendPresence",
                instance=instance,
                body=number | shown,
                old_body=number | {"options": shown},
                extra=seconds,
            )
        )

    async def delete_message(self, instance: str, key: MessageKey) -> SentMessage:
        """Delete a message for everybody: an own one, or as admin of a group one of a member's."""
        call = Call(name="chat/deleteMessageForEveryone", instance=instance, method="DELETE", body=spell_key(key))
        return read_sent(await self.ask(call))

    async def edit_message(self, instance: str, key: MessageKey, text: str) -> SentMessage:
        """Change the text, or the caption of a picture or video, of an own message (WhatsApp: within 15 minutes)."""
        body = {"number": digits_or_jid(key.chat), "key": spell_key(key), "text": text}
        call = Call(name="chat/updateMessage", instance=instance, body=body, old_method="PUT")
        return read_sent(await self.ask(call))

    async def archive_chat(
        self, instance: str, last: MessageKey, *, timestamp: int | None = None, archive: bool = True
    ) -> None:
        """Put a chat away, or take it back; `last` is its last message, with its unix seconds if known."""
        body = _last(last, timestamp) | {"archive": archive}
        await self.ask(Call(name="chat/archiveChat", instance=instance, body=body, old_method="PUT"))

    async def mark_unread(self, instance: str, last: MessageKey, *, timestamp: int | None = None) -> None:
        """Mark a chat as not read; `last` is its last message, with its unix seconds if known."""
        body = _last(last, timestamp)
        await self.ask(Call(name="chat/markChatUnread", instance=instance, body=body, old_method="PUT"))

    async def block(self, instance: str, who: str, *, block: bool = True) -> None:
        """Block a person, or no longer."""
        body = {"number": address(who), "status": "block" if block else "unblock"}
        await self.ask(Call(name="chat/updateBlockStatus", instance=instance, body=body, old_method="PUT"))


def _last(key: MessageKey, timestamp: int | None) -> Body:
    chat = whole_address(key.chat)
    return {"chat": chat, "lastMessage": sparse(key=spell_key(key), messageTimestamp=timestamp)}
