"""What others are told of the loaded plugins holds no secret of theirs."""

from pathlib import Path

import orjson

from gateway.config import Config, load
from gateway.worker.loading import facts, load_plugins

SHOP = """
import msgspec
from gateway import Context, MessagesUpsert, Plugin
from gateway.config import Secret

class Settings(msgspec.Struct):
    url: str = "http://shop.example"
    key: Secret = Secret("s3cret-one")
    token: str = "s3cret-two"
    opens: tuple[int, ...] = (9, 18)

plugin = Plugin(settings=Settings)

@plugin.message()
async def answer(event: MessagesUpsert, ctx: Context) -> None:
    ctx.reply("hi")
"""


def test_plugins_tell_their_events_and_their_settings_without_secrets(tmp_path: Path) -> None:
    (tmp_path / "routes").mkdir()
    (tmp_path / "routes" / "shop.py").write_text(SHOP)
    (tmp_path / "routes" / "broken.py").write_text("def (:")
    (tmp_path / "config.yaml").write_text("routes: routes\n")
    config: Config = load(tmp_path / "config.yaml", {})

    told = orjson.loads(orjson.dumps(facts(load_plugins(config))))

    (shop,) = told["plugins"]
    assert shop["events"] == ["messages.upsert"]
    assert shop["settings"] == {
        "url": "http://shop.example", "key": "[redacted]", "token": "[redacted]", "opens": [9, 18]
    }  # fmt: skip
    assert "s3cret" not in str(told)
    assert [(error["file"], error["line"]) for error in told["load_errors"]] == [("broken.py", 1)]
