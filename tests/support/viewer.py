"""An open live page: what the stream has shown so far."""

import asyncio
import contextlib
from typing import Any, Self

import aiohttp
import orjson


class Viewer:
    """Reads server-sent events while it is entered."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self._task: asyncio.Task[None] | None = None
        self.rows: dict[int, dict[str, Any]] = {}
        """The newest state of each event's row, by number."""
        self.strip: dict[str, Any] = {}
        """What stands above the list."""
        self.text = b""
        """Everything, as it came."""

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _read(self) -> None:
        waiting = b""
        with contextlib.suppress(aiohttp.ClientError):
            async for some in self._response.content.iter_any():
                self.text += some
                *frames, waiting = (waiting + some).split(b"\n\n")
                for frame in frames:
                    fields = dict(line.partition(b": ")[::2] for line in frame.split(b"\n"))
                    self._take(fields.get(b"event", b"").decode(), orjson.loads(fields.get(b"data", b"null")))

    def _take(self, kind: str, data: Any) -> None:  # noqa: ANN401 -- JSON
        if kind == "rows":
            self.rows |= {int(row["id"]): row for row in data}
        elif kind == "strip":
            self.strip = data
