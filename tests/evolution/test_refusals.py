"""Every shape in which Evolution says no: the class that tells what may be done, and a text a person understands.

The bodies are those of its sources and of reports on them; the versions are noted where they differ.
"""

from typing import Any

import pytest
from aiohttp import web

from gateway.evolution import (
    Disconnected,
    Evolution,
    EvolutionError,
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
from tests.evolution.conftest import FakeEvolution


def usual(status: int, error: str, message: object) -> dict[str, Any]:
    """What `main.ts` makes of an exception."""
    return {"status": status, "error": error, "response": {"message": message}}


ABSENT = {"jid": "5511999990009@s.whatsapp.net", "exists": False, "number": "5511999990009"}
META = {"message": "(#131030) Recipient not in list", "type": "OAuth", "code": 131030, "fbtrace_id": "A"}
CLOSED = "Connection Closed"

CASES: list[tuple[int, object, type[EvolutionError], str]] = [
    (400, usual(400, "Bad Request", [["Invalid format"]]), InvalidCall, "Invalid format"),
    (400, usual(400, "Bad Request", ["Text is required"]), InvalidCall, "Text is required"),
    (
        400,
        usual(400, "Bad Request", [{"property": "instance.subject", "message": 'The "subject" cannot be empty'}]),
        InvalidCall,
        'The "subject" cannot be empty',
    ),
    (400, usual(400, "Bad Request", ["a", ["b", "a"]]), InvalidCall, "a; b"),
    (400, usual(400, "Bad Request", [ABSENT]), NotOnWhatsApp, "this number is not on WhatsApp"),
    (400, usual(400, "Bad Request", ["Error: forbidden"]), InvalidCall, "Error: forbidden"),
    (400, usual(400, "Bad Request", [f"Error: {CLOSED}"]), Disconnected, f"Error: {CLOSED}"),
    (500, usual(500, "Internal Server Error", CLOSED), Disconnected, CLOSED),
    (500, usual(500, "Internal Server Error", [f"Error: {CLOSED}"]), Disconnected, f"Error: {CLOSED}"),
    (400, usual(400, "Bad Request", 'The "shop" instance is not connected'), Disconnected, "is not connected"),
    (
        500,
        usual(500, "Internal Server Error", "Cannot read properties of undefined (reading 'sendMessage')"),
        Disconnected,
        "Cannot read properties",
    ),
    (400, usual(400, "Bad Request", ["Error: rate-overlimit"]), RateLimited, "Error: rate-overlimit"),
    (429, "Too Many Requests", RateLimited, "Too Many Requests"),
    (400, usual(400, "Bad Request", ["Error: Timed Out"]), EvolutionUnsure, "Error: Timed Out"),
    (400, usual(400, "Bad Request", ["Invalid `this.prismaRepository.message.create()`"]), EvolutionUnsure, "prisma"),
    (400, usual(400, "Bad Request", ["Error: Invalid `prisma.message.findFirst()`"]), ServerFault, "prisma"),
    (400, usual(400, "Bad Request", ["Method not available on Evolution Channel"]), UnsupportedCall, "not available"),
    (401, usual(401, "Unauthorized", "Unauthorized"), Unauthorized, "Unauthorized. Set evolution.apikey"),
    (403, usual(403, "Forbidden", ['This name "shop" is already in use.']), NameTaken, 'This name "shop" is already'),
    (403, usual(403, "Forbidden", ["Missing global api key"]), Unauthorized, "Missing global api key. Set evolution"),
    (404, usual(404, "Not Found", ['The "x" instance does not exist']), NoSuchInstance, 'The "x" instance does not'),
    (404, usual(404, "Not Found", ["Cannot POST /x"]), UnsupportedCall, "Cannot POST /x"),
    (404, "<html><pre>Cannot POST /message/sendText/x</pre></html>", UnsupportedCall, "Cannot POST /message/sendText"),
    (500, usual(500, "Internal Server Error", ["Instance", "TypeError: x"]), ServerFault, "Instance; TypeError: x"),
    (500, {"status": 500, "error": "Internal Server Error", "message": "Internal Server Error"}, ServerFault, "Inter"),
    (503, {"error": "LICENSE_REQUIRED", "message": "License required"}, LicenseRequired, "Open the server's /manager"),
    (503, {}, ServerFault, "no reason given"),
    (408, "", ServerFault, "no reason given"),
    (400, {"status": 400, "error": "Bad Request", "message": "not a jid"}, InvalidCall, "not a jid"),
    (400, {"error": "no"}, InvalidCall, "no"),
    (400, {"error": {"message": "(#190) expired", "code": 190, "type": "OAuth"}}, Unauthorized, "(#190) expired"),
    (400, ["odd"], InvalidCall, "odd"),
    (201, META, InvalidCall, "(#131030) Recipient not in list"),
    (201, META | {"code": 131056}, RateLimited, "Recipient"),
    (201, META | {"code": 131026, "error_data": {"details": "undeliverable"}}, NotOnWhatsApp, "undeliverable"),
    (201, META | {"code": 131000}, ServerFault, "Recipient"),
    (200, {"error": True, "message": "QR code limit reached"}, ServerFault, "QR code limit reached"),
    (200, {"error": True, "message": "[object Object]"}, ServerFault, "no reason given"),
    (200, {"error": True, "message": f"Error: {CLOSED}"}, Disconnected, f"Error: {CLOSED}"),
]


@pytest.mark.parametrize(("status", "answer", "class_", "words"), CASES)
async def test_each_refusal_has_its_class_and_a_readable_text(
    evolution: FakeEvolution,
    client: Evolution,
    status: int,
    answer: object,
    *,
    class_: type[EvolutionError],
    words: str,
) -> None:
    page = web.Response(status=status, text=answer) if isinstance(answer, str) else answer
    evolution.answer = lambda _: (status, page)

    with pytest.raises(EvolutionError) as caught:
        await client.send_text("shop-1", "5511999990002", "hi")

    assert type(caught.value) is class_
    assert f"Evolution answered {status}: " in str(caught.value)
    assert words in str(caught.value)
    assert caught.value.status == status
    assert not set("{}<>") & set(str(caught.value)), "a person reads it"


@pytest.mark.parametrize(
    ("class_", "passing", "may_have_left", "is_about_instance"),
    [
        (Disconnected, True, False, True),
        (EvolutionUnsure, False, True, False),
        (InvalidCall, False, False, False),
        (LicenseRequired, True, False, True),
        (NotOnWhatsApp, False, False, False),
        (RateLimited, True, False, True),
        (ServerFault, True, False, False),
        (Unauthorized, False, False, False),
        (UnsupportedCall, False, False, False),
    ],
)
def test_a_class_tells_what_may_be_done(
    class_: type[EvolutionError],
    passing: bool,  # noqa: FBT001 -- a table
    may_have_left: bool,  # noqa: FBT001 -- the same
    is_about_instance: bool,  # noqa: FBT001 -- the same
) -> None:
    error = class_("words", status=400)

    told = (error.passing, error.may_have_left, error.is_about_instance, error.is_too_much)
    assert told == (passing, may_have_left, is_about_instance, class_ is RateLimited)


async def test_a_number_in_a_refusal_is_not_repeated(evolution: FakeEvolution, client: Evolution) -> None:
    evolution.answer = lambda _: (400, usual(400, "Bad Request", [ABSENT]))

    with pytest.raises(NotOnWhatsApp) as caught:
        await client.send_text("shop-1", "5511999990009", "hi")
    assert "5511999990009" not in str(caught.value), "error texts end in the log"


async def test_a_long_refusal_is_cut(evolution: FakeEvolution, client: Evolution) -> None:
    evolution.answer = lambda _: (400, {"message": "x" * 5000})

    with pytest.raises(InvalidCall) as caught:
        await client.send_text("shop-1", "5511999990002", "hi")
    assert len(str(caught.value)) < 600
