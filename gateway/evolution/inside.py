"""The bytes of one base64 member of a JSON object that is still coming in.

No I/O. Evolution puts whole files into its answers; parsed as JSON, each would be in memory three times over.
"""

import binascii
import re
from typing import Final

from gateway.evolution.errors import UnsupportedCall

_LONGEST_BEGIN: Final = 64  # characters of a name with quotes, colon and spaces
_QUAD: Final = 4  # characters that give three bytes


class Base64Member:
    """Fed with the text of an object, it gives the bytes of a member's value as they come."""

    def __init__(self, name: str) -> None:
        # No other text can hold this: within a string, JSON writes the quotes with a backslash before them.
        self._begin = re.compile(rf'"{name}"\s*:\s*"'.encode())
        self._held = b""
        self._is_open = False
        self.is_whole = False
        """Its end has come."""

    def feed(self, piece: bytes) -> bytes:
        """The bytes that a further piece of the text gives.

        Raises:
            UnsupportedCall: it is no base64.
        """
        if self.is_whole:
            return b""
        self._held += piece
        if not self._is_open:
            begin = self._begin.search(self._held)
            self._is_open = begin is not None
            self._held = self._held[begin.end() if begin else -_LONGEST_BEGIN :]
        return self._decode() if self._is_open else b""

    def _decode(self) -> bytes:
        text, end, _ = self._held.partition(b'"')
        self.is_whole = bool(end)
        whole = len(text) if end else len(text) - len(text) % _QUAD
        self._held = text[whole:]
        try:
            return binascii.a2b_base64(text[:whole], strict_mode=True)
        except ValueError:
            raise UnsupportedCall("the file in Evolution's answer is no base64") from None
