"""The bare handler, but the body is on disk before it answers: the least that a receiver does which loses nothing.

It writes over a file that has its size already, as a log does that goes round, and flushes after each request.
"""

import asyncio
import os
import sys
import tempfile
from typing import Final

from aiohttp import web

from bench.servers.bare import serve

SIZE: Final = 4 * 2**20
"""Bytes of the file."""
PAGE: Final = 4096


class Log:
    """A file that is written round and round."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 -- open as long as the process
        self._file.write(bytes(SIZE))
        self._file.flush()
        os.fsync(self._file.fileno())
        self._at = 0

    def append(self, body: bytes) -> None:
        """Write, and return when it is on disk."""
        pages = -(-len(body) // PAGE)
        if self._at + pages * PAGE > SIZE:
            self._at = 0
        os.pwrite(self._file.fileno(), body.ljust(pages * PAGE), self._at)
        os.fdatasync(self._file.fileno())
        self._at += pages * PAGE


if __name__ == "__main__":
    log = Log()

    async def keep(request: web.Request) -> None:
        """Before it is answered."""
        log.append(await request.read())

    asyncio.run(serve(int(sys.argv[1]), keep))
