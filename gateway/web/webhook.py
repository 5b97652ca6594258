"""The endpoints Evolution posts to: authenticate, read, append to the journal, answer. Nothing else happens here.

Evolution gives an event up at once on 400, 401, 403, 404 and 422 and tries again on everything else, so those five are
answered only where trying again can't help.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, NamedTuple

import msgspec
from aiohttp import StreamReader, hdrs, web
from aiohttp.typedefs import Handler

from gateway import names
from gateway.config import Config
from gateway.envelope import Envelope, read_envelope, suffix_of
from gateway.errors import EnvelopeError, JournalUnavailable
from gateway.journal import Arrival, Journal, Receipt, Refusal
from gateway.log import Line, log, write_lines
from gateway.redact import shorten_phone
from gateway.web.credentials import Credentials, Verdict
from gateway.web.problems import Problem
from gateway.web.traffic import Traffic

BODY_PAUSE: Final = 60.0
"""Seconds without a byte of the body until the sender is told to try again."""
_TAKEN: Final = (hdrs.METH_HEAD, hdrs.METH_POST)
"""HEAD asks whether a post would be let in, and stores nothing: `gateway connect` and `doctor` knock so."""
RETRY_AFTER: Final = "5"  # seconds; Evolution ignores it, others do not

Health = Callable[[], bool]


Path = tuple[str, ...]
"""A path's parts, decoded; repeated slashes count as one."""


class _Answered(NamedTuple):
    envelope: Envelope
    receipt: Receipt
    seconds: float


class Receiver:
    """Accepts events. `accepted` is called with the numbers of new ones, once they are on disk."""

    def __init__(
        self, config: Config, journal: Journal, traffic: Traffic, accepted: Callable[[Sequence[int]], None]
    ) -> None:
        self._webhook = config.webhook
        self._base = _parts(config.webhook.base_path.lower())
        self._credentials = Credentials(config.webhook)
        self._journal = journal
        self._traffic = traffic
        self._accepted = accepted
        self._in_flight = 0
        self._answered: list[_Answered] = []

    async def post(self, request: web.Request, path: Path) -> web.Response:
        """Answer one request, whatever it is. `path` is what stands below where the application is mounted."""
        started = time.perf_counter()
        try:
            verdict = self._admit(request, path)
            if request.method == hdrs.METH_HEAD:
                return web.Response(status=204)
            body = await self._read(request)
            try:
                return await self._accept(request, verdict, body, started)
            finally:
                self._in_flight -= len(body)
        except Problem as refused:
            return self._refuse(request, refused)

    def _admit(self, request: web.Request, path: Path) -> Verdict:
        """Everything that can be judged before the body is read."""
        if request.method not in _TAKEN:
            where = f"Evolution's webhook URL here ends in {self._webhook.base_path or '/'}"
            raise Problem(405, f"{where}: paste that into Evolution, which will POST to it.", Allow=", ".join(_TAKEN))
        if hdrs.ORIGIN in request.headers or "Sec-Fetch-Site" in request.headers:
            raise Problem(403, "This came from a web page. Evolution's webhooks carry no Origin.")
        inside = self._below_base(path)
        peer = request.transport.get_extra_info("peername") if request.transport else None
        verdict = self._credentials.check(
            headers=request.headers,
            path_segments=inside or (),
            address=peer[0] if peer else None,
            now=time.time(),
        )
        if not verdict.allowed:
            raise Problem(401, "No valid credential.", sender=verdict.address, reason=verdict.reason)
        if inside is None:
            # Evolution tries again, so correcting the URL within 20 minutes still saves the event; a 404 would lose it.
            raise Problem(421, f"No webhook lives at /{'/'.join(path)}: post to {self._webhook.base_path or '/'}.")
        if request.headers.get(hdrs.CONTENT_ENCODING, "identity").strip().lower() not in ("", "identity"):
            raise Problem(415, "Send the body as it is, without Content-Encoding.")
        return verdict

    def _below_base(self, path: Path) -> Path | None:
        """The path below the base path; None when it is another path."""
        length = len(self._base)
        return path[length:] if tuple(map(str.lower, path[:length])) == self._base else None

    async def _read(self, request: web.Request) -> bytes:
        """The body. Its bytes count as in flight until the request is answered."""
        declared = request.content_length or 0
        if declared > self._webhook.max_body:
            raise Problem(413, f"{declared} bytes; webhook.max_body is {self._webhook.max_body}.")
        content = request.content
        chunks: list[bytes] = []
        size = 0
        try:
            while not content.at_eof():
                chunk = content.read_nowait() if content.is_eof() else await self._read_chunk(content)
                size += len(chunk)
                self._in_flight += len(chunk)
                chunks.append(chunk)
                self._check_size(size)
        except BaseException:
            self._in_flight -= size
            raise
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    @staticmethod
    async def _read_chunk(content: StreamReader) -> bytes:
        try:
            async with asyncio.timeout(BODY_PAUSE):
                return await content.readany()
        except TimeoutError:
            raise Problem(408, f"No byte of the body came for {BODY_PAUSE:g} s.") from None

    def _check_size(self, size: int) -> None:
        if size > self._webhook.max_body:
            raise Problem(413, f"More than {self._webhook.max_body} bytes, which is webhook.max_body.")
        if self._in_flight > self._webhook.max_in_flight:
            raise Problem(503, "Too many bytes in flight (webhook.max_in_flight).", Retry_After=RETRY_AFTER)

    async def _accept(self, request: web.Request, verdict: Verdict, body: bytes, started: float) -> web.Response:
        suffix = suffix_of(verdict.rest, request.query_string)
        try:
            envelope = read_envelope(body, suffix)
        except EnvelopeError as error:
            await self._keep(Refusal(verdict.address, request.path, str(error), body))
            raise Problem(400, f"{error}.", sender=verdict.address) from None
        try:
            receipt = await self._journal.append(Arrival(envelope, body, suffix, verdict.address, started))
        except JournalUnavailable as error:
            raise Problem(503, f"{error}.", Retry_After=RETRY_AFTER) from None
        self._note(_Answered(envelope, receipt, time.perf_counter() - started))
        status, word = (200, "duplicate") if receipt.repeat else (202, "accepted")
        return web.Response(
            status=status,
            body=b'{"status":"%s","id":"%d"}' % (word.encode(), receipt.seq),
            content_type="application/json",
        )

    async def _keep(self, refusal: Refusal) -> None:
        try:
            await self._journal.refuse(refusal)
        except JournalUnavailable as error:
            log.warning("refused_body_not_kept", error=str(error))

    def _note(self, answered: _Answered) -> None:
        """What one commit stored is told of at once: one by one, that costs more than storing it."""
        self._answered.append(answered)
        if len(self._answered) == 1:
            asyncio.get_running_loop().call_soon(self._tell)

    def _tell(self) -> None:
        answered, self._answered = self._answered, []
        if fresh := [each.receipt.seq for each in answered if not each.receipt.repeat]:
            self._accepted(fresh)
        for envelope, receipt, seconds in answered:
            self._traffic.stored(envelope.event, repeat=receipt.repeat, seconds=seconds)
        write_lines(map(_line, answered))

    def _refuse(self, request: web.Request, refused: Problem) -> web.Response:
        """Answer, count, and log; a flood from one address is logged at its 1st, 2nd, 4th, 8th ... time."""
        times = self._traffic.refused(refused.status, refused.sender)
        if times & (times - 1) == 0:
            log.warning(
                "request_refused",
                result=str(refused.status),
                reason=refused.reason,
                address=refused.sender,
                times=times if times > 1 else None,
                method=request.method,
            )
        return refused.response()


