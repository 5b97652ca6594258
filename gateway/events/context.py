"""What stands around a message: the message it answers, whom it mentions, the advertisement it came from.

Evolution 2.x lifts `contextInfo` out of the content to the top of `data`; 1.x leaves it inside, wrapped messages keep
it inside in every version, and the Business channel has it in both places.
"""

from collections.abc import Iterable
from typing import Final, TypeVar

import msgspec

from gateway import jid
from gateway.events.content import Found, find, text_of
from gateway.events.kinds import Kind
from gateway.events.people import Directory, phone_of
from gateway.events.reader import Reader

T = TypeVar("T")


class Quoted(msgspec.Struct, frozen=True, kw_only=True):
    """The message that a message answers."""

    id: str | None = None
    """Its id."""
    sender: str | None = None
    """Jid of who wrote it, without device; None on the Business channel."""
    sender_phone: str | None = None
    """Phone digits of who wrote it, when they are known."""
    text: str | None = None
    """Its text or caption; None for what has none, and when the payload does not repeat it."""
    kind: Kind | None = None
    """What it is; None when the payload does not repeat it."""
    chat: str | None = None
    """Jid of the other chat it stands in, such as `status@broadcast` for an answer to a status; else None."""


class Ad(msgspec.Struct, frozen=True, kw_only=True):
    """The click-to-WhatsApp advertisement that a conversation began with."""

    title: str | None = None
    """Headline."""
    body: str | None = None
    """Text under the headline."""
    source_id: str | None = None
    """Id of the advertisement."""
    source_url: str | None = None
    """Link to it."""
    source_type: str | None = None
    """`ad` or `post`."""
    app: str | None = None
    """Where it was shown: `facebook`, `instagram`."""
    click_id: str | None = None
    """Meta's click id (`ctwaClid`), for conversion reports."""
    media_url: str | None = None
    """Its video or picture."""
    thumbnail_url: str | None = None
    """A small picture of it."""
    greeting: str | None = None
    """Greeting that WhatsApp showed before the person wrote."""


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What `contextInfo` says."""

    quoted: Quoted | None = None
    mentions: tuple[str, ...] = ()
    forwarded: bool = False
    expiration: int | None = None
    ad: Ad | None = None


NOTHING: Final = Context()


def context_of(data: Reader, found: Found, directory: Directory) -> Context:
    """Read `contextInfo` wherever this version put it; of several, the first that says a thing counts."""
    infos = [info for holder in (data, found.body, found.message) if holder and (info := holder.inner("contextInfo"))]
    if not infos:
        quoted = _evolution_quote(found.message, directory)
        return Context(quoted=quoted) if quoted else NOTHING
    contexts = [_read(info, directory) for info in infos]
    if len(contexts) == 1:
        return contexts[0]
    return Context(
        quoted=_first(each.quoted for each in contexts),
        mentions=_first(each.mentions for each in contexts) or (),
        forwarded=any(each.forwarded for each in contexts),
        expiration=_first(each.expiration for each in contexts),
        ad=_first(each.ad for each in contexts),
    )


def _read(info: Reader, directory: Directory) -> Context:
    mentions = info.texts("mentionedJid")
    return Context(
        quoted=_quoted(info, directory),
        mentions=tuple(map(jid.bare, mentions)) if mentions else (),
        forwarded=_forwarded(info),
        expiration=info.whole("expiration") or None,
        ad=_ad(info),
    )


def _first(found: Iterable[T | None]) -> T | None:
    return next((value for value in found if value), None)


def _forwarded(info: Reader) -> bool:
    return info.flag("isForwarded") is True or (info.whole("forwardingScore") or 0) > 0


def mentions_bot(mentions: tuple[str, ...], bot: str | None, directory: Directory) -> bool | None:
    """Whether the bot is among those mentioned; None when that can't be known.

    No event says the bot's own LID, so a mention by LID can only be told where the directory knows its phone.
    """
    if not mentions:
        return False
    phone = phone_of(bot)
    if phone is None:
        return True if bot in mentions else None
    phones = [phone_of(address) or directory.get(address) for address in mentions]
    return True if phone in phones else None if None in phones else False


def _quoted(info: Reader, directory: Directory) -> Quoted | None:
    message = info.inner("quotedMessage")
    key = info.text("stanzaId")
    if key is None and message is None:
        return None
    sender = info.jid("participant")
    found = find(message) if message else None
    return Quoted(
        id=key,
        sender=sender,
        sender_phone=_phone(sender, directory),
        text=text_of(found) if found else None,
        kind=found.kind if found else None,
        chat=info.jid("remoteJid"),
    )


def _evolution_quote(message: Reader, directory: Directory) -> Quoted | None:
    """The EVOLUTION channel repeats the quote of its own REST call: a key, or an object that holds one."""
    quote = message.inner("quoted") if "quoted" in message.data else None
    if quote is None:
        return None
    key = quote.inner("key") if "key" in quote.data else quote
    target = key.text("id") if key else None
    if key is None or target is None:
        return None
    own = key.flag("fromMe") is not False
    sender = key.jid("participant") or (None if own else key.jid("remoteJid"))
    return Quoted(id=target, sender=sender, sender_phone=_phone(sender, directory))


def _phone(sender: str | None, directory: Directory) -> str | None:
    return None if sender is None else phone_of(sender) or directory.get(sender)


def _ad(info: Reader) -> Ad | None:
    """Link previews use the same field as advertisements; only the latter say where the click came from."""
    reply = info.inner("externalAdReply")
    if reply is None:
        return None
    source, click = reply.text("sourceType"), reply.text("ctwaClid")
    entry = info.text("entryPointConversionSource") or ""
    if source != "ad" and click is None and not entry.startswith("ctwa"):
        return None
    return Ad(
        title=reply.text("title"),
        body=reply.text("body"),
        source_id=reply.label("sourceId"),
        source_url=reply.text("sourceUrl"),
        source_type=source,
        app=reply.text("sourceApp") or info.text("entryPointConversionApp"),
        click_id=click,
        media_url=reply.text("mediaUrl"),
        thumbnail_url=reply.text("thumbnailUrl"),
        greeting=reply.text("greetingMessageBody"),
    )
