"""Say of the head of a plain post who sent it and where its body is: each head is read once, and remembered."""

from typing import Final, TypeVar

import msgspec

from gateway.web.heads import read_head, take_length
from gateway.web.problems import Problem
from gateway.web.reception import Reception, Sender

K = TypeVar("K")
V = TypeVar("V")

LARGEST: Final = 2**20
"""Bytes of a body; a longer one costs so much anyway that the web server reads it, which holds it in memory once."""
_KNOWN: Final = 2048  # heads that are remembered, and as many without their length
_LINE_END: Final = b"\r\n"
END: Final = _LINE_END * 2
"""Of a head."""


class Ticket(msgspec.Struct, frozen=True):
    """What is known of a request once its head is read."""

    sender: Sender
    body: int
    """Where the body begins."""
    end: int
    """Where it ends."""
    is_last: bool


class _Judged(msgspec.Struct, frozen=True):
    """What a head comes to."""

    sender: Sender
    is_last: bool


class Tickets:
    """Of one listener."""

    def __init__(self, reception: Reception) -> None:
        self._reception = reception
        self._tickets: dict[tuple[str | None, bytes], Ticket] = {}
        """By the sender's address, and the head as it came: those of one sender differ in their length alone."""
        self._known: dict[tuple[str | None, bytes], _Judged] = {}
        """The same by the head without its length."""

    def of(self, data: bytes, end: int, peer: str | None) -> Ticket | None:
        """Read and judge a head, whose last line ends at `end`; None where that is the web server's to do."""
        head = data[:end]
        return self._tickets.get((peer, head)) or self._read(peer, head)

    def _read(self, peer: str | None, head: bytes) -> Ticket | None:
        if (found := take_length(head + _LINE_END)) is None:
            return None
        text, length = found
        if length > min(LARGEST, self._reception.settings.max_body):
            return None
        known = self._known.get((peer, text)) or self._judge(peer, text)
        if known is None:
            return None
        begin = len(head) + len(END)
        ticket = Ticket(known.sender, begin, begin + length, known.is_last)
        self._remember(self._tickets, (peer, head), ticket)
        return ticket

    def _judge(self, peer: str | None, text: bytes) -> _Judged | None:
        if (head := read_head(text)) is None:
            return None
        try:
            known = _Judged(self._reception.admit(head.headers, head.path, "", peer), head.is_last)
        except Problem:
            return None
        self._remember(self._known, (peer, text), known)
        return known

    def _remember(self, memory: dict[K, V], key: K, value: V) -> None:
        if self._reception.admits_for_good:
            if len(memory) >= _KNOWN:
                memory.clear()
            memory[key] = value
