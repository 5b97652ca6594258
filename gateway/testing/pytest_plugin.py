"""For pytest: the fixture `bot`, and async tests that take it, which need no other plugin.

Found by pytest itself (entry point `pytest11`), so a test file imports nothing of it. Next to pytest-asyncio, anyio or
pytest-aiohttp it leaves running a test to whichever of them claims it: a `Bot` works on any loop.
"""

import asyncio
import inspect
from collections.abc import Iterator

import pytest

from gateway.testing.bot import Bot
from gateway.testing.folder import find_plugins

MARKER = "bot(*plugins, **options): which plugins of routes/ the fixture `bot` runs, by name; all of them without it."


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", MARKER)


@pytest.fixture
def bot(request: pytest.FixtureRequest) -> Iterator[Bot]:
    """A bot at work: the plugins of `routes/` that `@pytest.mark.bot("ping")` names, with the settings of config.yaml.

    The marker's keywords are those of `Bot`: `settings=`, `now=`, `strict=`. The folder is the nearest one above the
    test that holds a config.yaml.
    """
    marker = request.node.get_closest_marker("bot")
    names = marker.args if marker else ()
    found = find_plugins(request.path.parent, names)
    options = {"config": found.config, **(marker.kwargs if marker else {})}
    with Bot(*found.files, **options).opened() as bot:
        yield bot


def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run an async test that is about a bot, unless another plugin has made an ordinary function of it."""
    is_ours = "bot" in pyfuncitem.fixturenames or pyfuncitem.get_closest_marker("bot")
    if not is_ours or not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    wanted = inspect.signature(pyfuncitem.obj).parameters
    asyncio.run(pyfuncitem.obj(**{name: value for name, value in pyfuncitem.funcargs.items() if name in wanted}))
    return True
