import io
import json
import logging
import re
from collections.abc import Callable, Iterator
from types import MappingProxyType
from typing import Any

import pytest
import structlog

from gateway.log import Line, configure, log, write_lines

CANARY = "canary-7Fq2xPz9"


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


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


def console(*, colour: bool = False) -> io.StringIO:
    stream = Terminal() if colour else io.StringIO()
    configure("console", "info", [CANARY], stream)
    return stream


# ---- JSON


def test_a_line_is_a_json_object_with_time_level_and_fact_first(lines: Lines) -> None:
    log.info("delivery_settled", plugin="ping", outcome="done", attempt=1, ms=12.4, late=False, note=None)

    line = lines()[0]

    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("time"))
    assert list(line.items()) == [
        ("level", "info"),
        ("fact", "delivery_settled"),
        ("plugin", "ping"),
        ("outcome", "done"),
        ("attempt", 1),
        ("ms", 12.4),
        ("late", False),
    ], "what is not there is left out"


def test_auto_is_json_where_no_terminal_is() -> None:
    stream = io.StringIO()
    configure("auto", "info", stream=stream)

    log.info("started")

    assert json.loads(stream.getvalue())["fact"] == "started"


def test_auto_is_a_line_for_people_on_a_terminal() -> None:
    stream = Terminal()
    configure("auto", "info", stream=stream)

    log.info("started")

    assert "started" in stream.getvalue()
    assert not stream.getvalue().startswith("{")


def test_json_on_a_terminal_has_no_colours() -> None:
    stream = Terminal()
    configure("json", "info", stream=stream)

    log.error("failed")

    assert json.loads(stream.getvalue())["level"] == "error"


def test_what_is_bound_is_on_every_line(lines: Lines) -> None:
    bound = log.bind(plugin="ping")

    bound.info("one")
    bound.info("two")
    log.info("three")

    assert [line.get("plugin") for line in lines()] == ["ping", "ping", None]


@pytest.mark.parametrize(
    ("level", "written"),
    [
        ("debug", ["debug", "info", "warning", "error"]),
        ("info", ["info", "warning", "error"]),
        ("warning", ["warning", "error"]),
        ("error", ["error"]),
    ],
)
def test_nothing_below_the_level_is_written(level: Any, written: list[str]) -> None:  # noqa: ANN401 - a Level
    stream = io.StringIO()
    configure("json", level, stream=stream)

    for name in ("debug", "info", "warning", "error"):
        getattr(log, name)("said")
        logging.getLogger("aiohttp").log(logging.getLevelNamesMapping()[name.upper()], "said")

    found = [json.loads(line)["level"] for line in stream.getvalue().splitlines()]
    assert found == [name for name in written for _ in range(2)]


def test_a_second_configuration_replaces_the_first() -> None:
    first, second = io.StringIO(), io.StringIO()
    configure("json", "info", stream=first)
    log.info("one")

    configure("json", "debug", [CANARY], second)
    log.debug("two", text=CANARY)
    logging.getLogger("aiohttp").warning("three")

    assert [json.loads(line)["fact"] for line in first.getvalue().splitlines()] == ["one"]
    assert [json.loads(line)["fact"] for line in second.getvalue().splitlines()] == ["two", "library_logged"]
    assert CANARY not in second.getvalue()


# ---- the terminal


def test_an_event_is_one_aligned_line_for_people() -> None:
    stream = console()

    log.info("accepted", event_name="messages.upsert", instance="shop-1", person="Ana Souza (…0002)", ms=3)
    log.info("handled", plugin="ping", instance="shop-1", result='would send "pong"', ms=1.04, attempt=1)
    log.info("started", port=8085)
    log.warning("request_refused", result="401", reason="token is missing")

    accepted, handled, started, refused = stream.getvalue().splitlines()
    assert re.fullmatch(r"\d\d:\d\d:\d\d accepted +messages\.upsert +shop-1 +Ana Souza \(…0002\) +3 ms", accepted)
    assert re.fullmatch(r'\d\d:\d\d:\d\d handled +ping +shop-1 +would send "pong"  1 ms  attempt=1', handled)
    assert accepted.index("messages.upsert") == handled.index("ping")
    assert accepted.index("shop-1") == handled.index("shop-1")
    assert re.fullmatch(r"\d\d:\d\d:\d\d started +port=8085", started)
    assert re.fullmatch(r"\d\d:\d\d:\d\d request_refused {3,5}401  reason=token is missing", refused)


