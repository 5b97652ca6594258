"""What runs around a plugin's handlers: for measuring, skipping, and catching what all of them have in common."""

import inspect
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, TypeAlias

from typing_extensions import TypeVar

from gateway.events import Event
from gateway.plugins.context import EventContext
from gateway.plugins.misuse import Misuse

S = TypeVar("S", default=None)
R = TypeVar("R", default=None)

CallNext: TypeAlias = Callable[[], Awaitable[None]]
"""Runs the next middleware, at last the handler; returns when that has, and raises what that raises."""
Middleware: TypeAlias = Callable[[Event, EventContext[S, R], CallNext], Awaitable[None]]
"""`async def timed(event, ctx, call_next)`. One that does not await `call_next()` keeps the handler from running."""


def check_middleware(function: object) -> Middleware[Any, Any]:
    """A middleware as it is.

    Raises:
        Misuse: it is no `async def` of (event, ctx, call_next).
    """
    if not callable(function):
        raise Misuse.here(f"{function!r} stands where a middleware belongs: async def (event, ctx, call_next)")
    if not inspect.iscoroutinefunction(function):
        raise Misuse.of(function, f"{_name(function)} is no async def, as a middleware is")
    signature = inspect.signature(function)
    try:
        signature.bind(object(), object(), object())
    except TypeError:
        text = f"{_name(function)}{signature} can't be called with (event, ctx, call_next), as a middleware is"
        raise Misuse.of(function, text) from None
    return function


def wrapped(
    middlewares: Sequence[Middleware[Any, Any]], event: Event, ctx: EventContext[Any, Any], run: CallNext
) -> CallNext:
    """The run of a handler with its plugin's middlewares around it, the first of them outermost."""
    for each in reversed(middlewares):
        run = partial(each, event, ctx, run)
    return run


def _name(function: object) -> str:
    return getattr(function, "__name__", None) or repr(function)
