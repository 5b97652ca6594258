"""The calls that send messages."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal

from typing_extensions import Unpack

from gateway.address import address
from gateway.evolution.answers import SentMessage, read_sent
from gateway.evolution.call import Body, Call, sparse
from gateway.evolution.keys import MessageKey, spell_key
from gateway.evolution.media import Media, spell_media
from gateway.evolution.options import Options, digits_or_jid, spell_flat, spell_nested
from gateway.evolution.server import Server
from gateway.evolution.spelling import spell_button, spell_card, spell_old_button, spell_sections
from gateway.pieces import Button, Card, Row

MediaKind = Literal["image", "video", "document", "audio"]
StatusKind = Literal["text", "image", "audio", "video"]

FILE_EXTRA: Final = 240.0  # seconds more for a file: Evolution fetches or converts it, and WhatsApp takes it in
_BACKGROUND: Final = "#000000"


class Messages(Server):
    """Sends to one chat. `to` is a jid, LID, group or number as people write it.

    Every method raises `EvolutionError` (see its classes), and `ValueError` for what no server could take.
    """

    async def send_text(
        self, instance: str, to: str, text: str, *, link_preview: bool | None = None, **options: Unpack[Options]
    ) -> SentMessage:
        """Send a text; `link_preview` False shows a link without its picture."""
        preview = sparse(linkPreview=link_preview)
        return await self._send(
            instance,
            "sendText",
            to,
            options,
            new={"text": text} | preview,
            old={"textMessage": {"text": text}},
            old_options=preview,
        )

    async def send_media(
        self,
        instance: str,
        to: str,
        media: Media,
        *,
        kind: MediaKind,
        caption: str = "",
        filename: str = "",
        mimetype: str = "",
        **options: Unpack[Options],
    ) -> SentMessage:
        """Send a picture, a video, a document or a sound file. A document given as bytes needs a `filename`."""
        if kind == "document" and not filename and isinstance(media, bytes):
            raise ValueError("a document needs filename=, which WhatsApp shows")
        content = sparse(
            mediatype=kind, media=spell_media(media), caption=caption, fileName=filename, mimetype=mimetype
        )
        return await self._send(
            instance, "sendMedia", to, options, new=content, old={"mediaMessage": content}, seconds=FILE_EXTRA
        )

    async def send_ptv(self, instance: str, to: str, video: Media, **options: Unpack[Options]) -> SentMessage:
        """Send a round video (2.x)."""
        content = {"video": spell_media(video)}
        lacking = "round videos came with 2.x"
        return await self._send(
            instance, "sendPtv", to, options, new=content, old={}, seconds=FILE_EXTRA, lacking=lacking
        )

    async def send_audio(
        self, instance: str, to: str, audio: Media, *, convert: bool = True, **options: Unpack[Options]
    ) -> SentMessage:
        """Send a voice message; `convert` False for what is Ogg with Opus already. Evolution 2.3.6 quotes nothing."""
        content, encoding = {"audio": spell_media(audio)}, {} if convert else {"encoding": False}
        return await self._send(
            instance,
            "sendWhatsAppAudio",
            to,
            options,
            new=content | encoding,
            old={"audioMessage": content},
            old_options=encoding,
            presence="recording",
            seconds=FILE_EXTRA,
        )

    async def send_sticker(
        self, instance: str, to: str, sticker: Media, *, convert: bool = True, **options: Unpack[Options]
    ) -> SentMessage:
        """Send a sticker, made of any picture; `convert` False for what is one already (2.x)."""
        content = spell_media(sticker)
        flat = {"sticker": content} | ({} if convert else {"notConvertSticker": True})
        old = {"stickerMessage": {"image": content}}
        return await self._send(instance, "sendSticker", to, options, new=flat, old=old, seconds=FILE_EXTRA)

    async def send_location(
        self,
        instance: str,
        to: str,
        *,
        latitude: float,
        longitude: float,
        name: str = "",
        address: str = "",
        **options: Unpack[Options],
    ) -> SentMessage:
        """Send a place, in degrees."""
        place = {"latitude": latitude, "longitude": longitude}
        flat = place | {"name": name, "address": address}
        old = {"locationMessage": place | sparse(name=name, address=address)}
        return await self._send(instance, "sendLocation", to, options, new=flat, old=old)

    async def send_contact(
        self, instance: str, to: str, contacts: Sequence[Card], **options: Unpack[Options]
    ) -> SentMessage:
        """Send contacts that a person can save."""
        cards = [spell_card(card) for card in contacts]
        return await self._send(
            instance, "sendContact", to, options, new={"contact": cards}, old={"contactMessage": cards}
        )

    async def send_reaction(self, instance: str, key: MessageKey, emoji: str) -> SentMessage:
        """Put an emoji on a message; "" takes it back."""
        content = {"key": spell_key(key), "reaction": emoji}
        call = Call(name="message/sendReaction", instance=instance, body=content, old_body={"reactionMessage": content})
        return read_sent(await self.ask(call))

    async def send_poll(
        self,
        instance: str,
        to: str,
        question: str,
        choices: Sequence[str],
        *,
        pick: int = 1,
        **options: Unpack[Options],
    ) -> SentMessage:
        """Send a poll of 2 to 10 choices; `pick` is how many one may choose, 0: any number."""
        content = {"name": question, "selectableCount": pick, "values": list(choices)}
        return await self._send(instance, "sendPoll", to, options, new=content, old={"pollMessage": content})

    async def send_list(
        self,
        instance: str,
        to: str,
        title: str,
        sections: Mapping[str, Iterable[Row]],
        *,
        button: str,
        description: str = "",
        footer: str = "",
        **options: Unpack[Options],
    ) -> SentMessage:
        """Send a list to pick from, rows by section title, behind a button with the label `button`."""
        content = {"title": title, "footerText": footer, "buttonText": button, "sections": spell_sections(sections)}
        content |= sparse(description=description)
        return await self._send(instance, "sendList", to, options, new=content, old={"listMessage": content})

    async def send_buttons(
        self,
        instance: str,
        to: str,
        title: str,
        buttons: Sequence[Button],
        *,
        description: str = "",
        footer: str = "",
        thumbnail_url: str = "",
        **options: Unpack[Options],
    ) -> SentMessage:
        """Send buttons: up to 3 that reply and no other with them, or 1 of Pix. Phones often show none (2.x)."""
        head = sparse(title=title, description=description)
        flat = head | sparse(footer=footer, thumbnailUrl=thumbnail_url) | {"buttons": list(map(spell_button, buttons))}
        old: Body = {"title": title, "description": description} | sparse(footerText=footer)
        old |= {"buttons": list(map(spell_old_button, buttons))}
        others = {button.kind for button in buttons} - {"reply"}
        lacking = f"it has no {'/'.join(sorted(others))} buttons" if others else ""
        return await self._send(
            instance, "sendButtons", to, options, new=flat, old={"buttonMessage": old}, lacking=lacking
        )

    async def send_status(
        self,
        instance: str,
        content: Media,
        *,
        kind: StatusKind = "text",
        recipients: Sequence[str] | None = None,
        caption: str = "",
        background: str = _BACKGROUND,
        font: int = 1,
    ) -> SentMessage:
        """Post a status, a text or a file; `recipients` None: for all contacts. `font` is 1 to 5."""
        is_text = kind == "text"
        if is_text and not isinstance(content, str):
            raise ValueError("a status of bytes needs kind=: image, audio or video")
        status = sparse(
            type=kind,
            content=content if is_text else spell_media(content),
            caption=caption,
            backgroundColor=background if is_text else None,
            font=font if is_text else None,
            allContacts=True if recipients is None else None,
            statusJidList=None if recipients is None else [digits_or_jid(each) for each in recipients],
        )
        call = Call(
            name="message/sendStatus",
            instance=instance,
            body=status,
            old_body={"statusMessage": status},
            extra=0 if is_text else FILE_EXTRA,
        )
        return read_sent(await self.ask(call))

    async def send_template(
        self,
        instance: str,
        to: str,
        name: str,
        *,
        language: str,
        components: Sequence[Mapping[str, Any]] = (),
        webhook_url: str = "",
    ) -> SentMessage:
        """Send a template that Meta has approved (Business channel); `components` as Meta documents them."""
        number = {"number": address(to)}
        content: Body = {"name": name, "language": language, "components": list(components)}
        call = Call(
            name="message/sendTemplate",
            instance=instance,
            body=number | content | sparse(webhookUrl=webhook_url),
            old_body=number | {"templateMessage": content},
        )
        return read_sent(await self.ask(call))

    async def _send(
        self,
        instance: str,
        action: str,
        to: str,
        options: Options,
        *,
        new: Body,
        old: Body,
        old_options: Body | None = None,
        presence: str = "composing",
        seconds: float = 0.0,
        lacking: str = "",
    ) -> SentMessage:
        """A send that has a number and options: its content as 2.x and as 1.x take it."""
        number = {"number": address(to)}
        call = Call(
            name=f"message/{action}",
            instance=instance,
            body=number | new | spell_flat(options),
            old_body=number | old | spell_nested(options, presence, old_options or {}),
            lacking=lacking,
            extra=options.get("delay", 0.0) + seconds,
        )
        return read_sent(await self.ask(call))
