"""A loop on which a task can begin at once: a handler that waits for nothing then costs no turn of it.

Python 3.12 has eager tasks, 3.11 has not. But a new task does no more than hand its first step to its loop, and this
one takes the step itself. So each handler has a task of its own all the same: its own context variables, its own
cancellation, and nothing of those that ran before it.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context, copy_context
from functools import partial
from typing import Any, TypeVarTuple

Ts = TypeVarTuple("Ts")


class EagerLoop(asyncio.SelectorEventLoop):
    """A plugin's loop."""

    def __init__(self) -> None:
        super().__init__()
        self._is_catching = False
        self._caught: tuple[Context, Callable[[], object]] = (Context(), _nothing)
        self._handle = asyncio.Handle(_nothing, (), self)
        """Of a step that was caught: a task throws it away."""

    def begin(self, coroutine: Coroutine[Any, Any, None], *, name: str | None = None) -> asyncio.Task[None]:
        """A task that has run up to where it first waits. To be called by a callback of the loop, not by a task.

        Without a `name` Python makes one up, which costs a tenth of the task.

        Raises:
            SystemExit, KeyboardInterrupt: the coroutine did; whatever else it raises is the task's.
        """
        self._is_catching = True
        task = asyncio.Task(coroutine, loop=self, name=name)
        context, step = self._caught
        context.run(step)
        return task

    def call_soon(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """As in every loop, save for the first step of a task that begins."""
        if not self._is_catching:
            return super().call_soon(callback, *args, context=context)
        self._is_catching = False
        self._caught = (context or copy_context(), partial(callback, *args) if args else callback)
        return self._handle


def _nothing() -> None:
    pass
