"""One line an event: for people on a terminal, as JSON anywhere else.

Everything that is written passes here, other libraries' lines too, so that keys are taken out and nothing a stranger
sent can move the cursor or begin a line. A line is a fact in snake_case with values as keywords:
`log.info("delivery_settled", plugin="ping", event_name="messages.upsert", instance="shop-1", result="done", ms=1.2)`.
"""

import json
import logging
import os
import sys
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from threading import Lock
from types import MappingProxyType
from typing import IO, Any, AnyStr, Final, Literal, TextIO

import msgspec
import orjson
import structlog

from gateway.console import ConsoleLine, EventDict
from gateway.redact import PLACEHOLDER, Redactor, is_secret_name, printable

Format = Literal["auto", "console", "json"]
Level = Literal["debug", "info", "warning", "error"]

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()
"""The gateway's logger; `log.bind(plugin="ping")` gives one that says so on every line."""

_LARGEST: Final = 2**63
_LEVELS: Final[Mapping[Level, int]] = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
_KNOWN: Final = 4096  # fields that are remembered
_SHORT: Final = 80
"""Characters of a value that is likely to come again: an event's name, an instance, a plugin, a person."""


class Line(msgspec.Struct, frozen=True):
    """One line to be written with others."""

    level: Level
    fact: str
    values: Mapping[str, object]
    """A `MappingProxyType`, which must never change, is written out once and remembered."""
    id: int | None = None
    """Number of the event that it is about: written as text, as everywhere in JSON."""
    ms: float | None = None
    """How long it took, in milliseconds."""


def write_lines(lines: Iterable[Line]) -> None:
    """Write lines as `log` does, all with one write: what is said of every event must cost next to nothing."""
    config = structlog.get_config()
    logger = log.bind()
    enabled = {level for level, number in _LEVELS.items() if logger.is_enabled_for(number)}
    processors, output = config["processors"], config["logger_factory"]()
    if isinstance(quick := processors[-1], JsonLine):
        begins = {level: f'{{"time":"{_now()}","level":"{level}","fact":"'.encode() for level in enabled}
        output.write(b"".join([quick.line(begins[line.level], line) for line in lines if line.level in enabled]))
        return
    wanted = [line for line in lines if line.level in enabled]
    if written := [text for line in wanted if (text := _render(line, processors)) is not None]:
        output.msg("\n".join(written))


def _render(line: Line, processors: Iterable[structlog.typing.Processor]) -> str | None:
    """A line as the processors make it; None where one of them kept it for itself, as those of a test do."""
    made: Any = {"event": line.fact, **line.values}
    if line.id is not None:
        made["id"] = str(line.id)
    if line.ms is not None:
        made["ms"] = round(line.ms, 1)
    try:
        for process in processors:
            made = process(None, line.level, made)
    except structlog.DropEvent:
        return None
    return str(made)


def configure(
    format: Format,  # noqa: A002 - as the setting is called
    level: Level,
    secrets: Iterable[str] = (),
    stream: TextIO | None = None,
) -> None:
    """Set up logging for this process, once at its start.

    Args:
        format: `auto` is console on a terminal, else json.
        level: the least that is written.
        secrets: values that must not be written, besides what their names give away.
        stream: where to; standard error without one.
    """
    out = stream or sys.stderr
    for_people = format == "console" or (format == "auto" and out.isatty())
    cleaner = Cleaner(Redactor(secrets))
    colour = out.isatty() and not os.environ.get("NO_COLOR")
    output = Output(out)
    number = _LEVELS[level]
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            cleaner,
            ConsoleLine(colour=colour) if for_people else JsonLine(cleaner),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=lambda *_: output,
        cache_logger_on_first_use=True,
    )
    vars(log).pop("bind", None)  # what an earlier configure() left in the cache
    _forward_libraries(number)


class Cleaner:
    """Takes secrets out of every value and escapes what a terminal would act on."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._clean_short = lru_cache(4096)(self.text)

    def __call__(self, _logger: object, _method: str, event_dict: EventDict) -> EventDict:
        """Clean one line's values; numbers, true, false and nothing stay what they are."""
        for name, value in event_dict.items():
            if not _is_number(value) and value is not None:
                event_dict[name] = PLACEHOLDER if is_secret_name(name) else self._clean(name, value)
        return event_dict

    def _clean(self, name: str, value: object) -> str:
        text = value if isinstance(value, str) else self._write_out(value)
        if name in {"exception", "stack"}:
            return "\n".join(map(printable, self._redactor.text(text).split("\n")))
        return self._clean_short(text) if len(text) <= _SHORT else self.text(text)

    def text(self, text: str) -> str:
        """One text, clean."""
        return printable(self._redactor.text(text))

    def _write_out(self, value: object) -> str:
        """Any value as text: what holds others as JSON, so that names in it are seen."""
        try:
            if isinstance(value, dict | list | tuple):
                cleaned = self._redactor.json(json.loads(json.dumps(value, default=str, skipkeys=True)))
                return json.dumps(cleaned, ensure_ascii=False)
            return str(value)
        except Exception:  # noqa: BLE001 - a plugin's own class; a line about it must not fail its handler
            return f"<{type(value).__name__}>"


