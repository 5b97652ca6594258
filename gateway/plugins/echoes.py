"""Handlers that may answer their own answers: legal, and hardly ever meant, so people are told.

`plugin.message` leaves own messages out. `plugin.on(MessagesUpsert)` gives them too, and an answer comes back as one.
"""

import ast
import inspect
import textwrap
from collections.abc import Iterator
from typing import Final

from gateway.events import MessagesUpsert, SendMessage
from gateway.plugins.handler import Handler
from gateway.plugins.sends import Sends

_ANSWERS: Final = frozenset({name for name in vars(Sends) if not name.startswith("_")} | {"reply", "quote"})
_TELLING: Final = frozenset(
    {"from_me", "inbound", "origin", "from_admin", "from_sender", "check", "state", "chat_state"}
)
"""Filters that may keep own messages out."""


def may_answer_itself(handler: Handler) -> bool:
    """Whether a handler takes own messages, as far as its filters can be read, and writes in their chat."""
    takes_own = any(issubclass(each, event) for each in (MessagesUpsert, SendMessage) for event in handler.events)
    asked = {repr(leaf).partition("(")[0] for each in handler.filters for leaf in each.leaves()}
    return takes_own and not asked & _TELLING and any(_answers(handler))


def _answers(handler: Handler) -> Iterator[bool]:
    """Each use of a send on the context, as the function is written."""
    try:
        source = textwrap.dedent(inspect.getsource(handler.function))
        name = list(inspect.signature(handler.function).parameters)[1]
        tree = ast.parse(source)
    except (OSError, TypeError, SyntaxError, IndexError):  # no source, or not one that stands alone
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == name:
            yield node.attr in _ANSWERS
