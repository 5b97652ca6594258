"""Claims about the fixture `bot`: what a test's author has to know of pytest, which is next to nothing."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Pytest = Callable[..., subprocess.CompletedProcess[str]]

PING = """
from gateway import Context, MessagesUpsert, Plugin, filters as f
plugin = Plugin()

@plugin.message(f.text("ping"))
async def ping(event: MessagesUpsert, ctx: Context) -> None:
    ctx.reply("pong")

@plugin.message(f.text("boom"))
async def boom(event: MessagesUpsert, ctx: Context) -> None:
    raise LookupError("gone")
"""
CHAT = """
from datetime import UTC, datetime
import pytest
from gateway.testing import Bot, HandlerFailed

@pytest.mark.bot("ping")
async def test_ping(bot: Bot) -> None:
    assert await bot.chat("+55 11 99999-0002").send("ping") == ["pong"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A bot's folder."""
    (tmp_path / "config.yaml").write_text("evolution: {apikey: '${A_KEY_THAT_NO_TEST_HAS}'}\n")
    for name in ("routes", "tests"):
        (tmp_path / name).mkdir()
    (tmp_path / "routes" / "ping.py").write_text(PING)
    (tmp_path / "tests" / "test_ping.py").write_text(CHAT)
    return tmp_path


@pytest.fixture
def run(folder: Path) -> Pytest:
    """Run pytest on the folder, as its author would."""

    def run(*options: str, code: str = "") -> subprocess.CompletedProcess[str]:
        if code:
            (folder / "tests" / "test_ping.py").write_text(CHAT + code)
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)

    return run


@pytest.mark.parametrize(
    "options",
    [
        ("-p", "no:asyncio", "-p", "no:aiohttp", "-p", "no:anyio"),
        ("-o", "asyncio_mode=auto"),
        ("-o", "asyncio_mode=strict"),
    ],
    ids=["alone", "pytest-asyncio-auto", "pytest-asyncio-strict"],
)
def test_an_async_test_that_takes_a_bot_runs_whatever_else_is_installed(options: list[str], run: Pytest) -> None:
    done = run(*options)

    assert "1 passed" in done.stdout, done.stdout


def test_a_handler_that_raises_fails_the_test_and_shows_where(run: Pytest, folder: Path) -> None:
    done = run(
        code="""
@pytest.mark.bot("ping")
async def test_boom(bot):
    await bot.chat("+55 11 99999-0002").send("boom")
"""
    )

    assert "1 failed, 1 passed" in done.stdout
    assert "boom of ping failed" in done.stdout
    assert f'File "{folder}/routes/ping.py", line 11, in boom' in done.stdout
    assert "LookupError: gone" in done.stdout
    assert "gateway/testing" not in done.stdout


def test_a_failure_that_is_expected_is_none(run: Pytest) -> None:
    done = run(
        code="""
@pytest.mark.bot("ping")
async def test_boom(bot):
    with pytest.raises(HandlerFailed, match="gone"):
        await bot.chat("+55 11 99999-0002").send("boom")
"""
    )

    assert "2 passed" in done.stdout


def test_the_marker_takes_what_a_bot_takes(run: Pytest) -> None:
    done = run(
        code="""
pytestmark = pytest.mark.bot("ping", now=datetime(2026, 11, 26, tzinfo=UTC), strict=False)

async def test_boom(bot):
    await bot.chat("+55 11 99999-0002").send("boom")
    assert len(bot.failures) == 1
    assert bot.now.year == 2026
"""
    )

    assert "2 passed" in done.stdout


def test_without_a_marker_the_whole_bot_is_tried(run: Pytest, folder: Path) -> None:
    (folder / "routes" / "echo.py").write_text(PING.replace('"ping"', '"echo"'))

    done = run(
        code="""
async def test_both(bot):
    ana = bot.chat("+55 11 99999-0002")
    assert await ana.send("ping") + await ana.send("echo") == ["pong", "pong"]
"""
    )

    assert "2 passed" in done.stdout


def test_a_bot_of_ones_own_needs_the_marker_alone(run: Pytest) -> None:
    done = run(
        code="""
from gateway import Context, MessagesUpsert, Plugin

@pytest.mark.bot
async def test_own():
    plugin = Plugin()

    @plugin.message()
    async def hello(event: MessagesUpsert, ctx: Context) -> None:
        ctx.reply("hello")

    async with Bot(plugin) as bot:
        assert await bot.chat("+55 11 99999-0002").send("hi") == ["hello"]
"""
    )

    assert "2 passed" in done.stdout


def test_a_folder_that_is_no_bots_is_named(run: Pytest, folder: Path) -> None:
    (folder / "config.yaml").unlink()

    done = run()

    assert "there is no config.yaml in" in done.stdout


def test_a_plugin_that_does_not_load_fails_its_tests_with_its_line(run: Pytest, folder: Path) -> None:
    (folder / "routes" / "ping.py").write_text("plugin = \n")

    done = run()

    assert "ping.py:1: SyntaxError" in done.stdout


def test_people_may_be_answered_as_often_as_a_test_likes(run: Pytest) -> None:
    done = run(
        code="""
async def test_much(bot):
    ana = bot.chat("+55 11 99999-0002")
    for _ in range(30):
        assert await ana.send("ping") == ["pong"]
"""
    )

    assert "2 passed" in done.stdout
