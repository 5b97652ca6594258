"""Read the head of a plain POST, and write that of its answer.

What Evolution sends is read, and nothing that could be understood in two ways. Whatever is out of the ordinary is left
to the web server's own parser: chunks, compression, `Expect`, an odd character, no host, a header twice. So this can be
short, and quick: one sender's heads differ in their length alone, and are read once.
"""

import re
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import Final, NamedTuple, TypeAlias

from multidict import CIMultiDict, CIMultiDictProxy

_LENGTH: Final = re.compile(rb"\r\ncontent-length: ?([0-9]{1,12})(?=\r\n)", re.IGNORECASE)
_FIRST_LINE: Final = re.compile(rb"POST (/[A-Za-z0-9._~/-]*) HTTP/1\.1")
_FIELD: Final = re.compile(rb"([A-Za-z0-9-]+): ?([\x21-\x7e]|[\x21-\x7e][\x20-\x7e]*[\x21-\x7e])")
_ELSEWHERE: Final = frozenset(
    {"content-encoding", "content-length", "expect", "te", "trailer", "transfer-encoding", "upgrade"}
)
"""Headers that the web server's parser is to look at."""
_LONGEST: Final = 4096
"""Bytes of a head. Evolution's have about 200, and thousands are remembered."""
_MOST: Final = 64  # headers; the web server refuses more than 128


Fields: TypeAlias = tuple[tuple[str, str], ...]
"""Headers: names and values."""


class Head(NamedTuple):
    """The first line and the headers, without the body's length."""

    path: tuple[str, ...]
    """Its parts; repeated slashes count as one."""
    headers: CIMultiDictProxy[str]
    is_last: bool
    """The sender closes the connection after the answer."""


def take_length(head: bytes) -> tuple[bytes, int] | None:
    """A head without its Content-Length, and that; None where it does not stand there as usual.

    `head` ends with the line break of its last line.
    """
    found = _LENGTH.search(head)
    return (head[: found.start()] + head[found.end() :], int(found[1])) if found else None


def read_head(head: bytes) -> Head | None:
    """Read what `take_length` has left; None: let the web server's own parser do it."""
    if len(head) > _LONGEST:
        return None
    first, *lines = head.removesuffix(b"\r\n").split(b"\r\n")
    target = None if b"/." in first else _FIRST_LINE.fullmatch(first)
    fields = [_FIELD.fullmatch(line) for line in lines]
    if not target or not all(fields) or len(fields) > _MOST:
        return None
    pairs = [(field[1].decode(), field[2].decode()) for field in fields if field]
    headers = CIMultiDict(pairs)
    connection = headers.get("Connection", "keep-alive").lower()
    names = {name.lower() for name, _ in pairs}
    if (
        len(names) < len(pairs)
        or "host" not in names
        or connection not in ("keep-alive", "close")
        or not names.isdisjoint(_ELSEWHERE)
    ):
        return None
    path = tuple(filter(None, target[1].decode().split("/")))
    return Head(path, CIMultiDictProxy(headers), connection == "close")


@lru_cache(256)
def answer_head(second: int, status: int, kind: str, length: int, headers: Fields) -> bytes:
    """The head of an answer given at a unix second; those of one second differ in little, and are remembered."""
    fields = {
        "Content-Type": kind,
        "Content-Length": str(length),
        "Date": formatdate(second, usegmt=True),
        **dict(headers),
    }
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *(f"{name}: {value}" for name, value in fields.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
