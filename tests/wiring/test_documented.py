"""docs/connect.md shows what really happens: its terminals are held against a run."""

import asyncio
import re
from pathlib import Path

from gateway.testing.evolution.place import LONELY_CONTAINER
from tests.support.waiting import until
from tests.wiring.conftest import Open

TEXT = (Path(__file__).parents[2] / "docs" / "connect.md").read_text()
SIGNS = {"ok": "✓", "warning": "!", "failure": "✗"}


def shown(command: str) -> list[str]:
    """The lines that begin with a sign below the first prompt with this command, and what stands under them."""
    block = TEXT.split(f"$ {command}\n", 1)[1].split("```", 1)[0].split("\n$ ", 1)[0]
    return [alike(line) for line in block.splitlines() if line.strip() and not re.match(r" *[█▀▄]", line)]


def alike(line: str) -> str:
    """A line without what differs from run to run."""
    line = re.sub(r"http://127\.0\.0\.1:\d+", "http://127.0.0.1:N", line.strip())
    line = re.sub(r"host\.docker\.internal:\d+", "host.docker.internal:N", line)
    line = re.sub(r"(?<=listens on 127\.0\.0\.1:)\d+", "N", line)
    line = re.sub(r"\{host: [\d.]+\}", "{host: N}", line)
    return re.sub(r"\d[\d.]*(?= ms| GiB| s ago|$)|\+\d+|(?<=may open )\d+|(?<=plugins  )\d+", "N", line)


async def test_first_run_is_as_shown(site: Open) -> None:
    async with site() as here:
        await here.start()
        connecting = asyncio.create_task(here.connect("padaria", create=True))
        await until(lambda: "qrcode.updated" in here.events, "the code is shown")
        here.evolution.connect("padaria")
        steps = await connecting

        documented = shown("gateway connect padaria --create")
        assert [line for line in documented if "scan with WhatsApp" not in line] == [
            alike(line) for line in steps.lines
        ]
        assert documented[4].startswith("▸ scan with WhatsApp")

        findings = await here.examined(instance="padaria")
        lines = [f"{SIGNS[each.level]} {each.about}  {each.found}\n{each.fix}".split("\n") for each in findings]
        printed = [alike(line) for pair in lines for line in pair if line]
        assert shown("gateway doctor padaria") == [*printed, "0 failures, 1 warning."]


async def test_container_is_found_as_shown(site: Open) -> None:
    async with site(place=LONELY_CONTAINER) as here:
        await here.start()

        steps = await here.connect()

        said = [alike(part.removeprefix("✗ ")) for line in steps.lines for part in line.split(" -> ")]
        assert [line.removeprefix("✗ ") for line in shown("gateway connect shop-1")] == said
