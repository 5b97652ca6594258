"""A morning in a fictional shop, played in half a minute: what the pictures of the live page show.

The gateway and its plugins are real, Evolution's server is played. The gateway's clock begins half an hour ago and runs
sixty times as fast until it has caught up, so that there is something in the chart.
"""

import asyncio
import base64
import os
import random
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import aiohttp
import orjson

from gateway import samples
from gateway.testing import EvolutionServer

ROOT: Final = Path(__file__).parents[1]
PORTS: Final = (18_485, 18_486)
WEBHOOK: Final = f"http://127.0.0.1:{PORTS[0]}/webhook"
PAGE: Final = f"http://127.0.0.1:{PORTS[1]}"
TOKEN: Final = "only-for-the-pictures"  # noqa: S105 -- made up, of a gateway that lives a minute
PLAYED: Final = 1800.0
"""Seconds that the morning has on the gateway's clock."""
FASTER: Final = 61
MINUTES: Final = 29
STARTS_WITHIN: Final = 30  # seconds

CLOCK: Final = f"""
import os, time
real, began = time.time, float(os.environ["SHOP_BEGAN"])
time.time = lambda: min(real(), began - {PLAYED} + (real() - began) * {FASTER})
"""
SUPPORT: Final = '''
"""Tells customers where their order is."""
import asyncio

import msgspec

from gateway import Context, MessagesUpsert, Plugin
from gateway import filters as f


class Settings(msgspec.Struct):
    shop: str = "Flores da Vila"
    api: str = "http://10.0.0.12:8000"


plugin = Plugin(settings=Settings)


@plugin.message(f.regex(r"pedido (?P<number>[0-9]+)"), f.private)
async def order(event: MessagesUpsert, ctx: Context[Settings]) -> None:
    number = ctx.match["number"]
    await asyncio.sleep(0.03)
    if number.startswith("9"):
        raise ConnectionError(f"{ctx.settings.api}/orders/{number}: connection refused")
    ctx.state["order"] = number
    ctx.reply(f"O pedido {number} saiu para entrega e chega até as 18h.")
'''
PEOPLE: Final = {
    "Ana Souza": "+55 11 99999-0002",
    "Bruno Lima": "+55 21 98888-0007",
    "Carla Dias": "+55 31 97777-0013",
    "Davi Rocha": "+55 41 96666-0021",
    "Elisa Prado": "+55 51 95555-0034",
    "Fábio Nunes": "+55 71 94444-0055",
}
TALK: Final = (
    ("Ana Souza", "Bom dia! Vocês entregam hoje?"),
    ("Bruno Lima", "ping"),
    ("Carla Dias", "Tem girassol?"),
    ("Elisa Prado", "pedido 1042"),
    ("Fábio Nunes", "Quanto fica um buquê de rosas para sábado?"),
    ("Ana Souza", "pedido 1038"),
    ("Carla Dias", "Perfeito, vou querer dois"),
    ("Bruno Lima", "pedido 1044"),
    ("Elisa Prado", "Obrigada!!"),
    ("Fábio Nunes", "ping"),
)
"""Said again and again, a few a minute."""


@asynccontextmanager
async def opened_shop(folder: Path) -> AsyncIterator[EvolutionServer]:
    """The gateway of the shop in this folder, and the server it talks to, when the morning is over."""
    async with EvolutionServer(webhook=WEBHOOK, typing_scale=0, seed=1) as evolution:
        write_folder(folder, evolution)
        environment = {**os.environ, "PYTHONPATH": str(folder), "SHOP_BEGAN": str(time.time())}
        serve = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gateway", "serve"), cwd=folder, env=environment, stdout=subprocess.DEVNULL
        )
        try:
            async with asyncio.timeout(STARTS_WITHIN):
                await until_ready()
            await morning(evolution)
            yield evolution
        finally:
            serve.terminate()
            await serve.wait()


