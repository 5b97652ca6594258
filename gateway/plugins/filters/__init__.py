"""Which events a handler takes. For bot authors: `from gateway import filters as f`.

Filters compose: `f.private & ~f.from_me`, `f.text("hi") | f.prefix("hello")`.
"""

from gateway.plugins.filters.base import Capture, Filter
from gateway.plugins.filters.chats import (
    chat,
    forwarded,
    from_admin,
    from_me,
    from_sender,
    group,
    has_media,
    inbound,
    kind,
    mentions_me,
    mimetype,
    origin,
    private,
    quoted,
    replies_to_me,
)
from gateway.plugins.filters.events import chat_state, check, connection, instance, joined, left, state
from gateway.plugins.filters.texts import has_link, prefix, regex, text
from gateway.plugins.filters.words import choice, command

__all__ = [
    "Capture",
    "Filter",
    "chat",
    "chat_state",
    "check",
    "choice",
    "command",
    "connection",
    "forwarded",
    "from_admin",
    "from_me",
    "from_sender",
    "group",
    "has_link",
    "has_media",
    "inbound",
    "instance",
    "joined",
    "kind",
    "left",
    "mentions_me",
    "mimetype",
    "origin",
    "prefix",
    "private",
    "quoted",
    "regex",
    "replies_to_me",
    "state",
    "text",
]
