import base64
import json
from typing import Any

import jwt
import pytest
from multidict import CIMultiDict

from gateway.config import Auth, Secret, Webhook
from gateway.web.credentials import Credentials, Verdict

NOW = 1_764_000_000.0
KEY = "short-key"
CLAIMS = {"app": "evolution", "action": "webhook", "iat": int(NOW), "exp": int(NOW) + 600}
JWT = Auth(jwt_key=(Secret("former-key"), Secret(KEY)))


def judge(auth: Auth, headers: dict[str, str] | None = None) -> Verdict:
    credentials = Credentials(Webhook(auth=auth))
    return credentials.check(headers=CIMultiDict(headers or {}), path_segments=(), address="198.51.100.1", now=NOW)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def sign(claims: dict[str, Any] | None = None, key: str = KEY, algorithm: str = "HS256") -> str:
    padded = key.encode().ljust(64, b"\0")  # the same key to HMAC, and no warning about its length
    return jwt.encode(CLAIMS if claims is None else claims, padded, algorithm=algorithm)


@pytest.mark.parametrize("key", ["former-key", KEY])
def test_each_configured_key_suffices(key: str) -> None:
    assert judge(JWT, bearer(sign(key=key))).allowed


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_word_bearer_may_have_any_case(scheme: str) -> None:
    assert judge(JWT, {"authorization": f"{scheme} {sign()}"}).allowed


@pytest.mark.parametrize("key", ["k", "k" * 64, "k" * 65, "k" * 200, "chave-ção"])
def test_a_key_of_any_length_signs_as_evolution_signs(key: str) -> None:
    auth = Auth(jwt_key=(Secret(key),))

    assert judge(auth, bearer(sign(key=key))).allowed
    assert not judge(auth, bearer(sign(key=key + "x"))).allowed


@pytest.mark.parametrize(("ago", "allowed"), [(-600, True), (0, True), (1_799, True), (1_801, False)])
def test_a_token_is_good_for_1800_seconds_after_it_expired(ago: int, allowed: bool) -> None:  # noqa: FBT001 - a table
    expired = CLAIMS | {"exp": NOW - ago, "iat": NOW - ago - 600}

    verdict = judge(JWT, bearer(sign(expired)))

    assert verdict.allowed is allowed
    assert allowed or verdict.reason == "token expired 1801 s ago, 1800 s are let pass"


@pytest.mark.parametrize(("ahead", "allowed"), [(1_799, True), (1_801, False)])
def test_a_token_may_be_signed_1800_seconds_ahead(ahead: int, allowed: bool) -> None:  # noqa: FBT001 - a table
    assert judge(JWT, bearer(sign(CLAIMS | {"iat": NOW + ahead, "exp": NOW + ahead + 600}))).allowed is allowed


@pytest.mark.parametrize("claim", ["app", "action", "iat", "exp"])
def test_a_token_without_one_of_evolutions_claims_is_refused(claim: str) -> None:
    claims = {name: value for name, value in CLAIMS.items() if name != claim}

    assert not judge(JWT, bearer(sign(claims))).allowed
    assert judge(JWT, bearer(sign(CLAIMS))).allowed


@pytest.mark.parametrize(
    "claims",
    [
        {"app": "other"},
        {"action": "login"},
        {"exp": None},
        {"exp": "soon"},
        {"exp": True},
        {"exp": float("nan")},
        {"exp": float("inf")},
        {"exp": 10**400},
        {"iat": "now"},
        {"iat": True},
        {"iat": float("nan")},
    ],
)
def test_a_token_with_wrong_claims_is_refused(claims: dict[str, Any]) -> None:
    assert not judge(JWT, bearer(sign(CLAIMS | claims))).allowed


def test_a_token_with_more_claims_is_accepted() -> None:
    assert judge(JWT, bearer(sign(CLAIMS | {"aud": "x", "sub": 1, "jti": 2, "iss": "y", "nbf": NOW + 9_999}))).allowed


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_a_token_of_another_algorithm_is_refused(algorithm: str) -> None:
    assert not judge(JWT, bearer(sign(algorithm=algorithm))).allowed


def test_a_token_without_signature_is_refused() -> None:
    unsigned = jwt.encode(CLAIMS, "", algorithm="none")
    header, payload, _ = sign().split(".")

    assert not judge(JWT, bearer(unsigned)).allowed
    assert not judge(JWT, bearer(f"{header}.{payload}.")).allowed
    assert judge(JWT, bearer(sign())).allowed


def test_a_token_of_another_key_is_refused_and_says_so() -> None:
    verdict = judge(JWT, bearer(sign(key="another-key")))

    assert (verdict.allowed, verdict.reason) == (False, "token is signed with another key")


def test_the_reason_names_what_is_wrong_under_the_right_key() -> None:
    assert "app is not evolution" in judge(JWT, bearer(sign(CLAIMS | {"app": "x"}))).reason


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "a.b.c",
        "\udcff.\udcff.\udcff",
        "é.é.é",
        f"{base64.urlsafe_b64encode(b'[' * 9_000).decode()}.e30.e30",
        f"{base64.urlsafe_b64encode(json.dumps({'alg': 'HS256', 'crit': 1}).encode()).decode()}.e30.e30",
    ],
)
def test_what_is_no_token_is_refused(token: str) -> None:
    assert not judge(JWT, bearer(token)).allowed


def test_a_missing_token_is_refused() -> None:
    assert judge(JWT).reason == "token is missing"
    assert judge(JWT, {"Authorization": f"Basic {sign()}"}).reason == "token is missing"
    assert judge(JWT, {"X-Authorization": f"Bearer {sign()}"}).reason == "token is missing"
