"""Everything a handler can ask to be sent to one chat. Each call is checked here and only recorded.

Of its own, because a context offers it for the event's chat and `ctx.to(...)` for any other.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal, Protocol, get_args

import msgspec

from gateway.address import address
from gateway.events.groups import Participant
from gateway.events.message import Message
from gateway.events.people import Person
from gateway.pieces import Card, Row
from gateway.plugins.outgoing import AnyMessage, File, Kind, Queued, mentioned, quoted, read_file, wording

MediaKind = Literal["image", "video", "document"]
MenuStyle = Literal["auto", "buttons", "text"]
Mentions = Sequence[Person | Participant | str]

_MOST_BUTTONS: Final = 3
_POLL_OPTIONS: Final = range(2, 11)
_LONGEST_TYPING: Final = 60.0  # seconds


class Sends(ABC):
    """Messages to one chat, each queued and sent in order once the handler has succeeded.

    Every method raises `ValueError` for what WhatsApp or Evolution could not take, and `ContextClosed` after the
    handler's end.
    """

    @abstractmethod
    def _add(self, method: str, kind: Kind, payload: dict[str, Any], data: bytes | None = None) -> Queued:
        """Record it."""

    @abstractmethod
    def _event_message(self) -> Message | None:
        """The event's own message, where it has one and it stands in this chat."""

    def media(
        self,
        source: Path | bytes | str,
        *,
        caption: str = "",
        kind: MediaKind | None = None,
        name: str = "",
        mimetype: str = "",
        mentions: Mentions = (),
        quote: AnyMessage | None = None,
    ) -> Queued:
        """Queue a picture, a video or a document: a path, bytes, or a URL that Evolution fetches; 100 MiB at most.

        What it is shown as follows from its media type (given, or told by its name) unless `kind` says otherwise.
        Bytes need a `name` or a `mimetype`.
        """
        file = read_file(source, name=name, mimetype=mimetype)
        if not (file.name or file.mimetype):
            raise ValueError("bytes don't say what they are: give name= (photo.jpg) or mimetype= (image/jpeg)")
        shown = kind or _shown_as(file.mimetype)
        about = {"media": shown, "caption": caption, "name": file.name or shown, "mimetype": file.mimetype}
        return self._add("media", "media", about | self._options(mentions, quote) | _place(file), file.data)

    def audio(self, source: Path | bytes | str, *, quote: AnyMessage | None = None) -> Queued:
        """Queue a voice message. Evolution turns any sound file into the format that WhatsApp plays in the chat."""
        file = read_file(source)
        return self._add("audio", "audio", self._options((), quote) | _place(file), file.data)

    def sticker(self, source: Path | bytes | str, *, quote: AnyMessage | None = None) -> Queued:
        """Queue a sticker, made of any picture."""
        file = read_file(source)
        return self._add("sticker", "sticker", self._options((), quote) | _place(file), file.data)

    def location(self, latitude: float, longitude: float, *, name: str = "", address: str = "") -> Queued:
        """Queue a place; `name` and `address` are shown under the map."""
        if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):  # noqa: PLR2004 -- degrees
            raise ValueError(f"{latitude}, {longitude} is no place: latitude is -90 to 90, longitude -180 to 180")
        payload = {"latitude": float(latitude), "longitude": float(longitude), "name": name, "address": address}
        return self._add("location", "location", payload)

    def contact(self, *cards: Card) -> Queued:
        """Queue contacts that a person can save."""
        if not cards:
            raise ValueError("ctx.contact() has no contact to send")
        contacts = [msgspec.structs.asdict(card) | {"phone": address(card.phone)} for card in cards]
        return self._add("contact", "contact", {"contacts": contacts})

    def poll(self, question: str, options: Sequence[str], *, pick: int = 1) -> Queued:
        """Queue a poll of 2 to 10 options; `pick` is how many of them one may choose, 0: any number."""
        chosen = list(_texts("options", options))
        if len(chosen) not in _POLL_OPTIONS or len(set(chosen)) != len(chosen):
            raise ValueError(f"a poll has 2 to 10 different options, got {chosen!r}")
        if not 0 <= pick <= len(chosen):
            raise ValueError(f"pick={pick} of {len(chosen)} options can't be chosen")
        return self._add("poll", "poll", {"question": wording(question), "options": chosen, "pick": pick})

    def menu(self, text: str, options: Mapping[str, str], *, style: MenuStyle = "auto") -> Queued:
        """Queue a question with options, label by key; `f.choice(options)` reads the answer, however it is shown.

        Reply buttons where phones show them: 3 options at most, in answer to a message of WhatsApp's Business channel.
        Else numbered lines of text, which always work. `style` decides it otherwise.
        """
        if style not in get_args(MenuStyle):
            raise ValueError(f"a menu's style is one of {', '.join(get_args(MenuStyle))}, got {style!r}")
        labels = [wording(label) for label in options.values()]
        if not labels:
            raise ValueError("a menu has at least one option")
        if style == "buttons" or (style == "auto" and len(labels) <= _MOST_BUTTONS and self._shows_buttons()):
            return self.buttons(text, options)
        lines = "\n".join(f"{number}. {label}" for number, label in enumerate(labels, start=1))
        return self._text("menu", f"{wording(text)}\n\n{lines}", (), None)

    def _shows_buttons(self) -> bool:
        """Baileys sends buttons that most phones leave out; the Business channel's ids tell that it isn't Baileys."""
        message = self._event_message()
        return message is not None and (message.id or "").startswith("wamid.")

    def buttons(self, text: str, options: Mapping[str, str], *, title: str = "", footer: str = "") -> Queued:
        """Queue up to 3 reply buttons, label by id. Many phones show none (Evolution on Baileys): see `menu`."""
        if not 1 <= len(options) <= _MOST_BUTTONS:
            raise ValueError(f"WhatsApp shows 1 to {_MOST_BUTTONS} buttons, got {len(options)}")
        labels = [{"id": wording(key), "label": wording(label)} for key, label in options.items()]
        payload = {"text": wording(text), "title": title, "footer": footer, "options": labels}
        return self._add("buttons", "buttons", payload)

    def list(
        self, text: str, sections: Mapping[str, Iterable[Row]], *, button: str, title: str = "", footer: str = ""
    ) -> Queued:
        """Queue a list to pick from, rows by section title, behind a button with the label `button`."""
        groups = [
            {"title": name, "rows": [msgspec.structs.asdict(row) for row in rows]} for name, rows in sections.items()
        ]
        if not any(group["rows"] for group in groups):
            raise ValueError("ctx.list() has no row to pick")
        payload = {"text": wording(text), "title": title, "footer": footer, "button": wording(button)}
        return self._add("list", "list", payload | {"sections": groups})

    def typing(self, seconds: float = 2.0) -> Queued:
        """Queue the sight of somebody typing, up to 60 s; what is queued after it waits for its end."""
        if not 0 < seconds <= _LONGEST_TYPING:
            raise ValueError(f"typing lasts up to {_LONGEST_TYPING:g} s, got {seconds!r}")
        return self._add("typing", "typing", {"seconds": float(seconds)})

    def _text(self, method: str, text: str, mentions: Mentions, quote: AnyMessage | None) -> Queued:
        return self._add(method, "text", {"text": wording(text)} | self._options(mentions, quote))

    def _options(self, mentions: Mentions, quote: AnyMessage | None) -> dict[str, Any]:
        people = mentioned(mentions)
        found: dict[str, Any] = {"mentions": list(people)} if people else {}
        return found | ({"quote": quoted(quote, self._event_message())} if quote is not None else {})


