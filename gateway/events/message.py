"""A WhatsApp message in one shape, from every version, channel and encoding."""

from datetime import datetime
from typing import Literal

import msgspec

from gateway import jid
from gateway.events.context import Ad, Quoted
from gateway.events.kinds import Kind
from gateway.events.media import Media
from gateway.events.numbers import instant
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
)
from gateway.events.people import Person
from gateway.events.vcard import ContactCard

Origin = Literal["contact", "gateway", "phone", "client"]


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A WhatsApp message."""

    id: str | None
    """WhatsApp's id, unique in its chat; `wamid....` on the Business channel. None for some messages with buttons."""
    chat: str | None
    """Jid of the chat it stands in, without device."""
    from_me: bool
    """Written by the bot's own account: through REST, on the phone, or on another device."""
    origin: Origin
    """Who wrote it: `contact`, `gateway` (a plugin here), `phone` (a person on the account's own phone or on another of
    its devices) or `client` (another program through Evolution's REST API; the gateway too, where no worker tells)."""
    sender: Person
    """Who wrote it; the bot for own messages. In a group the participant, for a channel's post the channel."""
    kind: Kind
    """What it is: `text`, `image`, `voice` (recorded in the chat), `button_reply`, ..."""
    text: str | None
    """What a person wrote or picked: text, caption, label of a choice, a poll's question. None for what has none."""
    timestamp: int | None
    """Unix seconds when it was sent, as Evolution gave them."""
    status: str | None
    """`PENDING`, `SERVER_ACK`, `DELIVERY_ACK`, `READ`, `PLAYED` or `ERROR` at the time of the event; None in 1.x and
    for incoming messages of the Business and EVOLUTION channels."""
    message_type: str | None
    """Evolution's `messageType`: the content key as it came, wrappers included."""
    device: str | None
    """What it was written on, guessed from its id: `android`, `ios`, `web`, `desktop`, `unknown`."""
    mentions: tuple[str, ...] = ()
    """Jids mentioned in the text, without device; LIDs in LID groups."""
    mentions_me: bool | None = False
    """The bot is among the mentioned; None where that can't be known: a LID whose phone the directory hasn't."""
    quoted: Quoted | None = None
    """The message it answers."""
    forwarded: bool = False
    """It was written elsewhere and passed on."""
    expiration: int | None = None
    """Seconds after which it disappears; None when it stays."""
    ad: Ad | None = None
    """The advertisement that brought the person here (click to WhatsApp)."""
    view_once: bool = False
    """It can be opened once only. Evolution often receives no more than a note that it exists."""
    transcript: str | None = None
    """What Evolution's speech recognition heard in a voice message; not part of `text`."""
    album_id: str | None = None
    """Id of the album message that this picture or video belongs to."""
    poll_votes: tuple[PollVotes, ...] | None = None
    """The poll's result so far, on a vote (2.3.7 and later)."""
    edit_of: str | None = None
    """Id of the message that it replaces, when `is_edit`."""
    media: Media | None = None
    """The photo, video, voice message, document or sticker it carries."""
    reaction: Reaction | None = None
    """The emoji put on another message."""
    choice: Choice | None = None
    """Id and label of what was picked from buttons, a list or a template."""
    poll: Poll | None = None
    """The poll it opens."""
    vote: Vote | None = None
    """The answer to a poll that it is (2.3.7 and later)."""
    location: Location | None = None
    """The place or live position it shows."""
    contacts: tuple[ContactCard, ...] = ()
    """The contacts it shares, their vCards read."""
    group_invite: GroupInvite | None = None
    """The invitation into a group that it brings."""
    calendar_event: CalendarEvent | None = None
    """The meeting it announces."""
    order: Order | None = None
    """The cart it brings."""
    product: Product | None = None
    """The product it shows."""

    @property
    def sent_at(self) -> datetime | None:
        """`timestamp` as an aware UTC time."""
        return instant(self.timestamp)

    @property
    def is_group(self) -> bool:
        """It stands in a group."""
        return self.chat is not None and jid.kind(self.chat) == "group"

    @property
    def is_status(self) -> bool:
        """It is a status post (a story)."""
        return self.chat is not None and jid.kind(self.chat) == "status"

    @property
    def is_newsletter(self) -> bool:
        """It is a channel's post."""
        return self.chat is not None and jid.kind(self.chat) == "newsletter"

    @property
    def is_edit(self) -> bool:
        """It replaces the text of an earlier message (1.x; later versions send `messages.edited`)."""
        return self.kind == "edited"

    @property
    def reply_to(self) -> str | None:
        """Jid that REST takes to answer.

        It is the chat; for a status or a broadcast list its author, whom an answer reaches in private. None for the
        bot's own status.
        """
        if self.chat is None or jid.kind(self.chat) not in ("status", "broadcast"):
            return self.chat
        return None if self.from_me else self.sender.jid
