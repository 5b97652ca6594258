"""Only what can be read in one way is read here; all else is left to the web server."""

import asyncio
from unittest.mock import Mock

import pytest
from aiohttp.http import HttpRequestParser
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from gateway.web.heads import read_head, take_length

PLAIN = b"POST /webhook/messages-upsert HTTP/1.1\r\nHost: gateway:8085\r\nUser-Agent: axios/1.12.2\r\n"


def test_a_plain_head_gives_path_and_headers() -> None:
    head = read_head(PLAIN)

    assert head
    assert head.path == ("webhook", "messages-upsert")
    assert (head.headers["user-agent"], head.is_last) == ("axios/1.12.2", False)


def test_slashes_that_repeat_count_as_one() -> None:
    head = read_head(PLAIN.replace(b"/webhook/", b"//webhook///"))

    assert head
    assert head.path == ("webhook", "messages-upsert")


@pytest.mark.parametrize(("value", "is_last"), [(b"close", True), (b"Keep-Alive", False)])
def test_what_the_sender_wants_of_its_connection_is_read(value: bytes, is_last: bool) -> None:  # noqa: FBT001
    head = read_head(PLAIN + b"Connection: " + value + b"\r\n")

    assert head
    assert head.is_last is is_last


@pytest.mark.parametrize("name", [b"Content-Length", b"content-length", b"CONTENT-LENGTH"])
def test_the_length_is_taken_out_wherever_it_stands(name: bytes) -> None:
    assert take_length(PLAIN + name + b": 932\r\nX-A: b\r\n") == (PLAIN + b"X-A: b\r\n", 932)


@pytest.mark.parametrize("value", [b"+5", b"-1", b"0x10", b"5, 5", b"", b"1" * 13, b" 5 ", b"5\t"])
def test_a_length_written_otherwise_is_not_taken(value: bytes) -> None:
    assert take_length(PLAIN + b"Content-Length: " + value + b"\r\n") is None


@pytest.mark.parametrize(
    "head",
    [
        PLAIN.replace(b"HTTP/1.1", b"HTTP/1.0"),
        PLAIN.replace(b"POST", b"PUT"),
        PLAIN.replace(b"POST /", b"POST  /"),
        PLAIN.replace(b"/webhook/", b"/webhook/../"),
        PLAIN.replace(b"/webhook/", b"/web%68ook/"),
        PLAIN.replace(b"messages-upsert", b"messages-upsert?a=b"),
        PLAIN.replace(b"POST /", b"POST http://gateway/"),
        PLAIN.replace(b"Host: gateway:8085\r\n", b""),
        PLAIN + b"Host: other\r\n",
        PLAIN + b"user-agent: axios/1.12.2\r\n",
        PLAIN + b"X-Long: " + b"a" * 4096 + b"\r\n",
        PLAIN + b"".join(b"X-%d: a\r\n" % n for n in range(64)),
        PLAIN + b"Transfer-Encoding: chunked\r\n",
        PLAIN + b"Transfer-Encoding : chunked\r\n",
        PLAIN + b"Content-Length: 5\r\n",
        PLAIN + b"Content-Encoding: gzip\r\n",
        PLAIN + b"Expect: 100-continue\r\n",
        PLAIN + b"Upgrade: h2c\r\n",
        PLAIN + b"Connection: Upgrade\r\n",
        PLAIN + b"Connection: close\r\nConnection: keep-alive\r\n",
        PLAIN + b"X-Folded: a\r\n b\r\n",
        PLAIN + b"X-Bare: a\nTransfer-Encoding: chunked\r\n",
        PLAIN + b"X-Return: a\rb\r\n",
        PLAIN + b"X-Null: a\x00b\r\n",
        PLAIN + b"X-Name: Jos\xc3\xa9\r\n",
        PLAIN + b": nameless\r\n",
        PLAIN + b"no colon\r\n",
        PLAIN + b"X_Underscore: a\r\n",
    ],
)
def test_what_is_not_plain_is_left_to_the_web_server(head: bytes) -> None:
    assert read_head(head) is None


_NAMES = st.sampled_from(
    [b"Host", b"host", b"Connection", b"Content-Type", b"User-Agent", b"X-A", b"X-Forwarded-For", b"Cookie", b"TE",
     b"Transfer-Encoding", b"Expect", b"Upgrade", b"Keep-Alive", b"X_B", b"Host "]
)  # fmt: skip
_VALUES = st.sampled_from([b"a", b"close", b"Keep-Alive", b"chunked", b"upgrade", b"a b", b"[::1", b""]) | st.binary(
    max_size=6
)
_FIELDS = st.tuples(_NAMES, st.sampled_from([b": ", b":", b":  ", b" : "]), _VALUES).map(b"".join)
_TARGETS = st.sampled_from([b"/", b"/webhook", b"//webhook/a", b"/webhook/..", b"/a%62", b"/a?b", b"*", b"http://h/a"])
_FIRST = st.just((b"POST", b"/webhook", b"HTTP/1.1")) | st.tuples(
    st.sampled_from([b"POST", b"GET"]), _TARGETS, st.sampled_from([b"HTTP/1.1", b"HTTP/1.0"])
)
_JUNK = st.just(b"") | st.binary(max_size=3)


@given(_FIRST.map(b" ".join), st.lists(_FIELDS, max_size=3), _JUNK, st.integers(0, 80))
def test_what_is_read_here_the_web_server_reads_alike(first: bytes, fields: list[bytes], junk: bytes, at: int) -> None:
    lines = b"\r\n".join((first, b"Host: gateway", b"Content-Length: 0", *fields))
    text = (lines[:at] + junk + lines[at:] + b"\r\n\r\n").partition(b"\r\n\r\n")[0] + b"\r\n"
    taken = take_length(text)
    head = read_head(taken[0]) if taken else None
    if not taken or not head:
        return

    loop = asyncio.new_event_loop()
    messages, _, rest = HttpRequestParser(Mock(), loop, 2**16).feed_data(text + b"\r\n" + b"x" * min(taken[1], 2**16))
    loop.close()

    (message, _), *others = messages
    assert (others, rest) == ([], b"")
    assert (message.method, tuple(filter(None, message.path.split("/")))) == ("POST", head.path)
    headers = CIMultiDict(message.headers)
    assert int(headers.pop("Content-Length")) == taken[1]
    assert sorted(headers.items()) == sorted(head.headers.items())
    assert (message.should_close, message.chunked, message.upgrade) == (head.is_last, False, False)
