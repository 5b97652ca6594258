"""What a bot's author imports is all there, and costs nobody who doesn't ask for it."""

import subprocess
import sys
from collections.abc import Sequence

import pytest

import gateway

HEAVY = ("msgspec", "orjson", "structlog", "aiohttp", "asyncio", "gateway.events", "gateway.plugins", "gateway.config")


def test_every_public_name_is_there() -> None:
    assert {name for name in gateway.__all__ if not hasattr(gateway, name)} == set()


def test_no_other_name_is() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = gateway.nothing  # type: ignore[attr-defined]


def test_help_loads_nothing_that_it_does_not_need() -> None:
    assert loaded_by("gateway.cli", HEAVY) == []


@pytest.mark.parametrize("command", ["plugins", "events", "controls", "work"])
def test_commands_that_only_read_load_no_web_server(command: str) -> None:
    assert loaded_by(f"gateway.cli.{command}", ("aiohttp", "jinja2", "prometheus_client", "structlog")) == ["structlog"]


def loaded_by(module: str, names: Sequence[str]) -> list[str]:
    """Those of some modules that are there once another is."""
    script = f"import sys, {module}; print(*[name for name in {names} if name in sys.modules])"
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()


@pytest.mark.parametrize("first", ["gateway.worker.process", "gateway.events", "gateway.plugins", "gateway.evolution"])
def test_whichever_module_comes_first_is_not_held_up_by_the_others(first: str) -> None:
    subprocess.run([sys.executable, "-c", f"import {first}"], check=True)