def _line(answered: _Answered) -> Line:
    envelope, receipt, seconds = answered
    values = {
        "event_name": envelope.event,
        "instance": envelope.instance,
        "person": shorten_phone(envelope.chat) if envelope.chat else None,
        "id": str(receipt.seq),
        "ms": round(seconds * 1000, 1),
    }
    return Line("info", "duplicate" if receipt.repeat else "accepted", values)


def _parts(path: str) -> Path:
    return tuple(filter(None, path.split("/")))


def webhook_app(config: Config, receiver: Receiver, *, is_ready: Health) -> web.Application:
    """The application of the webhook listener; it can also be mounted in another aiohttp application."""
    app = web.Application(client_max_size=config.webhook.max_body)
    app.router.add_get("/health/live", _alive)
    app.router.add_get("/health/ready", _ready(is_ready))
    for endpoint in endpoints(config.webhook.base_path):
        app.router.add_post(endpoint.path, partial(_post_to, receiver, _parts(endpoint.path)))
    # Everything else under the sun: other spellings, doubled slashes, suffixes of versions to come, wrong base paths.
    app.router.add_route("*", "/{tail:.*}", partial(_post_anywhere, receiver))
    return app


class Endpoint(msgspec.Struct, frozen=True):
    """One URL Evolution may post to."""

    path: str
    event: str | None
    """The event its suffix stands for; None: any, as the body says."""


def endpoints(base_path: str) -> list[Endpoint]:
    """Every documented endpoint: the base path itself, and one for each suffix of each event."""
    suffixes = [
        Endpoint(f"{base_path}/{suffix}", event.name) for event in names.EVENTS.values() for suffix in event.suffixes
    ]
    return [Endpoint(base_path or "/", None), *suffixes]


async def _post_to(receiver: Receiver, path: Path, request: web.Request) -> web.Response:
    return await receiver.post(request, path)


async def _post_anywhere(receiver: Receiver, request: web.Request) -> web.Response:
    return await receiver.post(request, _parts(request.match_info["tail"]))


async def _alive(_request: web.Request) -> web.Response:
    return web.json_response({"status": "live"})


def _ready(is_ready: Health) -> Handler:
    async def ready(_request: web.Request) -> web.StreamResponse:
        good = is_ready()
        return web.json_response({"status": "ready" if good else "not ready"}, status=200 if good else 503)

    return ready
