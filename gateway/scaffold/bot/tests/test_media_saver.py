"""What routes/media_saver.py does, as a chat."""

from pathlib import Path

import pytest

from gateway.testing import Bot

ROUTES = Path(__file__).parents[1] / "routes"


@pytest.mark.bot
async def test_a_photo_is_kept_and_said_to_be(tmp_path: Path) -> None:
    async with Bot(ROUTES / "media_saver.py", settings={"folder": str(tmp_path)}) as bot:
        ana = bot.chat("+55 11 99999-0002")

        await ana.send_media(b"a photo", mimetype="image/jpeg", caption="look!")

        assert ana.reactions == ["💾"]
        assert (tmp_path / "5511999990002" / f"{ana.messages[0]}.jpg").read_bytes() == b"a photo"


@pytest.mark.bot
async def test_a_text_is_nothing_to_keep(tmp_path: Path) -> None:
    async with Bot(ROUTES / "media_saver.py", settings={"folder": str(tmp_path)}) as bot:
        ana = bot.chat("+55 11 99999-0002")

        await ana.send("hello")

        assert ana.reactions == []
        assert not any(tmp_path.iterdir())  # noqa: ASYNC240
