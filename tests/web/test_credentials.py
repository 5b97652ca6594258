from ipaddress import ip_address, ip_network
from typing import Any, Literal

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from gateway.config import Auth, HeaderAuth, Secret, Webhook
from gateway.web.credentials import Credentials, Verdict, client_address

NOW = 1_764_000_000.0
KEY = "short-key"
CLAIMS = {"app": "evolution", "action": "webhook", "iat": int(NOW), "exp": int(NOW) + 600}

HEADER = Auth(header=HeaderAuth(values=(Secret("old-value"), Secret("new-value"))))
JWT = Auth(jwt_key=(Secret("former-key"), Secret(KEY)))
PATH = Auth(path_secret=(Secret("way-in"), Secret("other-way")))
ALLOW = Auth(allow=(ip_network("203.0.113.0/24"), ip_network("2001:db8::/32")))


def judge(
    auth: Auth | Literal["none"],
    headers: dict[str, str] | None = None,
    path: str = "messages-upsert",
    address: str | None = "198.51.100.1",
    *,
    trusted: tuple[str, ...] = (),
) -> Verdict:
    webhook = Webhook(auth=auth, trusted_proxies=tuple(map(ip_network, trusted)))
    return Credentials(webhook).check(
        headers=CIMultiDict(headers or {}), path_segments=path.split("/"), address=address, now=NOW
    )


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def sign(claims: dict[str, Any] | None = None, key: str = KEY, algorithm: str = "HS256") -> str:
    padded = key.encode().ljust(64, b"\0")  # the same key to HMAC, and no warning about its length
    return jwt.encode(CLAIMS if claims is None else claims, padded, algorithm=algorithm)


# ---- nothing asked for


@pytest.mark.parametrize("auth", ["none", Auth()])
def test_without_credentials_everybody_may_post(auth: Auth | Literal["none"]) -> None:
    verdict = judge(auth, path="way-in/messages-upsert")

    assert verdict.allowed
    assert verdict.rest == ("way-in", "messages-upsert")


# ---- header


@pytest.mark.parametrize("value", ["old-value", "new-value"])
@pytest.mark.parametrize("name", ["X-Webhook-Token", "x-webhook-token"])
def test_each_configured_header_value_suffices(name: str, value: str) -> None:
    assert judge(HEADER, {name: value}).allowed


@pytest.mark.parametrize("value", ["", "old-valu", "old-value2", "OLD-VALUE", "old-value,new-value", "\udcff", "é"])
def test_another_header_value_is_refused(value: str) -> None:
    verdict = judge(HEADER, {"X-Webhook-Token": value})

    assert (verdict.allowed, verdict.reason) == (False, "header X-Webhook-Token is wrong")


def test_a_missing_header_is_refused() -> None:
    verdict = judge(HEADER, {"X-Other": "old-value"})

    assert (verdict.allowed, verdict.reason) == (False, "header X-Webhook-Token is missing")


def test_a_header_of_another_name_can_be_configured() -> None:
    auth = Auth(header=HeaderAuth(name="Authorization", values=(Secret("Basic dXNlcjpwYXNz"),)))

    assert judge(auth, {"authorization": "Basic dXNlcjpwYXNz"}).allowed
    assert not judge(auth, {"X-Webhook-Token": "Basic dXNlcjpwYXNz"}).allowed


def test_a_value_with_umlauts_is_compared_as_utf_8() -> None:
    auth = Auth(header=HeaderAuth(values=(Secret("schlüssel"),)))

    assert judge(auth, {"X-Webhook-Token": "schlüssel"}).allowed
    assert not judge(auth, {"X-Webhook-Token": "schlussel"}).allowed


# ---- path


@pytest.mark.parametrize(
    ("path", "rest"),
    [
        ("way-in/messages-upsert", ("messages-upsert",)),
        ("other-way/messages-upsert", ("messages-upsert",)),
        ("way-in", ()),
        ("way-in/", ()),
        ("way-in//messages-upsert/", ("messages-upsert",)),
        ("/way-in/messages-upsert", ("messages-upsert",)),
        ("way-in/way-in", ("way-in",)),
    ],
)
def test_a_path_secret_lets_in_and_is_taken_out_of_the_path(path: str, rest: tuple[str, ...]) -> None:
    verdict = judge(PATH, path=path)

    assert (verdict.allowed, verdict.rest) == (True, rest)


@pytest.mark.parametrize("path", ["", "messages-upsert", "messages-upsert/way-in", "way-i/x", "way-in2/x", "WAY-IN/x"])
def test_a_path_without_the_secret_in_front_is_refused(path: str) -> None:
    verdict = judge(PATH, path=path)

    assert (verdict.allowed, verdict.reason) == (False, "path secret is missing or wrong")
    assert verdict.rest == tuple(filter(None, path.split("/")))


# ---- address


@pytest.mark.parametrize("address", ["203.0.113.7", "::ffff:203.0.113.7", "2001:db8::5", "2001:db8::5%eth0"])
def test_an_allowed_address_suffices(address: str) -> None:
    assert judge(ALLOW, address=address).allowed


