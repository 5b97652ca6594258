"""Find what a test is about: the folder of a bot, its settings and its plugins."""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from gateway.config import FILE_NAME, Config, Delivery, load
from gateway.errors import GatewayError
from gateway.testing.bot import PATIENCE

_NEEDED: Final = re.compile(r"\$\{(\w+)\}")


class Found(msgspec.Struct, frozen=True):
    """What a test tries."""

    config: Config
    files: tuple[Path, ...]
    """Of the plugins."""


def find_plugins(start: Path, names: Sequence[str]) -> Found:
    """The plugins of these names, or all, of the nearest folder from `start` upwards that holds a config.yaml.

    A variable that config.yaml needs and a test has not stands in for itself: no test should need a real key.

    Raises:
        GatewayError: there is no such folder or plugin, or the settings can't be read.
    """
    folder = next((each for each in (start, *start.parents) if (each / FILE_NAME).is_file()), None)
    if folder is None:
        raise GatewayError(f"there is no {FILE_NAME} in {start} or above it, so nobody knows which bot is tested")
    file = folder / FILE_NAME
    needed = _NEEDED.findall(file.read_text(encoding="utf-8"))
    settings = load(file, {name: f"{name}-in-tests" for name in needed} | os.environ)
    config = msgspec.structs.replace(settings, delivery=_patient(settings), worker=PATIENCE.worker)
    if names:
        return Found(config, tuple(config.routes / f"{name}.py" for name in names))
    present = sorted(file for file in config.routes.glob("[!_]*.py") if config.plugin(file.stem).enabled)
    return Found(config, tuple(present))


def _patient(config: Config) -> Delivery:
    """What the settings say, but for what is other in a test."""
    own, other = config.delivery, PATIENCE.delivery
    return msgspec.structs.replace(
        own, timeout=min(own.timeout, other.timeout), replies_per_minute=other.replies_per_minute
    )
