"""The ways to a message's file, in their order: link, REST, WhatsApp's own server.

What came inside the event was tried before, by `Media` itself. Every way writes into a draft, and only a draft that
passed its checks becomes a file.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import BinaryIO, Final, Protocol
from urllib.parse import urlsplit

import msgspec

from gateway.config import Config
from gateway.config import Media as MediaSettings
from gateway.errors import MediaError, MediaTooLarge, MediaUnavailable
from gateway.events import Event, Media, Message, MessageEvent, MessagesSet
from gateway.events.numbers import octets
from gateway.evolution import Evolution, EvolutionError
from gateway.media.cache import Cache, Draft

FOLDER: Final = "media"
"""Below the data folder."""
WHATSAPP: Final = "mmg.whatsapp.net"
"""The server that every media path of WhatsApp can be asked of; messages also name others below `whatsapp.net`."""

Fetch = Callable[[str], AsyncGenerator[bytes, None]]
"""Gives the bytes behind a URL in pieces; raises MediaUnavailable, or MediaTooLarge where too many are announced."""


class Rest(Protocol):
    """Evolution's own copy of a message's file."""

    def __call__(self, instance: str, message_id: str, /) -> AsyncGenerator[bytes, None]:
        """Its bytes in pieces; raises MediaUnavailable when Evolution gives none."""


class Origin(msgspec.Struct, frozen=True):
    """Which message a file belongs to, and where its other bytes are: a `MediaSource`."""

    library: "Library"
    instance: str | None
    message_id: str | None

    async def open(self, media: Media) -> BinaryIO:
        """As `MediaSource.open`."""
        return await self.library.open(media, self)


class Library:
    """Gives the files of messages."""

    def __init__(self, cache: Cache, fetch: Fetch, max_size: int, rest: Rest | None = None) -> None:
        self._cache = cache
        self._fetch = fetch
        self._max_size = max_size
        self._rest = rest
        self._ways = {
            "mediaUrl": self._by_link,
            "getBase64FromMediaMessage": self._by_rest,
            "WhatsApp": self._by_whatsapp,
        }

    @classmethod
    def of(cls, config: Config) -> "Library":
        """The one that the settings describe."""
        settings = config.media
        return cls(
            Cache(config.data / FOLDER, settings.cache, config.data_min_free),
            _fetch_of(settings),
            settings.max_size,
            _rest_of(config) if config.evolution.apikey else None,
        )

    def lend(self, event: Event) -> Event:
        """The event, its files now able to fetch what it doesn't carry."""
        if isinstance(event, MessageEvent):
            message = self._lend(event.message, event.instance)
            return event if message is event.message else msgspec.structs.replace(event, message=message)
        if isinstance(event, MessagesSet):
            items = tuple(self._lend(item, event.instance) for item in event.items)
            return msgspec.structs.replace(event, items=items)
        return event

    async def open(self, media: Media, origin: Origin) -> BinaryIO:
        """The file, by the first way that works.

        Raises:
            MediaTooLarge: above the limit.
            MediaUnavailable: no way worked.
            MediaError: the cache's folder can't be written.
        """
        if media.size is not None and media.size > self._max_size:
            raise MediaTooLarge.above(self._max_size)
        if kept := self._cache.find(media.sha256):
            return kept
        found = []
        for name, way in self._ways.items():
            with self._cache.draft() as draft:
                try:
                    await way(media, origin, draft)
                    return self._cache.add(draft)
                except MediaUnavailable as error:
                    found.append(f"{name}: {error}")
                except OSError as error:
                    raise MediaError(f"this {media.kind} can't be written into the cache: {error.strerror}") from error
        raise MediaUnavailable(f"this {media.kind} can't be had. {'. '.join(found)}.")

    def _lend(self, message: Message, instance: str | None) -> Message:
        if message.media is None:
            return message
        media = msgspec.structs.replace(message.media, source=Origin(self, instance, message.id))
        return msgspec.structs.replace(message, media=media)

    async def _by_link(self, media: Media, _origin: Origin, draft: Draft) -> None:
        if media.url is None:
            raise MediaUnavailable("the event has none; Evolution adds it where its S3 is on")
        await self._pour(self._fetch(media.url), draft.write)
        _compare(media, draft)

    async def _by_rest(self, _media: Media, origin: Origin, draft: Draft) -> None:
        if self._rest is None:
            raise MediaUnavailable("evolution.apikey is not set in config.yaml")
        if origin.instance is None or origin.message_id is None:
            raise MediaUnavailable("the event names no message to ask for")
        await self._pour(self._rest(origin.instance, origin.message_id), draft.write)

    async def _by_whatsapp(self, media: Media, _origin: Origin, draft: Draft) -> None:
        # The library of ciphers takes 9 MB and a tenth of a second, and most gateways never need it.
        from gateway.media.cipher import KEY_BYTES, Decipher  # noqa: PLC0415

        key = octets(media.content.get("mediaKey"))
        if key is None or len(key) != KEY_BYTES:
            raise MediaUnavailable("the event has no mediaKey")
        decipher = Decipher(key, media.kind)
        pieces = self._fetch(_encrypted(media))
        await self._pour(pieces, lambda piece: draft.write(decipher.update(piece)))
        draft.write(decipher.finish())
        _compare(media, draft)

    async def _pour(self, pieces: AsyncGenerator[bytes, None], write: Callable[[bytes], object]) -> None:
        """Take a file in, and not a piece more than `media.max_size`."""
        taken = 0
        async with aclosing(pieces):
            async for piece in pieces:
                taken += len(piece)
                if taken > self._max_size:
                    raise MediaTooLarge.above(self._max_size)
                write(piece)


def _fetch_of(settings: MediaSettings) -> Fetch:
    """Loaded for the first file that is fetched: aiohttp takes 8 MB and a tenth of a second of a worker's start."""

    def pieces(url: str) -> AsyncGenerator[bytes, None]:
        from gateway.media.download import Downloads  # noqa: PLC0415 -- as above
        from gateway.media.hosts import Hosts  # noqa: PLC0415 -- as above

        return Downloads(Hosts(settings.hosts), settings.max_size).pieces(url)

    return pieces


def _rest_of(config: Config) -> Rest:
    """Asked through a client of its own each time: handlers run on loops of their own, and a session belongs to one."""
    server = config.evolution

    async def pieces(instance: str, message_id: str, /) -> AsyncGenerator[bytes, None]:
        evolution = Evolution(server.url, server.apikey.reveal(), version=server.version)
        try:
            async with aclosing(evolution.stream_media(instance, message_id)) as found:
                async for piece in found:
                    yield piece
        except EvolutionError as error:
            raise MediaUnavailable(str(error)) from error
        finally:
            await evolution.close()

    return pieces


def _encrypted(media: Media) -> str:
    """Where WhatsApp keeps the file: its `url`, or its path where that names no more than a server."""
    url, path = media.content.get("url"), media.content.get("directPath")
    if isinstance(url, str) and len(urlsplit(url).path) > 1:
        return url
    if isinstance(path, str) and path.startswith("/"):
        return f"https://{WHATSAPP}{path}"
    raise MediaUnavailable("the event has neither url nor directPath")


def _compare(media: Media, draft: Draft) -> None:
    """Whether the bytes behind a URL are those that the message speaks of.

    What Evolution itself hands over is taken at its word, for the digest comes from it too.
    """
    if media.sha256 is not None and media.sha256 != draft.digest:
        raise MediaUnavailable(f"its {draft.size} bytes are not the message's file: the digest differs")
