"""Which events a handler takes. For bot authors: `from gateway import filters as f`.

Filters compose: `f.private & ~f.from_me`, `f.text("hi") | f.prefix("hello")`.
"""

from gateway.plugins.filters.base import Filter
from gateway.plugins.filters.chats import chat, from_me, from_sender, group, inbound, kind, private
from gateway.plugins.filters.events import check, connection, instance
from gateway.plugins.filters.texts import prefix, regex, text

__all__ = [
    "Filter",
    "chat",
    "check",
    "connection",
    "from_me",
    "from_sender",
    "group",
    "inbound",
    "instance",
    "kind",
    "prefix",
    "private",
    "regex",
    "text",
]
