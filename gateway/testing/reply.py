"""One message of the bot's, as the person who got it sees it."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Final

from gateway.testing.evolution import Happening


class Reply(str):
    """Its words, so that `ana.replies == ["pong"]` says it all, and whatever else it carries.

    The words of media are the caption, of a poll the question, of a reaction the emoji; "" for what has none.
    """

    __slots__ = ("body", "chat", "id", "kind")

    kind: str
    """`text`, `image`, `video`, `document`, `voice`, `sticker`, `location`, `contacts`, `poll`, `buttons`, `list`;
    also `reaction`, `read`, `typing`, `edit` and `delete` in `sent`."""
    id: str
    """WhatsApp's id of the message, or of the one it reacts to, edits or deletes."""
    chat: str
    """Jid of the chat it went to."""
    body: Mapping[str, Any]
    """What Evolution was asked to send."""

    @classmethod
    def of(cls, happening: Happening) -> "Reply":
        """What happened."""
        reply = cls(happening.text)
        reply.kind = _KINDS.get(happening.kind) or happening.shape
        reply.id = happening.id
        reply.chat = happening.chat
        reply.body = happening.body
        return reply

    def reworded(self, text: str) -> "Reply":
        """The same message with other words."""
        reply = Reply(text)
        reply.kind, reply.id, reply.chat, reply.body = self.kind, self.id, self.chat, self.body
        return reply

    def __repr__(self) -> str:
        words = super().__repr__()
        return words if self.kind == "text" else f"{self.kind}({words})"

    @property
    def data(self) -> bytes | None:
        """The bytes of its file; None where it has none, or names a URL."""
        source = next((self.body[name] for name in ("media", "audio", "sticker", "video") if name in self.body), None)
        if not isinstance(source, str) or source.startswith(("http://", "https://")):
            return None
        try:
            return base64.b64decode(source, validate=True)
        except binascii.Error:
            return None

    @property
    def mentions(self) -> tuple[str, ...]:
        """Whom it mentions: digits, or jids."""
        return tuple(self.body.get("mentioned", ()))

    @property
    def quotes(self) -> str | None:
        """Id of the message that it answers."""
        key = self.body.get("quoted", {}).get("key", {})
        return str(key["id"]) if "id" in key else None

    @property
    def options(self) -> dict[str, str]:
        """What a person can pick, label by id: buttons, the rows of a list, the options of a poll."""
        if "buttons" in self.body:
            return {each["id"]: each["displayText"] for each in self.body["buttons"]}
        if "sections" in self.body:
            rows = [row for section in self.body["sections"] for row in section["rows"]]
            return {row["rowId"]: row["title"] for row in rows}
        return {each: each for each in self.body.get("values", ())}


_KINDS: Final = {"reacted": "reaction", "read": "read", "typing": "typing", "edited": "edit", "deleted": "delete"}
