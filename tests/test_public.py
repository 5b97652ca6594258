"""What a bot's author imports is all there, and costs nobody who doesn't ask for it."""

import subprocess
import sys

import pytest

import gateway

HEAVY = ("msgspec", "orjson", "structlog", "aiohttp", "asyncio", "gateway.events", "gateway.plugins", "gateway.config")


def test_every_public_name_is_there() -> None:
    assert {name for name in gateway.__all__ if not hasattr(gateway, name)} == set()


def test_no_other_name_is() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = gateway.nothing  # type: ignore[attr-defined]


def test_help_loads_nothing_that_it_does_not_need() -> None:
    script = f"import sys, gateway.cli; print([name for name in {HEAVY} if name in sys.modules])"

    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout

    assert loaded.strip() == "[]"


@pytest.mark.parametrize("first", ["gateway.worker.process", "gateway.events", "gateway.plugins", "gateway.evolution"])
def test_whichever_module_comes_first_is_not_held_up_by_the_others(first: str) -> None:
    subprocess.run([sys.executable, "-c", f"import {first}"], check=True)
