"""A handler asks for a message's file: every way to it, in order, and what each refusal says."""

import asyncio
import base64
import subprocess
import sys
import traceback
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path

import msgspec
import pytest
from aiohttp import web

from gateway import config
from gateway.config import Config, Secret
from gateway.errors import MediaError, MediaNotInline, MediaTooLarge, MediaUnavailable
from gateway.events import MessagesSet, MessagesUpsert, decode
from gateway.media import Library
from gateway.testing import EvolutionServer
from tests.media.conftest import LIMIT, Lookup, Server, Shelf, encrypt, encrypted_content, photo
from tests.support.waiting import until


async def test_bytes_inside_the_event_come_first(shelf: Shelf, server: Server) -> None:
    link = server.serve("link", b"from the link")

    media = shelf.lend({}, base64=base64.b64encode(b"inside").decode(), mediaUrl=link)

    assert await media.read() == b"inside"
    assert server.asked == []


async def test_the_link_comes_before_evolution(shelf: Shelf, server: Server) -> None:
    shelf.by_rest = b"from Evolution"

    media = shelf.lend({}, mediaUrl=server.serve("link", b"from the link"))

    assert await media.read() == b"from the link"
    assert shelf.rest_asked == []


async def test_what_is_inside_and_not_base64_is_passed_over(shelf: Shelf, server: Server) -> None:
    media = shelf.lend({}, base64="%%%", mediaUrl=server.serve("link", b"from the link"))

    assert await media.read() == b"from the link"


async def test_evolution_comes_before_whatsapp(shelf: Shelf, server: Server) -> None:
    shelf.by_rest = b"from Evolution"
    url = server.serve("encrypted", encrypt(b"from WhatsApp"))

    media = shelf.lend(encrypted_content(b"from WhatsApp", url), mediaUrl=server.url("expired"))

    assert await media.read() == b"from Evolution"
    assert server.asked == ["expired"]
    assert shelf.rest_asked == [("shop-1", "AC01")]


async def test_whatsapp_comes_last(shelf: Shelf, server: Server) -> None:
    shelf.by_rest = MediaUnavailable("Message not found")
    plain = photo()

    media = shelf.lend(encrypted_content(plain, server.serve("encrypted", encrypt(plain))))

    assert await media.read() == plain
    assert shelf.rest_asked == [("shop-1", "AC01")]


async def test_evolution_is_asked_for_the_message_through_its_client(tmp_path: Path) -> None:
    plain = photo()
    async with EvolutionServer() as evolution:
        sent = await evolution.person("+55 11 99999-0002").send("image", plain)
        server = config.Evolution(url=evolution.url, apikey=Secret(evolution.apikey))
        library = Library.of(Config(data=tmp_path, evolution=server))
        event = library.lend(decode("messages.upsert", {"instance": "shop-1", "data": dict(sent.data)}))
        assert isinstance(event, MessagesUpsert)
        assert event.message.media is not None
        media = msgspec.structs.replace(event.message.media, content={})  # no way but this one

        assert await media.read() == plain
        evolution.instance().messages.clear()
        with pytest.raises(
            MediaUnavailable, match="getBase64FromMediaMessage: Evolution answered 400: Message not found"
        ):
            await media.read()
        assert evolution.complaints == []


async def test_when_no_way_works_the_error_says_why_each_did_not(shelf: Shelf, server: Server) -> None:
    media = shelf.lend({}, mediaUrl=server.url("expired"))

    with pytest.raises(MediaUnavailable) as caught:
        await media.read()

    assert str(caught.value) == (
        "this image can't be had. mediaUrl: cdn.test answered 404 (its link has expired). getBase64FromMediaMessage: "
        "evolution.apikey is not set in config.yaml. WhatsApp: the event has no mediaKey."
    )


