"""The page in a real browser: one for all tests here, for to start one takes longer than most of them.

A browser stays with the loop that started it, so these tests run on one loop, and what others get for a loop of their
own is made here for that one.
"""

import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.support.chromium import Visit, chromium, visited
from tests.support.evolution import FakeEvolution
from tests.support.gateway import Gateway, lent
from tests.web.conftest import AdminSite, empty, running

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as started:
        yield started


@pytest_asyncio.fixture(loop_scope="session")
async def site(tmp_path: Path) -> AsyncIterator[AdminSite]:
    """A listener over an empty data folder."""
    async with running(empty(tmp_path)) as site:
        yield site


@pytest_asyncio.fixture(loop_scope="session")
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    """Not started yet: write its plugins and settings first. Nothing of it outlives the test."""
    async with lent(tmp_path / "gateway") as made:
        yield made


@pytest_asyncio.fixture(loop_scope="session")
async def evolution() -> AsyncIterator[FakeEvolution]:
    """A server that answers `message/sendText` as it is told to."""
    async with FakeEvolution() as server:
        yield server


@pytest.fixture
def opened(site: AdminSite, browser: Browser) -> Visit:
    """Opens the page of `site` in a browser context of its own, logged in."""

    @contextlib.asynccontextmanager
    async def open_it(*, login: bool = True, **how: Any) -> AsyncIterator[Page]:  # noqa: ANN401 -- playwright's own
        async with visited(browser, site.url, **how) as page:
            if login:
                await page.goto(site.link)
                await expect(page.locator("#link")).to_have_text("live")
            yield page

    return open_it


@pytest.fixture
def seen(gateway: Gateway, browser: Browser) -> Visit:
    """Opens the page of `gateway` in a browser context of its own, logged in."""

    @contextlib.asynccontextmanager
    async def open_it(at: str = "", **how: Any) -> AsyncIterator[Page]:  # noqa: ANN401 -- playwright's own
        async with visited(browser, gateway.page, **how) as page:
            await page.goto(f"{gateway.page}{await gateway.login_path()}")
            await expect(page.locator("#link")).to_have_text("live")
            if at:
                await page.goto(f"{gateway.page}/live{at}")
            yield page

    return open_it
