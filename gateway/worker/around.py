"""What stands around all attempts of a worker: its clock, and where what events and messages carry is found or kept."""

import time
from collections.abc import Callable

import msgspec

from gateway import config
from gateway.config import Config
from gateway.events import Event, MessageEvent
from gateway.media import Library
from gateway.work import OutboxReader
from gateway.work.files import OutgoingFiles
from gateway.worker.members import Members
from gateway.worker.own import Own


class Around(msgspec.Struct, frozen=True, kw_only=True):
    """Shared by the plugins of a worker."""

    clock: Callable[[], float] = time.time
    """Unix seconds, for `ctx.now`."""
    library: Library | None = None
    """Fetches files that events don't carry."""
    files: OutgoingFiles | None = None
    """Keeps the files that messages bring; without it they stay with the message."""
    own: Own | None = None
    """Tells the gateway's own messages from those that others sent for the same account."""

    members: Members | None = None
    """Knows who is in which group, for `f.from_admin`."""
    evolution: config.Evolution | None = None
    """Which server `ctx.api` calls; None: a dry run, which calls none."""

    @classmethod
    def of(cls, config: Config, own_messages: OutboxReader, clock: Callable[[], float]) -> "Around":
        """As the settings say."""
        return cls(
            clock=clock,
            library=Library.of(config),
            files=OutgoingFiles(config.data),
            own=Own(own_messages),
            members=Members(config),
            evolution=config.evolution,
        )

    def without_traces(self) -> "Around":
        """The same for a dry run: nothing is kept by it, and nothing done elsewhere."""
        return msgspec.structs.replace(self, files=None, evolution=None)

    def complete(self, event: Event) -> Event:
        """The event with what its body alone can't tell."""
        if self.own and isinstance(event, MessageEvent):
            event = self.own.mark(event)
        return self.library.lend(event) if self.library else event
