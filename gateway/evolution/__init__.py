"""Evolution's REST API: a typed client for 2.x and 1.x, and one tree of errors.

`call` and `refusal` are pure: a call becomes a request, an answer becomes a value or an error. `server` carries them.
"""

from gateway.evolution.answers import FoundMessage, MediaContent, NumberCheck, Profile, Receipt, SentMessage
from gateway.evolution.call import Call, Version
from gateway.evolution.client import Evolution
from gateway.evolution.errors import (
    Disconnected,
    EvolutionError,
    EvolutionUnreachable,
    EvolutionUnsure,
    InvalidCall,
    LicenseRequired,
    NameTaken,
    NoSuchInstance,
    NotOnWhatsApp,
    RateLimited,
    ServerFault,
    Unauthorized,
    UnsupportedCall,
)
from gateway.evolution.keys import MessageKey
from gateway.evolution.options import Options

__all__ = [
    "Call",
    "Disconnected",
    "Evolution",
    "EvolutionError",
    "EvolutionUnreachable",
    "EvolutionUnsure",
    "FoundMessage",
    "InvalidCall",
    "LicenseRequired",
    "MediaContent",
    "MessageKey",
    "NameTaken",
    "NoSuchInstance",
    "NotOnWhatsApp",
    "NumberCheck",
    "Options",
    "Profile",
    "RateLimited",
    "Receipt",
    "SentMessage",
    "ServerFault",
    "Unauthorized",
    "UnsupportedCall",
    "Version",
]
