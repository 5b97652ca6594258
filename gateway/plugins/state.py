"""What a plugin remembers: mappings that are saved with the delivery, or not at all.

A mapping is read when it is first touched and compared when the handler has succeeded, so `state["cart"].append(x)`
counts like an assignment, and a handler that remembers nothing costs nothing. What failed leaves no trace, so a retry
finds everything as the first attempt found it.
"""

from collections.abc import Iterator, MutableMapping, Sequence
from math import isfinite
from typing import Any, Final, Protocol

import msgspec
import orjson

from gateway.errors import ContextClosed, StateError
from gateway.plugins.typed import T, Typed

LIMIT: Final = 65_536
"""Bytes of JSON that one mapping may come to."""
DEEPEST: Final = 100
"""Lists and objects within each other."""


class StateKey(msgspec.Struct, frozen=True):
    """Where one mapping is kept."""

    plugin: str
    instance: str
    scope: str
    """`chat:...`, `sender:...`, `key:...` or `instance`."""


class StateChange(msgspec.Struct, frozen=True):
    """One mapping that has to be written with its delivery."""

    key: StateKey
    revision: int
    """The one that was read; another one in the store by now means that somebody else wrote meanwhile."""
    value: bytes | None
    """JSON; None: the mapping is empty and its row goes."""
    replaces: StateKey | None = None
    """An older address of the same chat or person, under which it was found; its row goes."""


class StateSource(Protocol):
    """Reads what is committed. Called from plugins' threads."""

    def read(self, key: StateKey) -> tuple[bytes | None, int]:
        """The JSON under a key and its revision; (None, 0) where there is nothing."""


class State(MutableMapping[str, Any]):
    """A mapping of text to JSON values: None, bool, int, float, str, list, dict.

    Raises:
        StateError: on assignment, a value that JSON can't keep as it is (a tuple, a datetime, a NaN).
        ContextClosed: used after the handler has ended.
    """

    def __init__(self, keys: Sequence[StateKey], source: StateSource, term: "Term") -> None:
        """`keys`: where it is kept, and after that where it may have been kept before."""
        self._keys = keys
        self._source = source
        self._term = term
        self._values: dict[str, Any] | None = None
        self._read: bytes | None = None
        self._revision = 0
        self._found = keys[0]
        self._typed: Typed[Any] | None = None

    def __getitem__(self, key: str) -> Any:  # noqa: ANN401 -- JSON
        return self._load()[key]

    def __setitem__(self, key: str, value: Any) -> None:  # noqa: ANN401 -- JSON
        if not isinstance(key, str):
            raise StateError(f"state takes text as keys, got {key!r}")
        _check_storable(value, f"state[{key!r}]")
        self._load()[key] = value

    def __delitem__(self, key: str) -> None:
        del self._load()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._load())

    def __len__(self) -> int:
        return len(self._load())

    def __repr__(self) -> str:
        return f"State({self._keys[0].scope!r})"

    def typed(self, kind: type[T]) -> T:
        """The state as a msgspec struct, whose changes are saved as those of the mapping are: `menu.step = "size"`.

        Each field needs a default, for there is nothing at first. Where a field has changed, it counts and not what was
        assigned to its key meanwhile.

        Raises:
            StateError: what is there doesn't fit the struct, or another one was asked for before.
            ContextClosed: the handler has ended.
        """
        values = self._load()
        if self._typed is None:
            self._typed = Typed(kind, values, self._keys[0].plugin)
        if self._typed.kind is not kind:
            raise StateError(f"this state is a {self._typed.kind.__name__} already, and can't be a {kind.__name__} too")
        struct: T = self._typed.struct
        return struct

    def change(self) -> StateChange | None:
        """For the worker: what has to be written; None when nothing has changed.

        Raises:
            StateError: a value inside can't be stored, or all of it is larger than LIMIT.
        """
        if self._values is None:
            return None
        if self._typed is not None:
            self._typed.write()
        _check_storable(self._values, "state")
        encoded = orjson.dumps(self._values, option=orjson.OPT_SORT_KEYS) if self._values else None
        if encoded is not None and len(encoded) > LIMIT:
            raise StateError(
                f"state of {self._keys[0].plugin} came to {len(encoded)} bytes; {LIMIT} is the limit. "
                "Keep large things in a file or a database, and their name here."
            )
        if encoded == self._read and self._found == self._keys[0]:
            return None
        replaces = self._found if self._found != self._keys[0] else None
        return StateChange(self._keys[0], 0 if replaces else self._revision, encoded, replaces)

    def _load(self) -> dict[str, Any]:
        self._term.check()
        if self._values is None:
            for key in self._keys:
                self._read, self._revision = self._source.read(key)
                if self._read is not None:
                    self._found = key
                    break
            self._values = orjson.loads(self._read) if self._read else {}
        return self._values