def test_plugin_and_event_are_both_shown() -> None:
    stream = console()

    log.info("handled", plugin="ping", event_name="messages.upsert")

    assert re.search(r"handled +ping +event_name=messages\.upsert", stream.getvalue())


def test_colours_are_written_to_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    coloured = console(colour=True)
    log.error("failed")
    plain = console()
    log.error("failed")

    assert "\x1b[31mfailed" in coloured.getvalue()
    assert "\x1b" not in plain.getvalue()


def test_no_color_in_the_environment_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    stream = console(colour=True)

    log.error("failed")

    assert "\x1b" not in stream.getvalue()


@pytest.mark.parametrize("name", ["person", "instance", "event_name", "plugin", "result", "other"])
def test_what_a_stranger_sent_cannot_forge_a_line_or_a_colour(name: str) -> None:
    stream = console()

    log.info("accepted", **{name: "Ana\n14:02:11 handled\x1b[31m\r\u202e"})

    assert stream.getvalue().count("\n") == 1
    assert "Ana\\n14:02:11 handled\\x1b[31m\\r\\u202e" in stream.getvalue()


# ---- secrets


@pytest.mark.parametrize(
    "values",
    [
        {"text": f"x {CANARY} y"},
        {"apikey": "whatever-it-is"},
        {"Authorization": ["whatever-it-is"]},
        {"headers": {"apikey": "whatever-it-is"}},
        {"headers": [("apikey", "whatever-it-is")]},
        {"body": {"data": [{"token": "whatever-it-is"}], "copy": "whatever-it-is"}},
        {"text": '{"apikey": "whatever-it-is"}'},
        {"url": "http://evo/?apikey=whatever-it-is"},
        {"error": ValueError("apikey=whatever-it-is")},
        {"data": b"apikey=whatever-it-is"},
    ],
)
def test_secrets_are_in_no_line(lines: Lines, values: dict[str, Any]) -> None:
    log.info("request_failed", **values)

    text = json.dumps(lines())
    assert "[redacted]" in text
    assert CANARY not in text
    assert "whatever-it-is" not in text


def test_a_traceback_is_written_without_secrets(lines: Lines) -> None:
    fail_and_log()

    line = lines()[0]

    assert line["exception"].startswith("Traceback (most recent call last):\n")
    assert line["exception"].endswith("ValueError: refused [redacted] {'apikey': '[redacted]'} \\x1b[31m")
    assert (line["fact"], line["level"]) == ("handler_failed", "error")


def test_a_traceback_stands_indented_below_its_line() -> None:
    stream = console()

    fail_and_log()

    first, *below = stream.getvalue().splitlines()
    assert re.fullmatch(r"\d\d:\d\d:\d\d handler_failed +ping", first.rstrip())
    assert below[0] == "    Traceback (most recent call last):"
    assert all(line.startswith("    ") for line in below)
    assert CANARY not in stream.getvalue()


def fail_and_log() -> None:
    try:
        raise ValueError(f"refused {CANARY} {{'apikey': 'whatever-it-is'}} \x1b[31m")  # noqa: TRY301 - to be caught
    except ValueError:
        log.exception("handler_failed", plugin="ping")


# ---- other libraries


def test_lines_of_other_libraries_go_the_same_way(lines: Lines) -> None:
    logging.getLogger("aiohttp.server").error("Error handling %s", f"request with {CANARY}")

    line = lines()[0]

    assert (line["fact"], line["level"]) == ("library_logged", "error")
    assert (line["logger"], line["text"]) == ("aiohttp.server", "Error handling request with [redacted]")


