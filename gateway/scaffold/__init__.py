"""What `gateway init` puts into a new folder: the files of a bot that runs as it stands.

The templates lie beside this file, so that the wheel carries them; `ping.py.txt` is the project's own routes/ping.py.
"""

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Final

TEMPLATES: Final = {
    "config.yaml": "config.yaml",
    "routes/ping.py": "ping.py.txt",
    ".gitignore": "gitignore.txt",
}
"""Each file of a new folder, and its template."""


def read(template: str) -> str:
    """A template's text."""
    return files(__name__).joinpath(template).read_text(encoding="utf-8")


def strangers(folder: Path) -> list[str]:
    """What stands in the way in a folder: everything that is not hidden (a .git or .venv may be there already)."""
    if not folder.exists():
        return []
    return sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("."))


def write(folder: Path) -> Iterator[str]:
    """Make the folder and its files, and name each one made; a file that is there already is left as it is.

    Raises:
        OSError: the folder or a file can't be made.
    """
    for name, template in TEMPLATES.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.exists():
            continue
        file.write_text(read(template), encoding="utf-8")
        yield name
