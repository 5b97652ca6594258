"""Evolution Gateway: durable, typed webhooks for Evolution API.

What a bot's author imports is listed in `gateway.public`, and loaded when the first of it is asked for.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from gateway.public import *  # noqa: F403 -- its `__all__` says what
    from gateway.public import __all__ as __all__
else:  # hidden from type checkers, which would take it that every name is there

    def __getattr__(name: str) -> object:
        if find_spec(f"{__name__}.{name}"):  # a module of ours, on its way in: it must not wait for all the others
            raise AttributeError(f"module {__name__!r} has not imported {name!r} yet")
        public = import_module("gateway.public")
        if name == "__all__" or name in public.__all__:
            return getattr(public, name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
