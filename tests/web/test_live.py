"""The stream: what is new arrives, what was missed is sent, and nobody is buffered for without end."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import aiohttp
import orjson
import pytest

from gateway.web import feed, live
from gateway.web.feed import MISSED, PAUSE

if TYPE_CHECKING:
    from tests.web.conftest import AdminSite


class Listener:
    """Reads a stream of server-sent events."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self.answer = answer

    async def next(self) -> dict[str, str]:
        """The next block's fields; a comment comes as field ''."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(5):
            while (line := (await self.answer.content.readline()).decode()) != "\n":
                if not line:
                    raise EOFError
                name, _, value = line.rstrip("\n").partition(": " if not line.startswith(":") else ":")
                fields[name] = value
        return fields

    async def until(self, event: str) -> dict[str, str]:
        while (found := await self.next()).get("event") != event:
            pass
        return found

    async def end(self) -> None:
        """Read to the end."""
        with suppress(EOFError):
            while True:
                await self.next()

    async def rows(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = orjson.loads((await self.until("rows"))["data"])
        return found


@asynccontextmanager
async def listening(site: "AdminSite", **headers: str) -> AsyncIterator[Listener]:
    sent = {"Cookie": site.cookie, **{name.replace("_", "-"): value for name, value in headers.items()}}
    async with (
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), read_bufsize=2**20) as session,
        session.get(f"{site.url}/live/stream", headers=sent) as answer,
    ):
        assert answer.status == 200
        yield Listener(answer)


async def test_a_new_event_arrives_by_itself_and_again_when_it_is_settled(site: "AdminSite") -> None:
    async with listening(site) as page:
        assert (await page.next())["retry"] == "2000"
        await page.until("anew")
        seq = await site.event()
        (new,) = await page.rows()
        await site.settle(seq, "ping")
        (settled,) = await page.rows()

    assert (new["id"], new["plugins"]) == (str(seq), [])
    assert [one["status"] for one in settled["plugins"]] == ["done"]


async def test_what_nobody_told_of_is_found(site: "AdminSite") -> None:
    seq = await site.event()
    async with listening(site) as page:
        await page.rows()
        await site.take(seq, "ping")  # the feed is not notified
        while not (changed := (await page.rows())[0])["plugins"]:
            pass

    assert changed["plugins"][0]["status"] == "waiting"


async def test_a_page_that_comes_back_gets_what_it_missed(site: "AdminSite") -> None:
    seqs = [await site.event(nonce=number) for number in range(120)]

    async with listening(site, Last_Event_ID=str(seqs[5])) as page:
        frames = [await page.next() for _ in range(3)]

    rows = next(frame for frame in frames if frame.get("event") == "rows")
    assert "anew" not in {frame.get("event") for frame in frames}
    assert {int(row["id"]) for row in orjson.loads(rows["data"])} >= set(seqs[6:])
    assert rows["id"] == str(seqs[-1])


async def test_a_page_that_missed_too_much_begins_anew(site: "AdminSite") -> None:
    for number in range(MISSED + 1):
        await site.event(nonce=number)

    async with listening(site, Last_Event_ID="0") as page:
        await page.until("anew")


@pytest.mark.parametrize("seen", ["x", "-1", "", "9" * 40, "1.5"])
async def test_an_odd_last_event_id_begins_anew(site: "AdminSite", seen: str) -> None:
    await site.event()

    async with listening(site, Last_Event_ID=seen) as page:
        await page.until("anew")
        assert len(await page.rows()) == 1


async def test_many_changes_are_few_batches(site: "AdminSite") -> None:
    clock = asyncio.get_running_loop().time
    async with listening(site) as page:
        await page.until("strip")
        began = clock()
        seqs = [await site.event(nonce=number) for number in range(300)]
        seen: set[int] = set()
        batches = 0
        while not seen >= set(seqs):
            batches += 1
            seen |= {int(row["id"]) for row in await page.rows()}

    assert batches <= (clock() - began) / PAUSE + 2


async def test_a_viewer_that_does_not_read_is_let_go(site: "AdminSite") -> None:
    dropped = asyncio.Event()
    async with site.feed.watch(None, dropped.set):
        for _ in range(60):
            site.feed.notify([await site.event(nonce=_)])
            await asyncio.sleep(PAUSE / 2)
            if dropped.is_set():
                break
        assert dropped.is_set()


async def test_a_connection_that_is_not_read_is_cut(site: "AdminSite") -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", site.server.port, limit=1024)
    writer.write(f"GET /live/stream HTTP/1.1\r\nHost: localhost\r\nCookie: {site.cookie}\r\n\r\n".encode())
    await reader.readuntil(b"event: strip")
    (viewer,) = site.feed._viewers
    while viewer.put(b": " + b"x" * 2**20 + b"\n\n"):  # noqa: ASYNC110 -- lets the writer write
        await asyncio.sleep(0)

    async with asyncio.timeout(5):
        while site.feed._viewers:  # noqa: ASYNC110 -- nothing tells of it
            await asyncio.sleep(0.01)
    writer.close()


async def test_a_silent_stream_is_kept_open_until_its_login_ends(
    site: "AdminSite", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "PING", 0.05)
    async with listening(site) as page:
        pinged = [await page.next() for _ in range(6)]
        site.now += 31 * 86400
        await page.end()

    assert {"": " ping"} in pinged


async def test_too_many_pages_are_refused(site: "AdminSite", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "VIEWERS", 1)

    async with listening(site):
        answer = await site.ask("/live/stream")

    assert (answer.status, answer.headers["Retry-After"]) == (503, "10")


async def test_stopping_ends_every_stream(site: "AdminSite") -> None:
    async with listening(site) as page:
        await page.until("strip")
        stopping = asyncio.create_task(site.server.close())
        await page.end()
        await asyncio.wait_for(stopping, 5)


async def test_trouble_is_said_above_the_list(site: "AdminSite") -> None:
    site.status["reasons"] = ["the worker died 3 times in a minute"]
    await site.load_error("routes/greet.py", 7, "SyntaxError: invalid syntax, apikey=sk-12345678")

    async with listening(site) as page:
        strip = orjson.loads((await page.until("strip"))["data"])

    assert strip["reasons"] == ["the worker died 3 times in a minute"]
    assert [(one["file"], one["line"]) for one in strip["load_errors"]] == [("routes/greet.py", 7)]
    assert "sk-12345678" not in str(strip)


async def test_the_page_names_what_to_paste_and_nothing_from_elsewhere(site: "AdminSite") -> None:
    page = (await site.ask("/live", token=None, Cookie=site.cookie)).text

    assert "http://127.0.0.1:8085/webhook" in page
    assert re.findall(r"(?:src|href|action)=\"([^/][^\"]*)\"", page) == []
    assert " style=" not in page
    assert not re.search(r"<script(?! type=\"module\" src=\"/static/)|\son\w+=", page)
