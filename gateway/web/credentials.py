"""Who may post: any one configured credential suffices.

No I/O, so that each rule is tested on headers, path and address alone. Every configured value is compared, in constant
time and to the end, so that the time of an answer says nothing about which one was nearly right. The `apikey` in a
body authenticates nothing: it is the sender's secret, and it is posted to every receiver.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, partial
from hmac import compare_digest
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Protocol, TypeAlias

import msgspec

from gateway.config import Secret, Webhook

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network


class Headers(Protocol):
    """A request's headers, whatever their case: aiohttp's CIMultiDict, for one."""

    def getall(self, key: str, default: list[str], /) -> list[str]:
        """Every value of a header, in order."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a request may post, and what its path says once the secret is out of it."""

    allowed: bool
    reason: str
    """For the log: which credential was right, or what was wrong with each. Never holds a value."""
    rest: tuple[str, ...]
    """The path's segments below the base path, without a path secret and without empty ones."""
    address: str | None
    """The sender's address, as far as it can be believed; None when it is unknown."""


class Credentials:
    """The configured credentials, ready to be compared."""

    def __init__(self, webhook: Webhook) -> None:
        auth = webhook.auth
        self._trusted = webhook.trusted_proxies
        self._is_open = auth == "none" or not auth.is_set
        self._header = None if auth == "none" else auth.header
        self._token_checks = () if auth == "none" else _token_checks(auth.jwt_key)
        self._path = () if auth == "none" else _digests(auth.path_secret)
        self._allow = () if auth == "none" else auth.allow
        self._values = _digests(self._header.values) if self._header else ()

    @property
    def last(self) -> bool:
        """What is right once is right for good: only a token expires."""
        return not self._token_checks

    def check(self, *, headers: Headers, path_segments: Sequence[str], address: str | None, now: float) -> Verdict:
        """Judge one request before its body is read.

        Args:
            headers: the request's.
            path_segments: of the decoded path below the base path; empty ones (`//suffix`) are passed over.
            address: of the connection's other end.
            now: seconds since 1970.
        """
        segments = tuple(filter(None, path_segments))
        client = client_address(address, headers.getall("X-Forwarded-For", []), self._trusted)
        in_path = bool(segments and self._path) and _is_any(segments[0], self._path)
        rest = segments[1:] if in_path else segments
        sender = _write_address(client) if client else None
        if self._is_open:
            return Verdict(allowed=True, reason="nothing is asked for", rest=rest, address=sender)
        findings = [
            *self._judge_header(headers),
            *self._judge_token(headers, now),
            *self._judge_path(in_path=in_path),
            *self._judge_address(client),
        ]
        right = next((finding for finding in findings if finding.allowed), None)
        reason = right.reason if right else "; ".join(finding.reason for finding in findings)
        return Verdict(allowed=right is not None, reason=reason, rest=rest, address=sender)

    def _judge_header(self, headers: Headers) -> Iterable["_Finding"]:
        if self._header is None:
            return
        sent = headers.getall(self._header.name, [])
        right = sum(_is_any(value, self._values) for value in sent) > 0
        what = "is right" if right else "is wrong" if sent else "is missing"
        yield _Finding(allowed=right, reason=f"header {self._header.name} {what}")

    def _judge_token(self, headers: Headers, now: float) -> Iterable["_Finding"]:
        if not self._token_checks:
            return
        tokens = [value[7:].strip() for value in headers.getall("Authorization", []) if value[:7].lower() == "bearer "]
        wrongs = [find_wrong(token, now) for token in tokens for find_wrong in self._token_checks]
        right = None in wrongs
        yield _Finding(allowed=right, reason=f"token {'is right' if right else _worst(wrongs)}")

    def _judge_path(self, *, in_path: bool) -> Iterable["_Finding"]:
        if self._path:
            yield _Finding(allowed=in_path, reason=f"path secret is {'right' if in_path else 'missing or wrong'}")

    def _judge_address(self, client: Address | None) -> Iterable["_Finding"]:
        if self._allow:
            allowed = client is not None and _is_within(client, self._allow)
            yield _Finding(
                allowed=allowed, reason=f"address {client or 'unknown'} is {'allowed' if allowed else 'not allowed'}"
            )


class _Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What one kind of credential says."""

    allowed: bool
    reason: str


def client_address(peer: str | None, x_forwarded_for: Iterable[str], trusted: Sequence[Network]) -> Address | None:
    """The sender's address: the peer's, or what trusted proxies say of it, read from the right.

    A proxy adds the address it sees at the right end, so the first one from the right that is not a trusted proxy is
    the sender; all left of it is the sender's own claim. None when there is no address, or a trusted proxy wrote none.
    """
    client = _parse_address(peer or "")
    hops = [hop for line in x_forwarded_for for hop in line.split(",")]
    while client is not None and hops and _is_within(client, trusted):
        client = _parse_address(hops.pop())
    return client


@lru_cache(4096)
def _write_address(address: Address) -> str:
    return str(address)


@lru_cache(4096)
def _parse_address(text: str) -> Address | None:
    """An address, without the port that some proxies add; IPv4 written as IPv6 (`::ffff:10.0.0.1`) is IPv4."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address


def _is_within(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)


def _token_checks(keys: Sequence[Secret]) -> tuple[Callable[[str, float], str | None], ...]:
    """For each key: what is wrong with a token at a time; None when it is right."""
    if not keys:
        return ()
    from gateway.web.tokens import find_wrong, signing_key  # noqa: PLC0415 -- it is large, and only this needs it

    return tuple(partial(find_wrong, signing_key(key)) for key in keys)


def _worst(wrongs: Sequence[str | None]) -> str:
    """The most telling of what is wrong: with two keys, that another one signed says least."""
    telling = [wrong for wrong in wrongs if wrong and "another key" not in wrong]
    return next(iter([*telling, *(wrong for wrong in wrongs if wrong)]), "is missing")


def _digests(secrets: Iterable[Secret]) -> tuple[bytes, ...]:
    """Digests of equal length, so that a comparison doesn't tell the length of what it compares with."""
    return tuple(_digest(secret.reveal()) for secret in secrets)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()


def _is_any(text: str, digests: Iterable[bytes]) -> bool:
    sent = _digest(text)
    return sum(compare_digest(sent, digest) for digest in digests) > 0  # a sum doesn't stop at the first, as any() does
