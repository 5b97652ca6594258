"""A sender in a process of its own, as lean as may be, so that what is measured is the gateway.

`blast` writes bodies to a file and runs `python -m torture.client` with it; that one posts each body once, at a rate,
over connections it keeps, and prints a report.
"""

import asyncio
import statistics
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec
import orjson

from tests.support.gateway import ROOT, Gateway

_HEAD = (
    b"POST /webhook/messages-upsert HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: "
)


class Order(msgspec.Struct, frozen=True):
    """What to post, and how."""

    port: int
    rate: float
    """Posts a second; 0: as fast as it goes."""
    connections: int
    bodies: Sequence[bytes]


class Outcome(msgspec.Struct, frozen=True):
    """What came of it."""

    ids: Sequence[int]
    """By place among the bodies; 0: not acknowledged."""
    statuses: dict[int, int]
    seconds: float
    p50: float
    """Milliseconds."""
    p99: float

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.ids) / self.seconds


class Report(Outcome, frozen=True):
    """The same, with the bodies."""

    acknowledged: dict[bytes, int] = {}


async def blast(gateway: Gateway, bodies: Sequence[bytes], *, rate: float = 0.0, connections: int = 64) -> Report:
    """Post each body once, from another process."""
    with tempfile.NamedTemporaryFile(prefix="torture-") as file:
        order = Order(gateway.address[1], rate, connections, bodies)
        Path(file.name).write_bytes(msgspec.msgpack.encode(order))
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "torture.client", file.name, cwd=ROOT, stdout=asyncio.subprocess.PIPE
        )
        try:
            out, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
    outcome = msgspec.json.decode(out, type=Outcome)
    acknowledged = {body: seq for body, seq in zip(bodies, outcome.ids, strict=True) if seq}
    return Report(**msgspec.structs.asdict(outcome), acknowledged=acknowledged)


async def _post_all(order: Order) -> Outcome:
    loop = asyncio.get_running_loop()
    requests = [_HEAD + str(len(body)).encode() + b"\r\n\r\n" + body for body in order.bodies]
    ids = [0] * len(requests)
    statuses: Counter[int] = Counter()
    millis: list[float] = []
    waiting = iter(range(len(requests)))
    began = loop.time()

    async def connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", order.port)
        for at in waiting:
            if order.rate:
                await asyncio.sleep(began + at / order.rate - loop.time())
            asked = loop.time()
            writer.write(requests[at])
            status, body = await _answer(reader)
            millis.append((loop.time() - asked) * 1000)
            statuses[status] += 1
            ids[at] = int(orjson.loads(body)["id"]) if status in (200, 202) else 0
        writer.close()

    await asyncio.gather(*(connection() for _ in range(order.connections)))
    seconds = loop.time() - began
    return Outcome(ids, dict(statuses), seconds, statistics.median(millis), statistics.quantiles(millis, n=100)[-1])


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
    return int(head.split(b" ", 2)[1]), await reader.readexactly(length)


if __name__ == "__main__":
    found = asyncio.run(_post_all(msgspec.msgpack.decode(Path(sys.argv[1]).read_bytes(), type=Order)))
    sys.stdout.buffer.write(msgspec.json.encode(found))
