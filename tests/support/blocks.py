"""The blocks of code in the documents."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = [*sorted(ROOT.glob("[A-Z]*.md")), *sorted((ROOT / "docs").rglob("*.md")), *sorted(ROOT.glob("deploy/*.md"))]
_BLOCK = re.compile(r"^( *)```(\w+)\n(.*?)^\1```", re.DOTALL | re.MULTILINE)
_FILE = re.compile(r"# ((?:routes|tests)/\w+\.py)\n")


class Block(NamedTuple):
    document: Path
    number: int
    language: str
    text: str

    @property
    def file(self) -> str | None:
        """Where its author is to put it: its first line says so."""
        found = _FILE.match(self.text)
        return found[1] if found else None

    @property
    def name(self) -> str:
        return f"{self.document.stem}-{self.number}"


def blocks(language: str) -> Iterator[Block]:
    for document in DOCUMENTS:
        for number, (indent, kind, text) in enumerate(_BLOCK.findall(document.read_text())):
            if kind == language:
                yield Block(document, number, kind, re.sub(rf"^{indent}", "", text, flags=re.MULTILINE))


def each(language: str) -> list[object]:
    """For `parametrize`."""
    return [pytest.param(block, id=block.name) for block in blocks(language)]
