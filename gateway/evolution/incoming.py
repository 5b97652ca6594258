"""Read one HTTP/1.1 answer as it comes in, however it is cut. No I/O.

Of our own, and as small as what Evolution and the proxies before it answer: aiohttp's client took two thirds of what a
reply cost in the worker.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

HEAD: Final = 2**16
"""Bytes of an answer's head at most."""

_END: Final = b"\r\n"
_LENGTH: Final = re.compile(rb"[0-9a-fA-F]{1,16}(?=\s*(;|$))")
_INTERIM: Final = 1  # what a status begins with that another one follows
_BARE: Final = frozenset({204, 304})
"""Statuses without content."""


class Incoming:
    """One answer. What it is fed with may raise `ConnectionError`: it is no HTTP, or it ends too early."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: Mapping[str, str] = {}
        """By name in lower case; of several with one name, the last."""
        self.is_whole = False
        self._raw = bytearray()
        self._content = bytearray()
        self._left = 0
        self._step: Callable[[], bool] = self._read_head
        self._closes = False

    @property
    def has_begun(self) -> bool:
        """Its head is here."""
        return self.status > 0

    @property
    def waiting(self) -> int:
        """Bytes of content that nobody has taken."""
        return len(self._content)

    @property
    def lets_go_on(self) -> bool:
        """Another request may follow on its connection."""
        return self.is_whole and not self._closes and not self._raw

    def take(self) -> bytes:
        """The content that has come since it was last taken."""
        taken, self._content = bytes(self._content), bytearray()
        return taken

    def feed(self, data: bytes) -> None:
        """More of it has come."""
        if self.is_whole:
            raise ConnectionError("it spoke unasked")
        self._raw += data
        while self._step():
            pass

    def end(self) -> None:
        """The connection is closed: nothing more will come."""
        if self._step == self._read_rest:
            self.is_whole = True
        if not self.is_whole:
            raise ConnectionError("the connection was closed before the answer's end")

    # Each step reads what it can, and says whether the next may find something to read.

    def _read_head(self) -> bool:
        end = self._raw.find(_END * 2)
        if end < 0:
            if len(self._raw) > HEAD:
                raise ConnectionError(f"the answer's head is longer than {HEAD} bytes")
            return False
        first, *lines = self._raw[:end].decode("latin-1").split("\r\n")
        del self._raw[: end + 4]
        version, _, rest = first.partition(" ")
        if not version.startswith("HTTP/1.") or not rest[:3].isdecimal():
            raise ConnectionError("the answer is no HTTP/1.1")
        status = int(rest[:3])
        if status // 100 == _INTERIM:
            return True
        pairs = (line.partition(":") for line in lines)
        self.headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        self.status = status
        self._closes = version == "HTTP/1.0" or "close" in self.headers.get("connection", "").lower()
        self._expect_content()
        return not self.is_whole

    def _expect_content(self) -> None:
        length = self.headers.get("content-length")
        if self.status in _BARE:
            self.is_whole = True
        elif "chunked" in self.headers.get("transfer-encoding", "").lower():
            self._step = self._read_size
        elif length is None:
            self._closes, self._step = True, self._read_rest
        elif length.isdecimal():
            self._left, self._step = int(length), self._read_length
        else:
            raise ConnectionError("the answer's Content-Length is no number")

    def _read_length(self) -> bool:
        self._move()
        self.is_whole = self._left == 0
        return False

    def _read_rest(self) -> bool:
        self._left = len(self._raw)
        self._move()
        return False

    def _read_size(self) -> bool:
        line = self._line()
        if line is None:
            return False
        if not (length := _LENGTH.match(line)):
            raise ConnectionError("the answer's chunks have no length")
        self._left = int(length[0], 16)
        self._step = self._read_chunk if self._left else self._read_trailer
        return True

    def _read_chunk(self) -> bool:
        self._move()
        if self._left or len(self._raw) < len(_END):
            return False
        del self._raw[: len(_END)]
        self._step = self._read_size
        return True

    def _read_trailer(self) -> bool:
        line = self._line()
        self.is_whole = line == b""
        return bool(line)

    def _line(self) -> bytes | None:
        end = self._raw.find(_END)
        if end < 0:
            return None
        line = bytes(self._raw[:end])
        del self._raw[: end + len(_END)]
        return line

    def _move(self) -> None:
        """What is there of the content that is due."""
        piece = self._raw[: self._left]
        self._content += piece
        self._left -= len(piece)
        del self._raw[: len(piece)]
