"""The open pages that look for the same events, so that each batch is put together once for all of them."""

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

from gateway.search import Query
from gateway.web.viewer import Viewer

_KNOWN: Final = 10_000  # rows whose changes are followed; a page keeps no more


class Channel:
    """The viewers of the same events."""

    def __init__(self, query: Query) -> None:
        self.query = query
        self.viewers: set[Viewer] = set()
        self._shown: OrderedDict[int, None] = OrderedDict()

    @property
    def takes_all(self) -> bool:
        """Nothing is left out."""
        return self.query == Query()

    def note(self, seqs: Iterable[int]) -> None:
        """These are shown, and followed from now on."""
        self._shown.update(dict.fromkeys(seqs))
        while len(self._shown) > _KNOWN:
            self._shown.popitem(last=False)

    def strange(self, seqs: Iterable[int]) -> list[int]:
        """Those that are not shown, so that it is not known whether they fit."""
        return [] if self.takes_all else [seq for seq in seqs if seq not in self._shown]

    def put(self, frame: bytes | None) -> None:
        """Hand a frame to everybody; who has too many waiting is dropped."""
        self.viewers -= {viewer for viewer in self.viewers if not viewer.put(frame)}
