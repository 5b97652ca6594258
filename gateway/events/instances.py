"""The events of instances and of the server itself: made, deleted, logged out, failed."""

from datetime import datetime
from typing import ClassVar, Literal

import msgspec

from gateway.events.base import Event, Posted
from gateway.events.numbers import iso_instant
from gateway.events.quiet import quiet
from gateway.events.reader import Reader

Action = Literal["create", "delete", "remove", "logout", "status"]


class InstanceChange(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to an instance."""

    action: Action
    """What happened."""
    name: str | None
    """Name of the instance."""
    id: str | None = None
    """Its id in Evolution's database; only where the event carries it."""
    status: str | None = None
    """`created` or `closed`; `status.instance` only."""
    reason: int | None = None
    """Code of the disconnection: 401 logged out, 403 forbidden; `status.instance` only."""
    disconnected_at: str | None = None
    """ISO 8601 text in true UTC; `status.instance` of 2.x only."""

    @property
    def disconnected_time(self) -> datetime | None:
        """`disconnected_at` as an aware UTC time."""
        return iso_instant(self.disconnected_at)


class InstanceEvent(Event, frozen=True, kw_only=True):
    """An event about an instance itself."""

    instance_event: InstanceChange
    """What happened."""


class InstanceCreate(InstanceEvent, frozen=True, kw_only=True):
    """An instance was made; its own webhook hears of it from 2.3.0, if it was set in the same call."""

    name: ClassVar[str] = "instance.create"


class InstanceDelete(InstanceEvent, frozen=True, kw_only=True):
    """An instance is being deleted."""

    name: ClassVar[str] = "instance.delete"


class RemoveInstance(InstanceEvent, frozen=True, kw_only=True):
    """An instance was removed from the server. Carries no data."""

    name: ClassVar[str] = "remove.instance"


class LogoutInstance(InstanceEvent, frozen=True, kw_only=True):
    """An instance was logged out of WhatsApp. Carries no data."""

    name: ClassVar[str] = "logout.instance"


class StatusInstance(InstanceEvent, frozen=True, kw_only=True):
    """An instance was made (1.x) or closed for good, with the reason."""

    name: ClassVar[str] = "status.instance"


class NewJwt(Event, frozen=True, kw_only=True):
    """The instance's REST token was renewed (1.x). `raw` holds the token: don't log it."""

    name: ClassVar[str] = "new.jwt"

    jwt: str | None
    """The new token. A secret."""

    def __repr__(self) -> str:
        return quiet(self, "raw", "jwt")


class Startup(msgspec.Struct, frozen=True, kw_only=True):
    """The server began to run."""

    message: str | None
    """What it says."""
    mode: str | None
    """`redirect` or the like, as Evolution calls it."""


class ApplicationStartup(Event, frozen=True, kw_only=True):
    """Evolution started (1.0.7 to 1.3.1; later versions list it and never send it)."""

    name: ClassVar[str] = "application.startup"

    startup: Startup
    """What it says."""


class ServerError(msgspec.Struct, frozen=True, kw_only=True):
    """A failed call of Evolution's own REST interface."""

    error: str | None
    """Kind of failure: `Bad Request`."""
    status: int | None
    """HTTP status Evolution answered."""
    messages: tuple[str, ...] = ()
    """What it said, as far as it is text."""


class ErrorEvent(Event, frozen=True, kw_only=True):
    """A call of Evolution's REST interface failed (1.5.1 and later, to a URL of its own).

    `raw` holds the server's global key: don't log it.
    """

    name: ClassVar[str] = "error"

    error: ServerError
    """The failure."""


class CredsUpdate(Event, frozen=True, kw_only=True):
    """Session keys changed. Named in Evolution's code, never sent."""

    name: ClassVar[str] = "creds.update"


class MessagingHistorySet(Event, frozen=True, kw_only=True):
    """A history sync. Named in Evolution's code, never sent; `messages.set` is."""

    name: ClassVar[str] = "messaging-history.set"


def instance_create(posted: Posted) -> InstanceCreate:
    """Read `instance.create`."""
    return InstanceCreate(instance_event=_change(posted, posted.object(), "create"), **posted.head())


def instance_delete(posted: Posted) -> InstanceDelete:
    """Read `instance.delete`."""
    return InstanceDelete(instance_event=_change(posted, posted.object(), "delete"), **posted.head())


def remove_instance(posted: Posted) -> RemoveInstance:
    """Read `remove.instance`, whose data is null."""
    return RemoveInstance(instance_event=_change(posted, None, "remove"), **posted.head())


def logout_instance(posted: Posted) -> LogoutInstance:
    """Read `logout.instance`, whose data is null."""
    return LogoutInstance(instance_event=_change(posted, None, "logout"), **posted.head())


def status_instance(posted: Posted) -> StatusInstance:
    """Read `status.instance`."""
    return StatusInstance(instance_event=_change(posted, posted.object(), "status"), **posted.head())


def _change(posted: Posted, data: Reader | None, action: Action) -> InstanceChange:
    named = posted.root.text("instance")
    if data is None:
        return InstanceChange(action=action, name=named)
    return InstanceChange(
        action=action,
        name=data.first_text("instanceName", "instance") or named,
        id=data.text("instanceId"),
        status=data.text("status"),
        reason=data.whole("disconnectionReasonCode"),
        disconnected_at=data.text("disconnectionAt"),
    )


def new_jwt(posted: Posted) -> NewJwt:
    """Read `new.jwt`."""
    return NewJwt(jwt=posted.object().text("jwt"), **posted.head())


def application_startup(posted: Posted) -> ApplicationStartup:
    """Read `application.startup`."""
    data = posted.object()
    return ApplicationStartup(startup=Startup(message=data.text("message"), mode=data.text("mode")), **posted.head())


def error(posted: Posted) -> ErrorEvent:
    """Read `error`."""
    data = posted.object()
    failure = ServerError(
        error=data.text("error"),
        status=data.whole("status"),
        messages=tuple(_texts(data.data.get("message"))),
    )
    return ErrorEvent(error=failure, **posted.head())


def _texts(found: object) -> list[str]:
    """All texts of a message that is a text, a list, or a list of lists."""
    texts: list[str] = []
    waiting = [found]
    while waiting:
        one = waiting.pop()
        if type(one) is str:
            texts.append(one)
        elif type(one) is list:
            waiting.extend(reversed(one))
    return texts


def creds_update(posted: Posted) -> CredsUpdate:
    """Read `creds.update`."""
    return CredsUpdate(**posted.head())


def messaging_history_set(posted: Posted) -> MessagingHistorySet:
    """Read `messaging-history.set`."""
    return MessagingHistorySet(**posted.head())
