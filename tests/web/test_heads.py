"""Only what can be read in one way is read here; all else is left to the web server."""

import pytest

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
