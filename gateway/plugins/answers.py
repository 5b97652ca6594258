"""What a handler can do about the event's own message: answer, quote, react, edit, delete, mark it as read."""

from gateway.events import Message
from gateway.plugins.outgoing import AnyMessage, Queued, reference, wording
from gateway.plugins.sends import Mentions, Sends


class Answers(Sends):
    """The part of a `Context` that answers."""

    def reply(self, text: str, *, mentions: Mentions = (), quote: AnyMessage | None = None) -> Queued:
        """Queue a message to the event's chat, mentioning people by jid or number.

        Raises:
            ValueError: the text is empty, a mention is no address, or the event names no chat or instance.
            ContextClosed: the handler has ended.
        """
        return self._text("reply", text, mentions, quote)

    def quote(self, text: str, *, mentions: Mentions = ()) -> Queued:
        """Queue a message that shows the event's own above it. Raises as `reply`, and where the event has none."""
        return self._text("quote", text, mentions, self._incoming("quote"))

    def react(self, emoji: str, message: AnyMessage | None = None) -> Queued:
        """Queue a reaction to the event's message, or to another one of this chat; "" takes it back."""
        about = reference(message or self._incoming("react"), self._event_message())
        return self._add("react", "reaction", {"emoji": emoji, "message": about})

    def edit(self, text: str, message: AnyMessage | None = None) -> Queued:
        """Queue a new text for a message of one's own: what an earlier send gave, or the event's message.

        WhatsApp takes edits for 15 minutes.
        """
        about = reference(message or self._incoming("edit"), self._event_message())
        if about.get("from_me") is False:
            raise ValueError("ctx.edit() can't change what somebody else wrote: give it what reply() gave")
        return self._add("edit", "edit", {"text": wording(text), "message": about})

    def delete(self, message: AnyMessage | None = None) -> Queued:
        """Queue the deletion, for everybody, of the event's message or another one of this chat.

        What somebody else wrote can be deleted in groups alone, by an admin.
        """
        about = reference(message or self._incoming("delete"), self._event_message())
        return self._add("delete", "delete", {"message": about})

    def read(self) -> Queued:
        """Queue that the event's message is marked as read."""
        return self._add("read", "read", {"message": reference(self._incoming("read"), None)})

    def _incoming(self, method: str) -> Message:
        if (message := self._event_message()) is None or not message.id:
            raise ValueError(f"ctx.{method}() has no message to work on: this event brings none with an id")
        return message