class Add(Protocol):
    """Records a send to any chat; a context's."""

    def __call__(self, method: str, kind: Kind, to: str, payload: dict[str, Any], data: bytes | None, /) -> Queued:
        """Check that the handler still runs, and queue."""
        ...


class Elsewhere(Sends):
    """Another chat than the event's; what `ctx.to(...)` gives."""

    def __init__(self, add: Add, to: str) -> None:
        self._record = add
        self._to = to

    def text(self, text: str, *, mentions: Mentions = (), quote: AnyMessage | None = None) -> Queued:
        """Queue a text."""
        return self._text("to", text, mentions, quote)

    def _add(self, method: str, kind: Kind, payload: dict[str, Any], data: bytes | None = None) -> Queued:
        return self._record(method, kind, self._to, payload, data)

    def _event_message(self) -> Message | None:
        return None


def _place(file: File) -> dict[str, str]:
    return {"url": file.url} if file.url else {}


def _shown_as(mimetype: str) -> MediaKind:
    match mimetype.partition("/")[0]:
        case "image":
            return "image"
        case "video":
            return "video"
    return "document"


def _texts(name: str, values: Sequence[str]) -> Sequence[str]:
    if isinstance(values, str):
        raise ValueError(f"{name} takes a list of texts, got the text {values!r}")  # noqa: TRY004 - one kind to catch
    return [wording(value) for value in values]
