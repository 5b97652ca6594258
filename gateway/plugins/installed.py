"""Plugins that come in installed packages: what their entry points in the group `evolution_gateway.plugins` name.

A package says in its `pyproject.toml`:

    [project.entry-points."evolution_gateway.plugins"]
    faq = "acme_bots.faq:plugin"
"""

from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from gateway.errors import PluginError
from gateway.plugins.loader import LoadedPlugin, LoadError, is_name, report
from gateway.plugins.plugin import Plugin

GROUP: Final = "evolution_gateway.plugins"


def load_installed(is_wanted: Callable[[str], bool]) -> Iterator[LoadedPlugin | LoadError]:
    """The plugin of each entry point, or why it is left out; sorted by name, so that their order never changes.

    One that is broken and, by its entry point's name, not wanted is nothing to complain of: who installs a package for
    one of its plugins can't mend the others.
    """
    for point in sorted(entry_points(group=GROUP), key=lambda each: (each.name, each.value)):
        found = _load(point)
        if isinstance(found, LoadedPlugin) or is_wanted(point.name):
            yield found


def _load(point: EntryPoint) -> LoadedPlugin | LoadError:
    package = point.dist.name if point.dist else point.module
    try:
        plugin = point.load()
        if not isinstance(plugin, Plugin):
            raise PluginError(f"{point.value}, an entry point of {package}, is no Plugin: {plugin!r}")  # noqa: TRY301 -- one kind to report
        plugin.name = plugin.name or point.name
        if not is_name(plugin.name):
            raise PluginError(f"{plugin.name!r}, an entry point of {package}, is no name: use letters, digits, - and _")  # noqa: TRY301 -- as above
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - a stranger's code ran; the caller reports it
        return report(error, _file(point))
    return LoadedPlugin(plugin, Path(plugin.file), package)


def _file(point: EntryPoint) -> Path:
    """Where the module would be; its name as a path where there is none."""
    try:
        spec = find_spec(point.module)
    except (ImportError, ValueError):  # its package can't even be imported
        spec = None
    return Path(spec.origin if spec and spec.origin else point.module)
