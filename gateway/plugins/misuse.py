"""Say where a plugin file is wrong: the line its author wrote, not the line of ours that noticed.

Of its own, because filters, handlers and contexts all find mistakes while a file is being loaded.
"""

import inspect
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from gateway.errors import PluginError

_HERE: Final = f"{Path(__file__).parent}{os.sep}"


class Misuse(PluginError):
    """A plugin file asks for something that cannot be."""

    def __init__(self, problem: str, *, file: str, line: int) -> None:
        super().__init__(f"{file}:{line}: {problem}")
        self.problem = problem
        self.file = file
        self.line = line

    @classmethod
    def here(cls, problem: str) -> "Misuse":
        """At the line outside this package that is running now."""
        file, line = caller()
        return cls(problem, file=file, line=line)

    @classmethod
    def of(cls, function: Callable[..., Any], problem: str) -> "Misuse":
        """At the first line of a function, its decorators included; where it has none, at the running line."""
        code = getattr(inspect.unwrap(function), "__code__", None)
        return cls(problem, file=code.co_filename, line=code.co_firstlineno) if code else cls.here(problem)


def caller() -> tuple[str, int]:
    """File and line of the innermost running code that is not part of this package."""
    frame = inspect.currentframe()
    while frame and frame.f_back and frame.f_code.co_filename.startswith(_HERE):
        frame = frame.f_back
    return (frame.f_code.co_filename, frame.f_lineno) if frame else ("<unknown>", 0)