def write_folder(folder: Path, evolution: EvolutionServer) -> None:
    """Settings, plugins and the clock."""
    (folder / "routes").mkdir()
    for plugin in (ROOT / "routes").glob("*.py"):
        (folder / "routes" / plugin.name).write_text(plugin.read_text())
    (folder / "routes" / "support.py").write_text(SUPPORT.lstrip())
    (folder / "sitecustomize.py").write_text(CLOCK)
    settings = {
        "webhook": {"port": PORTS[0]},
        "admin": {"port": PORTS[1], "token": TOKEN},
        "evolution": {"url": evolution.url, "apikey": evolution.apikey},
        "delivery": {"retry": [0.3, 0.9]},
        "outbox": {"pace": "off"},
    }
    (folder / "config.yaml").write_bytes(orjson.dumps(settings))


async def until_ready() -> None:
    """Wait until events are accepted and handled."""
    async with aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.get(f"{PAGE}/health/ready") as answer:
                    if answer.ok:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.1)


async def morning(evolution: EvolutionServer) -> None:
    """Half an hour of talk, with all that happens on the way."""
    chance = random.Random(7)  # noqa: S311 -- a play
    evolution.muted.add("messages.update")
    evolution.connect()
    for minute in range(MINUTES):
        for _ in range(chance.choice((1, 2, 2, 3, 4))):
            name, text = chance.choice(TALK)
            await evolution.write(PEOPLE[name], text, name=name)
        if minute == MINUTES // 2:
            await evolution.write(PEOPLE["Davi Rocha"], "pedido 9001", name="Davi Rocha")
            await post("messages-upsert__image-v236", pushName="Carla Dias")
        await asyncio.sleep(1)
    await asyncio.sleep(3)
    await last_minute(evolution)


async def last_minute(evolution: EvolutionServer) -> None:
    """What stands on top of the list."""
    await evolution.write(PEOPLE["Elisa Prado"], "Bom dia! Vocês abrem no domingo?", name="Elisa Prado")
    await evolution.write(PEOPLE["Davi Rocha"], "pedido 9002", name="Davi Rocha")
    await evolution.write(PEOPLE["Bruno Lima"], "ping", name="Bruno Lima")
    await post("group-participants-update__add-objects-v236")
    await post_code("shop-2")
    await evolution.write(PEOPLE["Ana Souza"], "pedido 1047", name="Ana Souza")
    await evolution.write(PEOPLE["Carla Dias"], "Fechado, obrigada!", name="Carla Dias")
    await evolution.settled()


async def post(sample: str, **changes: object) -> None:
    """Post one of the samples as the shop's instance does."""
    document = samples.load(sample) | {"instance": "shop-1"}
    if isinstance(document["data"], dict):
        document["data"] |= changes
    await send(document)


async def post_code(instance: str) -> None:
    """Let an instance wait to be scanned."""
    document = samples.load("qrcode-updated__pairing-code-v236") | {"instance": instance}
    picture = base64.b64encode(draw_code()).decode()
    document["data"]["qrcode"] |= {"instance": instance, "base64": f"data:image/png;base64,{picture}"}
    await send(document)


async def send(document: dict[str, object]) -> None:
    """Post one body."""
    async with aiohttp.ClientSession() as session, session.post(WEBHOOK, data=orjson.dumps(document)) as answer:
        answer.raise_for_status()


def draw_code(modules: int = 29, scale: int = 8) -> bytes:
    """A PNG that looks like a QR code and leads nowhere."""
    chance = random.Random(3)  # noqa: S311 -- a play
    grid = [[chance.random() < 0.5 for _ in range(modules)] for _ in range(modules)]  # noqa: PLR2004 -- half of them
    for top, left in ((0, 0), (0, modules - 7), (modules - 7, 0)):
        for y in range(-1, 8):
            for x in range(-1, 8):
                if 0 <= top + y < modules and 0 <= left + x < modules:
                    grid[top + y][left + x] = max(abs(y - 3), abs(x - 3)) in (0, 1, 3)
    edge = 4
    side = (modules + 2 * edge) * scale
    white = [False] * edge
    lines = (
        [[False] * (modules + 2 * edge)] * edge
        + [white + row + white for row in grid]
        + [[False] * (modules + 2 * edge)] * edge
    )
    raw = b"".join(
        b"\0" + b"".join((b"\0" if dark else b"\xff") * scale for dark in line) for line in lines for _ in range(scale)
    )
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(raw)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
