"""The client and the fake were written apart: here the one asks the other everything it can, in both spellings."""

import contextlib

import pytest

from gateway.evolution import (
    Disconnected,
    Evolution,
    EvolutionError,
    EvolutionUnsure,
    LicenseRequired,
    NoSuchInstance,
    NotOnWhatsApp,
    RateLimited,
    Unauthorized,
)
from gateway.testing import EvolutionServer, Fault
from tests.evolution.asked import Asked, Make
from tests.evolution.test_documented import TABLES

OLD = "1.8.2"
NEW = "2.3.6"


@pytest.mark.parametrize(("make", "two", "one"), TABLES)
@pytest.mark.parametrize("version", [NEW, OLD])
async def test_evolutions_rules_have_nothing_against_what_the_client_asks(
    version: str, make: Make, two: Asked, one: Asked | None
) -> None:
    wanted = two if version == NEW else one
    if wanted is None:
        return
    async with EvolutionServer(version=version, typing_scale=0) as server:
        client = Evolution(server.url, server.apikey)
        try:
            with contextlib.suppress(EvolutionError):  # most ask about a message or group that is not there
                await make(client)
        finally:
            await client.close()

    assert server.complaints == []
    assert wanted.path in [request.path for request in server.requests]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.LOST_ANSWER, EvolutionUnsure),
        (Fault.NO_ANSWER, EvolutionUnsure),
        (Fault.RESET, EvolutionUnsure),
        (Fault.RESET_AFTER, EvolutionUnsure),
        (Fault.NOT_ON_WHATSAPP, NotOnWhatsApp),
        (Fault.UNAUTHORIZED, Unauthorized),
        (Fault.NO_INSTANCE, NoSuchInstance),
        (Fault.TOO_MANY, RateLimited),
        (Fault.RATE_OVERLIMIT, RateLimited),
        (Fault.DISCONNECTED, Disconnected),
        (Fault.UNLICENSED, LicenseRequired),
        (Fault.SERVER_FAULT, EvolutionError),
        (Fault.META_ERROR, EvolutionError),
    ],
)
async def test_each_fault_is_told_by_its_class(fault: Fault, error: type[EvolutionError]) -> None:
    async with EvolutionServer(typing_scale=0, hang=0.1) as server:
        server.fail(fault, "message/sendText")
        client = Evolution(server.url, server.apikey)
        try:
            with pytest.raises(error):
                await client.send_text("shop-1", "+55 11 99999-0002", "pong")
            await client.send_text("shop-1", "+55 11 99999-0002", "again")  # one call was ordered to fail, no more
        finally:
            await client.close()

    left = ["pong", "again"] if fault.is_after else ["again"]
    assert server.texts("+55 11 99999-0002") == left
