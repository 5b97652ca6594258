"""When Evolution 2.3 tries again, and how long it waits."""

from typing import Final

ATTEMPTS: Final = 10
"""How often Evolution posts one event at most."""
FINAL: Final = frozenset({400, 401, 403, 404, 422})
"""Answers after which it gives up at once."""
TIMEOUT: Final = 30.0
"""Seconds it waits for an answer."""

_FIRST: Final = 5.0  # seconds
_LONGEST: Final = 300.0  # seconds
_SPREAD: Final = 0.2
_OK: Final = range(200, 300)


def retry_wait(attempt: int, status: int | None, jitter: float) -> float | None:
    """Seconds until the next attempt; None when there is none.

    Args:
        attempt: the one just made, from 1.
        status: what it was answered; None when there was no answer.
        jitter: from -1 to 1; Evolution draws it anew each time.
    """
    if status is not None and (status in _OK or status in FINAL):
        return None
    if attempt >= ATTEMPTS:
        return None
    return min(_FIRST * (1 << (attempt - 1)), _LONGEST) * (1 + _SPREAD * jitter)
