"""`gateway decode FILE`: what a handler would see of a payload, as JSON."""

import base64
import binascii
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

import click
import orjson

from gateway import names
from gateway.cli.options import config_option
from gateway.envelope import parse
from gateway.errors import EnvelopeError
from gateway.events import decode as decode_event
from gateway.events.view import to_view

_PARTS: Final = re.compile(r"[/?&=]")


class _Posted(NamedTuple):
    """One envelope, and the suffix of the URL it was posted to, where that is known."""

    envelope: dict[str, Any]
    suffix: str | None


@click.command
@click.argument("file", type=click.File("rb"))
@click.option(
    "--suffix", metavar="S", help="Last part of the URL it was posted to; names the event if the body doesn't."
)
@config_option
@click.option("--json", "compact", is_flag=True, help="One line for each envelope, for other programs.")
def decode(file: BinaryIO, suffix: str | None, config_file: Path | None, *, compact: bool) -> None:
    """Show what a handler would see of FILE (- is standard input), as JSON.

    FILE holds one envelope, a list of them, or one a line: envelopes, or captured requests with `body_b64` and `path`.
    """
    del config_file  # every command takes it; what an event says depends on no setting
    posted, many = read(file.read())
    views = (_view(one, suffix) for one in posted)
    if compact:
        for view in views:
            click.echo(orjson.dumps(view))
    else:
        found = list(views)
        click.echo(orjson.dumps(found if many else found[0], option=orjson.OPT_INDENT_2))


def read(text: bytes) -> tuple[list[_Posted], bool]:
    """The envelopes of a file, and whether it can hold several.

    Raises:
        EnvelopeError: says what is wrong and on which line or at which place of the list.
    """
    if text.lstrip().startswith(b"["):
        items = parse(b'{"list":' + text + b"}")["list"]
        return [_posted(item, f"item {at}") for at, item in enumerate(items, 1)], True
    try:
        return [_posted(parse(text), "the file")], False
    except EnvelopeError:
        lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
        if len(lines) < 2 or not _is_object(lines[0][1]):  # noqa: PLR2004 -- one line is no list of lines
            raise
    return list(_lines(lines)), True


def _lines(lines: list[tuple[int, bytes]]) -> Iterator[_Posted]:
    for number, line in lines:
        try:
            document = parse(line)
        except EnvelopeError as error:
            raise EnvelopeError(f"line {number}: {error}") from None
        yield _posted(document, f"line {number}")


def _is_object(line: bytes) -> bool:
    try:
        parse(line)
    except EnvelopeError:
        return False
    return True


def _posted(document: object, place: str) -> _Posted:
    """An envelope as it stands there, or the one inside a captured request."""
    if not isinstance(document, dict):
        raise EnvelopeError(f"{place}: expected a JSON object")
    body = document.get("body_b64")
    if not isinstance(body, str):
        return _Posted(document, None)
    try:
        return _Posted(parse(base64.b64decode(body, validate=True)), _suffix(document.get("path")))
    except (binascii.Error, ValueError, EnvelopeError) as error:
        raise EnvelopeError(f"{place}: body_b64: {error}") from None


def _suffix(path: object) -> str | None:
    """The last part of a URL's path or query that names an event."""
    parts = _PARTS.split(path) if isinstance(path, str) else []
    return next((part for part in reversed(parts) if names.canonical(part)), None)


def _view(posted: _Posted, suffix: str | None) -> dict[str, Any]:
    """The body's own name wins, as it does where events are accepted."""
    named = (posted.envelope.get("event"), suffix, posted.suffix)
    event = next((text for text in named if isinstance(text, str) and text.strip()), "unknown")
    return to_view(decode_event(event, posted.envelope))
