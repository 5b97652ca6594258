"""Load the plugins this worker is to run, and say of them what others have to know."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from gateway import names
from gateway.config import Config, Secret, secrets
from gateway.errors import PluginError
from gateway.log import log
from gateway.plugins import Handler
from gateway.plugins.available import load_all
from gateway.plugins.loader import Loaded, LoadError
from gateway.redact import PLACEHOLDER, Json, Redactor, redact
from gateway.worker.link import LoadReport

SENDS_TO: Final = "sends_to"
"""The fact that names the Evolution server of this worker; None where it has no key for one."""


def load_plugins(config: Config) -> Loaded:
    """Load all plugins, without those that are disabled. A missing folder is an error like a broken file."""
    try:
        loaded = load_all(config)
    except PluginError as error:
        return Loaded((), (LoadError(config.routes, None, str(error)),))
    enabled = tuple(each for each in loaded.plugins if config.plugin(each.plugin.name).enabled)
    return msgspec.structs.replace(loaded, plugins=enabled)


def redactor_for(config: Config, loaded: Loaded) -> Redactor:
    """One that knows the secrets of config.yaml, those in plugins' settings included."""
    return Redactor(secrets(config, *(each.plugin.settings for each in loaded.plugins)))


def report(config: Config, loaded: Loaded) -> LoadReport:
    """What the receiver decides by whether this worker takes over."""
    redactor = redactor_for(config, loaded)
    return LoadReport(
        plugins={_place(config, each.file): each.plugin.name for each in loaded.plugins},
        errors={_place(config, error.file): redactor.text(str(error)) for error in loaded.errors},
    )


def _place(config: Config, file: Path) -> str:
    """The name of a file of the folder; the whole path of one that an installed package brings."""
    return file.name if file.parent == config.routes.resolve() else str(file)


def log_errors(loaded: Loaded) -> None:
    """Say what this worker does without, and what looks like a mistake."""
    for error in loaded.errors:
        log.error("plugin_left_out", file=str(error.file), line=error.line, error=error.text)
    for warning in loaded.warnings:
        log.warning("plugin_doubtful", file=str(warning.file), line=warning.line, warning=warning.text)


def facts(loaded: Loaded) -> dict[str, object]:
    """What the page and the command line show of the plugins."""
    return {
        "plugins": [
            {
                "name": each.plugin.name,
                "file": str(each),
                "handlers": [_handler(handler) for handler in each.plugin.handlers],
                "events": [name for name in names.EVENTS if each.plugin.wants(name)],
                "settings": _settings(each.plugin.settings),
            }
            for each in loaded.plugins
        ],
        "load_errors": [_load_error(error) for error in loaded.errors],
    }


def _settings(settings: object) -> Json:
    """A plugin's own, without secrets."""
    values: Json = msgspec.to_builtins(settings, enc_hook=_written, str_keys=True)
    return redact(values)


def _written(value: object) -> str:
    return PLACEHOLDER if isinstance(value, Secret) else str(value)


def _load_error(error: LoadError) -> Mapping[str, object]:
    return {
        "file": error.file.name,
        "line": error.line,
        "text": error.text,
        "traceback": error.traceback_text or None,
    }


def _handler(handler: Handler) -> Mapping[str, object]:
    return {
        "name": handler.name,
        "line": handler.line,
        "events": [event.__name__ for event in handler.events],
        "filters": [repr(each) for each in handler.filters],
    }