class Term:
    """For how long mappings may be used. Of its own, so that no mapping holds what holds it."""

    __slots__ = ("_over", "_plugin")

    def __init__(self, plugin: str) -> None:
        self._plugin = plugin
        self._over = ""

    def end(self, why: str) -> None:
        """From now on they may not be used any more; `why` finishes a sentence."""
        self._over = why

    def check(self) -> None:
        """Before each use.

        Raises:
            ContextClosed: it has ended.
        """
        if self._over:
            raise ContextClosed(f"ctx.state in {self._plugin} came too late: {self._over}. Nothing is saved.")


class Memory:
    """Everything one delivery can remember by."""

    def __init__(
        self,
        *,
        plugin: str,
        instance: str | None,
        chats: Sequence[str],
        people: Sequence[str],
        source: StateSource,
    ) -> None:
        """Which mappings there are.

        Args:
            plugin: whose memory.
            instance: the event's.
            chats: the event's chat, the address it is known by first; empty for an event without one.
            people: the sender in a shared chat, likewise; empty in a private chat and without a sender.
            source: where to read.
        """
        self._plugin = plugin
        self._instance = instance or ""
        self._chats = chats
        self._people = people
        self._source = source
        self._term = Term(plugin)
        self._state: State | None = None
        self._chat_state: State | None = None
        self._loaded: dict[str, State] = {}

    @property
    def state(self) -> State:
        """That of the sender in the chat."""
        if self._state is None:
            scopes = [f"sender:{chat}|{person}" for chat in self._chats for person in self._people or ("",)]
            self._state = self._open(scopes) if scopes else self.chat_state
        return self._state

    @property
    def chat_state(self) -> State:
        """That of the chat."""
        if self._chat_state is None:
            self._chat_state = self._open([f"chat:{chat}" for chat in self._chats] or ["instance"])
        return self._chat_state

    def close(self, why: str) -> None:
        """For the worker: what is here may not be used any more; `why` finishes a sentence."""
        self._term.end(why)

    def load(self, key: str) -> State:
        """The mapping under any other key."""
        if key not in self._loaded:
            self._loaded[key] = self._open([f"key:{key}"])
        return self._loaded[key]

    def changes(self) -> tuple[StateChange, ...]:
        """For the worker: what has to be written.

        Raises:
            StateError: something can't be stored.
        """
        mine = (self._state, self._chat_state if self._chat_state is not self._state else None)
        touched = (state for state in (*mine, *self._loaded.values()) if state is not None)
        return tuple(change for state in touched if (change := state.change()) is not None)

    def _open(self, scopes: Sequence[str]) -> State:
        keys = [StateKey(self._plugin, self._instance, scope) for scope in scopes]
        return State(keys, self._source, self._term)


class Nothing:
    """Remembers nothing: where there is no store."""

    def read(self, _key: StateKey) -> tuple[bytes | None, int]:
        """Nothing."""
        return None, 0


def _check_storable(value: object, where: str, depth: int = 0) -> None:
    """Only what comes back equal may go in."""
    if depth > DEEPEST:
        raise StateError(f"{where} is nested more than {DEEPEST} deep")
    if isinstance(value, dict):
        for key, each in value.items():
            if type(key) is not str:
                raise StateError(f"{where} has the key {key!r}; JSON keeps text as keys")
            _check_storable(each, f"{where}[{key!r}]", depth + 1)
    elif type(value) is list:
        for at, each in enumerate(value):
            _check_storable(each, f"{where}[{at}]", depth + 1)
    elif not _is_scalar(value):
        raise StateError(f"{where} is {value!r:.100}, a {type(value).__name__}: JSON can't keep that as it is")


def _is_scalar(value: object) -> bool:
    if value is None or type(value) is bool:
        return True
    if type(value) is int:
        return -(2**63) <= value < 2**64
    if type(value) is str:
        return value.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in value)
    return type(value) is float and isfinite(value)
