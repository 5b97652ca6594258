"""What can come of a call besides its answer: one class for each thing that somebody may do about it.

Every class says three things to whoever has to go on: whether the same call may succeed later, whether what was asked
may have happened all the same, and whether it concerns the whole instance.
"""

from typing import ClassVar

from gateway.errors import GatewayError


class EvolutionError(GatewayError):
    """A call to Evolution came to nothing. The text has the server's own words, and never a key."""

    passing: ClassVar[bool] = False
    """The same call may succeed later."""
    may_have_left: ClassVar[bool] = False
    """What was asked may have happened although this came back: a message may have left."""
    is_about_instance: ClassVar[bool] = False
    """No other call through the same instance would fare better now."""
    is_too_much: ClassVar[bool] = False
    """Too much was asked in too short a time."""
    todo: ClassVar[str] = ""
    """What a person can do, as the text ends."""

    def __init__(self, words: str, *, status: int | None = None) -> None:
        said = words if status is None else f"Evolution answered {status}: {words}"
        super().__init__(f"{said}. {self.todo}" if self.todo else said)
        self.status = status
        """The HTTP status of the answer; None when there was none."""
        self.words = words
        """What went wrong, in the server's words if it had any."""


class EvolutionUnreachable(EvolutionError):
    """No connection came about, or a question stayed without answer: nothing was sent."""

    passing = True
    is_about_instance = True


class EvolutionUnsure(EvolutionError):
    """The request left, and nothing that came back tells whether it was done."""

    may_have_left = True


class Unauthorized(EvolutionError):
    """The key is not the server's, nor this instance's."""

    todo = "Set evolution.apikey to the server's key, or to the key of this instance"


class NoSuchInstance(EvolutionError):
    """The server has no instance of this name."""


class NameTaken(EvolutionError):
    """The server has an instance of this name already."""


class NotOnWhatsApp(EvolutionError):
    """No WhatsApp account has this number."""


class InvalidCall(EvolutionError):
    """The server refuses what it was given, in words that name it."""


class UnsupportedCall(EvolutionError):
    """The server has no such call: its version or the instance's channel lacks it, or it is no Evolution API."""


class RateLimited(EvolutionError):
    """WhatsApp, Meta or a proxy says that too much was sent."""

    passing = True
    is_about_instance = True
    is_too_much = True


class Disconnected(EvolutionError):
    """The instance has no connection to WhatsApp."""

    passing = True
    is_about_instance = True


class LicenseRequired(EvolutionError):
    """The server (2.4) does nothing until somebody has activated it."""

    passing = True
    is_about_instance = True
    todo = "Open the server's /manager and activate it"


class ServerFault(EvolutionError):
    """The server failed by itself, before anything was sent."""

    passing = True
