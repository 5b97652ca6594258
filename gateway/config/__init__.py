"""The gateway's settings: one `config.yaml`, typed, every key with a default that works.

An error names file, line, key, what stands there and what to write; a key or token is never shown.
"""

from gateway.config.file import FILE_NAME, load, refuse_open_listener, secrets
from gateway.config.own import OwnSettings
from gateway.config.secret import Secret
from gateway.config.settings import (
    Admin,
    Auth,
    Config,
    Dedupe,
    Delivery,
    Evolution,
    HeaderAuth,
    Log,
    Media,
    Outbox,
    PluginDelivery,
    PluginSettings,
    Retention,
    Webhook,
    Worker,
    is_loopback,
)
from gateway.config.typed import read_own

__all__ = [
    "FILE_NAME",
    "Admin",
    "Auth",
    "Config",
    "Dedupe",
    "Delivery",
    "Evolution",
    "HeaderAuth",
    "Log",
    "Media",
    "Outbox",
    "OwnSettings",
    "PluginDelivery",
    "PluginSettings",
    "Retention",
    "Secret",
    "Webhook",
    "Worker",
    "is_loopback",
    "load",
    "read_own",
    "refuse_open_listener",
    "secrets",
]
