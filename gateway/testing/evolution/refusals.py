"""Evolution's refusals: each with the status and the body shape of its own that the real server gives it."""

from collections.abc import Sequence

from gateway.errors import GatewayError

_NAMES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    429: "Too Many Requests",
    500: "Internal Server Error",
}


class Refused(GatewayError):
    """The fake answers with this status and body."""

    def __init__(self, status: int, body: object) -> None:
        super().__init__(f"{status}: {body}")
        self.status = status
        self.body = body


def refusal(status: int, message: object) -> Refused:
    """Evolution's usual shape (`main.ts`): `{status, error, response: {message}}`."""
    return Refused(status, {"status": status, "error": _NAMES[status], "response": {"message": message}})


def invalid(words: Sequence[object]) -> Refused:
    """What its validator found: a list within a list."""
    return refusal(400, [list(words)])


def failed(words: str) -> Refused:
    """An exception on the way out, as text: 400 with `Error: ...`."""
    return refusal(400, [f"Error: {words}"])


def unauthorized() -> Refused:
    """No or a wrong key: a text, no list."""
    return refusal(401, "Unauthorized")


def no_instance(name: str) -> Refused:
    """No instance of this name."""
    return refusal(404, [f'The "{name}" instance does not exist'])


def no_route(method: str, path: str) -> Refused:
    """A path nobody serves."""
    return refusal(404, [f"Cannot {method} {path}"])


def not_on_whatsapp(jid: str, number: str) -> Refused:
    """A number that WhatsApp does not know: a list with an object."""
    return refusal(400, [{"jid": jid, "exists": False, "number": number}])


def disconnected() -> Refused:
    """What Baileys says without a connection, as 2.2.3 and later give it away (issue 1412 of evolution-api)."""
    return refusal(500, "Connection Closed")


def rate_overlimit() -> Refused:
    """WhatsApp itself refuses more: an exception of Baileys with this text."""
    return failed("rate-overlimit")


def too_many() -> Refused:
    """A proxy's or Meta's own limit."""
    return refusal(429, ["Too Many Requests"])


def server_fault() -> Refused:
    """An uncaught error: a text, no list."""
    return refusal(500, "Internal Server Error")


def unlicensed() -> Refused:
    """2.4 until its licence is activated: 503 with the code LICENSE_REQUIRED (pull request 2530 of evolution-api)."""
    return Refused(
        503, {"error": "service not activated", "code": "LICENSE_REQUIRED", "message": "License required: activate it"}
    )


def meta_error() -> Refused:
    """Meta's refusal on the Business channel, which Evolution passes on with a 201."""
    return Refused(
        201,
        {
            "message": "(#131047) Re-engagement message",
            "type": "OAuthException",
            "code": 131047,
            "error_data": {"messaging_product": "whatsapp", "details": "More than 24 hours have passed"},
            "fbtrace_id": "AEXAMPLETRACEID",
        },
    )
