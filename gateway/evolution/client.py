"""The whole of Evolution's REST API that a bot needs, 2.x and 1.x behind one signature."""

from gateway.evolution.chats import Chats
from gateway.evolution.groups import Groups
from gateway.evolution.instances import Instances
from gateway.evolution.messages import Messages
from gateway.evolution.records import Records
from gateway.evolution.webhooks import Webhooks


class Evolution(Messages, Chats, Records, Groups, Webhooks, Instances):
    """One Evolution API server. Close it with `close()`."""
