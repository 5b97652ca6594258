"""The Evolution that is set up or examined: its client, and what no call of the client tells."""

import time
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Final, Literal, Self

import aiohttp

from gateway.evolution import Evolution
from gateway.evolution.errors import NoSuchInstance

TIMEOUT: Final = 15.0  # seconds; a person waits for it


class Peer:
    """An Evolution server. Use it with `async with`. Every method raises EvolutionError."""

    def __init__(self, url: str, apikey: str, version: Literal["auto", "1", "2"] = "auto") -> None:
        """`version`: of its API, as `evolution.version` has it."""
        self.url = url
        self.api = Evolution(url, apikey, version=version, timeout=TIMEOUT)
        self.version = ""
        """As it says: `2.3.6`; empty until `greet`, and for one that doesn't say."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.api.close()

    @property
    def number(self) -> tuple[int, ...]:
        """Its version, to be compared."""
        return tuple(int(part) for part in self.version.partition("-")[0].split(".") if part.isdigit())

    async def greet(self) -> None:
        """Ask what it is."""
        self.version = ((await self.api.server_info()).version or "").removeprefix("v")

    async def state_of(self, instance: str) -> str | None:
        """`open`, `connecting` or `close`; None if there is no such instance. Its own key suffices."""
        try:
            return await self.api.connection_state(instance)
        except NoSuchInstance:
            return None

    async def clock_ahead(self) -> float | None:
        """Seconds by which its clock is ahead of this machine's, as its answers' Date says; None if they have none."""
        began = time.time()
        timeout = aiohttp.ClientTimeout(total=TIMEOUT)
        try:
            async with aiohttp.ClientSession(timeout=timeout) as session, session.get(f"{self.url}/") as answer:
                stamp = answer.headers.get("Date")
        except (aiohttp.ClientError, TimeoutError, OSError):
            return None
        try:
            moment = parsedate_to_datetime(stamp or "").timestamp()
        except ValueError:
            return None
        return moment + 0.5 - (began + time.time()) / 2  # Date leaves the fraction out
