"""Somebody on the other side: writes to an account, reacts, answers, and sees what the bot sends."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from gateway.errors import GatewayError
from gateway.testing.evolution import content
from gateway.testing.evolution.content import Content
from gateway.testing.evolution.hooks import Hooks
from gateway.testing.evolution.world import Group, Happening, Instance, Stored, World, create_jid

_TYPES: Final[Mapping[str, str]] = {"voice": "audio/ogg; codecs=opus", "document": "application/pdf"}


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """A contact with a phone of their own. `server.person(...)` makes one."""

    world: World
    hooks: Hooks
    instance: Instance
    """Whom they write to."""
    phone: str
    """Digits."""
    name: str
    by_lid: bool = False
    """Their private chat is addressed by LID, as WhatsApp does for ever more people."""

    @property
    def jid(self) -> str:
        """The number as a jid."""
        return f"{self.phone}@s.whatsapp.net"

    @property
    def lid(self) -> str:
        """The LID, always the same for a number."""
        return self.world.lid_of(self.phone)

    @property
    def chat(self) -> str:
        """The private chat, as Evolution addresses it."""
        return self.lid if self.by_lid and not self.world.is_old else self.jid

    async def write(
        self, text: str, *, group: str | None = None, quote: str | None = None, mentions: Sequence[str] = ()
    ) -> Happening:
        """Write a text, in the private chat or a group; `quote` is the id of a message answered to, `mentions` jids.

        Returns once the webhook has been answered.
        """
        mentioned = {"mentionedJid": list(mentions)} if mentions else {}
        return await self._post(content.text(text), group, (self._quoting(quote) or {}) | mentioned or None)

    async def send(
        self,
        shape: str,
        data: bytes,
        *,
        caption: str = "",
        mimetype: str = "",
        file_name: str = "",
        group: str | None = None,
    ) -> Happening:
        """Send an `image`, `video`, `audio`, `voice`, `document`, `sticker` or `ptv`; REST gives its bytes."""
        made = content.media(
            shape,
            data,
            is_old=self.world.is_old,
            caption=caption,
            mimetype=mimetype or _TYPES.get(shape, ""),
            file_name=file_name or ("document.pdf" if shape == "document" else ""),
        )
        hook = self.instance.webhook
        if hook and hook.base64:
            made.message["base64"] = base64.b64encode(data).decode()
        return await self._post(made, group, None)

    async def show(self, latitude: float, longitude: float, *, name: str = "", group: str | None = None) -> Happening:
        """Send a place."""
        place = {"latitude": latitude, "longitude": longitude, "name": name}
        made = content.of_send("sendLocation", place, is_old=self.world.is_old, millis=0)
        return await self._post(made, group, None)

    async def edit(self, message_id: str, text: str) -> None:
        """Change the words of a text."""
        chat = self._known(message_id).key["remoteJid"]
        seen = chat if chat.endswith("@g.us") else self.instance.jid  # the key is as the editor's phone has it
        edit = {
            "key": {"remoteJid": seen, "fromMe": True, "id": message_id},
            "type": "MESSAGE_EDIT",
            "editedMessage": {"conversation": text},
            "timestampMs": str(int(self.world.now() * 1000)),
        }
        await self.hooks.emit(self.instance, "messages.edited", edit)

    async def delete(self, message_id: str) -> None:
        """Delete a message for everybody."""
        await self.hooks.emit(self.instance, "messages.delete", dict(self._known(message_id).key))

    async def react(self, message_id: str, emoji: str, *, group: str | None = None) -> Happening:
        """Put an emoji under a message; an empty one takes it away."""
        key = self._known(message_id).key
        millis = int(self.world.now() * 1000)
        made = content.reaction({name: key[name] for name in ("remoteJid", "fromMe", "id")}, emoji, millis)
        return await self._post(made, group, None)

    async def choose(self, message_id: str, label: str, option_id: str = "", *, group: str | None = None) -> Happening:
        """Press a button, pick a row of a list, or vote in a poll, that the bot has sent; votes come from 2.3.7 on."""
        stored = self._known(message_id)
        offered = content.offers(stored.shape, stored.data["message"])
        found = option_id or next((each for each, name in offered.items() if name == label), label)
        if stored.shape == "poll":
            return await self._vote(stored, label, group)
        if stored.shape == "list":
            block = {"title": label, "listType": 1, "singleSelectReply": {"selectedRowId": found}}
            made = Content(
                shape="choice", type="listResponseMessage", message={"listResponseMessage": block}, text=label
            )
        else:
            block = {"selectedButtonId": found, "selectedDisplayText": label, "type": 1}
            kind = "buttonsResponseMessage"
            made = Content(shape="choice", type=kind, message={kind: block}, text=label)
        return await self._post(made, group, self._quoting(message_id))

    async def _vote(self, poll: Stored, label: str, group: str | None) -> Happening:
        if not self.world.tells_votes:
            raise GatewayError(f"Evolution {self.world.version} does not tell who voted for what; 2.3.7 does")
        names = content.offers("poll", poll.data["message"]).values()
        told = [{"name": each, "voters": [self.lid] if each == label else []} for each in names]
        made = content.vote(poll.key, label, int(self.world.now() * 1000))
        return await self._post(made, group, None, poll_updates=told)

    async def _post(
        self,
        made: Content,
        group: str | None,
        context: dict[str, Any] | None,
        *,
        poll_updates: list[dict[str, Any]] | None = None,
    ) -> Happening:
        chat = group or self.chat
        data = self._message(made, chat, context)
        if poll_updates:
            data["pollUpdates"] = poll_updates
        media = made.media
        stored = Stored(row=self.world.row_id(), data=data, text=made.text, shape=made.shape, statuses=[], media=media)
        self.instance.messages.append(stored)
        await self._introduce()
        happening = self.world.note(
            Happening(
                kind="wrote",
                instance=self.instance.name,
                chat=chat,
                by=self.name,
                id=data["key"]["id"],
                text=made.text,
                shape=made.shape,
                data=data,
            )
        )
        outcome = await self.hooks.emit(self.instance, "messages.upsert", data)
        return msgspec.structs.replace(happening, event=outcome.id if outcome else None)

    async def _introduce(self) -> None:
        """A contact's first message tells of the contact too, before the message itself."""
        self.instance.numbers[create_jid(self.phone)] = self.jid
        if self.instance.names.get(self.chat) == self.name:
            return
        self.instance.names[self.chat] = self.name
        if self.world.is_old:
            data = {
                "id": self.chat,
                "pushName": self.name,
                "profilePictureUrl": None,
                "owner": self.instance.name,
            }
        else:
            data = {
                "remoteJid": self.chat,
                "pushName": self.name,
                "profilePicUrl": None,
                "instanceId": self.instance.id,
            }
        self.hooks.emit(self.instance, "contacts.upsert", data)

    def _message(self, made: Content, chat: str, context: dict[str, Any] | None) -> dict[str, Any]:
        data: dict[str, Any] = {"key": self._key(chat), "pushName": self.name}
        if not self.world.is_old:
            data["status"] = "DELIVERY_ACK"
        data |= {"message": made.message}
        if context:
            data["contextInfo"] = context
        data |= {"messageType": made.type, "messageTimestamp": int(self.world.now())}
        if self.world.is_old:
            return data | {"owner": self.instance.name, "source": "android"}
        return data | {"instanceId": self.instance.id, "source": "android"}

    def _key(self, chat: str) -> dict[str, Any]:
        """2.3.6 names both identities of a person, and who is addressed by which; 1.x knows numbers only."""
        message_id = self.world.message_id("AC", 32)
        is_group = chat.endswith("@g.us")
        if self.world.is_old:
            author = {"participant": self.jid} if is_group else {}
            return {"remoteJid": chat, "fromMe": False, "id": message_id, **author}
        if is_group:
            author = {"participant": self.lid, "participantAlt": self.jid, "addressingMode": "lid"}
            return {"remoteJid": chat, "fromMe": False, "id": message_id, **author}
        other, mode = (self.jid, "lid") if self.by_lid else (self.lid, "pn")
        return {
            "remoteJid": chat,
            "remoteJidAlt": other,
            "fromMe": False,
            "id": message_id,
            "participant": "",
            "addressingMode": mode,
        }

    def _quoting(self, message_id: str | None) -> dict[str, Any] | None:
        if message_id is None:
            return None
        stored = self._known(message_id)
        author = self.instance.jid if stored.key["fromMe"] else stored.key.get("participant") or stored.key["remoteJid"]
        return {"stanzaId": message_id, "participant": author, "quotedMessage": stored.data["message"]}

    def _known(self, message_id: str) -> Stored:
        stored = self.instance.find(message_id)
        if stored is None:
            raise GatewayError(f"{self.instance.name} has no message {message_id!r}")
        return stored


async def change_group(
    hooks: Hooks, instance: Instance, group: Group, action: str, people: Sequence[Person], *, by: Person | None
) -> None:
    """People come, go, or change rank; whoever does it by themselves has nobody else to name."""
    for each in people:
        if action == "remove":
            group.members.pop(each.jid, None)
        else:
            group.members[each.jid] = "admin" if action == "promote" else None
    change = {
        "id": group.id,
        "author": by.lid if by else None,
        "participants": [{"id": each.lid, "phoneNumber": each.jid, "admin": None} for each in people],
        "action": action,
    }
    await hooks.emit(instance, "group-participants.update", change)


def new_group(instance: Instance, jid: str, subject: str, people: list[Person], now: float) -> Group:
    """A group in which a bot and people are; the first of them owns it."""
    members: dict[str, str | None] = {each.jid: None for each in people}
    owner = people[0].jid if people else instance.jid
    members[owner] = "superadmin"
    members.setdefault(instance.jid, None)
    group = Group(id=jid, subject=subject, members=members, owner=owner, created=int(now), invite="A" * 22)
    instance.groups[jid] = group
    return group
