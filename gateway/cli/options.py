"""Options that many commands share."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from gateway.config import Config

F = TypeVar("F", bound=Callable[..., Any])


def config_option(command: F) -> F:
    """`--config FILE`, given to the command as `config_file`; None means ./config.yaml, or the defaults."""
    option = click.option(
        "--config",
        "config_file",
        type=click.Path(path_type=Path),
        help="Settings to use instead of ./config.yaml.",
    )
    return option(command)


def load_config(config_file: Path | None) -> "Config":
    """The settings.

    Raises:
        ConfigError: the text names file, line and key.
    """
    from gateway.config import load  # noqa: PLC0415 -- keeps --help quick

    return load(config_file)


def json_option(help_text: str = "Print JSON, for other programs.") -> Callable[[F], F]:
    """`--json`, given to the command as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help=help_text)