@pytest.mark.parametrize("address", ["198.51.100.1", "2001:db9::5", "", None, "unknown"])
def test_another_address_is_refused(address: str | None) -> None:
    assert not judge(ALLOW, address=address).allowed


def test_a_forwarded_address_counts_from_a_trusted_proxy_only() -> None:
    forwarded = {"X-Forwarded-For": "203.0.113.7"}

    assert judge(ALLOW, forwarded, address="10.0.0.1", trusted=("10.0.0.0/8",)).allowed
    assert not judge(ALLOW, forwarded, address="10.0.0.1").allowed
    assert not judge(ALLOW, forwarded, address="11.0.0.1", trusted=("10.0.0.0/8",)).allowed


def test_a_sender_cannot_write_itself_an_allowed_address() -> None:
    forged = {"X-Forwarded-For": "203.0.113.7, 198.51.100.1"}

    verdict = judge(ALLOW, forged, address="10.0.0.1", trusted=("10.0.0.0/8",))

    assert (verdict.allowed, verdict.address) == (False, "198.51.100.1")


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["1.1.1.1, 198.51.100.1,10.0.0.9"], "198.51.100.1"),
        ("10.0.0.1", ["1.1.1.1", "198.51.100.1", "10.0.0.9"], "198.51.100.1"),
        ("10.0.0.1", ["10.0.0.5, 10.0.0.6"], "10.0.0.5"),
        ("10.0.0.1", ["198.51.100.1:4711"], "198.51.100.1"),
        ("10.0.0.1", ["[2001:db8::1]:4711"], "2001:db8::1"),
        ("10.0.0.1", ["[2001:db8::1]"], "2001:db8::1"),
        ("10.0.0.1", ["unknown"], None),
        ("10.0.0.1", ["198.51.100.1, "], None),
        ("10.0.0.1", ["198.51.100.1, <script>"], None),
        ("::ffff:10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("192.0.2.1", ["198.51.100.1"], "192.0.2.1"),
        (None, ["198.51.100.1"], None),
    ],
)
def test_the_senders_address_is_the_first_from_the_right_that_is_no_proxy(
    peer: str | None, forwarded: list[str], client: str | None
) -> None:
    found = client_address(peer, forwarded, [ip_network("10.0.0.0/8")])

    assert found == (ip_address(client) if client else None)


# ---- together


@pytest.fixture
def everything() -> Auth:
    return Auth(header=HEADER.header, jwt_key=JWT.jwt_key, path_secret=PATH.path_secret, allow=ALLOW.allow)


def test_any_one_of_all_configured_credentials_suffices(everything: Auth) -> None:
    assert judge(everything, {"X-Webhook-Token": "new-value"}).allowed
    assert judge(everything, bearer(sign())).allowed
    assert judge(everything, path="way-in/messages-upsert").allowed
    assert judge(everything, address="203.0.113.7").allowed


def test_none_of_all_configured_credentials_is_refused_with_every_reason(everything: Auth) -> None:
    verdict = judge(everything, {"X-Webhook-Token": "guess"})

    assert not verdict.allowed
    assert verdict.reason == (
        "header X-Webhook-Token is wrong; token is missing; path secret is missing or wrong; "
        "address 198.51.100.1 is not allowed"
    )


def test_a_path_secret_is_taken_out_even_when_the_header_lets_in(everything: Auth) -> None:
    verdict = judge(everything, {"X-Webhook-Token": "new-value"}, path="way-in/messages-upsert")

    assert (verdict.allowed, verdict.rest) == (True, ("messages-upsert",))


def test_no_reason_holds_a_secret_or_what_was_sent(everything: Auth) -> None:
    guess = "guess-7Fq2xPz9"
    reasons = [
        judge(everything, {"X-Webhook-Token": guess, **bearer(guess)}, path=f"{guess}/x").reason,
        judge(everything, {"X-Webhook-Token": "new-value"}).reason,
        judge(everything, bearer(sign())).reason,
        judge(everything, path="way-in/x").reason,
    ]

    assert all(reasons)
    assert not [text for text in reasons for secret in (guess, "new-value", KEY, "way-in") if secret in text]


@given(value=st.text(), token=st.text(), path=st.lists(st.text()), address=st.text())
def test_nothing_a_stranger_sends_lets_in_or_breaks(value: str, token: str, path: list[str], address: str) -> None:
    auth = Auth(header=HEADER.header, jwt_key=JWT.jwt_key, path_secret=PATH.path_secret, allow=ALLOW.allow)
    headers = {"X-Webhook-Token": value, "Authorization": f"Bearer {token}", "X-Forwarded-For": address}

    verdict = judge(auth, headers, "/".join(path), address, trusted=("0.0.0.0/0",))

    assert not verdict.allowed


def test_every_configured_value_is_compared_even_after_one_was_right(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[bytes] = []
    right = Credentials(Webhook(auth=HEADER))

    def count(first: bytes, second: bytes) -> bool:
        compared.append(second)
        return first == second

    monkeypatch.setattr("gateway.web.credentials.compare_digest", count)
    right.check(headers=CIMultiDict({"X-Webhook-Token": "old-value"}), path_segments=(), address=None, now=NOW)

    assert len(compared) == 2
