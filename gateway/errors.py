"""The one tree of errors the gateway raises on purpose.

A class exists where somebody acts differently on it: the edge, the command line, or a plugin author.
"""


class GatewayError(Exception):
    """Base of all; its text says what was found, where, and what to do."""


class ConfigError(GatewayError):
    """A setting cannot be used. The text names the file, the line and the key."""


class EnvelopeError(GatewayError):
    """The posted bytes are not a JSON object. The sender gets 400 with this text."""


class JournalUnavailable(GatewayError):
    """The journal cannot take an event now; nothing was stored. The sender gets 503 and keeps the event."""

    @classmethod
    def because(cls, error: BaseException) -> "JournalUnavailable":
        """What its file said."""
        return cls(f"the journal can't be written: {error}")


class DataFolderBusy(GatewayError):
    """Another gateway holds the data folder. The text names the holder."""


class PluginError(GatewayError):
    """A plugin file cannot be loaded or is misused. The text names the file and line."""


class ControlError(GatewayError):
    """A replay, drop, retry, pause or resume can't be done as asked. The asker gets 400 with this text."""


class StateError(GatewayError):
    """A value that `ctx.state` can't keep. The text names the place and what to do."""


class ContextClosed(GatewayError):
    """A context was used after its handler had ended; what it asked for would be lost."""


class MediaError(GatewayError):
    """A message's file can't be had. The text says what was tried, what was found, and what to do."""


class MediaNotInline(MediaError):
    """The event carries no bytes of the file, and nothing here may fetch them: it was not decoded by a worker."""


class MediaTooLarge(MediaError):
    """The file is larger than `media.max_size`; trying again changes nothing."""

    @classmethod
    def above(cls, limit: int) -> "MediaTooLarge":
        """That of a file above so many bytes."""
        return cls(f"the file is larger than {limit} bytes (media.max_size)")


class MediaUnavailable(MediaError):
    """No way to the file worked; the text says why each one did not. A later try may."""
