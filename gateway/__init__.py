"""Evolution Gateway: durable, typed webhooks for Evolution API.

What a bot's author imports is listed in `gateway.public`, and loaded when the first of it is asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.public import *  # noqa: F403 -- its `__all__` says what
    from gateway.public import __all__ as __all__

__version__ = "0.1.0"


if not TYPE_CHECKING:  # a checker that saw it would take any name for one of ours

    def __getattr__(name: str) -> object:
        public = import_module("gateway.public")
        if name == "__all__" or name in public.__all__:
            return getattr(public, name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
