"""`gateway decode` prints the normalised view of whatever file it is given."""

import base64
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway import samples
from gateway.cli.decode import decode
from gateway.errors import EnvelopeError
from gateway.events import decode as decode_event
from gateway.events.view import to_view

TEXT, CALL = "messages-upsert__text-private-v223", "call__offer-v236"


def run(text: bytes, *options: str) -> Result:
    return CliRunner().invoke(decode, ["-", *options], input=text)


def view(sample: str) -> object:
    raw = samples.load(sample)
    return to_view(decode_event(raw["event"], raw))


def capture(sample: str, path: str) -> bytes:
    body = base64.b64encode(samples.read(sample)).decode()
    return json.dumps({"method": "POST", "path": path, "body_b64": body}).encode()


def test_one_envelope_is_one_object(tmp_path: Path) -> None:
    file = tmp_path / "posted.json"
    file.write_bytes(samples.read(TEXT))

    result = CliRunner().invoke(decode, [str(file)])

    assert result.exit_code == 0
    assert json.loads(result.stdout) == view(TEXT)


def test_list_of_envelopes_is_a_list() -> None:
    result = run(b"[" + samples.read(TEXT) + b"," + samples.read(CALL) + b"]")

    assert json.loads(result.stdout) == [view(TEXT), view(CALL)]


def test_envelopes_one_a_line_are_a_list() -> None:
    lines = [json.dumps(samples.load(name)).encode() for name in (TEXT, CALL)]

    assert json.loads(run(b"\n".join([*lines, b""])).stdout) == [view(TEXT), view(CALL)]


def test_captured_requests_are_read_as_what_they_posted() -> None:
    result = run(capture(TEXT, "/hook/messages-upsert") + b"\n" + capture(CALL, "/hook/call") + b"\n")

    assert json.loads(result.stdout) == [view(TEXT), view(CALL)]


def test_single_capture_is_read_too() -> None:
    assert json.loads(run(capture(CALL, "/hook")).stdout) == view(CALL)


def test_json_prints_one_line_for_each() -> None:
    result = run(b"[" + samples.read(TEXT) + b"," + samples.read(CALL) + b"]", "--json")

    assert [json.loads(line) for line in result.stdout.splitlines()] == [view(TEXT), view(CALL)]


@pytest.mark.parametrize(
    ("body", "options", "event"),
    [
        ({"data": {}}, ["--suffix", "call"], "call"),
        ({"data": {}}, ["--suffix", "MESSAGES_UPSERT"], "messages.upsert"),
        ({"event": "call", "data": {}}, ["--suffix", "messages-upsert"], "call"),
        ({"event": "", "data": {}}, ["--suffix", "call"], "call"),
        ({"data": {}}, [], "unknown"),
    ],
)
def test_suffix_names_the_event_only_if_the_body_does_not(body: object, options: list[str], event: str) -> None:
    assert json.loads(run(json.dumps(body).encode(), *options).stdout)["event"] == event


@pytest.mark.parametrize("path", ["/hook//call", "/hook/call/", "/hook?token=abc/call"])
def test_suffix_of_a_captured_url_names_the_event(path: str) -> None:
    body = base64.b64encode(b'{"data":{}}').decode()

    assert json.loads(run(json.dumps({"path": path, "body_b64": body}).encode()).stdout)["event"] == "call"


def test_lone_surrogates_are_read() -> None:
    body = rb'{"event":"messages.upsert","data":{"key":{},"message":{"conversation":"cut \ud83d"}}}'

    assert json.loads(run(body).stdout)["message"]["text"] == "cut �"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b'{"a', "not JSON"),
        (b"7", "expected a JSON object"),
        (b"[7]", "item 1: expected a JSON object"),
        (b'{"event":"call"}\n{oops}\n', "line 2: not JSON"),
        (b'{"body_b64":"%%%"}', "body_b64"),
    ],
)
def test_file_that_can_not_be_read_says_where_and_why(text: bytes, said: str) -> None:
    result = run(text)

    assert isinstance(result.exception, EnvelopeError)
    assert said in str(result.exception)


def test_problems_are_shown() -> None:
    result = run(b'{"event":"call","data":{"id":[]}}')

    assert json.loads(result.stdout)["problems"] == ["data.id: expected text, found a list"]
