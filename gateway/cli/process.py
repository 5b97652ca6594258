"""What each process does first: read its configuration, make the data folder, begin to log."""

from pathlib import Path

from gateway.cli.options import load_config
from gateway.config import Config, secrets
from gateway.log import configure
from gateway.owner import data_folder
from gateway.web.login import admin_token


def prepare(config_file: Path | None) -> Config:
    """The configuration, once everything it names can be used."""
    config = load_config(config_file)
    data_folder(config)
    configure(config.log.format, config.log.level, (*secrets(config), admin_token(config).reveal()))
    return config
