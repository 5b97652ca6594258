"""What a handler asks to be sent, as a value: checked when it asks, sent once it has succeeded."""

import mimetypes
import re
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal, get_args

import msgspec

from gateway.address import address
from gateway.events.context import Quoted
from gateway.events.groups import Participant
from gateway.events.message import Message
from gateway.events.people import Person

Kind = Literal[
    "text", "media", "audio", "sticker", "location", "contact", "poll", "buttons", "list",
    "reaction", "edit", "delete", "read", "typing",
]  # fmt: skip
KINDS: Final = get_args(Kind)
REPEATABLE: Final = frozenset({"reaction", "edit", "delete", "read", "typing"})
"""Kinds that change nothing when they happen twice, so that one of unknown outcome may simply be sent again."""
LIMIT: Final = 100 * 2**20
"""Bytes of a file to send: Evolution takes bodies of 136 MiB, and a file is a third longer inside one."""

_QUEUED: Final = re.compile(r"\d+\.[\w-]+\.\d+\.\d+")


class File(msgspec.Struct, frozen=True, kw_only=True):
    """Something to send that is a file: by its address, or by its bytes."""

    url: str | None = None
    data: bytes | None = None
    name: str = ""
    mimetype: str = ""


class Send(msgspec.Struct, frozen=True, kw_only=True):
    """One message in the order the handler asked for it."""

    n: int
    """From 1 within the delivery."""
    instance: str
    to: str
    """A jid, or the digits of a telephone number with its country code."""
    kind: Kind = "text"
    payload: dict[str, Any]
    """JSON; what each kind carries is what the method of `Sends` that makes it says."""
    data: bytes | None = None
    """The bytes of its file, where it brings one itself; the worker puts them on disk."""
    file: str | None = None
    """The name they are kept under then."""
    server: str | None = None
    """Where the Evolution that the event came from answers, by its own word."""

    @property
    def text(self) -> str:
        """Its words: the text, or the caption; "" for what has none."""
        return str(self.payload.get("text") or self.payload.get("caption") or "")


class Queued(msgspec.Struct, frozen=True):
    """A message that waits for its handler to succeed. Awaiting it is harmless and gives itself."""

    id: str
    """`<event id>.<plugin>.<run>.<n>`, safe to keep as JSON."""

    def __await__(self) -> Generator[Any, None, "Queued"]:
        yield from ()
        return self


AnyMessage = Queued | Message | Quoted | str
"""A message to quote, edit, delete or react to: what a send gave, what an event showed, or an id of either."""


_ABOUT: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
    "media": lambda payload: payload["name"],
    "location": lambda payload: f"{payload['latitude']:g}, {payload['longitude']:g}",
    "contact": lambda payload: ", ".join(each["name"] for each in payload["contacts"]),
    "poll": lambda payload: f'"{payload["question"]}"',
    "reaction": lambda payload: payload["emoji"] or "taken back",
    "typing": lambda payload: f"{payload['seconds']:g} s",
}
"""What a summary says of a kind besides its text."""


def summary(kind: str, payload: Mapping[str, Any]) -> str:
    """What is sent, in a few words for a person."""
    text = payload.get("text") or payload.get("caption")
    about = _ABOUT[kind](payload) if kind in _ABOUT else ""
    name = "" if kind == "text" else payload.get("media", kind)
    return " ".join(filter(None, (name, about, f'"{text}"' if text else "")))


def reference(message: AnyMessage, event_message: Message | None) -> dict[str, Any]:
    """How a message is named in a payload: `queued`, or WhatsApp's `id` with whose it is.

    Raises:
        ValueError: it has no id, or is nothing of the kind.
    """
    if isinstance(message, Queued):
        return {"queued": message.id}
    if isinstance(message, str):
        if _QUEUED.fullmatch(message):
            return {"queued": message}
        return _by_id(message, event_message)
    if isinstance(message, Quoted):
        if not message.id:
            raise ValueError("the quoted message has no id, so it can't be named")
        return _by_id(message.id, event_message)
    if not isinstance(message, Message):
        raise ValueError(f"a {type(message).__name__} is no message: give what a send gave, a message or an id")  # noqa: TRY004 - one kind to catch
    if not message.id:
        raise ValueError("this message has no id, so it can't be named")
    author = message.sender.jid if message.is_group and not message.from_me else None
    return _named(message.id, from_me=message.from_me, participant=author)


