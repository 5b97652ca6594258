"""An HTTP answer is read the same however it comes in, and nothing else is taken for one."""

import pytest

from gateway.evolution.incoming import HEAD, Incoming

JSON = b'{"key":{"id":"BAE5"}}'
ANSWERS = {
    "with its length": b"HTTP/1.1 201 Created\r\nContent-Length: 21\r\nX-A: 1\r\n\r\n" + JSON,
    "in chunks": (
        b"HTTP/1.1 201 Created\r\ntransfer-encoding: Chunked\r\n\r\n"
        b'A\r\n{"key":{"i\r\n00b;name=value\r\nd":"BAE5"}}\r\n0\r\nX-Sum: 1\r\n\r\n'
    ),
    "after an interim one": (
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length:21\r\n\r\n" + JSON
    ),
}


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_an_answer_is_read_however_it_is_cut(answer: bytes, size: int) -> None:
    incoming = Incoming()
    taken = b""
    for start in range(0, len(answer), size):
        assert not incoming.is_whole
        incoming.feed(answer[start : start + size])
        taken += incoming.take()

    assert incoming.is_whole
    assert (incoming.status, taken) == (201, JSON)
    assert incoming.lets_go_on


def test_names_of_headers_are_the_same_in_every_case() -> None:
    incoming = Incoming()
    incoming.feed(b"HTTP/1.1 301 Moved\r\nLOCATION:  https://evo.example/ \r\nContent-Length: 0\r\n\r\n")

    assert (incoming.status, incoming.headers["location"]) == (301, "https://evo.example/")


def test_content_without_a_length_ends_with_its_connection() -> None:
    incoming = Incoming()
    incoming.feed(b"HTTP/1.1 200 OK\r\n\r\n" + JSON)
    before = incoming.is_whole
    incoming.end()

    assert (before, incoming.is_whole, incoming.take()) == (False, True, JSON)
    assert not incoming.lets_go_on


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_that_has_no_content_waits_for_none(status: int) -> None:
    incoming = Incoming()
    incoming.feed(b"HTTP/1.1 %d -\r\n\r\n" % status)

    assert incoming.is_whole


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nmore",
    ],
    ids=["the server closes it", "an old server", "something is left over"],
)
def test_no_request_follows_where_the_connection_is_not_to_be_used_again(answer: bytes) -> None:
    incoming = Incoming()
    incoming.feed(answer)

    assert incoming.is_whole
    assert not incoming.lets_go_on


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", "no HTTP"),
        (b"HTTP/1.1 2x1 Odd\r\n\r\n", "no HTTP"),
        (b"HTTP/2 200\r\n\r\n", "no HTTP"),
        (b"x" * (HEAD + 1), "head is longer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "no number"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", "no length"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n", "no length"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1_0\r\n", "no length"),
    ],
)
def test_what_is_no_answer_is_refused(answer: bytes, says: str) -> None:
    with pytest.raises(ConnectionError, match=says):
        Incoming().feed(answer)


def test_what_comes_unasked_is_refused() -> None:
    incoming = Incoming()
    incoming.feed(ANSWERS["with its length"])

    with pytest.raises(ConnectionError, match="unasked"):
        incoming.feed(b"HTTP/1.1 408 Request Timeout\r\n\r\n")


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_an_answer_that_ends_too_early_is_none(answer: bytes) -> None:
    for end in range(len(answer)):
        incoming = Incoming()
        incoming.feed(answer[:end])
        with pytest.raises(ConnectionError, match="before the answer's end"):
            incoming.end()
