"""How the log looks to people: aligned columns, coloured on a terminal."""

from collections.abc import MutableMapping
from datetime import datetime
from typing import Any, Final

EventDict = MutableMapping[str, Any]

_COLUMNS: Final = (("event", 18), ("subject", 18), ("instance", 10), ("person", 24), ("result", 0), ("ms", 0))
"""What stands where on a terminal, and how wide at least."""
_ABOUT: Final = frozenset({"subject", "instance", "person"})
_COLOURS: Final = {"warning": "\033[33m", "error": "\033[31m", "critical": "\033[31m", "debug": "\033[2m"}
_DIM: Final = "\033[2m"
_BOLD: Final = "\033[1m"
_PLAIN: Final = "\033[0m"


class ConsoleLine:
    """One aligned line for people: time, fact, plugin or event, instance, person, result, milliseconds, the rest."""

    def __init__(self, *, colour: bool) -> None:
        self._colour = colour

    def __call__(self, _logger: object, _method: str, event_dict: EventDict) -> str:
        """Write one line; a traceback stands below it, indented."""
        level = event_dict.pop("level", "info")
        below = [text for name in ("stack", "exception") if (text := event_dict.pop(name, None))]
        event_dict["subject"] = event_dict.pop("plugin", None) or event_dict.pop("event_name", None)
        columns = self._columns(level, event_dict)
        rest = [self._paint(_DIM, f"{name}={value}") for name, value in event_dict.items() if value is not None]
        clock = self._paint(_DIM, datetime.now().astimezone().strftime("%H:%M:%S"))
        line = "  ".join((*columns, *rest))
        return "\n".join([f"{clock} {line}".rstrip(), *(_indent(text) for text in below)])

    def _columns(self, level: str, event_dict: EventDict) -> list[str]:
        """The columns up to the last one that holds something; a line that is about no event has no gaps."""
        texts = [(name, width, _column_text(name, event_dict.pop(name, None))) for name, width in _COLUMNS]
        if not any(text for name, _, text in texts if name in _ABOUT):
            texts = [column for column in texts if column[2]]
        while texts and not texts[-1][2]:
            texts.pop()
        colours = {"event": _COLOURS.get(level, _BOLD), "ms": _DIM}
        return [self._paint(colours.get(name, ""), f"{text:<{width}}") for name, width, text in texts if width or text]

    def _paint(self, colour: str, text: str) -> str:
        return f"{colour}{text}{_PLAIN}" if self._colour and colour else text


def _column_text(name: str, value: object) -> str:
    if value is None:
        return ""
    if name == "ms" and isinstance(value, int | float):
        return f"{round(value, 1):g} ms"
    return str(value)


def _indent(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.split("\n"))
