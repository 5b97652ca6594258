"""What is there to run: the folder's plugins and those of installed packages, their settings, and what looks wrong."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.config import Config, load
from gateway.plugins.available import load_all

Folder = Callable[..., Path]

SHOP = """\
import msgspec
from gateway import Plugin
class Shop(msgspec.Struct):
    url: str = "http://localhost"
plugin = Plugin(settings=Shop)
"""
HEAD = """\
from gateway import *
from gateway import filters as f
plugin = Plugin()
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Installs a package with one module and one entry point."""
    site = tmp_path / "site"
    monkeypatch.syspath_prepend(str(site))
    before = set(sys.modules)

    def install(name: str, source: str, *, point: str, at: str = "plugin") -> None:
        info = site / f"{name}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[evolution_gateway.plugins]\n{point} = {name}:{at}\n")
        (site / f"{name}.py").write_text(source)

    yield install
    for name in set(sys.modules) - before:
        del sys.modules[name]


def config(folder: Path, text: str = "") -> Config:
    file = folder.parent / "config.yaml"
    file.write_text(text)
    return load(file)


def test_a_plugin_has_its_settings_once_it_is_loaded(folder: Folder) -> None:
    routes = folder(shop=SHOP)

    (written,) = load_all(config(routes, "plugins: {shop: {settings: {url: x}}}")).plugins
    (default,) = load_all(config(routes)).plugins

    assert written.plugin.settings.url == "x"
    assert default.plugin.settings.url == "http://localhost"


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ("shop: {settings: {ulr: x}}", "line 1: plugins.shop.settings.ulr: no such setting; did you mean url?"),
        ("plain: {settings: {url: x}}", "line 1: plugins.plain.settings: plain takes no settings"),
    ],
)
def test_settings_that_do_not_fit_leave_the_plugin_out_and_no_other(folder: Folder, settings: str, text: str) -> None:
    loaded = load_all(config(folder(shop=SHOP, plain=HEAD, other=HEAD), f"plugins: {{{settings}}}"))

    assert "other" in [each.plugin.name for each in loaded.plugins]
    assert [text in str(error) for error in loaded.errors] == [True]


def test_a_disabled_plugins_settings_are_not_read(folder: Folder) -> None:
    loaded = load_all(config(folder(shop=SHOP), "plugins: {shop: {enabled: false, settings: {ulr: x}}}"))

    assert loaded.errors == ()


def test_an_installed_package_brings_plugins_beside_the_folders(folder: Folder, package: Callable[..., None]) -> None:
    package("acme_faq", HEAD, point="faq")

    loaded = load_all(config(folder(ping=HEAD)))

    assert {each.plugin.name: str(each) for each in loaded.plugins} == {
        "ping": "ping.py",
        "faq": "acme_faq.py of acme_faq",
    }


def test_a_name_that_the_folder_and_a_package_both_use_is_reported(
    folder: Folder, package: Callable[..., None]
) -> None:
    package("acme_ping", HEAD, point="ping")

    loaded = load_all(config(folder(ping=HEAD, other=HEAD)))

    assert [each.plugin.name for each in loaded.plugins] == ["other"]
    assert {error.text for error in loaded.errors} == {
        "ping.py and acme_ping.py of acme_ping both have a plugin named 'ping': rename one of them",
        "acme_ping.py of acme_ping and ping.py both have a plugin named 'ping': rename one of them",
    }


@pytest.mark.parametrize(
    ("source", "at", "text"),
    [
        ("raise OSError('no licence')", "plugin", "OSError: no licence"),
        ("plugin = 7", "plugin", "an entry point of acme_bad, is no Plugin: 7"),
        (HEAD, "plug", "module 'acme_bad' has no attribute 'plug'"),
    ],
)
def test_a_package_that_cannot_be_loaded_leaves_the_others_alone(
    folder: Folder, package: Callable[..., None], source: str, at: str, text: str
) -> None:
    package("acme_bad", source, point="bad", at=at)

    loaded = load_all(config(folder(ping=HEAD)))

    assert [each.plugin.name for each in loaded.plugins] == ["ping"]
    (error,) = loaded.errors
    assert text in error.text
    assert error.file.name == "acme_bad.py"


def test_a_broken_plugin_of_a_package_can_be_disabled(folder: Folder, package: Callable[..., None]) -> None:
    package("acme_bad", "raise OSError('no licence')", point="bad")

    loaded = load_all(config(folder(ping=HEAD), "plugins: {bad: {enabled: false}}"))

    assert loaded.errors == ()


ANSWERS = "\nasync def take(event, ctx):\n    ctx.reply('x')\n"


@pytest.mark.parametrize(
    ("source", "warned"),
    [
        ("@plugin.on(MessagesUpsert)" + ANSWERS, True),
        ("@plugin.on(MessagesUpsert | SendMessage, f.private)" + ANSWERS, True),
        ("@plugin.on(SendMessage)" + ANSWERS, True),
        ("@plugin.on(MessagesUpsert, f.private & ~f.from_me)" + ANSWERS, False),
        ("@plugin.on(MessagesUpsert, f.inbound)" + ANSWERS, False),
        ("@plugin.on(MessagesUpsert, f.check(lambda event: True))" + ANSWERS, False),
        ("@plugin.message()" + ANSWERS, False),
        ("@plugin.on(GroupParticipantsUpdate)" + ANSWERS, False),
        ("@plugin.on(MessagesUpsert)\nasync def take(event, ctx):\n    print(event.message.media, ctx.log)\n", False),
    ],
)
def test_a_handler_that_may_answer_itself_is_warned_of(folder: Folder, source: str, *, warned: bool) -> None:
    loaded = load_all(config(folder(echo=HEAD + source)))

    assert loaded.errors == ()
    assert [(each.line, "take answers its own messages too" in each.text) for each in loaded.warnings] == (
        [(4, True)] if warned else []
    )
