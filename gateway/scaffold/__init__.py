"""What `gateway init` puts into a new folder: a bot that runs as it stands, with a test.

`bot/` beside this file is such a folder, with all examples in it; the wheel carries it. It is no package: its files are
copied, never imported.
"""

import ast
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Final

import msgspec

FIRST: Final = "ping"
"""The plugin that a new folder has when nobody chooses."""
_ALWAYS: Final = {
    "config.yaml": "config.yaml",
    "Makefile": "Makefile",
    "README.md": "README.md",
    ".gitignore": "gitignore.txt",
}
"""Each file of a new folder, whatever its plugins, and where it is kept here."""
_BOT: Final = files(__name__).joinpath("bot")


class Example(msgspec.Struct, frozen=True):
    """A plugin to begin with."""

    name: str
    about: str
    """What it does, in one line."""

    @property
    def files(self) -> tuple[str, str]:
        """The plugin and its test."""
        return f"routes/{self.name}.py", f"tests/test_{self.name}.py"


def examples() -> tuple[Example, ...]:
    """All of them, by name."""
    found = sorted(file.name for file in _BOT.joinpath("routes").iterdir() if file.name.endswith(".py"))
    return tuple(Example(name.removesuffix(".py"), _about(read(f"routes/{name}"))) for name in found)


def read(name: str) -> str:
    """The text of one of the files."""
    return _BOT.joinpath(name).read_text(encoding="utf-8")


def strangers(folder: Path) -> list[str]:
    """What stands in the way in a folder: everything that is not hidden (a .git or .venv may be there already)."""
    if not folder.exists():
        return []
    return sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("."))


def write(folder: Path, chosen: Sequence[Example]) -> Iterator[str]:
    """Make the folder and its files, and name each one made; a file that is there already is left as it is.

    Raises:
        OSError: the folder or a file can't be made.
    """
    wanted = {name: name for example in chosen for name in example.files}
    for name, kept in (_ALWAYS | wanted).items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.exists():
            continue
        file.write_text(read(kept), encoding="utf-8")
        yield name


def _about(code: str) -> str:
    return (ast.get_docstring(ast.parse(code)) or "").partition("\n")[0]
