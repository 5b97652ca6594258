"""Notice that a plugin's state changed under a handler's hands.

Handlers of one lane run one after the other, so it happens only to what lanes share (`ctx.load`) and to plugins without
order. The engine is the only one who lets state be written, so it need not ask the disk.
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from gateway.plugins.state import StateChange, StateKey

KNOWN: Final = 100_000
"""Keys whose latest revision is remembered; a handler would have to sleep through as many changes to be misjudged."""


class Revisions:
    """The latest revision of every key that was lately changed."""

    def __init__(self) -> None:
        self._latest: OrderedDict[StateKey, int] = OrderedDict()

    def are_current(self, changes: Sequence[StateChange]) -> bool:
        """Whether none of some changes is based on what is no longer there."""
        return all(self._latest.get(change.key, change.revision) == change.revision for change in changes)

    def claim(self, changes: Sequence[StateChange]) -> None:
        """Let changes be written that are current."""
        for change in changes:
            self._latest[change.key] = change.revision + 1
            self._latest.move_to_end(change.key)
        while len(self._latest) > KNOWN:
            self._latest.popitem(last=False)
