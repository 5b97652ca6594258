"""Requests that a real Evolution API 2.3.6 sent, byte for byte, all the way to plugins and page."""

import asyncio
import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec
import orjson
import pytest

from gateway.names import EVENTS
from tests.support.gateway import Gateway
from tests.support.waiting import until

CAPTURES = sorted((Path(__file__).parent / "captures").glob("*.jsonl"))


class Capture(msgspec.Struct, frozen=True):
    """One request as it came."""

    method: str
    path: str
    headers: list[tuple[str, str]]
    body_b64: str
    note: str

    @property
    def body(self) -> bytes:
        return base64.b64decode(self.body_b64)

    @property
    def event(self) -> str:
        return str(orjson.loads(self.body)["event"])

    @property
    def tail(self) -> str:
        """What follows the URL that Evolution was given, as if that had been the gateway's: `/messages-upsert`."""
        given = next(each for each in ("/hook/", "/global", "/ok/") if self.path.startswith(each))
        after = self.path.removeprefix(given)
        if given == "/global":
            return after
        end = min((at for mark in "/?" if (at := after.find(mark)) >= 0), default=len(after))
        return after[end:]


def captures() -> list[Capture]:
    lines = [line for file in CAPTURES for line in file.read_bytes().splitlines()]
    return [msgspec.json.decode(line, type=Capture) for line in lines]


async def replay(address: tuple[str, int], requests: Sequence[tuple[str, Capture]]) -> list[tuple[int, dict[str, str]]]:
    """Write requests to one connection, headers as they were and in their order; gives status and JSON of each."""
    reader, writer = await asyncio.open_connection(*address)
    answers = []
    for path, capture in requests:
        head = "".join(f"{name}: {value}\r\n" for name, value in capture.headers)
        writer.write(f"{capture.method} {path} HTTP/1.1\r\n{head}\r\n".encode() + capture.body)
        answers.append(await read_answer(reader))
    writer.close()
    await writer.wait_closed()
    return answers


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    status, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines if line)
    return int(status.split()[1]), orjson.loads(await reader.readexactly(int(headers["content-length"])))


def test_captures_hold_repeats_queries_and_most_events() -> None:
    paths = {capture.path for capture in captures()}
    bodies = [capture.body for capture in captures()]

    assert len(captures()) == 347
    assert len(set(bodies)) == 200
    assert {"/hook/plain?token=abc", "/hook/plain", "/global/errors-webhook"} <= paths
    assert {capture.tail for capture in captures() if "plain" in capture.path} == {"", "?token=abc"}
    assert len({capture.event for capture in captures()} & EVENTS.keys()) == 23


@pytest.mark.parametrize("part", ["tail", "path"])
async def test_every_captured_request_is_stored_handled_and_shown_once(
    gateway: Gateway, part: Literal["tail", "path"]
) -> None:
    sent = captures()
    gateway.recorder("everything")
    gateway.recorder("messages", "MessagesUpsert")
    gateway.recorder("connections", "ConnectionUpdate | QrcodeUpdated")
    await gateway.start()

    async with gateway.watched() as page:
        requests = [(f"/webhook{getattr(each, part)}", each) for each in sent]
        answers = await replay(gateway.address, requests)
        await gateway.settled()
        await until(lambda: len(page.rows) == len(gateway.summaries()), "the page shows every event")

    firsts: dict[bytes, str] = {}
    for capture, (status, said) in zip(sent, answers, strict=True):
        is_first = capture.body not in firsts
        first = firsts.setdefault(capture.body, said["id"])
        assert (status, said["status"], said["id"]) == (
            (202, "accepted", first) if is_first else (200, "duplicate", first)
        ), capture

    stored = gateway.events()
    assert {event.body: str(seq) for seq, event in stored.items()} == firsts
    assert {seq: event.event for seq, event in stored.items()} == {
        int(firsts[capture.body]): capture.event for capture in sent
    }

    runs = sorted((record.plugin, record.seq) for record in gateway.records)
    assert runs == sorted(
        (plugin, seq)
        for seq, event in stored.items()
        for plugin, wanted in SUBSCRIPTIONS.items()
        if wanted is None or event.event in wanted
    )

    listed = (await gateway.api("/api/events?limit=500"))["events"]
    assert {int(row["id"]): row["event"] for row in listed} == {seq: event.event for seq, event in stored.items()}
    assert {seq: row["event"] for seq, row in page.rows.items()} == {seq: event.event for seq, event in stored.items()}
    assert sum(row["repeats"] for row in listed) == 147


SUBSCRIPTIONS = {
    "everything": None,
    "messages": {"messages.upsert"},
    "connections": {"connection.update", "qrcode.updated"},
}
