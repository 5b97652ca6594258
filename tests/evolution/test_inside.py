"""A file comes out of an answer that is still coming in, wherever the pieces are cut."""

import base64
import json
import os
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.evolution import UnsupportedCall
from gateway.evolution.inside import Base64Member


def fed(text: bytes, size: int) -> tuple[bytes, bool]:
    inside = Base64Member("base64")
    found = b"".join(inside.feed(text[at : at + size]) for at in range(0, len(text), size))
    return found, inside.is_whole


@given(
    file=st.binary(max_size=200),
    caption=st.text(max_size=30),
    size=st.integers(1, 50),
    ascii_only=st.booleans(),
    spaces=st.booleans(),
)
def test_the_file_comes_out_however_the_answer_is_cut(
    *, file: bytes, caption: str, size: int, ascii_only: bool, spaces: bool
) -> None:
    answer = {"caption": caption, "base64": base64.b64encode(file).decode(), "buffer": None}
    text = json.dumps(answer, separators=None if spaces else (",", ":"), ensure_ascii=ascii_only).encode(
        "utf-8", "surrogatepass"
    )

    assert fed(text, size) == (file, True)


def test_a_caption_that_looks_like_the_member_is_none() -> None:
    answer = {"caption": '"base64":"AAAA"', "base64": base64.b64encode(b"the file").decode()}

    assert fed(json.dumps(answer, separators=(",", ":")).encode(), 7) == (b"the file", True)


def test_little_is_held_at_a_time() -> None:
    inside = Base64Member("base64")
    text = b'{"caption":"' + b"x" * 10**6 + b'","base64":"' + base64.b64encode(os.urandom(10**6)) + b'"}'
    most = 0
    for at in range(0, len(text), 1000):
        inside.feed(text[at : at + 1000])
        most = max(most, len(inside._held))

    assert most < 100


@pytest.mark.parametrize("text", [b"", b"{}", b'{"base64":null}', b'{"base64":"AAAA'])
def test_an_answer_that_holds_none_or_ends_early_is_not_whole(text: bytes) -> None:
    assert not fed(text, 5)[1]


def test_what_is_no_base64_is_an_error() -> None:
    with pytest.raises(UnsupportedCall, match=re.escape("is no base64")):
        fed(b'{"base64":"***!"}', 100)