def quoted(message: AnyMessage, event_message: Message | None) -> dict[str, Any]:
    """The same with its words, which WhatsApp shows above the answer where Evolution keeps no messages.

    Raises:
        ValueError: as `reference`.
    """
    found = reference(message, event_message)
    shown = message if isinstance(message, Message | Quoted) else event_message
    words = shown.text if shown and shown.id == found.get("id") else None
    return found | {"text": words} if words else found


def _by_id(message_id: str, shown: Message | None) -> dict[str, Any]:
    """An id alone says nothing of its author; the event's message and what it quotes do."""
    if not message_id.strip():
        raise ValueError("an empty id names no message")
    if shown and shown.id == message_id:
        return reference(shown, None)
    if shown and shown.quoted and shown.quoted.id == message_id:
        author = shown.quoted.sender if shown.is_group else None
        return _named(message_id, from_me=None, participant=author)
    return _named(message_id, from_me=None, participant=None)


def _named(message_id: str, *, from_me: bool | None, participant: str | None) -> dict[str, Any]:
    """`from_me` None: not known here; the outbox knows whether it sent it."""
    found: dict[str, Any] = {"id": message_id, "from_me": from_me}
    return found | {"participant": participant} if participant else found


def read_file(source: Path | bytes | str, *, name: str = "", mimetype: str = "") -> File:
    """A file to send: a path, bytes, or a URL for Evolution to fetch. A path is read now, so it may change later.

    Raises:
        ValueError: there is no such file, it is empty or over LIMIT, or the text is no URL.
    """
    if isinstance(source, str):
        if not source.startswith(("http://", "https://")):
            raise ValueError(f"{source!r} is no URL; a file on this machine is given as Path({source!r})")
        tail = source.partition("?")[0].rpartition("/")[2]
        return File(url=source, name=name or tail, mimetype=mimetype or guess(name or tail))
    if isinstance(source, Path):
        name = name or source.name
        source = _read(source)
    if not isinstance(source, bytes | bytearray | memoryview):
        raise ValueError(f"a {type(source).__name__} is no file: give a Path, bytes or a URL")  # noqa: TRY004 - one kind to catch
    if not source:
        raise ValueError(f"{name or 'the file'} is empty")
    if len(source) > LIMIT:
        raise ValueError(f"{name or 'the file'} has {len(source)} bytes; Evolution takes {LIMIT}")
    return File(data=bytes(source), name=name, mimetype=mimetype or guess(name))


def _read(path: Path) -> bytes:
    try:
        if (size := path.stat().st_size) > LIMIT:
            raise ValueError(f"{path} has {size} bytes; Evolution takes {LIMIT}")
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path} can't be read: {error.strerror}") from error


def guess(name: str) -> str:
    """The media type that a file's name tells; "" if none."""
    return mimetypes.guess_type(name)[0] or ""


def wording(text: object) -> str:
    """A text with something in it.

    Raises:
        ValueError: it is empty or no text, which Evolution would refuse only after the handler has succeeded.
    """
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"there is no text to send: got {f'a {type(text).__name__}' if text else repr(text)}")
    return text


def mentioned(people: Sequence[Person | Participant | str]) -> tuple[str, ...]:
    """The addresses of people to mention, each once.

    Raises:
        ValueError: one of them has no address.
    """
    if isinstance(people, str):
        raise ValueError(f"mentions= takes a list of people, got the text {people!r}")  # noqa: TRY004 - one kind to catch
    return tuple(dict.fromkeys(address(_address_of(each)) for each in people))


def _address_of(person: Person | Participant | str) -> str:
    if isinstance(person, str):
        return person
    if isinstance(person, Person | Participant):
        return person.jid or ""
    raise ValueError(f"mentions= takes people, jids or numbers, got a {type(person).__name__}")
