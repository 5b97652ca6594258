"""What every post goes through, however it came in: may it post, what is it, is it on disk, what is said of it.

Evolution gives an event up at once on 400, 401, 403, 404 and 422 and tries again on everything else, so those five are
answered only where trying again can't help.
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Final

import msgspec
from aiohttp import hdrs

from gateway.config import Config
from gateway.envelope import Envelope, read_envelope, suffix_of
from gateway.errors import JournalUnavailable
from gateway.journal import Arrival, Journal, Receipt, Refusal
from gateway.log import Line, log, write_lines
from gateway.redact import shorten_phone
from gateway.web.credentials import Credentials, Headers
from gateway.web.problems import Problem
from gateway.web.traffic import Traffic

MOMENT: Final = 0.025
"""Seconds between two times at which answered events are counted and logged: one by one that costs as much as reading
their bodies."""
RETRY_AFTER: Final = "5"  # seconds; Evolution ignores it, others do not

Path = tuple[str, ...]
"""A path's parts, decoded; repeated slashes count as one."""


class Sender(msgspec.Struct, frozen=True):
    """A sender that may post, and what its URL says."""

    suffix: str | None
    address: str | None
    """As far as it can be believed."""


class Answer(msgspec.Struct, frozen=True):
    """What a post is answered."""

    status: int
    body: bytes


class _Noted(msgspec.Struct, frozen=True):
    """Of an event on disk, and not its body: what is counted and logged."""

    envelope: Envelope
    receipt: Receipt
    seconds: float


class Reception:
    """Takes posts in."""

    def __init__(self, config: Config, journal: Journal, traffic: Traffic) -> None:
        self.settings = config.webhook
        self._base = parts(config.webhook.base_path.lower())
        self._credentials = Credentials(config.webhook)
        self._journal = journal
        self._traffic = traffic
        self._in_flight = 0
        self._noted: list[_Noted] = []
        self._told = float("-inf")
        """When it was last counted and logged, by the loop's clock."""

    @property
    def admits_for_good(self) -> bool:
        """Whoever is admitted once is so whenever the same headers come from the same address."""
        return self._credentials.last

    def admit(self, headers: Headers, path: Path, query: str, peer: str | None) -> Sender:
        """Everything that can be judged before the body is read. `peer` is the address at the connection's other end.

        Raises:
            Problem: what the sender is told instead.
        """
        if headers.getall(hdrs.ORIGIN, []) or headers.getall("Sec-Fetch-Site", []):
            raise Problem(403, "This came from a web page. Evolution's webhooks carry no Origin.")
        inside = self._below_base(path)
        verdict = self._credentials.check(headers=headers, path_segments=inside or (), address=peer, now=time.time())
        if not verdict.allowed:
            raise Problem(401, "No valid credential.", sender=verdict.address, reason=verdict.reason)
        if inside is None:
            # Evolution tries again, so correcting the URL within 20 minutes still saves the event; a 404 would lose it.
            raise Problem(421, f"No webhook lives at /{'/'.join(path)}: post to {self.settings.base_path or '/'}.")
        if (headers.getall(hdrs.CONTENT_ENCODING, ["identity"]))[0].strip().lower() not in ("", "identity"):
            raise Problem(415, "Send the body as it is, without Content-Encoding.")
        return Sender(suffix_of(verdict.rest, query), verdict.address)

    def _below_base(self, path: Path) -> Path | None:
        """The path below the base path; None when it is another path."""
        length = len(self._base)
        return path[length:] if tuple(map(str.lower, path[:length])) == self._base else None

    def hold(self, size: int) -> None:
        """So many bytes more of a body are in memory.

        Raises:
            Problem: there are too many of all senders together; nothing is held then.
        """
        if self._in_flight + size > self.settings.max_in_flight:
            raise Problem(503, "Too many bytes in flight (webhook.max_in_flight).", Retry_After=RETRY_AFTER)
        self._in_flight += size

    def let_go(self, size: int) -> None:
        """So many bytes were answered or given up."""
        self._in_flight -= size

    def take(
        self, body: bytes, sender: Sender, started: float, told: Callable[[Arrival, Receipt | BaseException], None]
    ) -> None:
        """Understand a body and append it; `told` is called once that is on disk, or can't be.

        Raises:
            EnvelopeError: it is no event.
            JournalUnavailable: nothing can be stored at present.
        """
        envelope = read_envelope(body, sender.suffix)
        self._journal.put(Arrival(envelope, body, sender.suffix, sender.address, started), told)

    def answer(self, arrival: Arrival, receipt: Receipt | BaseException) -> Answer:
        """What to answer once an arrival is on disk. It is counted and logged with all others of the same moment.

        Raises:
            Problem: it is not.
        """
        if isinstance(receipt, BaseException):
            raise unavailable(receipt) from None
        if not self._noted:
            loop = asyncio.get_running_loop()
            loop.call_at(max(loop.time(), self._told + MOMENT), self.tell)
        self._noted.append(_Noted(arrival.envelope, receipt, time.perf_counter() - arrival.started))
        if receipt.repeat:
            return Answer(200, b'{"status":"duplicate","id":"%d"}' % receipt.seq)
        return Answer(202, b'{"status":"accepted","id":"%d"}' % receipt.seq)

    def tell(self) -> None:
        """Count and log what was answered since the last time."""
        noted, self._noted = self._noted, []
        self._told = asyncio.get_running_loop().time()
        self._traffic.stored([(each.envelope.event, each.receipt.repeat) for each in noted])
        self._traffic.took([each.seconds for each in noted])
        write_lines(_lines(noted))

    async def keep(self, refusal: Refusal) -> None:
        """Put a post that is no event where a person can look at it."""
        try:
            await self._journal.refuse(refusal)
        except JournalUnavailable as error:
            log.warning("refused_body_not_kept", error=str(error))

    def refuse(self, refused: Problem, method: str) -> None:
        """Count and log what is refused; a flood from one address is logged at its 1st, 2nd, 4th, 8th ... time."""
        times = self._traffic.refused(refused.status, refused.sender)
        if times & (times - 1) == 0:
            log.warning(
                "request_refused",
                result=str(refused.status),
                reason=refused.reason,
                address=refused.sender,
                times=times if times > 1 else None,
                method=method,
            )


def unavailable(error: BaseException) -> Problem:
    """What the sender is told where nothing can be stored: it keeps the event and comes again."""
    if not isinstance(error, JournalUnavailable | sqlite3.Error):
        log.error("event_not_stored", exc_info=error)
    why = error if isinstance(error, JournalUnavailable) else JournalUnavailable.because(error)
    return Problem(503, f"{why}.", Retry_After=RETRY_AFTER)


def parts(path: str) -> Path:
    """A path's parts."""
    return tuple(filter(None, path.split("/")))


def _lines(noted: Sequence[_Noted]) -> Iterator[Line]:
    for each in noted:
        envelope, receipt = each.envelope, each.receipt
        about = _about(envelope.event, envelope.instance, envelope.chat)
        yield Line("info", "duplicate" if receipt.repeat else "accepted", about, receipt.seq, each.seconds * 1000)


@lru_cache(4096)
def _about(event: str, instance: str | None, chat: str | None) -> Mapping[str, object]:
    person = shorten_phone(chat) if chat else None
    return MappingProxyType({"event_name": event, "instance": instance, "person": person})
