"""How attempts ended, on the way from a plugin's thread home. Both threads have it, and neither waits for the other."""

from collections import deque
from collections.abc import Sequence

from gateway.worker.verdict import Ended


class Results:
    """Of one plugin."""

    def __init__(self) -> None:
        self._ended: deque[Ended] = deque()
        self._is_due = False
        self.is_awaited = True
        """Home is told of any attempt's end, and not only of one that something comes of."""

    def __bool__(self) -> bool:
        """Something has ended and was not collected."""
        return bool(self._ended)

    def put(self, ended: Sequence[Ended]) -> bool:
        """Called on the plugin's thread. True: home is to be told."""
        self._ended += ended  # before the look at who waits, for home says so before its look at what has ended
        if not self.is_awaited and all(each.is_quiet for each in ended):
            return False
        self._is_due = True
        return True

    def collect(self) -> list[Ended]:
        """What has ended since it was last asked, if anybody waits for any of it. Called at home."""
        if not (self._is_due or self.is_awaited):
            return []
        self._is_due = False
        return [self._ended.popleft() for _ in range(len(self._ended))]