class Output:
    """Where lines go. One that cannot be written (a full disk, a closed pipe) is lost: accepting events goes on."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = Lock()

    def msg(self, line: str) -> None:
        """Write one line."""
        self._write(f"{line}\n", self._stream)

    def write(self, lines: bytes) -> None:
        """Write whole lines, in UTF-8."""
        if not lines:
            return
        if buffer := getattr(self._stream, "buffer", None):
            self._write(lines, buffer)
        else:  # a text that is kept in memory
            self._write(lines.decode(), self._stream)

    def _write(self, lines: AnyStr, to: IO[AnyStr]) -> None:
        try:
            with self._lock:
                to.write(lines)
                self._stream.flush()
        except (OSError, ValueError):
            return

    debug = info = warning = error = exception = critical = log = msg


class JsonLine:
    """One JSON object a line: time (UTC), level, fact, then what was given, in its order."""

    def __init__(self, cleaner: Cleaner) -> None:
        self._cleaner = cleaner
        self._known_field = lru_cache(_KNOWN)(self._written)
        self._whole: dict[tuple[str, int], tuple[Mapping[str, object], bytes]] = {}
        """By fact and identity: values that never change, and what is written of both."""

    def __call__(self, _logger: object, _method: str, event_dict: EventDict) -> str:
        """Write one line, whose values are clean."""
        line = {"time": _now(), "level": event_dict.pop("level", "info"), "fact": event_dict.pop("event", "")}
        line.update({name: value for name, value in event_dict.items() if value is not None})
        return orjson.dumps(line).decode()

    def line(self, begin: bytes, line: Line) -> bytes:
        """The same after what lines of one moment begin with, of values that are not clean yet.

        Most of it comes again, and is remembered.
        """
        whole = self._whole.get((line.fact, id(line.values)))
        text = whole[1] if whole else self._rest(line)
        if line.id is not None and line.ms is not None:
            return b'%b%b,"id":"%d","ms":%.1f}\n' % (begin, text, line.id, line.ms)
        number = b',"id":"%d"' % line.id if line.id is not None else b""
        took = b',"ms":%.1f' % line.ms if line.ms is not None else b""
        return b"".join((begin, text, number, took, b"}\n"))

    def _rest(self, line: Line) -> bytes:
        fields = "".join(self._field(name, value) for name, value in line.values.items() if value is not None)
        text = f'{line.fact}"{fields}'.encode()
        if isinstance(line.values, MappingProxyType):
            if len(self._whole) >= _KNOWN:
                self._whole.clear()
            self._whole[line.fact, id(line.values)] = line.values, text
        return text

    def _field(self, name: str, value: object) -> str:
        is_usual = isinstance(value, str) and len(value) <= _SHORT
        return self._known_field(name, value) if is_usual else self._written(name, value)

    def _written(self, name: str, value: object) -> str:
        cleaned = self._cleaner(None, "", {name: value})
        return f",{orjson.dumps(cleaned).decode()[1:-1]}"


def _now() -> str:
    return _stamp(int(time.time() * 1000))


@lru_cache(1)
def _stamp(millis: int) -> str:
    return datetime.fromtimestamp(millis / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class LibraryHandler(logging.Handler):
    """Gives the lines of other libraries (aiohttp, asyncio) the same way out."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record; a level that only the library knows is rounded down."""
        level = min(max(record.levelno // 10 * 10, logging.DEBUG), logging.CRITICAL)
        log.log(level, "library_logged", logger=record.name, text=_message(record), exc_info=record.exc_info)


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - its values don't fit its text, or cannot be written; logging would print them raw
        return str(record.msg)


def _forward_libraries(level: int) -> None:
    root = logging.getLogger()
    root.handlers = [handler for handler in root.handlers if not isinstance(handler, LibraryHandler)]
    root.addHandler(LibraryHandler())
    root.setLevel(level)


def _is_number(value: object) -> bool:
    """Whether a value is a number (or true or false) that JSON readers take whole."""
    return isinstance(value, float) or (isinstance(value, int) and -_LARGEST <= value < _LARGEST)
