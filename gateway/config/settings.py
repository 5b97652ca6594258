"""Every setting, its type and its default.

`config.yaml` in the project's root shows the same list with the reasons for each default; a test keeps the two equal.
"""

from ipaddress import ip_address
from pathlib import Path
from typing import Literal

import msgspec

from gateway.config.own import OwnSettings
from gateway.config.scalars import (
    Address,
    BasePath,
    Count,
    Days,
    Folder,
    HeaderName,
    HeaderValue,
    HostName,
    Key,
    Limit,
    Most,
    Network,
    PathSecret,
    Pause,
    Port,
    Seconds,
    SigningKey,
    Size,
    Switch,
    Text,
    Url,
)
from gateway.config.secret import Secret

MIB = 2**20  # bytes
GIB = 2**30  # bytes

Order = Literal["lane", "none"]


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every section."""


class HeaderAuth(Settings, frozen=True, kw_only=True):
    """A header that the sender must carry; Evolution sends what `webhook/set` was given as `headers`."""

    values: tuple[HeaderValue, ...]
    """Each one suffices, so that a value can be changed without losing an event."""
    name: HeaderName = "X-Webhook-Token"
    """Any case."""


class Auth(Settings, frozen=True, kw_only=True):
    """How a sender shows that it may post: any one that is set suffices. Nothing set means nobody is asked."""

    header: HeaderAuth | None = None
    """A header with a secret value. Instance webhooks only: Evolution's global webhook carries no header."""
    jwt_key: tuple[SigningKey, ...] = ()
    """Keys of the HS256 tokens that Evolution 2.3.0+ makes of a webhook header named `jwt_key`."""
    path_secret: tuple[PathSecret, ...] = ()
    """First part of the path below `base_path`; all that a global webhook can carry."""
    allow: tuple[Network, ...] = ()
    """Networks a sender may post from."""

    @property
    def is_set(self) -> bool:
        """Whether any credential is configured."""
        return bool(self.header or self.jwt_key or self.path_secret or self.allow)


class Webhook(Settings, frozen=True, kw_only=True):
    """The listener that Evolution posts to."""

    host: Address = "127.0.0.1"
    """Address to listen on; off loopback `auth` must be set."""
    port: Port = 8085
    """TCP port; 0 takes a free one."""
    base_path: BasePath = "/webhook"
    """What every endpoint begins with, without a slash at the end; the empty text for the root."""
    max_body: Size = 128 * MIB
    """Bytes of one body; a larger one is answered 413."""
    max_in_flight: Size = 512 * MIB
    """Bytes of all bodies being read or stored; above it the sender is answered 503 and keeps the event."""
    trusted_proxies: tuple[Network, ...] = ()
    """Networks of the proxies whose X-Forwarded-For is believed."""
    auth: Auth | Literal["none"] = Auth()
    """Credentials of the sender; `none` says that everybody who reaches the port may post."""

    @property
    def is_open(self) -> bool:
        """Whether a sender is asked for nothing."""
        return self.auth == "none" or not self.auth.is_set

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach the listener."""
        return is_loopback(self.host)


class Admin(Settings, frozen=True, kw_only=True):
    """The listener of the live page, the API and the metrics."""

    host: Address = "127.0.0.1"
    """Address to listen on."""
    port: Port = 8086
    """TCP port; 0 takes a free one."""
    token: Key = Secret()
    """What the API and the page's login ask for; empty: made on the first start and kept in `data/admin.token`."""
    allowed_hosts: tuple[Text, ...] = ()
    """Names, besides the address itself, that a request's Host may carry."""


class Evolution(Settings, frozen=True, kw_only=True):
    """The Evolution API server that messages are sent through."""

    url: Url = "http://127.0.0.1:8080"
    """Where it answers, without a slash at the end."""
    apikey: Key = Secret()
    """Its global key, or the key of the one instance; empty: nothing is sent, and log and page say what would be."""
    version: Literal["auto", "1", "2"] = "auto"
    """The API it speaks: 1.x and 2.x differ in most calls. `auto` asks the server before the first one."""
    allow_servers: tuple[Url, ...] = ()
    """Other servers that a reply may go to when an event names one of them as its `server_url`."""


class Delivery(Settings, frozen=True, kw_only=True):
    """How a handler is run."""

    timeout: Seconds = 60
    """Seconds until a handler is cancelled."""
    retry: tuple[Pause, ...] = (1, 5, 30, 120)
    """Seconds to wait after each failure; after the last one the delivery becomes a dead letter."""
    concurrency: Count = 32
    """Handlers of one plugin that run at once."""
    order: Order = "lane"
    """`lane`: one after the other within a chat; `none`: as they come."""
    replies_per_minute: Most = 20
    """Answers of a plugin in one chat within a minute, above which it counts as a loop and is stopped; 0: no limit."""


class PluginDelivery(Settings, frozen=True, kw_only=True):
    """What one plugin does otherwise than `delivery` says; None where it does the same."""

    timeout: Seconds | None = None
    """As in `delivery`."""
    retry: tuple[Pause, ...] | None = None
    """As in `delivery`."""
    concurrency: Count | None = None
    """As in `delivery`."""
    order: Order | None = None
    """As in `delivery`."""
    replies_per_minute: Most | None = None
    """As in `delivery`."""


