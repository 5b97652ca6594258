"""What bot authors write plugins with, and the loader that finds them.

Knows nothing of the network, the journal or processes: a plugin only says which events it takes and what it wants done.
"""

from gateway.pieces import Card, Row
from gateway.plugins import filters
from gateway.plugins.context import Context, EventContext, open_context
from gateway.plugins.handler import Handler
from gateway.plugins.loader import Loaded, LoadedPlugin, LoadError, load_folder
from gateway.plugins.middleware import CallNext, Middleware
from gateway.plugins.outgoing import AnyMessage, Queued, Send
from gateway.plugins.plugin import Plugin
from gateway.plugins.sends import Elsewhere
from gateway.plugins.steering import Delivery, Drop, Retry

__all__ = [
    "AnyMessage",
    "CallNext",
    "Card",
    "Context",
    "Delivery",
    "Drop",
    "Elsewhere",
    "EventContext",
    "Handler",
    "LoadError",
    "Loaded",
    "LoadedPlugin",
    "Middleware",
    "Plugin",
    "Queued",
    "Retry",
    "Row",
    "Send",
    "filters",
    "load_folder",
    "open_context",
]
