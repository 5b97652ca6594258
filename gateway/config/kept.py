"""Tokens that the gateway makes for itself and keeps in the data folder, so that nobody has to think of one.

They are no settings: config.yaml is its author's, and nothing here ever writes it.
"""

import os
import secrets
from pathlib import Path
from typing import Final

from gateway.config.secret import Secret
from gateway.errors import ConfigError

WEBHOOK_TOKEN: Final = "webhook.token"  # noqa: S105 -- a file's name
"""In the data folder: what `gateway connect` has Evolution show, beside what `webhook.auth` asks for."""


def make_token(path: Path) -> Secret:
    """The token in a file, made now if there is none (mode 0600).

    Raises:
        ConfigError: the file is there and empty.
        OSError: the file can't be read or made.
    """
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read(path)
    token = secrets.token_urlsafe(32)
    with os.fdopen(file, "w") as opened:
        opened.write(f"{token}\n")
    return Secret(token)


def find_token(path: Path) -> Secret | None:
    """The token in a file; None where there is none, or for somebody who may not look.

    Raises:
        ConfigError: the file is empty, or can't be read.
    """
    try:
        return _read(path)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return None
    except OSError as error:
        raise ConfigError(f"{path}: can't be read: {error.strerror}") from None


def _read(path: Path) -> Secret:
    token = path.read_text().strip()
    if not token:
        raise ConfigError(f"{path}: the file is empty; delete it and a new token is made when it is needed")
    return Secret(token)
