"""Claims about the folder that `gateway init` makes."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from gateway.config import Config, load
from gateway.scaffold import Example, examples, read

ROOT = Path(__file__).parents[2]
Command = Callable[..., subprocess.CompletedProcess[str]]


def run_pytest(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", *options]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)


def test_a_new_folder_holds_settings_a_plugin_its_test_and_what_goes_around_them(
    gateway: Command, tmp_path: Path
) -> None:
    done = gateway("init", "mybot")

    made = sorted(str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*") if file.is_file())
    assert made == [
        "mybot/.gitignore",
        "mybot/Makefile",
        "mybot/README.md",
        "mybot/config.yaml",
        "mybot/routes/ping.py",
        "mybot/tests/test_ping.py",
    ]
    assert done.returncode == 0


def test_the_next_steps_are_printed(gateway: Command) -> None:
    done = gateway("init", "mybot")

    for step in ("cd mybot", "gateway serve", "gateway simulate --server"):
        assert step in done.stdout


def test_the_new_folder_is_fine_as_it_stands(gateway: Command, tmp_path: Path) -> None:
    gateway("init", "mybot")

    done = gateway("check", cwd=tmp_path / "mybot")

    assert done.returncode == 0
    assert "config and 1 plugin are fine: ping" in done.stdout


def test_its_plugin_is_the_projects_own() -> None:
    assert read("routes/ping.py") == (ROOT / "routes" / "ping.py").read_text()


def test_its_settings_are_the_defaults_written_out(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(read("config.yaml"))

    config = load(file, environ={})

    assert config == Config(data=tmp_path / "data", routes=tmp_path / "routes")


def test_what_its_settings_show_commented_out_works_when_uncommented(tmp_path: Path) -> None:
    text = (
        read("config.yaml")
        .replace("  # auth:", "  auth:")
        .replace("# plugins:", "plugins:")
        .replace("#   ping", "  ping")
    )
    file = tmp_path / "config.yaml"
    file.write_text(text)

    config = load(file, environ={"WEBHOOK_TOKEN": "hunter2"})

    assert not config.webhook.is_open
    assert not config.plugin("ping").enabled


def test_each_setting_in_it_can_be_left_out() -> None:
    for section in yaml.safe_load(read("config.yaml")):
        assert section in Config.__struct_fields__


def test_what_must_stay_private_is_kept_out_of_git(gateway: Command, tmp_path: Path) -> None:
    gateway("init", "mybot")

    assert "data/" in (tmp_path / "mybot" / ".gitignore").read_text().splitlines()


def test_a_dot_fills_the_folder_one_is_in(gateway: Command, tmp_path: Path) -> None:
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".gitignore").write_text("mine\n")

    done = gateway("init", ".")

    assert done.returncode == 0
    assert (tmp_path / "routes" / "ping.py").exists()
    assert (tmp_path / ".gitignore").read_text() == "mine\n"


@pytest.mark.parametrize("name", [".", "mybot"])
def test_nothing_is_ever_overwritten(name: str, gateway: Command, tmp_path: Path) -> None:
    folder = tmp_path / name
    folder.mkdir(exist_ok=True)
    (folder / "config.yaml").write_text("mine\n")

    done = gateway("init", name)

    assert done.returncode == 1
    assert "is not empty (config.yaml)" in done.stderr
    assert [file.name for file in folder.iterdir()] == ["config.yaml"]
    assert (folder / "config.yaml").read_text() == "mine\n"


def test_a_file_in_the_way_is_named(gateway: Command, tmp_path: Path) -> None:
    (tmp_path / "mybot").write_text("")

    done = gateway("init", "mybot")

    assert done.returncode == 1
    assert "mybot is a file" in done.stderr


def test_its_test_passes_where_nothing_but_pytest_is_installed(gateway: Command, tmp_path: Path) -> None:
    gateway("init", "mybot")

    done = run_pytest(tmp_path / "mybot", "-p", "no:asyncio", "-p", "no:aiohttp", "-p", "no:anyio")

    assert "2 passed" in done.stdout


def test_the_plugins_to_begin_with_can_be_chosen(gateway: Command, tmp_path: Path) -> None:
    names = [each.name for each in examples()]

    done = gateway("init", "mybot", "--with", ",".join(names))

    assert done.returncode == 0
    assert sorted(file.stem for file in (tmp_path / "mybot" / "routes").iterdir()) == names
    assert sorted(file.stem for file in (tmp_path / "mybot" / "tests").iterdir()) == [f"test_{name}" for name in names]
    assert gateway("check", cwd=tmp_path / "mybot").returncode == 0


def test_an_example_that_is_none_is_refused_and_all_are_named(gateway: Command, tmp_path: Path) -> None:
    done = gateway("init", "mybot", "--with", "pong")

    assert done.returncode == 2
    assert "no example is called 'pong'; there is" in done.stderr
    assert not (tmp_path / "mybot").exists()


def test_the_examples_can_be_listed(gateway: Command, tmp_path: Path) -> None:
    done = gateway("init", "--list")

    for each in examples():
        assert re.search(rf"^ +{each.name} +{re.escape(each.about)}$", done.stdout, re.MULTILINE)
    assert list(tmp_path.iterdir()) == []


def test_a_name_is_needed(gateway: Command) -> None:
    assert gateway("init").returncode == 2


@pytest.mark.parametrize("example", examples(), ids=lambda each: each.name)
def test_each_example_is_short_and_says_what_it_does(example: Example) -> None:
    assert len(read(example.files[0]).splitlines()) < 60
    assert example.about.endswith(".")
