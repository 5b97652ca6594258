"""What a method of the client asks of a server of each version, as written down by hand."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import pytest

from gateway.evolution import Evolution, UnsupportedCall
from gateway.evolution.call import Body
from tests.evolution.conftest import FakeEvolution

Make = Callable[[Evolution], Awaitable[object]]


class Asked(NamedTuple):
    """One request."""

    method: str
    path: str
    body: Any = None


def case(name: str, make: Make, two: Asked, one: Asked | None) -> object:
    """One row of a table: a call, and what it asks of 2.x and of 1.x; None: 1.x can't be asked."""
    return pytest.param(make, two, one, id=name)


def both(name: str, make: Make, asked: Asked) -> object:
    """A row of which both versions are asked the same."""
    return case(name, make, asked, asked)


def put(name: str, make: Make, asked: Asked) -> object:
    """A row that is a PUT in 1.x."""
    return case(name, make, asked, asked._replace(method="PUT"))


def send(action: str, body: Body) -> Asked:
    """A call that sends."""
    return Asked("POST", f"/message/{action}/shop-1", body)


async def check(evolution: FakeEvolution, make: Make, two: Asked, one: Asked | None) -> None:
    """The call asks `two` of 2.x and `one` of 1.x, and nothing else; None: 1.x can't be asked."""
    assert await asked(evolution, "2.3.6", make) == two
    if one is not None:
        assert await asked(evolution, "1.8.2", make) == one
        return
    with pytest.raises(UnsupportedCall, match=r"Evolution 1\.x can't do this"):
        await asked(evolution, "1.8.2", make)


async def asked(evolution: FakeEvolution, version: str, make: Make) -> Asked:
    evolution.version = version
    evolution.requests.clear()
    client = Evolution(evolution.url, "secret-key")
    try:
        await make(client)
    finally:
        await client.close()
    (request,) = evolution.requests
    assert request.headers["apikey"] == "secret-key"
    has_json = request.headers.get("Content-Type", "").startswith("application/json")
    assert has_json is (request.body is not None)
    return Asked(request.method, request.path, request.body)
