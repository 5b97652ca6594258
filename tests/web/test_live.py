"""The stream: what is new arrives, what was missed is sent, and nobody is buffered for without end."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import aiohttp
import orjson
import pytest

from gateway.search import Query
from gateway.web import feed, live
from gateway.web import viewer as viewers
from gateway.web.feed import PAUSE
from gateway.web.viewer import WAITING
from gateway.work import Batch, Settled
from tests.web.conftest import running

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
async def listening(site: "AdminSite", query: str = "", **headers: str) -> AsyncIterator[Listener]:
    sent = {"Cookie": site.cookie, **{name.replace("_", "-"): value for name, value in headers.items()}}
    async with (
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), read_bufsize=2**20) as session,
        session.get(f"{site.url}/live/stream{query}", headers=sent) as answer,
    ):
        assert answer.status == 200
        yield Listener(answer)


async def test_a_new_event_arrives_by_itself_and_again_when_it_is_settled(site: "AdminSite") -> None:
    async with listening(site) as page:
        assert (await page.next())["retry"] == "2000"
        await page.until("anew")
        seq = await site.event()
        seen = await page.rows()
        await site.settle(seq, "ping")
        while not seen[-1]["plugins"]:
            seen += await page.rows()

    assert (seen[0]["id"], seen[0]["plugins"]) == (str(seq), [])
    assert [one["status"] for one in seen[-1]["plugins"]] == ["done"]
    assert {row["id"] for row in seen} == {str(seq)}


async def test_what_nobody_told_of_is_found(site: "AdminSite") -> None:
    seq = await site.event()
    async with listening(site) as page:
        await page.rows()
        await site.take(seq, "ping")  # the feed is not notified
        while not (changed := (await page.rows())[0])["plugins"]:
            pass

    assert changed["plugins"][0]["status"] == "waiting"


async def ids(page: Listener, seqs: Sequence[int]) -> str:
    """Read until these rows were shown, in as many batches as it takes; gives the last batch's id."""
    missing, last = set(seqs), ""
    while missing:
        batch = await page.until("rows")
        last = batch["id"]
        missing -= {int(row["id"]) for row in orjson.loads(batch["data"])}
    return last


async def test_a_page_that_comes_back_gets_what_it_missed_and_what_may_have_changed(site: "AdminSite") -> None:
    waiting = await site.event()
    await site.take(waiting, "ping")
    async with listening(site) as page:
        last = await ids(page, [waiting])
    missed = [await site.event(nonce=number) for number in range(1, 121)]
    await site.settle(waiting, "other")

    async with listening(site, Last_Event_ID=last) as page:
        first = [await page.next() for _ in range(4)]

    assert [frame.get("event") for frame in first] == [None, "strip", "instances", "rows"]
    rows = {int(row["id"]): row for row in orjson.loads(first[3]["data"])}
    assert list(rows) == [*missed[::-1], waiting]
    assert [one["status"] for one in rows[waiting]["plugins"]] == ["done", "waiting"]


async def test_what_was_missed_can_be_asked_for_in_the_url_and_over_a_restart(site: "AdminSite") -> None:
    async with listening(site) as page:
        last = await ids(page, [await site.event()])
    missed = await site.event(nonce=1)
    await site.close()

    async with running(site.config) as restarted, listening(restarted, f"?after={last}") as page:
        frames = [await page.next() for _ in range(4)]

    assert [frame.get("event") for frame in frames] == [None, "strip", "instances", "rows"]
    assert str(missed) in {row["id"] for row in orjson.loads(frames[3]["data"])}


async def test_a_page_of_another_journal_begins_anew(site: "AdminSite") -> None:
    async with listening(site) as page:
        last = await ids(page, [await site.event()])
    await site.close()
    (site.folder / "journal.db").rename(site.folder / "journal.set-aside")

    async with running(site.config) as restarted:
        seq = await restarted.event(nonce=1)
        async with listening(restarted, Last_Event_ID=last) as page:
            await page.until("anew")
            assert [row["id"] for row in await page.rows()] == [str(seq)]


async def test_a_page_that_missed_too_much_begins_anew(site: "AdminSite", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "MISSED", 5)
    async with listening(site) as page:
        last = await ids(page, [await site.event()])
    for number in range(1, 7):
        await site.event(nonce=number)

    async with listening(site, Last_Event_ID=last) as page:
        await page.until("anew")


