"""The events of Evolution's own chat bots: Typebot, and in 1.x ChamaAI."""

from collections.abc import Mapping
from typing import ClassVar

import msgspec

from gateway.events.base import ChatEvent, Posted
from gateway.events.composing import message_of
from gateway.events.message import Message
from gateway.events.reader import Reader


class Typebot(msgspec.Struct, frozen=True, kw_only=True):
    """A Typebot conversation."""

    chat: str | None
    """Jid of the person it talks with."""
    session_id: str | None = None
    """Typebot's id of the conversation; None when it never began."""
    status: str | None = None
    """`opened`, `paused`, `closed`, `delete`; None in `typebot.start`."""
    url: str | None = None
    """Address of the Typebot server; in `typebot.change-status` only in 1.x."""
    typebot: str | None = None
    """Name of the flow; in `typebot.change-status` only in 1.x."""
    variables: Mapping[str, str] = {}
    """What the flow was started with."""


class TypebotStart(ChatEvent, frozen=True, kw_only=True):
    """A Typebot flow was started for a chat (1.5.1 and later)."""

    name: ClassVar[str] = "typebot.start"

    typebot: Typebot
    """The conversation."""


class TypebotChangeStatus(ChatEvent, frozen=True, kw_only=True):
    """A Typebot conversation was opened, paused or closed. `raw` may carry the server's global key."""

    name: ClassVar[str] = "typebot.change-status"

    typebot: Typebot
    """The conversation."""


class ChamaAi(msgspec.Struct, frozen=True, kw_only=True):
    """What ChamaAI wants done."""

    chat: str | None
    """Jid of the chat."""
    action: str | None
    """`transfer`: a human should take over."""
    answer: str | None
    """What the bot told the person."""
    message: Message | None
    """The message that caused it."""


class ChamaAiAction(ChatEvent, frozen=True, kw_only=True):
    """ChamaAI hands a chat over (1.5.1 to 1.8.2)."""

    name: ClassVar[str] = "chama-ai.action"

    chama_ai: ChamaAi
    """What it wants."""


def typebot_start(posted: Posted) -> TypebotStart:
    """Read `typebot.start`."""
    data = posted.object()
    chat = data.jid("remoteJid")
    typebot = Typebot(
        chat=chat,
        session_id=data.label("sessionId"),
        url=data.text("url"),
        typebot=data.text("typebot"),
        variables=_variables(data),
    )
    return TypebotStart(typebot=typebot, chat=chat, **posted.head())


def typebot_change_status(posted: Posted) -> TypebotChangeStatus:
    """Read `typebot.change-status`, whose session is a database row, a 1.x setting, or null."""
    data = posted.object()
    chat = data.jid("remoteJid")
    session = data.inner("session")
    variables = session.inner("prefilledVariables") if session else None
    typebot = Typebot(
        chat=chat,
        session_id=session.label("sessionId") if session else None,
        status=data.text("status"),
        url=data.text("url"),
        typebot=data.text("typebot"),
        variables=_texts(variables) if variables else {},
    )
    return TypebotChangeStatus(typebot=typebot, chat=chat, **posted.head())


def chama_ai_action(posted: Posted) -> ChamaAiAction:
    """Read `chama-ai.action`."""
    data = posted.object()
    chat = data.jid("remoteJid")
    message = data.inner("message")
    action = ChamaAi(
        chat=chat,
        action=data.text("action"),
        answer=data.text("answer"),
        message=message_of(message, posted.account, posted.directory) if message else None,
    )
    return ChamaAiAction(chama_ai=action, chat=chat, **posted.head())


def _variables(data: Reader) -> Mapping[str, str]:
    """A list of names and values since 2.0, before that an object."""
    listed = data.data.get("variables")
    if listed is None or (type(listed) is dict and set(listed) != {"name", "value"}):
        plain = data.inner("prefilledVariables" if listed is None else "variables")
        return _texts(plain) if plain else {}
    pairs = ((item.text("name"), item.label("value")) for item in data.entries("variables"))
    return {name: value or "" for name, value in pairs if name is not None}


def _texts(variables: Reader) -> dict[str, str]:
    found = ((name, variables.label(name)) for name in variables.data)
    return {name: value for name, value in found if value is not None}
