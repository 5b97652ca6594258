"""Load the plugins this worker is to run, and say of them what others have to know."""

from collections.abc import Mapping
from typing import Final

from gateway.config import Config, secrets
from gateway.errors import PluginError
from gateway.log import log
from gateway.plugins import Handler
from gateway.plugins.loader import Loaded, LoadError, load_folder
from gateway.redact import Redactor
from gateway.worker.link import LoadReport

SENDS_TO: Final = "sends_to"
"""The fact that names the Evolution server of this worker; None where it has no key for one."""


def load_plugins(config: Config) -> Loaded:
    """Load the folder of plugins, without those that are disabled. A missing folder is an error like a broken file."""
    try:
        loaded = load_folder(config.routes)
    except PluginError as error:
        return Loaded((), (LoadError(config.routes, None, str(error)),))
    enabled = tuple(each for each in loaded.plugins if config.plugin(each.plugin.name).enabled)
    return Loaded(enabled, loaded.errors)


def report(config: Config, loaded: Loaded) -> LoadReport:
    """What the receiver decides by whether this worker takes over."""
    redactor = Redactor(secrets(config))
    return LoadReport(
        plugins={each.file.name: each.plugin.name for each in loaded.plugins},
        errors={error.file.name: redactor.text(str(error)) for error in loaded.errors},
    )


def log_errors(loaded: Loaded) -> None:
    """Say what this worker does without."""
    for error in loaded.errors:
        log.error("plugin_left_out", file=str(error.file), line=error.line, error=error.text)


def facts(loaded: Loaded) -> dict[str, object]:
    """What the page and the command line show of the plugins."""
    return {
        "plugins": [
            {
                "name": each.plugin.name,
                "file": each.file.name,
                "handlers": [_handler(handler) for handler in each.plugin.handlers],
            }
            for each in loaded.plugins
        ],
        "load_errors": [{"file": error.file.name, "line": error.line, "text": error.text} for error in loaded.errors],
    }


def _handler(handler: Handler) -> Mapping[str, object]:
    return {
        "name": handler.name,
        "line": handler.line,
        "events": [event.__name__ for event in handler.events],
        "filters": [repr(each) for each in handler.filters],
    }
