"""What a plugin needs while it runs, and its settings: held against each other when its file is loaded."""

import inspect
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import msgspec

from gateway.plugins.misuse import Misuse

Opener = Callable[..., AbstractAsyncContextManager[Any]]
"""A plugin's `lifespan`: called with its settings, where it has a type for them."""


def check_settings(kind: object) -> type[Any] | None:
    """The type of a plugin's settings as it is.

    Raises:
        Misuse: no msgspec struct, or one that no YAML could be read into.
    """
    if kind is None:
        return None
    if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
        raise Misuse.here(f"Plugin(settings=...) takes a class made with msgspec.Struct, got {kind!r}")
    try:
        msgspec.convert({}, kind)
    except msgspec.ValidationError:
        pass  # it lacks what has no default
    except (TypeError, NameError) as error:
        raise Misuse.here(f"Plugin(settings={kind.__name__}) can't be read from config.yaml: {error}") from None
    return kind


def check_lifespan(opener: object, settings: type[Any] | None) -> Opener | None:
    """A lifespan as it is.

    Raises:
        Misuse: it can't be called so, or it would give no context manager.
    """
    if opener is None:
        return None
    if not callable(opener):
        raise Misuse.here(f"Plugin(lifespan=...) takes a function, got {opener!r}: hand it over without calling it")
    name = getattr(opener, "__name__", repr(opener))
    if inspect.isasyncgenfunction(opener) or inspect.iscoroutinefunction(opener):
        raise Misuse.of(opener, f"{name} is no context manager: write @asynccontextmanager above it, and yield in it")
    signature = inspect.signature(opener)
    try:
        signature.bind(*([object()] if settings else []))
    except TypeError:
        given = f"the plugin's settings, a {settings.__name__}" if settings else "nothing: the plugin has no settings"
        raise Misuse.of(opener, f"{name}{signature} is called with {given}") from None
    return opener
