"""How a folder of plugin files is loaded."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.errors import PluginError
from gateway.plugins import load_folder

Folder = Callable[..., Path]

PLUGIN = "from gateway.plugins import Plugin\nplugin = Plugin()\n"


def named(name: str) -> str:
    return f"from gateway.plugins import Plugin\nplugin = Plugin({name!r})\n"


def names(folder: Path) -> list[str]:
    return [each.plugin.name for each in load_folder(folder).plugins]


def test_files_are_loaded_in_order_of_name_and_give_plugins_theirs(folder: Folder) -> None:
    assert names(folder(zeta=PLUGIN, alpha=PLUGIN, **{"my-bot": PLUGIN}, shop=named("store"))) == [
        "alpha",
        "my-bot",
        "store",
        "zeta",
    ]


def test_a_loaded_plugin_names_its_file(folder: Folder) -> None:
    [loaded] = load_folder(folder(ping=PLUGIN)).plugins

    assert loaded.file.name == "ping.py"


def test_files_that_begin_with_an_underscore_are_not_plugins(folder: Folder) -> None:
    assert names(folder(_prices="raise RuntimeError", ping=PLUGIN)) == ["ping"]


def test_other_files_and_folders_are_passed_over(folder: Folder) -> None:
    routes = folder(ping=PLUGIN)
    (routes / "notes.txt").write_text("not Python")
    (routes / "old.py").mkdir()

    assert names(routes) == ["ping"]


def test_an_empty_folder_holds_nothing(folder: Folder) -> None:
    loaded = load_folder(folder())

    assert (loaded.plugins, loaded.errors) == ((), ())


def test_a_missing_folder_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match=r"no folder .*nowhere.*make it, or name another as `routes` in config.yaml"):
        load_folder(tmp_path / "nowhere")


def test_only_some_files_are_run_when_asked(folder: Folder) -> None:
    routes = folder(ping=PLUGIN, broken="raise RuntimeError")

    loaded = load_folder(routes, only={"ping"})

    assert [each.plugin.name for each in loaded.plugins] == ["ping"]
    assert loaded.errors == ()


def test_siblings_import_each_other_and_run_once(folder: Folder) -> None:
    routes = folder(
        a_shop=PLUGIN + "from ._prices import table\nfrom .b_shop import runs\nassert table['pizza'] == 30",
        b_shop=PLUGIN + "runs = []\nruns.append(1)\nassert runs == [1]",
        _prices="table = {'pizza': 30}",
    )

    assert names(routes) == ["a_shop", "b_shop"]


def test_modules_are_found_by_whoever_looks_them_up_by_name(folder: Folder) -> None:
    source = PLUGIN + "import msgspec\nclass Item(msgspec.Struct):\n    others: 'list[Item]'\n"
    source += "msgspec.convert({'others': [{'others': []}]}, Item)\n"

    assert load_folder(folder(shop=source)).errors == ()


def test_a_file_named_like_a_library_hides_nothing(folder: Folder) -> None:
    loaded = load_folder(folder(json=PLUGIN, routes=PLUGIN, ping=PLUGIN + "import json\njson.dumps([])\n"))

    assert loaded.errors == ()
    assert "routes" not in sys.modules


def test_an_edit_within_the_same_second_and_of_the_same_size_is_seen(folder: Folder) -> None:
    routes = folder(ping=named("ping"))
    assert names(routes) == ["ping"]
    before = (routes / "ping.py").stat()

    folder(ping=named("pong"))
    os.utime(routes / "ping.py", ns=(before.st_atime_ns, before.st_mtime_ns))

    assert names(routes) == ["pong"]
    assert not (routes / "__pycache__").exists()


BROKEN = [
    ("def take(:\n    pass", 1, "SyntaxError: invalid syntax"),
    ("x = 1\nraise KeyError('shop')", 2, "KeyError: 'shop'"),
    ("import sys\nsys.exit('bye')", 2, "SystemExit: bye"),
    ("class Odd(BaseException):\n    pass\nraise Odd", 3, "Odd"),
    ("import no_such_module", 1, "ModuleNotFoundError: No module named 'no_such_module'"),
    ("import json\n\njson.loads('{')", 3, "JSONDecodeError: Expecting property name"),
    ("x = 1", None, "no plugin here: write plugin = Plugin(), or begin the file's name with _"),
    ("plugin = 3", None, "plugin is 3: write plugin = Plugin()"),
    (PLUGIN + "\nother = Plugin('other')", 4, "other is a second plugin; a file has one, called plugin"),
    (named("no spaces please"), 2, "'no spaces please' is no name for a plugin"),
]


@pytest.mark.parametrize(("source", "line", "text"), BROKEN)
def test_a_broken_file_is_reported_and_stops_nobody_else(
    folder: Folder, source: str, line: int | None, text: str
) -> None:
    loaded = load_folder(folder(a=PLUGIN, broken=source, z=PLUGIN))

    [error] = loaded.errors
    assert [each.plugin.name for each in loaded.plugins] == ["a", "z"]
    assert (error.file.name, error.line) == ("broken.py", line)
    assert text in error.text
    assert str(error).startswith(f"{error.file}:{line}: " if line else f"{error.file}: ")


def test_a_file_with_a_dot_in_its_name_is_told_to_change_it(folder: Folder) -> None:
    [error] = load_folder(folder(**{"my.bot": PLUGIN})).errors

    assert error.text == "'my.bot' is no name for a plugin: use letters, digits, - and _"


def test_one_plugin_under_two_files_is_a_clash(folder: Folder) -> None:
    shared = "from gateway.plugins import Plugin\nplugin = Plugin()\n"

    loaded = load_folder(folder(_shared=shared, a="from ._shared import plugin", b="from ._shared import plugin"))

    assert loaded.plugins == ()
    assert [error.line for error in loaded.errors] == [None, None]


def test_an_error_of_the_files_own_code_comes_with_its_traceback(folder: Folder) -> None:
    [error] = load_folder(folder(broken="def go():\n    1 / 0\ngo()")).errors

    assert error.line == 2
    assert 'broken.py", line 3' in error.traceback_text
    assert "importlib" not in error.traceback_text
    assert error.traceback_text.endswith("ZeroDivisionError: division by zero\n")


def test_an_interrupt_is_not_swallowed(folder: Folder) -> None:
    with pytest.raises(KeyboardInterrupt):
        load_folder(folder(ping="raise KeyboardInterrupt"))


def test_two_plugins_of_one_name_are_both_left_out_and_both_named(folder: Folder) -> None:
    loaded = load_folder(folder(ping=PLUGIN, copy=named("ping"), shop=PLUGIN))

    assert [each.plugin.name for each in loaded.plugins] == ["shop"]
    assert [error.file.name for error in loaded.errors] == ["copy.py", "ping.py"]
    assert all("copy.py" in error.text and "ping.py" in error.text for error in loaded.errors)


def test_a_plugin_borrowed_from_another_file_is_not_loaded_twice(folder: Folder) -> None:
    loaded = load_folder(folder(alias="from .ping import plugin", ping=PLUGIN))

    [error] = loaded.errors
    assert [(each.file.name, each.plugin.name) for each in loaded.plugins] == [("ping.py", "ping")]
    assert (error.file.name, error.text) == (
        "alias.py",
        "its plugin is that of ping.py; import other names, make a plugin here",
    )


def test_a_plugin_may_be_made_by_a_helper(folder: Folder) -> None:
    helper = "from gateway.plugins import Plugin\ndef make():\n    return Plugin()\n"

    assert names(folder(_make=helper, ping="from ._make import make\nplugin = make()\n")) == ["ping"]
