"""Payloads of every event, version and channel, with fictional people: for simulations, and for tests of plugins.

A name says event, case and version: `messages-upsert__text-private-v223` is a private text as Evolution 2.2.3 posts it
(v18 is 1.8.2, v232 is 2.3.1 and 2.3.2, v235 is 2.3.3 to 2.3.5, v236 is 2.3.6 and later). A few `envelope__` samples
show what surrounded `data` in other versions.
"""

from functools import cache
from importlib.resources import files
from typing import Any

import orjson

from gateway import names as event_names

_FOLDER = files(__name__)


@cache
def names() -> tuple[str, ...]:
    """Every sample's name, sorted."""
    return tuple(sorted(file.name.removesuffix(".json") for file in _FOLDER.iterdir() if file.name.endswith(".json")))


def read(name: str) -> bytes:
    """A sample's bytes; a name with `.json` works as well.

    Raises:
        KeyError: there is no such sample; the text names some that resemble it.
    """
    stem = name.removesuffix(".json")
    if stem not in names():
        alike = [known for known in names() if known.startswith(stem.partition("__")[0])]
        raise KeyError(f"no sample {name!r}; there is {', '.join(alike or names()[:5])}")
    return (_FOLDER / f"{stem}.json").read_bytes()


def load(name: str) -> dict[str, Any]:
    """A sample as a new dictionary each time, so a test may change it.

    Raises:
        KeyError: there is no such sample.
    """
    envelope: dict[str, Any] = orjson.loads(read(name))
    return envelope


def for_event(event: str) -> tuple[str, ...]:
    """Names of the samples of one event, in any spelling: `messages.upsert`, `MESSAGES_UPSERT`, `messages-upsert`."""
    wanted = event_names.canonical(event) or event
    return tuple(name for name in names() if _event(name) == wanted)


@cache
def _event(name: str) -> str:
    return str(load(name)["event"])
