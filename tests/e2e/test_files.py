"""A handler asks a real gateway for the file of a message whose event came without it."""

import hashlib
import os

from gateway.testing import EvolutionServer
from tests.support.gateway import Gateway

ANA = "+55 11 99999-0002"


async def test_handlers_of_both_kinds_read_and_save_what_the_event_does_not_carry(gateway: Gateway) -> None:
    gateway.plugin(
        "photos",
        """
        import hashlib

        @plugin.message(f.kind("image"))
        async def look(event, ctx):
            photo = await event.message.media.read()
            record(ctx, note=hashlib.sha256(photo).hexdigest())
        """,
    )
    gateway.plugin(
        "album",
        f"""
        @plugin.message(f.kind("image"))
        def keep(event, ctx):
            media = event.message.media
            saved = ctx.wait(media.save("{gateway.folder}/album/photo." + media.extension))
            record(ctx, note=str(saved))
        """,
    )
    async with EvolutionServer(webhook=gateway.webhook) as evolution:
        gateway.settings(evolution={"url": evolution.url, "apikey": evolution.apikey})
        await gateway.start()
        photo = os.urandom(100_000)

        await evolution.person(ANA).send("image", photo)
        await gateway.settled()

        album = gateway.folder / "album" / "photo.jpg"
        assert sorted(record.note for record in gateway.records) == sorted(
            [hashlib.sha256(photo).hexdigest(), str(album)]
        )
        assert album.read_bytes() == photo
        assert [row.status for row in gateway.deliveries()] == ["done", "done"]
        assert evolution.complaints == []


async def test_a_file_that_can_not_be_had_is_an_error_that_says_why(gateway: Gateway) -> None:
    gateway.plugin(
        "photos",
        """
        @plugin.message(f.kind("image"))
        async def look(event, ctx):
            await event.message.media.read()
        """,
    )
    async with EvolutionServer(webhook=gateway.webhook) as evolution:
        gateway.settings(delivery={"retry": []})
        await gateway.start()

        await evolution.person(ANA).send("image", b"a photo")
        await gateway.settled()

        (row,) = gateway.deliveries()
        assert row.status == "dead"
        assert "MediaUnavailable: this image can't be had." in (row.error or "")
        assert "evolution.apikey is not set in config.yaml" in (row.error or "")
