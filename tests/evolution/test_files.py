"""What each send of a file asks of Evolution: written by hand from its REST reference."""

import pytest

from gateway.evolution import Evolution
from tests.evolution.asked import Asked, Make, case, check, send
from tests.evolution.conftest import FakeEvolution

TO = "5511999990002"


FILES = [
    case(
        "media by URL",
        lambda client: client.send_media("shop-1", TO, "https://example.com/a.png", kind="image", caption="a"),
        send("sendMedia", {"number": TO, "mediatype": "image", "media": "https://example.com/a.png", "caption": "a"}),
        send(
            "sendMedia",
            {
                "number": TO,
                "mediaMessage": {"mediatype": "image", "media": "https://example.com/a.png", "caption": "a"},
            },
        ),
    ),
    case(
        "media by bytes",
        lambda client: client.send_media(
            "shop-1", TO, b"%PDF", kind="document", filename="a.pdf", mimetype="application/pdf", delay=1
        ),
        send(
            "sendMedia",
            {
                "number": TO,
                "mediatype": "document",
                "media": "JVBERg==",
                "fileName": "a.pdf",
                "mimetype": "application/pdf",
                "delay": 1000,
            },
        ),
        send(
            "sendMedia",
            {
                "number": TO,
                "mediaMessage": {
                    "mediatype": "document",
                    "media": "JVBERg==",
                    "fileName": "a.pdf",
                    "mimetype": "application/pdf",
                },
                "options": {"delay": 1000, "presence": "composing"},
            },
        ),
    ),
    case(
        "round video",
        lambda client: client.send_ptv("shop-1", TO, "https://example.com/a.mp4"),
        send("sendPtv", {"number": TO, "video": "https://example.com/a.mp4"}),
        None,
    ),
    case(
        "audio",
        lambda client: client.send_audio("shop-1", TO, "data:audio/ogg;base64,T2dn", delay=0.5, convert=False),
        send("sendWhatsAppAudio", {"number": TO, "audio": "T2dn", "encoding": False, "delay": 500}),
        send(
            "sendWhatsAppAudio",
            {
                "number": TO,
                "audioMessage": {"audio": "T2dn"},
                "options": {"delay": 500, "presence": "recording", "encoding": False},
            },
        ),
    ),
    case(
        "sticker",
        lambda client: client.send_sticker("shop-1", TO, b"RIFF", convert=False),
        send("sendSticker", {"number": TO, "sticker": "UklGRg==", "notConvertSticker": True}),
        send("sendSticker", {"number": TO, "stickerMessage": {"image": "UklGRg=="}}),
    ),
    case(
        "status with a picture for some",
        lambda client: client.send_status(
            "shop-1", "https://example.com/a.png", kind="image", caption="a", recipients=["+55 11 99999-0002"]
        ),
        send("sendStatus", status := {
            "type": "image", "content": "https://example.com/a.png", "caption": "a", "statusJidList": [TO],
        }),
        send("sendStatus", {"statusMessage": status}),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("make", "two", "one"), FILES)
async def test_each_file_is_spelt_as_the_servers_version_wants_it(
    evolution: FakeEvolution, make: Make, two: Asked, one: Asked | None
) -> None:
    await check(evolution, make, two, one)


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda client: client.send_media("shop-1", TO, b"%PDF", kind="document"), "a document needs filename="),
        (lambda client: client.send_sticker("shop-1", TO, b""), "is empty"),
        (lambda client: client.send_status("shop-1", b"PNG"), "needs kind="),
        (lambda client: client.send_audio("shop-1", TO, "data:audio/ogg;base64,"), "is empty"),
    ],
)
async def test_a_file_that_no_server_could_take_is_refused_before_anything_is_asked(
    evolution: FakeEvolution, client: Evolution, make: Make, why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        await make(client)
    assert evolution.requests == []
