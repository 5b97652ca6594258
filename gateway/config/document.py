"""Read YAML into nodes that know where they stand, with `${ENV}` filled in.

PyYAML's own loader forgets lines, guesses types (`off`, `0123`, `12:30`) and lets the second of two equal keys win. So
only its composer is used: here every scalar stays the text it was, and `reader` gives it the type its place asks for.
"""

import re
from collections.abc import Mapping
from typing import Final

import msgspec
import yaml

from gateway.errors import ConfigError

_ENV: Final = re.compile(r"\$\$\{|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<default>:-[^}]*)?\}|\$\{[^}]*\}?")
_TAGS: Final = tuple(f"tag:yaml.org,2002:{name}" for name in ("str", "seq", "map"))
_DEEPEST: Final = 50  # levels


class Place(msgspec.Struct, frozen=True):
    """Where in which file something stands."""

    file: str
    line: int
    """Counted from 1; 0 when no line can be named."""
    key: str = ""
    """Dotted, with `[2]` for the third of a list."""

    def error(self, text: str) -> ConfigError:
        """What is wrong here, as an error."""
        line = f", line {self.line}" if self.line else ""
        key = f": {self.key}" if self.key else ""
        return ConfigError(f"{self.file}{line}{key}: {text}")


class Leaf(msgspec.Struct, frozen=True):
    """One scalar."""

    place: Place
    text: str
    """After `${ENV}` was filled in."""
    written: str
    """As it stands in the file."""
    quoted: bool

    @property
    def filled(self) -> bool:
        """Whether any of it came from the environment."""
        return self.text != self.written or "${" in self.written

    @property
    def empty(self) -> bool:
        """Whether nothing stands here, or YAML's words for nothing."""
        return not self.quoted and not self.filled and self.text in {"", "~", "null", "Null", "NULL"}


class Listing(msgspec.Struct, frozen=True):
    """A list."""

    place: Place
    items: tuple["Node", ...]


class Section(msgspec.Struct, frozen=True):
    """Keys with what belongs to each."""

    place: Place
    entries: dict[str, "Node"]


Node = Leaf | Listing | Section


def parse_document(text: str, file: str, environ: Mapping[str, str]) -> Section:
    """Read a file's text; an empty one is an empty section.

    Raises:
        ConfigError: not YAML, not keys and values, a key written twice, or a variable that is not set.
    """
    start = Place(file, 0)
    try:
        if _is_too_deep(text):
            raise start.error("nested too deep")
        root = yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.YAMLError as error:
        raise _syntax_error(error, text, file) from None
    node = Section(start, {}) if root is None else _Builder(file, environ).build(root, "", 0)
    if isinstance(node, Leaf) and node.empty:
        return Section(start, {})
    if not isinstance(node, Section):
        raise node.place.error("expected settings, such as  webhook: {port: 8085}")
    return node


def _is_too_deep(text: str) -> bool:
    """The composer calls itself for each level, so levels are counted before it is let at the text."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.BaseLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _DEEPEST:
            return True
    return False


class _Builder:
    """Turns PyYAML's nodes into ours."""

    def __init__(self, file: str, environ: Mapping[str, str]) -> None:
        self._file = file
        self._environ = environ

    def build(self, node: yaml.Node, key: str, depth: int) -> Node:
        place = self._place(node, key)
        if node.tag not in _TAGS:
            raise place.error("a tag (!word) is not understood here; text that begins with ! needs quotes")
        if depth > _DEEPEST:
            raise place.error("nested too deep")
        if isinstance(node, yaml.ScalarNode):
            return self._leaf(node, place)
        if isinstance(node, yaml.MappingNode):
            return Section(place, self._entries(node, key, depth))
        items = (self.build(item, f"{key}[{index}]", depth + 1) for index, item in enumerate(node.value))
        return Listing(place, tuple(items))

    def _entries(self, node: yaml.MappingNode, prefix: str, depth: int) -> dict[str, Node]:
        entries: dict[str, Node] = {}
        for key_node, value_node in node.value:
            place = self._place(key_node, prefix)
            if not isinstance(key_node, yaml.ScalarNode):
                raise place.error("expected a name before the colon; text that holds ${...} or {...} needs quotes")
            name = str(key_node.value)
            if name in entries:
                raise place.error(f"{name} is written twice, first on line {entries[name].place.line}")
            if name == "<<":
                raise place.error("merging with << is not understood; write the settings out")
            below = self.build(value_node, f"{prefix}.{name}" if prefix else name, depth + 1)
            entries[name] = _at_line(below, place.line) if isinstance(below, Leaf) and below.empty else below
        return entries

    def _leaf(self, node: yaml.ScalarNode, place: Place) -> Leaf:
        written = str(node.value)
        return Leaf(place, self._fill(written, place), written, quoted=node.style is not None)

    def _fill(self, text: str, place: Place) -> str:
        def value(found: re.Match[str]) -> str:
            if found[0] == "$${":
                return "${"
            if found["name"] is None:
                raise place.error("expected ${NAME} or ${NAME:-default}; for a plain ${ write $${")
            return self._variable(found["name"], found["default"], place)

        return _ENV.sub(value, text) if "${" in text else text

    def _variable(self, name: str, default: str | None, place: Place) -> str:
        if self._environ.get(name):
            return self._environ[name]
        if default is not None:
            return default.removeprefix(":-")
        if name in self._environ:
            return ""
        raise place.error(f"the environment has no {name}; set it, or write ${{{name}:-default}}")

    def _place(self, node: yaml.Node, key: str) -> Place:
        return Place(self._file, node.start_mark.line + 1, key)


def _at_line(leaf: Leaf, line: int) -> Leaf:
    """An empty value stands, for YAML, where the next thing begins; people look for it at its key."""
    return msgspec.structs.replace(leaf, place=msgspec.structs.replace(leaf.place, line=line))


def _syntax_error(error: yaml.YAMLError, text: str, file: str) -> ConfigError:
    mark = getattr(error, "problem_mark", None)
    problem = str(getattr(error, "problem", None) or "not readable as text")
    place = Place(file, mark.line + 1 if mark else 0)
    if "alias" in problem:  # PyYAML would repeat the text, which may be a key
        return place.error("text that begins with * needs quotes")
    lines = text.splitlines()
    in_braces = mark is not None and mark.line < len(lines) and "${" in lines[mark.line]
    hint = '; inside [ ] and { } write "${NAME}" in quotes' if in_braces else ""
    return place.error(f"not YAML: {problem}{hint}")
