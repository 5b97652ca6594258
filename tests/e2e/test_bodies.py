"""What a body may be: as large as a photo, cut within an emoji, or broken in a way that is said and kept."""

import base64
import hashlib
import os

import orjson

from gateway import samples
from tests.support.bodies import message
from tests.support.gateway import Gateway
from tests.support.waiting import until

PHOTO = 15 * 2**20  # bytes; base64 makes 20 MiB of them

GOOD = message(1)
BROKEN = {
    "cut off": (GOOD[:500], "line 1, column 500"),
    "empty": (b"", "line 1, column 1"),
    "no JSON": (b"event=messages.upsert", "line 1, column 1"),
    "a comma too many": (b'{\n  "event": "call",\n}', "line 2, column 18"),
    "NaN": (b'{"event": "call", "data": NaN}', "line 1, column 27"),
    "not UTF-8": (b'{"event": "caf\xe9"}', "byte 0xe9 at position 14"),
    "UTF-16": ('{"event": "call"}'.encode("utf-16"), "byte 0xff at position 0"),
    "an array": (b'[{"event": "call"}]', "an array"),
    "a string": (b'"messages.upsert"', "a string"),
    "a number": (b"12", "a number"),
    "null": (b"null", "null"),
    "true": (b"true", "a boolean"),
    "100,000 levels": (b"[" * 100_000 + b"]" * 100_000, "line 1"),
}
KEPT = 4096  # bytes kept of a refused body


async def test_a_photo_of_20_mb_reaches_the_plugin_with_default_settings(gateway: Gateway) -> None:
    gateway.plugin(
        "photos",
        """
        import hashlib

        @plugin.message(f.kind("image"))
        async def look(event, ctx):
            photo = await event.message.media.read()
            record(ctx, note=f"{len(photo)} {hashlib.sha256(photo).hexdigest()}")
        """,
    )
    await gateway.start()
    photo = os.urandom(PHOTO)
    document = samples.load("messages-upsert__image-base64-v18")
    document["data"]["message"]["base64"] = base64.b64encode(photo).decode()
    body = orjson.dumps(document)
    assert len(body) > 20_000_000

    seq = await gateway.accept(body)
    again = await gateway.post(body)
    await gateway.settled()

    assert (again.status, again.id) == (200, seq)
    assert [record.note for record in gateway.records] == [f"{PHOTO} {hashlib.sha256(photo).hexdigest()}"]
    assert gateway.events()[seq].body == body
    shown = await gateway.ask(f"/api/events/{seq}")
    assert len(shown) < 100_000


async def test_a_body_that_is_no_json_object_is_answered_400_saying_where_and_kept(gateway: Gateway) -> None:
    gateway.recorder()
    await gateway.start()

    answers = {name: await gateway.post(body) for name, (body, _) in BROKEN.items()}
    good = await gateway.accept(GOOD)
    await gateway.settled()

    assert {name: answer.status for name, answer in answers.items()} == dict.fromkeys(BROKEN, 400)
    details = {name: answer.json["detail"] for name, answer in answers.items()}
    assert {name: detail for name, detail in details.items() if BROKEN[name][1] not in detail} == {}
    assert {answer.headers["content-type"].partition(";")[0] for answer in answers.values()} == {
        "application/problem+json"
    }
    assert [(size, body) for _, size, body in gateway.refused()] == [
        (len(body), body[:KEPT]) for body, _ in BROKEN.values()
    ]
    assert [f"{reason}." for reason, *_ in gateway.refused()] == list(details.values())
    assert [event.seq for event in gateway.events().values()] == [good]
    assert [record.seq for record in gateway.records] == [good]


async def test_half_an_emoji_is_accepted_and_reaches_the_plugin_as_a_replacement_character(gateway: Gateway) -> None:
    gateway.plugin(
        "texts",
        """
        @plugin.message()
        async def read(event, ctx):
            record(ctx, note=event.message.text)
        """,
    )
    await gateway.start()
    halves = [b"\\ud83d", b"\\uDE00", b"\\ude00\\ud83d"]
    bodies = [message(number, "oi HALF").replace(b"HALF", half) for number, half in enumerate(halves)]

    await gateway.accept(message(9, "oi 😀"))
    cut = {await gateway.accept(body): body for body in bodies}
    await until(lambda: len(gateway.records) == 4, "all are read")

    assert [record.note for record in gateway.records] == ["oi 😀", "oi �", "oi �", "oi ��"]
    assert {seq: event.body for seq, event in gateway.events().items() if seq in cut} == cut
