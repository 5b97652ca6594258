"""A file as WhatsApp stores it comes out as it was sent, or not at all."""

import os
from typing import Final

import pytest

from gateway.errors import MediaUnavailable
from gateway.events.media import MediaKind
from gateway.media.cipher import Decipher
from tests.media.conftest import MEDIA_KEY, encrypt

INFO: Final[dict[MediaKind, bytes]] = {
    "image": b"WhatsApp Image Keys",
    "sticker": b"WhatsApp Image Keys",
    "video": b"WhatsApp Video Keys",
    "audio": b"WhatsApp Audio Keys",
    "voice": b"WhatsApp Audio Keys",
    "document": b"WhatsApp Document Keys",
}


def decrypt(encrypted: bytes, kind: MediaKind = "image", piece: int = 1000, key: bytes = MEDIA_KEY) -> bytes:
    decipher = Decipher(key, kind)
    plain = b"".join(decipher.update(encrypted[at : at + piece]) for at in range(0, len(encrypted), piece))
    return plain + decipher.finish()


@pytest.mark.parametrize("kind", list(INFO))
def test_every_kind_has_its_keys(kind: MediaKind) -> None:
    plain = os.urandom(5_000)

    assert decrypt(encrypt(plain, INFO[kind]), kind) == plain


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 4_096])
@pytest.mark.parametrize("piece", [1, 7, 16, 10_000])
def test_pieces_of_any_size_give_the_file(size: int, piece: int) -> None:
    plain = os.urandom(size)

    assert decrypt(encrypt(plain), piece=piece) == plain


@pytest.mark.parametrize("at", [0, 500, -11, -10, -1])
def test_one_flipped_bit_is_refused(at: int) -> None:
    damaged = bytearray(encrypt(os.urandom(1_000)))
    damaged[at] ^= 1

    with pytest.raises(MediaUnavailable, match="MAC is wrong"):
        decrypt(bytes(damaged))


def test_another_files_key_is_refused() -> None:
    with pytest.raises(MediaUnavailable, match="MAC is wrong"):
        decrypt(encrypt(b"a photo"), key=bytes(32))


def test_another_kinds_key_is_refused() -> None:
    with pytest.raises(MediaUnavailable, match="MAC is wrong"):
        decrypt(encrypt(b"a photo"), "document")


@pytest.mark.parametrize("left", [0, 5, 10, 11, 100, 992])
def test_a_file_that_was_cut_off_is_refused(left: int) -> None:
    encrypted = encrypt(os.urandom(1_000))

    with pytest.raises(MediaUnavailable, match=r"cut off|MAC is wrong"):
        decrypt(encrypted[:left])
