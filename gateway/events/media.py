"""Files inside messages: photos, videos, voice, documents, stickers.

No I/O here: `Media.read` gives the bytes that came inside the event (webhook base64). Fetching the others is the REST
client's business.
"""

from typing import Final, Literal

import msgspec

from gateway.errors import GatewayError
from gateway.events.content import Found
from gateway.events.kinds import MEDIA
from gateway.events.numbers import from_base64, octets
from gateway.events.quiet import quiet
from gateway.events.reader import JsonObject, Reader

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


class MediaNotInline(GatewayError):
    """The event carries no bytes of the file: the webhook's base64 is off, or Evolution could not download it."""


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

    def __repr__(self) -> str:
        return quiet(self, "content", "inline")

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
        """The file's bytes, from the base64 inside the event.

        Raises:
            MediaNotInline: the event carries no bytes, or they are not base64.
        """
        if self.inline is None:
            raise MediaNotInline(f"this {self.kind} came without its bytes; turn on base64 in the instance's webhook")
        found = from_base64(self.inline)
        if found is None:
            raise MediaNotInline(f"the bytes of this {self.kind} are not base64")
        return found


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
