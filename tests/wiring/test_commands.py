"""`gateway connect` and `gateway doctor` as a person runs them, beside a gateway that serves."""

import asyncio
import os
import sys
from pathlib import Path

import msgspec
import orjson

from gateway.testing.evolution import EvolutionServer
from tests.support.gateway import Gateway
from tests.support.waiting import until


class Said(msgspec.Struct, frozen=True):
    """What a command printed, and how it ended."""

    code: int
    text: str


async def run(folder: Path, *arguments: str, **environ: str) -> Said:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GATEWAY_", "EVOLUTION_"))}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "gateway",
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**kept, **environ},
        cwd=folder,
    )
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode is not None
    return Said(process.returncode, out.decode())


async def test_a_new_instance_is_connected_and_the_doctor_finds_it_well(gateway: Gateway) -> None:
    async with EvolutionServer() as evolution:
        gateway.settings(evolution={"url": evolution.url, "apikey": "${EVOLUTION_APIKEY}"})
        key = {"EVOLUTION_APIKEY": evolution.apikey}
        os.environ.update(key)
        try:
            await gateway.start()
        finally:
            del os.environ["EVOLUTION_APIKEY"]

        connecting = asyncio.create_task(run(gateway.folder, "connect", "shop-9", "--create", **key))
        await until(lambda: any(each.event == "qrcode.updated" for each in gateway.summaries()), "the code is there")
        evolution.connect("shop-9")
        said = await connecting
        doctor = await run(gateway.folder, "doctor", "shop-9", "--json", **key)

        assert said.code == 0, said.text
        signs = [line.split()[0] for line in said.text.splitlines() if line.strip()[:1] in ("✓", "▸", "✗")]
        assert signs == ["✓", "✓", "✓", "✓", "▸", "✓"]
        assert sum("█" in line for line in said.text.splitlines()) > 10
        findings = [orjson.loads(line) for line in doctor.text.splitlines()]
        assert {finding["level"] for finding in findings} == {"ok", "warning"}
        assert doctor.code == 0
        token = (gateway.data / "webhook.token").read_text().strip()
        for secret in (evolution.apikey, token):
            for text in (said.text, doctor.text, gateway.log_file.read_text()):
                assert secret not in text


async def test_what_is_wrong_is_printed_with_its_remedy_and_ends_with_1(gateway: Gateway) -> None:
    gateway.settings(evolution={"url": "http://127.0.0.1:9", "apikey": "key"})

    connect = await run(gateway.folder, "connect", "shop-1")
    doctor = await run(gateway.folder, "doctor")

    assert connect == Said(
        1, f"  ✗ no gateway runs on {gateway.data}\n    Start it in another terminal:  gateway serve\n"
    )
    assert doctor.code == 1
    assert "      Start it:  gateway serve\n" in doctor.text
    assert "  ✗ evolution  Evolution does not answer at http://127.0.0.1:9" in doctor.text
    assert doctor.text.endswith("\n  2 failures, 0 warnings.\n")
