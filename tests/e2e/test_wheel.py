"""What a bot's author gets who never sees this repository: the wheel, in an environment of its own."""

import contextlib
import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.support.blocks import ROOT, blocks
from tests.support.gateway import free_port
from tests.support.waiting import until

SITE = f"lib/python{sysconfig.get_python_version()}/site-packages"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel installed; what the wheel depends on is borrowed from the one we run in."""
    folder = tmp_path_factory.mktemp("installed")
    run(sys.executable, "-m", "venv", "--without-pip", folder / "venv")
    (folder / "venv" / SITE / "borrowed.pth").write_text(sysconfig.get_path("purelib"))
    offline = ("--no-deps", "--no-index", "--quiet")
    run(sys.executable, "-m", "pip", "wheel", "--no-build-isolation", *offline, "--wheel-dir", folder, ROOT)
    [wheel] = folder.glob("*.whl")
    run(sys.executable, "-m", "pip", "--python", folder / "venv" / "bin" / "python", "install", *offline, wheel)
    return folder / "venv"


@pytest.fixture
def bot(environment: Path, tmp_path: Path) -> Path:
    """A folder made by the wheel's own `gateway init`, with the plugin that README prints."""
    run(environment / "bin" / "gateway", "init", "mybot", cwd=tmp_path)
    [shown] = [block.text for block in blocks("python") if block.document.name == "README.md"][:1]
    (tmp_path / "mybot" / "routes" / "ping.py").write_text(shown)
    return tmp_path / "mybot"


def run(*command: object, cwd: Path | None = None) -> str:
    environ = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}}
    done = subprocess.run(list(map(str, command)), cwd=cwd, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_wheel_is_what_runs(environment: Path, tmp_path: Path) -> None:
    where = run(environment / "bin" / "python", "-c", "import gateway; print(gateway.__file__)", cwd=tmp_path)

    assert Path(where.strip()).is_relative_to(environment)


def test_the_plugin_of_the_readme_passes_the_test_of_a_new_folder(environment: Path, bot: Path) -> None:
    assert "2 passed" in run(environment / "bin" / "python", "-m", "pytest", "-q", cwd=bot)


def test_all_examples_come_with_the_wheel_and_pass_their_tests(environment: Path, tmp_path: Path) -> None:
    listed = run(environment / "bin" / "gateway", "init", "--list")
    names = re.findall(r"^ +(\w+) ", listed, re.MULTILINE)
    run(environment / "bin" / "gateway", "init", "all", "--with", ",".join(names), cwd=tmp_path)

    said = run(environment / "bin" / "python", "-m", "pytest", "-q", cwd=tmp_path / "all")

    assert len(names) > 3
    assert re.search(r"^\d+ passed", said, re.MULTILINE)


async def test_a_new_folder_is_served_and_answers(environment: Path, bot: Path) -> None:
    webhook, page = free_port(), free_port()
    config = bot / "config.yaml"
    config.write_text(config.read_text().replace("port: 8085", f"port: {webhook}").replace("8086", str(page)))

    with serving(environment, bot) as log:
        await until(lambda: is_ready(page), "the gateway is ready")
        run(environment / "bin" / "gateway", "simulate", "--text", "ping", cwd=bot)
        await until(lambda: "would send" in log.read_text(), "it answers")

    assert 'would send \\"pong\\"' in log.read_text()


async def is_ready(page: int) -> bool:
    async with aiohttp.ClientSession() as session:
        try:
            async with session.get(f"http://127.0.0.1:{page}/health/ready") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False


@contextlib.contextmanager
def serving(environment: Path, bot: Path) -> Iterator[Path]:
    """`gateway serve`; gives its log."""
    log = bot / "log.json"
    command = [str(environment / "bin" / "gateway"), "serve"]
    with log.open("wb") as out, subprocess.Popen(command, cwd=bot, stdout=out, stderr=subprocess.STDOUT) as process:
        yield log
        process.terminate()
        assert process.wait(30) == 0