def test_exceptions_of_other_libraries_are_written_without_secrets(lines: Lines) -> None:
    try:
        raise OSError(f"lost {CANARY}")  # noqa: TRY301 - to be caught
    except OSError:
        logging.getLogger("asyncio").exception("Task failed")

    assert lines()[0]["exception"].endswith("OSError: lost [redacted]")


@pytest.mark.parametrize(("number", "level"), [(5, "debug"), (25, "info"), (45, "error"), (99, "critical")])
def test_levels_that_only_a_library_knows_are_rounded_down(lines: Lines, number: int, level: str) -> None:
    logger = logging.getLogger("odd")
    logger.setLevel(1)

    logger.log(number, "said")

    assert [line["level"] for line in lines()] == [level]


# ---- many at once


def test_lines_written_together_are_those_that_log_writes(lines: Lines) -> None:
    values = {"event_name": "call", "person": None, "size": 3, "note": f"it is {CANARY}"}
    log.info("accepted", **values, id="7", ms=1.2)
    log.error("delivery_dead", plugin="a\nb")

    write_lines([Line("info", "accepted", values, 7, 1.234), Line("error", "delivery_dead", {"plugin": "a\nb"})])
    fixed, other = MappingProxyType(values), MappingProxyType({"plugin": "a\nb"})
    for _ in range(2):  # what never changes is written out once
        write_lines([Line("info", "accepted", fixed, 7, 1.234), Line("error", "delivery_dead", other)])

    apart, *together = batched(lines(), 2)
    assert together == [apart] * 3
    assert "[redacted]" in together[2][0]["note"]


def test_lines_written_together_look_alike_on_a_terminal() -> None:
    stream = Terminal()
    configure("console", "info", [], stream)
    log.info("accepted", event_name="call", id="7", ms=1.2)

    write_lines([Line("info", "accepted", {"event_name": "call"}, 7, 1.234)])

    apart, together = (line.partition(" ")[2] for line in stream.getvalue().splitlines())
    assert together == apart


def test_lines_written_together_are_one_write() -> None:
    class Counted(io.StringIO):
        writes = 0

        def write(self, text: str) -> int:
            self.writes += 1
            return super().write(text)

    stream = Counted()
    configure("json", "info", [], stream)

    write_lines(Line("info", "accepted", {"id": str(number)}) for number in range(3))

    assert stream.writes == 1
    assert [json.loads(line)["id"] for line in stream.getvalue().splitlines()] == ["0", "1", "2"]


def test_lines_written_together_stand_in_turn_with_others_in_a_file_of_any_encoding() -> None:
    file = io.BytesIO()
    configure("json", "info", [], io.TextIOWrapper(file, "ascii", errors="backslashreplace"))

    for number in range(3):
        log.info("accepted", id=str(2 * number))
        write_lines([Line("info", "accepted", MappingProxyType({"person": "…0002"}), 2 * number + 1, 0.0)])

    written = [json.loads(line) for line in file.getvalue().splitlines()]
    assert [line["id"] for line in written] == ["0", "1", "2", "3", "4", "5"]
    assert written[1]["person"] == "…0002"


def test_values_that_two_facts_share_are_written_out_for_both(lines: Lines) -> None:
    shared = MappingProxyType({"event_name": "call"})
    write_lines([Line(*fact, shared, 1, 0.0) for fact in (("info", "accepted"), ("info", "duplicate"))])
    write_lines([Line(*fact, shared, 1, 0.0) for fact in (("info", "duplicate"), ("info", "accepted"))])

    assert [line["fact"] for line in lines()] == ["accepted", "duplicate", "duplicate", "accepted"]


def test_lines_written_together_keep_to_the_level() -> None:
    stream = io.StringIO()
    configure("json", "warning", [], stream)

    write_lines([Line("info", "accepted", {}), Line("warning", "delivery_waiting", {})])
    write_lines([Line("debug", "delivery_skipped", {})])

    assert [json.loads(line)["fact"] for line in stream.getvalue().splitlines()] == ["delivery_waiting"]


def batched(lines: list[dict[str, str]], size: int) -> list[list[dict[str, str]]]:
    """So many at a time, without their times."""
    return [[{**line, "time": ""} for line in lines[at : at + size]] for at in range(0, len(lines), size)]
