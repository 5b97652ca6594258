"""Who may see the page and use the API: the token, one-time links, the cookie, and a limit on guessing.

No HTTP here; `entry` speaks it. Sessions are signed, not stored, so they outlive a restart and end when the token
changes.
"""

import hmac
import secrets
import time
from collections import deque
from collections.abc import Callable
from hashlib import sha256
from typing import Final

from gateway.config import Config
from gateway.config.kept import make_token
from gateway.config.secret import Secret

CODE_SECONDS: Final = 600.0
"""How long a one-time link works."""
SESSION_SECONDS: Final = 30 * 86400
"""How long a login lasts."""
FAILURES: Final = 5
"""Wrong tokens an address may try a minute."""
FAILURES_IN_ALL: Final = 100
"""The same for all addresses together."""

_MINUTE: Final = 60.0
_NONE: Final[deque[float]] = deque()
_CODES: Final = 64
_ADDRESSES: Final = 4096
TOKEN_FILE: Final = "admin.token"  # noqa: S105 -- a file's name


def admin_token(config: Config) -> Secret:
    """The configured token, or the one in `data/admin.token`, made on the first start (mode 0600).

    Raises:
        ConfigError: the file is there and empty.
        OSError: the file can't be read or made.
    """
    return config.admin.token or make_token(config.data / TOKEN_FILE)


class Logins:
    """Knows the token, the open one-time codes, and what a session cookie must look like."""

    def __init__(self, token: Secret, clock: Callable[[], float] = time.time) -> None:
        """`token` must not be empty; `clock` gives unix seconds."""
        self._token = token.reveal().encode("utf-8", "surrogatepass")
        self._clock = clock
        self._key = hmac.digest(self._token, b"gateway session 1", sha256)
        self._codes: dict[str, float] = {}
        self.throttle = Throttle(clock)
        # Cookies ignore ports: with a name of its own, two gateways on one host don't log each other out.
        self.cookie = f"gateway_{hmac.new(self._key, b'name', sha256).hexdigest()[:8]}"

    def new_code(self) -> str:
        """A code for a one-time link, `/live?code=...`; it works once, within ten minutes."""
        while len(self._codes) >= _CODES:
            del self._codes[next(iter(self._codes))]
        code = secrets.token_urlsafe(18)
        self._codes[code] = self._clock() + CODE_SECONDS
        return code

    def redeem(self, code: str) -> bool:
        """Use a code up; False for one that is unknown, used or too old."""
        return self._codes.pop(code, 0.0) > self._clock()

    def is_token(self, text: str) -> bool:
        """Whether a text is the token, found out in constant time."""
        given = text.encode("utf-8", "surrogatepass")
        return hmac.compare_digest(sha256(given).digest(), sha256(self._token).digest())

    def new_session(self) -> str:
        """A cookie's value: until when it is good, and the proof that it was made here."""
        until = f"{int(self._clock()) + SESSION_SECONDS}.{secrets.token_hex(8)}"
        return f"{until}.{self._sign(until)}"

    def is_session(self, cookie: str) -> bool:
        """Whether a cookie's value was made here, with today's token, and is not too old."""
        until, _, proof = cookie.rpartition(".")
        if not hmac.compare_digest(proof.encode(), self._sign(until).encode()):
            return False
        return int(until.partition(".")[0]) > self._clock()

    def _sign(self, until: str) -> str:
        return hmac.new(self._key, until.encode(), sha256).hexdigest()


class Throttle:
    """Counts wrong tokens of the last minute, by address and in all."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._by_address: dict[str, deque[float]] = {}
        self._all: deque[float] = deque(maxlen=FAILURES_IN_ALL)

    def wait(self, address: str) -> float:
        """Seconds until this address may try again; 0 when it may now."""
        kept = ((self._by_address.get(address, _NONE), FAILURES), (self._all, FAILURES_IN_ALL))
        full = [tries[0] for tries, limit in kept if len(tries) >= limit]
        return max([0.0, *(at + _MINUTE - self._clock() for at in full)])

    def failed(self, address: str) -> None:
        """Count one wrong try."""
        if address not in self._by_address and len(self._by_address) >= _ADDRESSES:
            del self._by_address[next(iter(self._by_address))]
        tries = self._by_address.setdefault(address, deque(maxlen=FAILURES))
        tries.append(self._clock())
        self._all.append(self._clock())
