"""The whole of Evolution's REST API that a bot needs, 2.x and 1.x behind one signature."""

from gateway.evolution.chats import Chats
from gateway.evolution.messages import Messages
from gateway.evolution.records import Records


class Evolution(Messages, Chats, Records):
    """One Evolution API server. Close it with `close()`."""