async def test_what_was_missed_comes_in_batches_with_an_id_each(
    site: "AdminSite", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "BATCH", 4)
    async with listening(site) as page:
        last = await ids(page, [await site.event()])
    missed = [await site.event(nonce=number) for number in range(1, 10)]

    async with listening(site, Last_Event_ID=last) as page:
        batches = [await page.until("rows") for _ in range(3)]

    assert [int(batch["id"].partition(".")[2]) for batch in batches] == [missed[2], missed[6], missed[8]]


async def test_a_page_sees_what_it_looks_for_and_follows_what_it_has_seen(site: "AdminSite") -> None:
    async with listening(site, "?text=urgent&state=waiting") as page:
        await page.until("strip")
        plain, urgent = await site.event(nonce=1), await site.event(nonce=2, note="URGENT")
        await site.take(plain, "ping")
        delivery = await site.take(urgent, "ping")
        site.feed.notify([plain, urgent])
        seen = await page.rows()
        settled = Settled(delivery=delivery, status="done", started=1.0, millis=1.0)
        await site.work.write(Batch(settled=[settled]))
        site.feed.notify([plain, urgent])
        while [one["status"] for one in seen[-1]["plugins"]] != ["done"]:
            seen += await page.rows()

    assert {row["id"] for row in seen} == {str(urgent)}


async def test_a_query_that_can_not_be_meant_is_said(site: "AdminSite") -> None:
    assert (await site.ask("/live/stream?state=happy")).status == 400


@pytest.mark.parametrize("seen", ["x", "-1", "", "5", "9" * 40, "1.5", "." + "9" * 40])
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


async def test_more_than_can_be_shown_is_skipped_and_the_page_begins_anew(
    site: "AdminSite", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "NEW", 5)
    monkeypatch.setattr(feed, "BEHIND", 10)
    monkeypatch.setattr(feed, "FRESH", 3)
    async with listening(site) as page:
        await page.until("strip")
        await page.until("anew")
        seqs = await asyncio.gather(*(site.event(nonce=number) for number in range(1, 101)))
        await page.until("anew")
        rows = [int(row["id"]) for row in await page.rows()]
        await ids(page, [await site.event(nonce=101)])

    assert max(rows) == max(seqs)
    assert len(rows) == 3


async def test_a_viewer_that_does_not_read_is_dropped_with_a_note_and_nothing_is_kept_for_it(site: "AdminSite") -> None:
    async with site.feed.watch(Query(), lambda: None) as viewer:
        for number in range(WAITING):
            assert viewer.put(b"%d" % number)
        assert not viewer.put(b"one too many")

        left = [await viewer.get(), await viewer.get()]

    assert b"event: dropped" in (left[0] or b"")
    assert left[1] is None


async def test_a_page_that_reads_too_slowly_gets_the_note_and_can_come_back(site: "AdminSite") -> None:
    async with listening(site) as page:
        last = await ids(page, [await site.event()])
        (channel,) = site.feed._channels.values()
        while channel.viewers:
            channel.put(b"event: filler\ndata: " + b"x" * 2**20 + b"\n\n")
            await asyncio.sleep(0)
        missed = await site.event(nonce=1)
        note = orjson.loads((await page.until("dropped"))["data"])
        await page.end()
    async with listening(site, Last_Event_ID=last) as page:
        rows = await page.rows()

    assert "too slowly" in note["reason"]
    assert str(missed) in {row["id"] for row in rows}


async def test_a_connection_that_is_not_read_at_all_is_cut(site: "AdminSite", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(viewers, "PATIENCE", 0.1)
    reader, writer = await asyncio.open_connection("127.0.0.1", site.server.port, limit=1024)
    writer.write(f"GET /live/stream HTTP/1.1\r\nHost: localhost\r\nCookie: {site.cookie}\r\n\r\n".encode())
    await reader.readuntil(b"event: strip")
    (channel,) = site.feed._channels.values()
    while channel.viewers:
        channel.put(b": " + b"x" * 2**20 + b"\n\n")
        await asyncio.sleep(0)

    async with asyncio.timeout(5):
        while site.feed._channels:  # noqa: ASYNC110 -- nothing tells of it
            await asyncio.sleep(0.01)
    writer.close()


async def test_viewers_of_the_same_share_what_is_put_together(site: "AdminSite") -> None:
    async with listening(site) as one, listening(site) as other, listening(site, "?event=call") as third:
        for page in (one, other, third):
            await page.until("strip")

        assert sorted(len(channel.viewers) for channel in site.feed._channels.values()) == [1, 2]


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
    assert re.findall(r"(?:src|href|action)=\"([^/#][^\"]*)\"", page) == []
    assert " style=" not in page
    assert not re.search(r"<script(?! type=\"module\" src=\"/static/)|\son\w+=", page)
