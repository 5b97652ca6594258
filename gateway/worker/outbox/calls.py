"""From a queued message to the call of Evolution's that sends it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from gateway.errors import GatewayError
from gateway.evolution import Evolution, EvolutionError, MessageKey
from gateway.evolution.options import Options
from gateway.log import log
from gateway.pieces import Button, Card, Row
from gateway.work import Message, OutboxReader
from gateway.work.files import OutgoingFiles
from gateway.worker.outbox.evidence import EARLY
from gateway.worker.outbox.servers import Servers

_KEPT_UNDER: Final = ("@s.whatsapp.net", "@lid", "@g.us")

Payload = Mapping[str, Any]


class Unsendable(GatewayError):
    """A message that can't be sent, whatever Evolution says."""


class Calls:
    """Evolution's calls, by kind of message."""

    def __init__(self, servers: Servers, outbox: OutboxReader, files: OutgoingFiles) -> None:
        self._servers = servers
        self._outbox = outbox
        self._files = files
        self._by_kind: Mapping[str, Callable[[Evolution, Message], Awaitable[str | None]]] = {
            "text": self._text,
            "media": self._media,
            "audio": self._audio,
            "sticker": self._sticker,
            "location": self._location,
            "contact": self._contact,
            "poll": self._poll,
            "buttons": self._buttons,
            "list": self._list,
            "reaction": self._reaction,
            "edit": self._edit,
            "delete": self._delete,
            "read": self._read,
            "typing": self._typing,
        }

    def refusal(self, message: Message) -> str | None:
        """Why the message may not leave at all; None if it may."""
        return self._servers.refusal(message.server)

    async def perform(self, message: Message) -> str | None:
        """Send it; gives WhatsApp's id of it, where it gets one.

        Raises:
            Unsendable: something that it needs is not there.
            EvolutionError: it was refused, or nobody knows.
        """
        if message.kind not in self._by_kind:
            raise Unsendable(f"This gateway knows no messages of the kind {message.kind}.")
        return await self._by_kind[message.kind](await self._servers.reach(message.server), message)

    async def show_typing(self, message: Message, seconds: float) -> None:
        """Show somebody typing; that it fails is of no account."""
        try:
            client = await self._servers.reach(message.server)
            await client.send_presence(message.instance, message.target, "composing", seconds=seconds)
        except EvolutionError as error:
            log.debug("typing_not_shown", instance=message.instance, error=str(error))

    async def records(self, message: Message, chats: Sequence[str]) -> Sequence[Mapping[str, Any]]:
        """The messages that Evolution keeps of a chat since one began to leave, and some more, under each of its jids.

        Raises:
            EvolutionError: it can't be asked.
        """
        client = await self._servers.reach(message.server)
        asked = [chat for chat in chats if chat.endswith(_KEPT_UNDER)]
        since = (message.began or 0.0) - EARLY
        pages = [await client.find_messages(message.instance, chat=chat, back_to=since) for chat in asked]
        return [record.raw for page in pages for record in page]

    async def close(self) -> None:
        """Close the connections."""
        await self._servers.close()

    async def _text(self, to: Evolution, message: Message) -> str | None:
        sent = await to.send_text(*_to(message), message.payload["text"], **await self._options(message))
        return sent.id

    async def _media(self, to: Evolution, message: Message) -> str | None:
        payload = message.payload
        sent = await to.send_media(
            *_to(message),
            await self._content(message),
            kind=payload["media"],
            caption=payload["caption"],
            filename=payload["name"],
            mimetype=payload["mimetype"],
            **await self._options(message),
        )
        return sent.id

    async def _audio(self, to: Evolution, message: Message) -> str | None:
        sent = await to.send_audio(*_to(message), await self._content(message), **await self._options(message))
        return sent.id

    async def _sticker(self, to: Evolution, message: Message) -> str | None:
        sent = await to.send_sticker(*_to(message), await self._content(message), **await self._options(message))
        return sent.id

    async def _location(self, to: Evolution, message: Message) -> str | None:
        return (await to.send_location(*_to(message), **message.payload)).id

    async def _contact(self, to: Evolution, message: Message) -> str | None:
        return (await to.send_contact(*_to(message), [Card(**card) for card in message.payload["contacts"]])).id

    async def _poll(self, to: Evolution, message: Message) -> str | None:
        payload = message.payload
        return (await to.send_poll(*_to(message), payload["question"], payload["options"], pick=payload["pick"])).id

    async def _buttons(self, to: Evolution, message: Message) -> str | None:
        payload = message.payload
        buttons = [Button(label=each["label"], value=each["id"]) for each in payload["options"]]
        title, description = (payload["title"], payload["text"]) if payload["title"] else (payload["text"], "")
        sent = await to.send_buttons(*_to(message), title, buttons, description=description, footer=payload["footer"])
        return sent.id

    async def _list(self, to: Evolution, message: Message) -> str | None:
        payload = message.payload
        sections = {each["title"]: [Row(**row) for row in each["rows"]] for each in payload["sections"]}
        title, description = (payload["title"], payload["text"]) if payload["title"] else (payload["text"], "")
        sent = await to.send_list(
            *_to(message), title, sections, button=payload["button"], description=description, footer=payload["footer"]
        )
        return sent.id

    async def _reaction(self, to: Evolution, message: Message) -> str | None:
        key = await self._key(message, message.payload["message"])
        return (await to.send_reaction(message.instance, key, message.payload["emoji"])).id

    async def _edit(self, to: Evolution, message: Message) -> str | None:
        key = await self._key(message, message.payload["message"])
        await to.edit_message(message.instance, key, message.payload["text"])
        return None

    async def _delete(self, to: Evolution, message: Message) -> str | None:
        await to.delete_message(message.instance, await self._key(message, message.payload["message"]))
        return None

    async def _read(self, to: Evolution, message: Message) -> str | None:
        await to.mark_read(message.instance, [await self._key(message, message.payload["message"])])
        return None

    async def _typing(self, to: Evolution, message: Message) -> str | None:
        await to.send_presence(*_to(message), "composing", seconds=message.payload["seconds"])
        return None

    async def _options(self, message: Message) -> Options:
        options: Options = {}
        if mentions := message.payload.get("mentions"):
            options["mentions"] = mentions
        if quote := message.payload.get("quote"):
            options["quoted"] = await self._key(message, quote)
        return options

    async def _content(self, message: Message) -> str | bytes:
        """The URL of a file, or its bytes."""
        if message.file is None:
            return str(message.payload["url"])
        try:
            return await asyncio.to_thread(self._files.read, message.file)
        except OSError as error:
            raise Unsendable(f"The file it brings can't be read: {error.strerror}. Replay its event.") from error

    async def _key(self, message: Message, named: Payload) -> MessageKey:
        """The message that another is about."""
        if "queued" in named:
            return await self._key_of_queued(named["queued"])
        own = await asyncio.to_thread(self._outbox.claimed, [named["id"]]) if named["from_me"] is None else set()
        return MessageKey(
            id=named["id"],
            chat=message.chat,
            from_me=bool(named["from_me"] or own),
            participant=named.get("participant"),
            text=named.get("text"),
        )

    async def _key_of_queued(self, queued_id: str) -> MessageKey:
        placed = await asyncio.to_thread(self._outbox.placed, queued_id)
        if placed is None or placed.message_id is None:
            fate = "is no longer known" if placed is None else f"is {placed.status} and has no id"
            raise Unsendable(f"The message it is about ({queued_id}) {fate}.")
        return MessageKey(id=placed.message_id, chat=placed.chat, from_me=True, text=placed.payload.get("text"))


def _to(message: Message) -> tuple[str, str]:
    return message.instance, message.target
