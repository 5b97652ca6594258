"""A text that nobody prints by accident.

Settings travel through logs, tracebacks and error pages as a whole; a key among them must not. So a key is not a `str`:
whoever needs its text asks for it by name, and a reader of the code sees where that happens.
"""

from hmac import compare_digest

from gateway.redact import PLACEHOLDER


class Secret:
    """A key, token or password. Empty means: not set."""

    __slots__ = ("_text",)

    def __init__(self, text: str = "") -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself, for the one place that sends or compares it."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and compare_digest(_encode(self._text), _encode(other._text))

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __repr__(self) -> str:
        return f"Secret({PLACEHOLDER if self._text else ''})"

    def __str__(self) -> str:
        return PLACEHOLDER if self._text else ""


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
