"""A server of files on this machine under a made-up name, encrypted ones too, and a library that may read them."""

import hmac
import os
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.test_utils import unused_port
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gateway.events import Media, MessagesUpsert, decode
from gateway.media.cache import Cache
from gateway.media.download import Downloads
from gateway.media.hosts import Address, Hosts
from gateway.media.library import Library

HOST = "cdn.test"
MEDIA_KEY = bytes(range(32))
LIMIT = 4 * 2**20  # bytes of one file

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


def encrypt(plain: bytes, info: bytes = b"WhatsApp Image Keys", media_key: bytes = MEDIA_KEY) -> bytes:
    """The file as WhatsApp stores it, by the published scheme; written apart from what decrypts it."""
    derived = HKDF(SHA256(), 112, salt=b"\0" * 32, info=info).derive(media_key)
    iv, key, mac_key = derived[:16], derived[16:48], derived[48:80]
    padding = 16 - len(plain) % 16
    aes = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    encrypted = aes.update(plain + bytes([padding]) * padding) + aes.finalize()
    return encrypted + hmac.digest(mac_key, iv + encrypted, "sha256")[:10]


class Lookup(AbstractResolver):
    """Answers every name with the addresses it is given, in turn."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_INET,  # noqa: ARG002 -- the interface's
    ) -> list[ResolveResult]:
        self.asked.append(host)
        address = self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)
        return [
            ResolveResult(
                hostname=host, host=address, port=port, family=socket.AF_INET, proto=0, flags=socket.AI_NUMERICHOST
            )
        ]

    async def close(self) -> None:
        """It holds nothing."""


class Server:
    """Serves files under HOST, and notes what was asked of it."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._answers: dict[str, Handler] = {}
        self._port = unused_port()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["Server"]:
        app = web.Application()
        app.router.add_route("*", "/{name}{rest:.*}", self._answer)
        runner = web.AppRunner(app, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self._port).start()
        try:
            yield self
        finally:
            await runner.cleanup()

    def serve(self, name: str, answer: bytes | web.Response) -> str:
        """Answer a path; gives its URL."""

        async def give(_: web.Request) -> web.StreamResponse:
            return web.Response(body=answer) if isinstance(answer, bytes) else answer

        return self.serve_by(name, give)

    def serve_by(self, name: str, answer: Handler) -> str:
        """Have a path answered; gives its URL."""
        self._answers[name] = answer
        return self.url(name)

    def url(self, name: str, host: str = HOST) -> str:
        return f"http://{host}:{self._port}/{name}"

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        self.asked.append(name)
        return await self._answers.get(name, _missing)(request)


async def _missing(_: web.Request) -> web.StreamResponse:
    return web.Response(status=404)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with Server().listening() as server:
        yield server


class Shelf:
    """A library with a cache of its own; its server's address counts as public."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.by_rest: bytes | Exception | None = None
        """What Evolution answers; None: no key is set."""
        self.rest_asked: list[tuple[str, str]] = []
        self.lookup = Lookup("127.0.0.1")
        self.is_allowed: Callable[[Address], bool] = lambda _: True
        self.limit = LIMIT
        self.cache = 2**30

    def library(self) -> Library:
        hosts = Hosts([HOST], is_allowed=self.is_allowed, lookup=lambda: self.lookup)
        rest = self._rest if self.by_rest is not None else None
        return Library(Cache(self.folder, self.cache), Downloads(hosts, self.limit).pieces, self.limit, rest)

    def lend(self, content: dict[str, Any], *, key: str = "imageMessage", **beside: object) -> Media:
        """The file of a message whose event a worker hands to a handler."""
        return lent(self.library(), content, key=key, **beside)

    @property
    def kept(self) -> list[str]:
        """Names of the files in the cache, those half written included."""
        return sorted(path.name for path in self.folder.iterdir()) if self.folder.exists() else []

    async def _rest(self, instance: str, message_id: str) -> AsyncGenerator[bytes, None]:
        self.rest_asked.append((instance, message_id))
        if isinstance(self.by_rest, Exception):
            raise self.by_rest
        assert self.by_rest is not None
        yield self.by_rest


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "media")


def lent(
    library: Library, content: dict[str, Any] | None = None, *, key: str = "imageMessage", **beside: object
) -> Media:
    """The file of a message that a library has lent what it doesn't carry."""
    data = {"key": {"id": "AC01", "remoteJid": "1@s.whatsapp.net"}, "message": {key: content or {}, **beside}}
    event = library.lend(decode("messages.upsert", {"instance": "shop-1", "data": data}))
    assert isinstance(event, MessagesUpsert)
    assert event.message.media is not None
    return event.message.media


def encrypted_content(plain: bytes, url: str, **more: object) -> dict[str, Any]:
    """An imageMessage whose file is encrypted behind a URL."""
    digest = {str(at): octet for at, octet in enumerate(sha256(plain).digest())}  # as 2.3.6 writes it
    return {"url": url, "mediaKey": list(MEDIA_KEY), "fileSha256": digest, "fileLength": len(plain), **more}


def photo(size: int = 100_000) -> bytes:
    return os.urandom(size)
