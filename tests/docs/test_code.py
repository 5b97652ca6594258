"""Every block of code in the documents does what it says: plugins load, tests pass, programs run, commands exist."""

import ast
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import yaml

from gateway.cli import cli
from gateway.config import load
from gateway.plugins import load_folder
from tests.support.blocks import ROOT, Block, blocks, each

MAKEFILES = (ROOT / "Makefile", ROOT / "gateway" / "scaffold" / "bot" / "Makefile")


@pytest.mark.parametrize("block", each("python"))
def test_each_python_block_is_a_plugin_that_loads_or_code_that_parses(block: Block, tmp_path: Path) -> None:
    ast.parse(block.text)
    if "plugin = Plugin" in block.text:
        (tmp_path / "shown.py").write_text(block.text)
        loaded = load_folder(tmp_path)
        assert loaded.errors == ()
        assert loaded.plugins[0].plugin.handlers


@pytest.mark.parametrize("block", [each for each in blocks("python") if "__main__" in each.text], ids=str)
def test_each_program_runs(block: Block) -> None:
    done = subprocess.run([sys.executable, "-c", block.text], capture_output=True, text=True, check=False, timeout=30)

    assert done.returncode == 0, done.stderr


def test_each_test_in_the_documents_passes_with_the_plugins_shown_above_it(tmp_path: Path) -> None:
    """A folder for each of them, as its reader has it at that point; all in one run."""
    count = 0
    for block in blocks("python"):
        if block.file and block.file.startswith("tests/"):
            count += write_folder(block, tmp_path / block.name)

    command = [sys.executable, "-m", "pytest", "-q", "--import-mode=importlib", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=100)

    assert count, "no document shows a test"
    assert f"{count} passed" in done.stdout, done.stdout
    assert done.returncode == 0


def write_folder(test: Block, folder: Path) -> int:
    """What a reader has written by then; gives the number of tests."""
    for earlier in blocks("python"):
        if earlier.document == test.document and earlier.number <= test.number and earlier.file:
            file = folder / earlier.file
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(earlier.text)
    (folder / "config.yaml").touch()
    return len(re.findall(r"^(?:async )?def test_", test.text, re.MULTILINE))


@pytest.mark.parametrize("block", each("yaml"))
def test_each_yaml_block_is_a_config_that_loads(block: Block, tmp_path: Path) -> None:
    environment = {name: f"value-of-{name.lower()}" for name in re.findall(r"\$\{(\w+)\}", block.text)}
    (tmp_path / "config.yaml").write_text(block.text)

    load(tmp_path / "config.yaml", environment)

    assert yaml.safe_load(block.text)


@pytest.mark.parametrize("block", each("sh"))
def test_each_command_of_the_gateway_that_is_shown_exists_with_its_options(block: Block) -> None:
    for words in commands(block):
        program = Path(words[0]).name
        if program == "gateway":
            check_command(words[1:])
        elif program == "make":
            assert any(re.search(rf"^{words[1]}:", file.read_text(), re.MULTILINE) for file in MAKEFILES), words


def commands(block: Block) -> Iterator[list[str]]:
    for line in block.text.splitlines():
        if words := shlex.split(line, comments=True):
            yield words


def check_command(words: list[str]) -> None:
    """Whether the command line knows a command and each of its options."""
    name, *arguments = words
    with click.Context(cli) as ctx:
        command = cli.get_command(ctx, name)
        assert command, f"there is no command {name}"
        known = {option for each in command.params for option in (*each.opts, *each.secondary_opts)} | {"--help"}
    given = [word.partition("=")[0] for word in arguments if word.startswith("-")]
    assert set(given) <= known, f"gateway {name} has no {set(given) - known}"
