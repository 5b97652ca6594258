"""The TCP listener for webhooks: plain posts are taken straight from the socket, all else is the web server's."""

import asyncio
import contextlib

from aiohttp import web

from gateway.web.posts import Gate, PostConnection
from gateway.web.reception import Reception


class PostSite(web.BaseSite):
    """A site of an aiohttp runner. When it stops, what is being read and answered is finished first."""

    __slots__ = ("_host", "_port", "_stop_within", "gate")

    def __init__(
        self, runner: web.AppRunner, reception: Reception, host: str, port: int, *, backlog: int, stop_within: float
    ) -> None:
        """`stop_within`: seconds that requests get when the site is stopped."""
        super().__init__(runner, backlog=backlog)
        assert runner.server  # noqa: S101 -- the base class asks for it
        self.gate = Gate(reception, runner.server)
        self._host = host
        self._port = port
        self._stop_within = stop_within

    @property
    def name(self) -> str:
        """For aiohttp."""
        return f"http://{self._host}:{self._port}"

    async def start(self) -> None:
        """Listen.

        Raises:
            OSError: the address can't be listened on.
        """
        await super().start()
        self._server = await asyncio.get_running_loop().create_server(
            lambda: PostConnection(self.gate), self._host, self._port, backlog=self._backlog
        )

    async def stop(self) -> None:
        """Listen no more, and wait for what is under way."""
        await super().stop()
        connections = self.gate.connections
        for connection in list(connections):
            connection.finish()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.gate.none_left.wait(), self._stop_within)
        for connection in list(connections):
            connection.abort()
