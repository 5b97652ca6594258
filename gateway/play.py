"""A play: `gateway simulate --server` takes Evolution's part, and the gateway of its data folder answers through it.

Of its own, because the two find each other by one small file. It counts only for a gateway without a key: a real key is
never shown to a player, and what a player is told never reaches a real server.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from gateway.config import Config, Evolution, Secret
from gateway.errors import DataFolderBusy
from gateway.owner import Owner

FILE: Final = "play.json"
_PATIENCE: Final = 2.0  # seconds; a worker that looks whether somebody plays holds the lock for a moment


class Played(Evolution, frozen=True, kw_only=True):
    """An Evolution that is only played: what is queued for it must never leave through any other."""


class Play(msgspec.Struct, frozen=True):
    """Where somebody plays Evolution."""

    url: str
    apikey: str
    """Made for this play; no real server knows it."""


@contextlib.contextmanager
def announced(folder: Path, play: Play) -> Iterator[None]:
    """Have the gateway of this data folder answer through a play, until this ends.

    Raises:
        DataFolderBusy: somebody plays already.
    """
    path = folder / FILE
    with Owner(folder, "simulator", patience=_PATIENCE):
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(msgspec.json.encode(play))
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def with_play(config: Config) -> Config:
    """These settings, with the play under way as Evolution where they have no key of their own."""
    play = None if config.evolution.apikey else _under_way(config.data)
    if play is None:
        return config
    settings = msgspec.structs.asdict(config.evolution) | {"url": play.url, "apikey": Secret(play.apikey)}
    evolution = Played(**settings)
    return msgspec.structs.replace(config, evolution=evolution)


def _under_way(folder: Path) -> Play | None:
    """The play whose player is alive; a file that one left behind counts for nothing."""
    try:
        play = msgspec.json.decode((folder / FILE).read_bytes(), type=Play)
    except (OSError, msgspec.DecodeError):
        return None
    try:
        with Owner(folder, "simulator"):
            return None
    except DataFolderBusy:
        return play
