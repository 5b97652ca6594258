"""Evolution's REST API: a typed client for 2.x and 1.x, and one tree of errors.

`call`, `refusal` and `answers` are pure: a call becomes a request, an answer becomes a value or an error.
`server` knows the version, `transport` has the sockets.
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
from gateway.evolution.groups import Invite, MemberChange
from gateway.evolution.instances import CreatedInstance, Instance, InstanceSettings, Pairing, ServerInfo
from gateway.evolution.keys import MessageKey
from gateway.evolution.options import Options
from gateway.evolution.webhooks import Webhook

__all__ = [
    "Call",
    "CreatedInstance",
    "Disconnected",
    "Evolution",
    "EvolutionError",
    "EvolutionUnreachable",
    "EvolutionUnsure",
    "FoundMessage",
    "Instance",
    "InstanceSettings",
    "InvalidCall",
    "Invite",
    "LicenseRequired",
    "MediaContent",
    "MemberChange",
    "MessageKey",
    "NameTaken",
    "NoSuchInstance",
    "NotOnWhatsApp",
    "NumberCheck",
    "Options",
    "Pairing",
    "Profile",
    "RateLimited",
    "Receipt",
    "SentMessage",
    "ServerFault",
    "ServerInfo",
    "Unauthorized",
    "UnsupportedCall",
    "Version",
    "Webhook",
]
