"""The events of the connection to WhatsApp: its state, and the code that pairs it."""

from typing import ClassVar

import msgspec

from gateway.events.base import Event, Posted
from gateway.events.numbers import from_base64
from gateway.events.people import phone_of
from gateway.events.quiet import quiet


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """State of an instance's connection."""

    state: str | None
    """`connecting`, `open`, `close`, or `refused` when the QR code ran out. From 2.2.1 `close` comes only when
    Evolution won't reconnect; before, on every loss."""
    reason: int | None
    """200, or the code of a disconnection: 401 logged out, 403 forbidden, 408 timeout, 428 closed, 440 replaced by
    another connection, 500 bad session, 515 restart needed."""
    phone: str | None = None
    """Phone digits of the connected account; only when `open` (2.2.1 and later)."""
    profile_name: str | None = None
    """Name of the connected account; only when `open`, at times when `refused`."""
    picture_url: str | None = None
    """Profile picture of the connected account."""


class ConnectionUpdate(Event, frozen=True, kw_only=True):
    """The connection to WhatsApp changed. While WhatsApp is out of reach, `connecting` comes 20 times a second."""

    name: ClassVar[str] = "connection.update"

    connection: Connection
    """The new state."""


class QrCode(msgspec.Struct, frozen=True, kw_only=True):
    """What pairs an instance with a phone."""

    code: str | None
    """Content of the QR code, to draw it yourself; None at the limit."""
    pairing_code: str | None
    """Eight characters to type into the phone instead; only when a number was given on connecting."""
    has_image: bool
    """`image()` gives a picture."""
    limit_reached: bool
    """No more codes: somebody has to connect the instance again."""
    message: str | None = None
    """What Evolution says at the limit."""
    data_uri: str | None = None
    """The picture as Evolution sends it, `data:image/png;base64,...`: fits an HTML `img` as it is."""

    def __repr__(self) -> str:
        return quiet(self, "code", "pairing_code", "data_uri")

    def image(self) -> bytes | None:
        """PNG bytes of the code; None when the event carries no readable picture."""
        return from_base64(self.data_uri) if self.data_uri else None


class QrcodeUpdated(Event, frozen=True, kw_only=True):
    """A new QR code to scan (about every 20 seconds while pairing), or the end of them."""

    name: ClassVar[str] = "qrcode.updated"

    qr: QrCode
    """The code."""


def connection_update(posted: Posted) -> ConnectionUpdate:
    """Read `connection.update`."""
    data = posted.object()
    connection = Connection(
        state=data.text("state"),
        reason=data.whole("statusReason"),
        phone=phone_of(data.jid("wuid")),
        profile_name=data.text("profileName"),
        picture_url=data.text("profilePictureUrl"),
    )
    return ConnectionUpdate(connection=connection, **posted.head())


def qrcode_updated(posted: Posted) -> QrcodeUpdated:
    """Read `qrcode.updated`: a code, or the message that there are no more."""
    data = posted.object()
    code = data.inner("qrcode")
    picture = code.text("base64") if code else None
    qr = QrCode(
        code=code.text("code") if code else None,
        pairing_code=code.text("pairingCode") if code else None,
        has_image=picture is not None,
        limit_reached=code is None and (data.whole("statusCode") is not None or data.text("message") is not None),
        message=data.text("message"),
        data_uri=picture,
    )
    return QrcodeUpdated(qr=qr, **posted.head())
