"""Decrypt a file as WhatsApp stores it, piece by piece.

WhatsApp keeps `AES-256-CBC(file) + first 10 bytes of HMAC-SHA256(iv + ciphertext)`; the keys come from the message's
`mediaKey` by HKDF-SHA256. The seal stands at the end, so nobody may use what `update` gave before `finish` has passed.
No I/O here.
"""

import hmac
from collections.abc import Mapping
from hashlib import sha256
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.padding import PKCS7

from gateway.errors import MediaUnavailable
from gateway.events.media import MediaKind

KEY_BYTES: Final = 32
_PURPOSE: Final[Mapping[MediaKind, bytes]] = {
    "image": b"WhatsApp Image Keys",
    "sticker": b"WhatsApp Image Keys",
    "video": b"WhatsApp Video Keys",
    "audio": b"WhatsApp Audio Keys",
    "voice": b"WhatsApp Audio Keys",
    "document": b"WhatsApp Document Keys",
}
_DERIVED: Final = 112
"""Bytes: 16 of iv, 32 of cipher key, 32 of MAC key, 32 that only WhatsApp's own references use."""
_BLOCK: Final = 16
_MAC: Final = 10


class Decipher:
    """Decrypts one file."""

    def __init__(self, media_key: bytes, kind: MediaKind) -> None:
        derived = HKDF(SHA256(), _DERIVED, salt=None, info=_PURPOSE[kind]).derive(media_key)
        iv, key, mac_key = derived[:16], derived[16:48], derived[48:80]
        self._aes = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
        self._padding = PKCS7(_BLOCK * 8).unpadder()
        self._mac = hmac.new(mac_key, iv, sha256)
        self._held = b""
        self._taken = 0

    def update(self, piece: bytes) -> bytes:
        """The bytes that a further piece of the encrypted file gives. Its last ten are held back: they are the MAC."""
        piece = self._held + piece
        encrypted, self._held = piece[:-_MAC], piece[-_MAC:]
        self._mac.update(encrypted)
        self._taken += len(encrypted)
        return self._padding.update(self._aes.update(encrypted))

    def finish(self) -> bytes:
        """The last bytes.

        Raises:
            MediaUnavailable: the file was cut off, changed, or encrypted for another message.
        """
        if self._taken == 0 or self._taken % _BLOCK:
            raise MediaUnavailable(f"the encrypted file was cut off after {self._taken + len(self._held)} bytes")
        if not hmac.compare_digest(self._mac.digest()[:_MAC], self._held):
            raise MediaUnavailable("the encrypted file's MAC is wrong: it was changed, or mediaKey is another file's")
        try:
            return self._padding.update(self._aes.finalize()) + self._padding.finalize()
        except ValueError:
            raise MediaUnavailable("the encrypted file's padding is wrong") from None
