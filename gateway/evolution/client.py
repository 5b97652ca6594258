"""The whole of Evolution's REST API that a bot needs, 2.x and 1.x behind one signature."""

from gateway.evolution.messages import Messages


class Evolution(Messages):
    """One Evolution API server. Close it with `close()`."""
