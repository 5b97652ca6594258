"""A fake Evolution API, for tests and for trying a bot without a phone.

`server` is what one uses; `desk` takes a request in, `bodies` and `old_bodies` say what it may hold, `messages`,
`chats`, `records`, `groups`, `instances` and `webhooks` do what it asks in the `world`, and `hooks` tells the webhook.
"""

from gateway.testing.evolution.desk import Request
from gateway.testing.evolution.faults import Fault
from gateway.testing.evolution.person import Person
from gateway.testing.evolution.server import EvolutionServer
from gateway.testing.evolution.world import Group, Happening, Instance

__all__ = ["EvolutionServer", "Fault", "Group", "Happening", "Instance", "Person", "Request"]
