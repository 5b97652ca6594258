"""Everything that is there to run: the folder's plugins and those of installed packages, each with its settings."""

from gateway.config import Config
from gateway.errors import ConfigError
from gateway.plugins.echoes import may_answer_itself
from gateway.plugins.installed import load_installed
from gateway.plugins.loader import Loaded, LoadedPlugin, LoadError, load_folder, without_clashes


def load_all(config: Config) -> Loaded:
    """Load all plugins, disabled ones too; one that is enabled and whose settings don't fit is left out.

    Raises:
        PluginError: there is no folder to load from.
    """
    folder = load_folder(config.routes)
    installed = load_installed(lambda name: config.plugin(name).enabled)
    loaded = without_clashes([*folder.plugins, *folder.errors, *installed])
    refused = {id(each): error for each in loaded.plugins if (error := _configure(config, each))}
    kept = tuple(each for each in loaded.plugins if id(each) not in refused)
    return Loaded(
        plugins=kept,
        errors=(*loaded.errors, *refused.values()),
        warnings=tuple(each for one in kept for each in _warnings(one)),
        unset=tuple(each for each in loaded.plugins if id(each) in refused),
    )


def _configure(config: Config, loaded: LoadedPlugin) -> LoadError | None:
    settings = config.plugin(loaded.plugin.name)
    if not settings.enabled:
        return None
    try:
        loaded.plugin.configure(settings.settings)
    except ConfigError as error:
        return LoadError(loaded.file, None, str(error))
    return None


def _warnings(loaded: LoadedPlugin) -> list[LoadError]:
    text = "answers its own messages too, so it may go round in circles: use plugin.message(), or add ~f.from_me"
    return [
        LoadError(loaded.file, handler.line if handler.file == str(loaded.file) else None, f"{handler.name} {text}")
        for handler in loaded.plugin.handlers
        if may_answer_itself(handler)
    ]