async def test_wrong_mac_is_refused_and_leaves_nothing_behind(shelf: Shelf, server: Server, tmp_path: Path) -> None:
    plain = photo()
    damaged = bytearray(encrypt(plain))
    damaged[-1] ^= 1
    media = shelf.lend(encrypted_content(plain, server.serve("encrypted", bytes(damaged))))

    with pytest.raises(MediaUnavailable, match="MAC is wrong"):
        await media.save(tmp_path / "saved" / "photo.jpg")

    assert shelf.kept == []
    assert not (tmp_path / "saved").exists()


async def test_cut_off_download_is_refused_and_leaves_nothing_behind(shelf: Shelf, server: Server) -> None:
    cut = web.StreamResponse(headers={"Content-Length": "1000"})

    async def begin_and_hang_up(request: web.Request) -> web.StreamResponse:
        await cut.prepare(request)
        await cut.write(b"x" * 500)
        assert request.transport is not None
        request.transport.abort()
        return cut

    server.serve_by("cut", begin_and_hang_up)
    media = shelf.lend({}, mediaUrl=server.url("cut"))

    with pytest.raises(MediaUnavailable, match="ended before the file did"):
        await media.read()

    assert shelf.kept == []


async def test_other_bytes_than_the_messages_are_refused(shelf: Shelf, server: Server) -> None:
    digest = base64.b64encode(sha256(b"what was sent").digest()).decode()
    media = shelf.lend({"fileSha256": digest}, mediaUrl=server.serve("link", b"what stands there now"))

    with pytest.raises(MediaUnavailable, match="its 21 bytes are not the message's file"):
        await media.read()


