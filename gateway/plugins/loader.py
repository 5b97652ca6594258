"""Load a folder of plugin files by path, each by itself: a broken one is a report, never the end of the others.

Nothing is ever unloaded: an edited file takes effect in a new process.
"""

import os
import re
import traceback
from collections.abc import Collection, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import msgspec

from gateway.errors import PluginError
from gateway.plugins.folder import import_file, open_folder
from gateway.plugins.misuse import Misuse
from gateway.plugins.plugin import Plugin

_NAME: Final = re.compile(r"[\w-]+")


class LoadedPlugin(msgspec.Struct, frozen=True):
    """A plugin and the file that made it."""

    plugin: Plugin[Any, Any]
    file: Path
    package: str = ""
    """The installed package that brings it; "" for a file of the folder."""

    def __str__(self) -> str:
        return f"{self.file.name} of {self.package}" if self.package else self.file.name


class LoadError(msgspec.Struct, frozen=True):
    """Why a file's plugin is left out."""

    file: Path
    line: int | None
    """Line of that file, where one is to blame."""
    text: str
    """What is wrong, in one line."""
    traceback_text: str = ""
    """Python's traceback, for an error raised by the file's own code."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}" if self.line else f"{self.file}: {self.text}"


class Loaded(msgspec.Struct, frozen=True):
    """What there is."""

    plugins: tuple[LoadedPlugin, ...]
    errors: tuple[LoadError, ...]
    warnings: tuple[LoadError, ...] = ()
    """What is allowed and hardly ever meant."""
    unset: tuple[LoadedPlugin, ...] = ()
    """Plugins that are left out, with an error, for their settings alone."""


def load_folder(folder: Path, *, only: Collection[str] | None = None) -> Loaded:
    """Load `[!_]*.py`, sorted by name; with `only`, the files of these names (without `.py`) alone.

    Raises:
        PluginError: there is no such folder.
    """
    if not folder.is_dir():
        raise PluginError(
            f"There is no folder {folder} to load plugins from: make it, or name another as `routes` in config.yaml."
        )
    package = open_folder(folder.resolve())
    files = [file for file in _plugin_files(folder.resolve()) if only is None or file.stem in only]
    return without_clashes([_load_file(package, file) for file in files])


def _plugin_files(folder: Path) -> list[Path]:
    return [file for file in sorted(folder.glob("[!_]*.py")) if file.is_file()]


def is_name(name: str) -> bool:
    """Whether a plugin may be called so."""
    return _NAME.fullmatch(name) is not None


def _load_file(package: str, file: Path) -> LoadedPlugin | LoadError:
    if not is_name(file.stem):
        return LoadError(file, None, f"{file.stem!r} is no name for a plugin: use letters, digits, - and _")
    try:
        plugin = _own_plugin(import_file(package, file), file)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - a stranger's code ran, sys.exit() too; the caller reports it
        return report(error, file)
    plugin.name = plugin.name or file.stem
    if not is_name(plugin.name):
        problem = f"{plugin.name!r} is no name for a plugin: use letters, digits, - and _"
        return report(Misuse(problem, file=plugin.file, line=plugin.line), file)
    return LoadedPlugin(plugin, file)


def _own_plugin(module: ModuleType, file: Path) -> Plugin[Any, Any]:
    """The `plugin` of a module, which makes it itself and makes no other."""
    plugin = vars(module).get("plugin")
    if not isinstance(plugin, Plugin):
        hint = "write plugin = Plugin(), or begin the file's name with _ if it only helps others"
        raise PluginError(f"no plugin here: {hint}" if plugin is None else f"plugin is {plugin!r}: {hint}")
    origin = Path(plugin.file)
    if origin != file and origin in _plugin_files(file.parent):
        raise PluginError(f"its plugin is that of {origin.name}; import other names, make a plugin here")
    for name, value in vars(module).items():
        if isinstance(value, Plugin) and value is not plugin and value.file == str(file):
            raise Misuse(f"{name} is a second plugin; a file has one, called plugin", file=value.file, line=value.line)
    return plugin


def report(error: BaseException, file: Path) -> LoadError:
    """What was raised while a file was loaded, for its author."""
    if isinstance(error, Misuse):
        own = error.file == str(file)
        return LoadError(file, error.line if own else None, error.problem if own else str(error))
    if isinstance(error, PluginError):
        return LoadError(file, None, str(error))
    text = " ".join(traceback.format_exception_only(error)[-1].split())
    return LoadError(file, _line(error, file), text, _traceback(error, file.parent))


def _traceback(error: BaseException, folder: Path) -> str:
    """As Python writes it, from the folder's first line on."""
    frames = error.__traceback__
    while frames and not frames.tb_frame.f_code.co_filename.startswith(f"{folder}{os.sep}"):
        frames = frames.tb_next
    return "".join(traceback.format_exception(error.with_traceback(frames)))


def _line(error: BaseException, file: Path) -> int | None:
    """The line of the file that raised, or that called what raised."""
    if isinstance(error, SyntaxError) and error.filename == str(file):
        return error.lineno
    frames = traceback.extract_tb(error.__traceback__)
    return next((frame.lineno for frame in reversed(frames) if frame.filename == str(file)), None)


def without_clashes(results: Sequence[LoadedPlugin | LoadError]) -> Loaded:
    """Leave out plugins that share a name: which of them is meant is nothing to guess at."""
    found = [each for each in results if isinstance(each, LoadedPlugin)]
    clashes = {id(each): clash for each in found if (clash := _clash(each, found))}
    errors = [each for each in results if isinstance(each, LoadError)] + list(clashes.values())
    return Loaded(
        plugins=tuple(each for each in found if id(each) not in clashes),
        errors=tuple(sorted(errors, key=lambda error: error.file)),
    )


def _clash(one: LoadedPlugin, all_found: Sequence[LoadedPlugin]) -> LoadError | None:
    """Why one plugin can't stand beside another."""
    name = one.plugin.name
    for other in all_found:
        if other is one or other.plugin.name != name:
            continue
        text = f"{one} and {other} both have a plugin named {name!r}: rename one of them"
        return LoadError(one.file, one.plugin.line if one.plugin.file == str(one.file) else None, text)
    return None
