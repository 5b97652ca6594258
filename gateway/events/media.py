"""Files inside messages: photos, videos, voice, documents, stickers.

Nothing is fetched here: `Media` decodes the bytes that came inside the event (webhook base64), and asks its `source`
for all others. The worker gives it one; what is decoded anywhere else has none.
"""

import asyncio
import shutil
from pathlib import Path
from typing import BinaryIO, Final, Literal, Protocol

import msgspec

from gateway.errors import MediaNotInline
from gateway.events.content import Found
from gateway.events.kinds import MEDIA
from gateway.events.numbers import base64_pieces, from_base64, octets
from gateway.events.quiet import quiet
from gateway.events.reader import JsonObject, Reader
from gateway.partfile import PartFile

MediaKind = Literal["image", "video", "audio", "voice", "document", "sticker"]

_EXTENSIONS: Final = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "image/gif": "gif",
    "video/mp4": "mp4",
    "video/3gpp": "3gp",
    "audio/ogg": "ogg",
    "audio/mpeg": "mp3",
    "audio/mp4": "m4a",
    "audio/aac": "aac",
    "audio/amr": "amr",
    "audio/wav": "wav",
    "application/pdf": "pdf",
    "application/zip": "zip",
    "application/msword": "doc",
    "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
    "text/plain": "txt",
    "text/csv": "csv",
    "text/vcard": "vcf",
}


class MediaSource(Protocol):
    """Where the bytes come from that the event doesn't carry."""

    async def open(self, media: "Media") -> BinaryIO:
        """The whole file, checked, to be read from its beginning; whoever asked closes it.

        Raises:
            MediaError: it can't be had.
        """


class Media(msgspec.Struct, frozen=True, kw_only=True):
    """A file inside a message."""

    kind: MediaKind
    """What it is; `voice` is audio recorded in the chat."""
    mimetype: str | None = None
    """As the sender's phone said, parameters included (`audio/ogg; codecs=opus`)."""
    size: int | None = None
    """Bytes of the file. None on the Business channel, which doesn't say."""
    filename: str | None = None
    """Name of a document; other kinds have none."""
    seconds: int | None = None
    """Length of audio or video in seconds."""
    caption: str | None = None
    """Text written under it; the same as the message's `text`."""
    width: int | None = None
    """Pixels."""
    height: int | None = None
    """Pixels."""
    pages: int | None = None
    """Pages of a document, when WhatsApp counted them."""
    animated: bool = False
    """A moving sticker, or a video that plays as a GIF."""
    has_base64: bool = False
    """The event carries the bytes: `read()` needs no network."""
    url: str | None = None
    """Where anybody may fetch the file: Evolution's S3 link (it expires) or the EVOLUTION channel's own link. Never
    WhatsApp's `url`, which serves encrypted bytes."""
    content: JsonObject = {}
    """The content object as it came, for what has no attribute here."""
    inline: str | None = None
    """The base64 text that `read()` decodes."""
    source: MediaSource | None = None
    """What fetches bytes that the event doesn't carry; only events that a worker hands to a handler have one."""

    def __repr__(self) -> str:
        return quiet(self, "content", "inline", "source")

    @property
    def extension(self) -> str:
        """File name extension without the dot: the document's own, else by mimetype, else `bin`."""
        _, dot, own = (self.filename or "").rpartition(".")
        if dot and own.isalnum():
            return own.lower()
        return _EXTENSIONS.get((self.mimetype or "").partition(";")[0].strip().lower(), "bin")

    @property
    def sha256(self) -> bytes | None:
        """Digest of the file, 32 bytes; the same file sent twice has the same."""
        return octets(self.content.get("fileSha256"))

    @property
    def thumbnail(self) -> bytes | None:
        """A small JPEG preview."""
        return octets(self.content.get("jpegThumbnail"))

    async def read(self) -> bytes:
        """The file's bytes: those inside the event, else fetched. `save` needs no memory for them.

        Raises:
            MediaTooLarge: above `media.max_size`.
            MediaUnavailable: no way to them worked.
            MediaNotInline: the event carries none and was not handed over by a worker, which could fetch them.
        """
        if self.inline is not None and (found := from_base64(self.inline)) is not None:
            return found
        with await self._fetched() as file:
            return await asyncio.to_thread(file.read)

    async def save(self, path: str | Path) -> Path:
        """Write the file to `path`, whole or not at all, and make the folders above it. Gives the path.

        Raises:
            MediaError: as `read`.
            OSError: it can't be written there.
        """
        target = Path(path)
        if self.inline is not None and await asyncio.to_thread(_save_base64, self.inline, target):
            return target
        with await self._fetched() as file:
            await asyncio.to_thread(_save_copy, file, target)
        return target

    async def _fetched(self) -> BinaryIO:
        if self.source is not None:
            return await self.source.open(self)
        found = "came without its bytes" if self.inline is None else "carries bytes that are not base64"
        raise MediaNotInline(
            f"this {self.kind} {found}; only the worker fetches them, for the events it hands to handlers. Anywhere "
            "else, turn on base64 in the instance's webhook"
        )


def _save_base64(text: str, target: Path) -> bool:
    """Whether it was base64."""
    try:
        with PartFile.beside(target) as part:
            for piece in base64_pieces(text):
                part.write(piece)
            part.keep(target)
    except ValueError:
        return False
    return True


def _save_copy(file: BinaryIO, target: Path) -> None:
    with PartFile.beside(target) as part:
        shutil.copyfileobj(file, part)
        part.keep(target)


def media_of(outer: Reader, found: Found) -> Media | None:
    """The file of a message. Its bytes stand beside the outermost content, whatever wraps it."""
    if found.kind not in MEDIA or (found.key is not None and found.body is None):
        return None
    kind: MediaKind = found.kind  # type: ignore[assignment]  # narrowed by MEDIA
    body = found.body or Reader({}, found.message.path, found.message.problems)
    inline = outer.text("base64") or found.message.text("base64")
    return Media(
        kind=kind,
        mimetype=body.first_text("mimetype", "mime_type"),
        size=body.whole("fileLength"),
        filename=body.first_text("fileName", "filename"),
        seconds=body.whole("seconds"),
        caption=body.text("caption"),
        width=body.whole("width"),
        height=body.whole("height"),
        pages=body.whole("pageCount"),
        animated=_animated(body),
        has_base64=inline is not None,
        url=outer.text("mediaUrl"),
        content=body.data,
        inline=inline,
    )


def _animated(body: Reader) -> bool:
    return any(body.flag(key) for key in ("isAnimated", "animated", "gifPlayback"))
