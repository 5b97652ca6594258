"""What every test may use: a real gateway, and a stand-in for Evolution's REST API."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.evolution import FakeEvolution
from tests.support.gateway import Gateway, lent

# No test speaks to a server that it has not started itself, and reading the system's certificates, which aiohttp does
# when it is imported, is a fifth of each start.
os.environ.setdefault("SSL_CERT_FILE", os.devnull)


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    """Not started yet: write its plugins and settings first. Nothing of it outlives the test."""
    async with lent(tmp_path / "gateway") as made:
        yield made


@pytest.fixture
async def evolution() -> AsyncIterator[FakeEvolution]:
    """A server that answers `message/sendText` as it is told to."""
    async with FakeEvolution() as server:
        yield server


@pytest.fixture(scope="session")
def type_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where mypy keeps what it knows of the gateway from one test to the next."""
    return tmp_path_factory.mktemp("mypy")