class PluginSettings(Settings, frozen=True, kw_only=True):
    """What is set for one plugin."""

    enabled: Switch = True
    """False: not loaded; its events wait for it as long as `retention` allows."""
    settings: OwnSettings = msgspec.field(default_factory=OwnSettings)
    """The plugin's own settings, as JSON values; the plugin gives them their types. `${ENV}` stays text here."""
    delivery: PluginDelivery = PluginDelivery()
    """What differs from `delivery`."""

    def __repr__(self) -> str:
        names = ", ".join(self.settings)
        return f"PluginSettings(enabled={self.enabled}, settings=<{names}>, delivery={self.delivery!r})"


class Pace(Settings, frozen=True, kw_only=True):
    """How fast messages leave. A quarter of a minute's messages may go at once where none went before."""

    chat: Count = 20
    """Messages a minute to one chat."""
    instance: Count = 120
    """Messages a minute through one instance."""
    gap: Pause = 1
    """Seconds at most of a random pause between two messages of one instance."""
    typing: Pause = 0.03
    """Seconds for each letter that somebody is shown typing before a message; 0: nobody is."""
    typing_longest: Pause = 4
    """Seconds of that at most."""


class Outbox(Settings, frozen=True, kw_only=True):
    """Messages that handlers queued."""

    expire: Seconds = 900
    """Seconds after which a message that could not leave becomes a dead letter: nobody wants 500 stale answers."""
    settle: Pause = 30
    """Seconds in which a message whose answer is missing is looked for; then it is sent again, or a dead letter."""
    pace: Pace | Literal["off"] = Pace()
    """`off`: as fast as Evolution takes them."""


class Dedupe(Settings, frozen=True, kw_only=True):
    """What counts as a repeat of an event that was accepted before."""

    same_bytes_off: tuple[Text, ...] = ()
    """Events of which equal bodies are all delivered, by name; `all` means every event."""
    same_message_off: tuple[Text, ...] = ()
    """Events (messages.upsert, send.message, messages.update) whose message id is not looked at; or `all`."""


class Media(Settings, frozen=True, kw_only=True):
    """Files of messages whose events don't carry them."""

    hosts: tuple[HostName, ...] = ()
    """Where they may be fetched from besides WhatsApp's own servers and Evolution; `*.` stands for any name below."""
    max_size: Size = 100 * MIB
    """Bytes of one file; a larger one is not fetched."""
    cache: Limit = GIB
    """Bytes kept in `data/media` for the next plugin and the next try; 0: nothing is kept."""


class Retention(Settings, frozen=True, kw_only=True):
    """How long handled events are kept."""

    days: Days = 7
    """Days an event is kept after it was accepted; what a plugin still waits for is kept longer."""
    size: Size = 5 * GIB
    """Bytes of settled events; the oldest go first."""


class Worker(Settings, frozen=True, kw_only=True):
    """The process that runs the plugins."""

    stuck: Seconds = 120
    """Seconds a handler may ignore its cancellation until the worker is restarted."""
    memory: Limit = GIB
    """Bytes of memory above which the worker is replaced; 0: no limit."""


class Log(Settings, frozen=True, kw_only=True):
    """What is written to the terminal or the log."""

    format: Literal["auto", "console", "json"] = "auto"
    """`auto`: lines for people on a terminal, else JSON."""
    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least that is written."""


class Config(Settings, frozen=True, kw_only=True):
    """All settings."""

    webhook: Webhook = Webhook()
    """Where Evolution posts."""
    admin: Admin = Admin()
    """Where people look."""
    data: Folder = Path("data")
    """Folder of the journal and all else that is kept; absolute once loaded."""
    data_min_free: Size = 64 * MIB
    """Bytes of free space below which the receiver answers 503, so that the worker can still settle."""
    routes: Folder = Path("routes")
    """Folder of the plugins; absolute once loaded."""
    evolution: Evolution = Evolution()
    """Whom messages are sent through."""
    delivery: Delivery = Delivery()
    """How handlers are run."""
    worker: Worker = Worker()
    """Where handlers are run."""
    dedupe: Dedupe = Dedupe()
    """What counts as a repeat."""
    outbox: Outbox = Outbox()
    """What handlers queued."""
    media: Media = Media()
    """Files of messages."""
    retention: Retention = Retention()
    """What is kept."""
    plugins: dict[str, PluginSettings] = msgspec.field(default_factory=dict)
    """By plugin name."""
    log: Log = Log()
    """What is written."""

    def plugin(self, name: str) -> PluginSettings:
        """What is set for a plugin; the defaults when nothing is."""
        return self.plugins.get(name) or PluginSettings()

    def delivery_of(self, name: str) -> Delivery:
        """How a plugin's handlers are run: `delivery` with what the plugin does otherwise."""
        own = msgspec.structs.asdict(self.plugin(name).delivery)
        return msgspec.structs.replace(self.delivery, **{key: value for key, value in own.items() if value is not None})


def is_loopback(host: str) -> bool:
    """Whether an address to listen on is reachable from this machine alone."""
    try:
        return host == "localhost" or ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