@pytest.mark.parametrize("announced", [True, False])
async def test_file_above_the_limit_is_refused(shelf: Shelf, server: Server, *, announced: bool) -> None:
    async def send_much(request: web.Request) -> web.StreamResponse:
        much = web.StreamResponse(headers={"Content-Length": str(LIMIT + 1)} if announced else {})
        await much.prepare(request)
        try:
            for _ in range(LIMIT // 2**16 + 1):
                await much.write(bytes(2**16))
        except ConnectionError:
            pass
        return much

    server.serve_by("much", send_much)
    media = shelf.lend({}, mediaUrl=server.url("much"))

    with pytest.raises(MediaTooLarge, match=r"media\.max_size"):
        await media.read()

    assert shelf.kept == []


async def test_file_that_says_it_is_too_large_is_not_asked_for(shelf: Shelf, server: Server) -> None:
    media = shelf.lend({"fileLength": LIMIT + 1}, mediaUrl=server.serve("link", b"small"))

    with pytest.raises(MediaTooLarge):
        await media.read()

    assert server.asked == []


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_redirects_are_not_followed(shelf: Shelf, server: Server, status: int) -> None:
    server.serve("elsewhere", b"a secret")
    moved = web.Response(status=status, headers={"Location": server.url("elsewhere", "127.0.0.1")})
    media = shelf.lend({}, mediaUrl=server.serve("link", moved))

    with pytest.raises(MediaUnavailable, match=f"answered {status}; redirects are not followed"):
        await media.read()

    assert server.asked == ["link"]


async def test_a_name_that_changes_its_mind_is_not_followed(shelf: Shelf, server: Server) -> None:
    """DNS rebinding: public when looked up to be checked, this machine when looked up to be connected to."""
    shelf.lookup = Lookup("127.0.0.1")
    shelf.is_allowed = lambda address: address != ip_address("127.0.0.1")
    media = shelf.lend({}, mediaUrl=server.serve("link", b"a secret"))

    with pytest.raises(MediaUnavailable, match=r"127\.0\.0\.1 is no public address"):
        await media.read()

    assert shelf.lookup.asked == ["cdn.test"]
    assert server.asked == []


async def test_url_of_another_host_is_never_asked(shelf: Shelf, server: Server) -> None:
    server.serve("link", b"a secret")
    media = shelf.lend(
        encrypted_content(b"x", server.url("link", "localhost")), mediaUrl=server.url("link", "127.0.0.1")
    )

    with pytest.raises(MediaUnavailable, match=r"127\.0\.0\.1 is neither .* localhost is neither"):
        await media.read()

    assert server.asked == []
    assert shelf.lookup.asked == []


async def test_path_stands_in_for_a_url_that_names_no_file(shelf: Shelf) -> None:
    shelf.is_allowed = lambda _: False
    media = shelf.lend(encrypted_content(b"x", "https://web.whatsapp.net", directPath="/o1/v/x?ccb=9-4"))

    with pytest.raises(MediaUnavailable, match=r"no connection to mmg\.whatsapp\.net"):
        await media.read()


async def test_server_that_says_nothing_is_named_without_the_urls_signature(shelf: Shelf, server: Server) -> None:
    async def hang_up(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    server.serve_by("link", hang_up)
    media = shelf.lend({}, mediaUrl=f"{server.url('link')}?X-Amz-Signature=4711canary")

    with pytest.raises(MediaUnavailable, match=r"cdn\.test does not answer") as caught:
        await media.read()

    assert "4711canary" not in "".join(traceback.format_exception(caught.value))


async def test_second_reader_of_a_file_needs_no_network(shelf: Shelf, server: Server, tmp_path: Path) -> None:
    plain = photo()
    content = encrypted_content(plain, server.serve("encrypted", encrypt(plain)))

    await shelf.lend(content).read()
    saved = await shelf.lend(content).save(tmp_path / "copy.jpg")

    assert saved.read_bytes() == plain
    assert server.asked == ["encrypted"]
    assert shelf.kept == [sha256(plain).hexdigest()]
    assert [oct(path.stat().st_mode)[-3:] for path in (shelf.folder, *shelf.folder.iterdir())] == ["700", "600"]


async def test_without_a_cache_nothing_is_kept(shelf: Shelf, server: Server) -> None:
    shelf.cache = 0
    media = shelf.lend({}, mediaUrl=server.serve("link", b"the file"))

    assert await media.read() == b"the file"
    assert shelf.kept == []


async def test_full_cache_drops_what_was_used_longest_ago(shelf: Shelf, server: Server) -> None:
    shelf.cache = 250_000
    files = [photo() for _ in range(3)]
    for number, plain in enumerate(files):
        media = shelf.lend({}, mediaUrl=server.serve(str(number), plain))
        await media.read()

    assert shelf.kept == sorted(sha256(plain).hexdigest() for plain in files[1:])


async def test_cache_that_can_not_be_written_is_said(shelf: Shelf, server: Server, tmp_path: Path) -> None:
    (tmp_path / "media").write_text("a file where the folder should be")
    media = shelf.lend({}, mediaUrl=server.serve("link", b"the file"))

    with pytest.raises(MediaError, match="media can't be written"):
        await media.read()


async def test_cancelled_reader_leaves_nothing_behind(shelf: Shelf, server: Server) -> None:
    async def hang(request: web.Request) -> web.StreamResponse:
        begun = web.StreamResponse()
        await begun.prepare(request)
        await begun.write(bytes(1000))
        await asyncio.sleep(30)
        return begun

    server.serve_by("slow", hang)
    media = shelf.lend({}, mediaUrl=server.url("slow"))
    reading = asyncio.create_task(media.read())
    await until(lambda: shelf.kept, "the file is half there")

    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)

    assert shelf.kept == []


async def test_save_replaces_a_file_only_when_the_new_one_is_whole(shelf: Shelf, tmp_path: Path) -> None:
    target = tmp_path / "photo.jpg"
    target.write_bytes(b"the old one")
    inside = base64.b64encode(b"the new one").decode()

    with pytest.raises(MediaUnavailable):
        await shelf.lend({}, base64=inside[:-4] + "%%%%").save(target)
    kept = target.read_bytes()
    await shelf.lend({}, base64=inside).save(str(target))

    assert kept == b"the old one"
    assert target.read_bytes() == b"the new one"
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["photo.jpg"]


async def test_event_that_no_worker_handed_over_says_so() -> None:
    event = decode("messages.upsert", {"data": {"key": {"id": "1"}, "message": {"imageMessage": {}}}})
    assert isinstance(event, MessagesUpsert)
    assert event.message.media is not None

    with pytest.raises(MediaNotInline, match="only the worker fetches them"):
        await event.message.media.read()


async def test_files_of_history_can_be_read_too(shelf: Shelf, server: Server) -> None:
    url = server.serve("link", b"old")
    item = {"key": {"id": "AC02"}, "message": {"imageMessage": {}, "mediaUrl": url}}

    event = shelf.library().lend(decode("messages.set", {"instance": "shop-1", "data": [item]}))

    assert isinstance(event, MessagesSet)
    assert event.items[0].media is not None
    assert await event.items[0].media.read() == b"old"


TAKE = """
import asyncio, sys
from pathlib import Path
from gateway import config
from gateway.config import Config, Secret
from gateway.media import Library
from tests.media.conftest import Shelf, lent

def held(what):
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith(what)) * 1024

where, url, digest, way, how = Path(sys.argv[1]), *sys.argv[2:]
shelf = Shelf(where / "media")
shelf.limit = 2**30
server = config.Evolution(url=url.rpartition("/")[0].replace("cdn.test", "127.0.0.1"), apikey=Secret("k"), version="2")
ways = {
    "inline": lambda: shelf.lend({}, base64=(where / "inline").read_text()),
    "rest": lambda: lent(Library.of(Config(data=where, evolution=server, media=config.Media(max_size=2**30)))),
    "link": lambda: shelf.lend({"fileSha256": digest}, mediaUrl=url),
    "encrypted": lambda: shelf.lend({"mediaKey": list(range(32)), "url": url, "fileSha256": digest}),
}
media = ways[way]()
asyncio.run(shelf.lend({}, base64="AAAA").save(where / "warm"))
Path("/proc/self/clear_refs").write_text("5")  # the peak is from here on
before = held("VmRSS")
asyncio.run(media.save(where / "saved") if how == "save" else media.read())
print(held("VmHWM") - before)
"""


@pytest.mark.parametrize("way", ["inline", "link", "rest", "encrypted"])
async def test_50_mb_are_saved_within_32_mb_of_extra_memory(server: Server, tmp_path: Path, way: str) -> None:
    plain = photo(50 * 10**6)
    digest = base64.b64encode(sha256(plain).digest()).decode()
    url = server.serve("file", encrypt(plain) if way == "encrypted" else plain)
    (tmp_path / "inline").write_bytes(base64.b64encode(plain))

    async def answer(request: web.Request) -> web.StreamResponse:
        began = web.StreamResponse(status=201)
        await began.prepare(request)
        for piece in (b'{"fileName":"a","base64":"', (tmp_path / "inline").read_bytes(), b'","buffer":null}'):
            await began.write(piece)
        return began

    server.serve_by("chat", answer)

    async def extra(how: str) -> int:
        arguments = [sys.executable, "-c", TAKE, str(tmp_path), url, digest, way, how]
        taking = await asyncio.create_subprocess_exec(*arguments, stdout=subprocess.PIPE)
        out, _ = await taking.communicate()
        return int(out)

    saving, reading = await extra("save"), await extra("read")

    assert (tmp_path / "saved").read_bytes() == plain
    assert saving < 32 * 10**6
    assert reading > 48 * 10**6  # the control: what is measured would have shown a file held whole


def test_a_worker_loads_aiohttp_only_for_a_file_that_is_fetched() -> None:
    code = "import sys, gateway.worker.process; sys.exit('aiohttp' in sys.modules)"

    subprocess.run([sys.executable, "-c", code], check=True)
