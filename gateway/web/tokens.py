"""The tokens that Evolution signs with `jwt_key`.

Of its own, because PyJWT brings a library of ciphers along: 9 MB and a tenth of a second that only `jwt_key` is worth.
"""

from typing import Any, Final

import jwt

from gateway.config import Secret

LEEWAY: Final = 1_800  # seconds; Evolution signs once, for 600 s, and reuses the token in retries over 20 minutes

_LATEST: Final = 2**53  # seconds; whole numbers above it are no longer exact
_CLAIMS: Final = {"app": "evolution", "action": "webhook"}
_BLOCK: Final = 64  # bytes; HMAC-SHA256 fills a shorter key up to this with zeros itself


def find_wrong(key: bytes, token: str, now: float) -> str | None:
    """What is wrong with a token of Evolution's; None when it is right."""
    try:
        claims: dict[str, Any] = jwt.decode(token, key, algorithms=["HS256"], options=_OPTIONS)
    except jwt.MissingRequiredClaimError as error:
        return f"has no {error.claim}"
    except jwt.InvalidSignatureError:
        return "is signed with another key"
    except (jwt.PyJWTError, ValueError, RecursionError) as error:  # the last two from a header no sender would make
        return f"is no HS256 token ({type(error).__name__})"
    return _find_wrong_claim(claims, now)


def _find_wrong_claim(claims: dict[str, Any], now: float) -> str | None:
    wrong = next((name for name, value in _CLAIMS.items() if claims.get(name) != value), None)
    if wrong:
        return f"is not for this: {wrong} is not {_CLAIMS[wrong]}"
    if not _is_time(claims["iat"]) or not _is_time(claims["exp"]):
        return "has no times in seconds"
    if claims["iat"] > now + LEEWAY:
        return f"was signed {claims['iat'] - now:.0f} s ahead of this machine's clock"
    if claims["exp"] + LEEWAY < now:
        return f"expired {now - claims['exp']:.0f} s ago, {LEEWAY} s are let pass"
    return None


_OPTIONS: Final[jwt.types.Options] = {
    "require": ["iat", "exp"],
    # The times are judged here, by the clock handed in; PyJWT would read its own.
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
    "verify_aud": False,
    "verify_iss": False,
    "verify_sub": False,
    "verify_jti": False,
}


def _is_time(value: object) -> bool:
    """Whether a claim is a number of seconds that can be computed with: no NaN, no 400 digits."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _LATEST


def signing_key(secret: Secret) -> bytes:
    """The key as HMAC sees it; filled up here, as PyJWT would warn of each short one."""
    return secret.reveal().encode().ljust(_BLOCK, b"\0")
