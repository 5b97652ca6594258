"""Make a folder importable as a package under a private name, always from its source.

A private name, so that the folder can be called `routes` (a package of that name is on PyPI), may hold a `json.py`, and
its files can import each other (`from ._prices import table`). Never from cached bytecode: Python takes that for fresh
when an edit within the same second keeps the file's size, and a bot author changes `ping` to `pong`.
"""

import importlib
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from itertools import count
from pathlib import Path
from types import CodeType, ModuleType


class _Source(SourceFileLoader):
    def get_code(self, fullname: str) -> CodeType:
        """Compile; don't look for bytecode, don't leave any."""
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


class _Finder(MetaPathFinder):
    """Finds `<package>.<stem>` in the folder, and leaves all else to Python."""

    def __init__(self, package: str, folder: Path) -> None:
        self._package = package
        self._folder = folder

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """As Python asks."""
        del path, target
        package, _, stem = fullname.rpartition(".")
        file = self._folder / f"{stem}.py"
        if package != self._package or not file.is_file():
            return None
        return spec_from_file_location(fullname, file, loader=_Source(fullname, str(file)))


def open_folder(folder: Path) -> str:
    """Name of a new package that stands for the folder; each call gives another, with nothing imported yet."""
    package = next(name for n in count(1) if (name := f"_gateway_routes_{n}") not in sys.modules)
    module = ModuleType(package, f"The plugin files of {folder}.")
    module.__path__ = [str(folder)]
    sys.modules[package] = module
    sys.meta_path.insert(0, _Finder(package, folder))
    return package


def import_file(package: str, file: Path) -> ModuleType:
    """Run a file of the folder, unless another file has already imported it."""
    return importlib.import_module(f"{package}.{file.stem}")
