import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from gateway.log import LibraryHandler, configure, log

CANARY = "canary-7Fq2xPz9"


class Broken(io.StringIO):
    """A stream on a full disk."""

    attempts = 0

    def write(self, _text: str, /) -> int:
        self.attempts += 1
        raise OSError(28, "No space left on device")


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()
    vars(log).pop("bind", None)


@pytest.fixture
def lines() -> Callable[[], list[dict[str, Any]]]:
    """What was written as JSON since the test began, at level debug."""
    stream = io.StringIO()
    configure("json", "debug", [CANARY], stream)
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


Lines = Callable[[], list[dict[str, Any]]]


class Hostile:
    """A plugin's own class."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (Hostile(), "<Hostile>"),
        ({"a": Hostile()}, "<dict>"),
        ("half \ud83d", "half \\ud83d"),
        ({"half": "\ud83d"}, '{"half": "\\ud83d"}'),
        (10**30, str(10**30)),
        ({1: (2, 3)}, '{"1": [2, 3]}'),
        (float("nan"), None),
    ],
)
def test_no_value_makes_logging_fail(lines: Lines, value: Any, written: Any) -> None:  # noqa: ANN401 - any value
    log.info("said", value=value)

    assert lines()[0]["value"] == written


def test_a_value_that_holds_itself_does_not_make_logging_fail(lines: Lines) -> None:
    endless: list[Any] = []
    endless.append(endless)

    log.info("said", value=endless)

    assert lines()[0]["value"] == "<list>"


def test_a_full_disk_loses_the_line_and_nothing_else() -> None:
    stream = Broken()
    configure("json", "info", stream=stream)

    log.error("said")
    logging.getLogger("aiohttp").error("said")

    assert stream.attempts == 2


def test_a_library_line_whose_values_do_not_fit_is_written_without_them(
    lines: Lines, capsys: pytest.CaptureFixture[str]
) -> None:
    record = logging.LogRecord("odd", logging.ERROR, __file__, 1, "only %d", (CANARY,), None)

    LibraryHandler().handle(record)

    assert lines()[0]["text"] == "only %d"
    assert capsys.readouterr().err == ""


def test_a_closed_stream_loses_the_line_and_nothing_else() -> None:
    stream = io.StringIO()
    configure("json", "info", stream=stream)
    stream.close()
    with pytest.raises(ValueError, match="closed"):
        stream.write("said")

    log.error("said")
