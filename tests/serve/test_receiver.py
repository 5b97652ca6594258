"""What was answered last is said before the receiver is gone."""

from pathlib import Path

import aiohttp
import pytest
from prometheus_client import generate_latest

from gateway.config import Admin, Config, Webhook
from gateway.owner import data_folder
from gateway.serve.receiver import Gateway
from gateway.web import reception
from tests.support.bodies import message


async def test_what_was_answered_last_is_counted_and_logged_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(reception, "MOMENT", 600)
    monkeypatch.setattr(reception, "write_lines", lambda lines: said.extend(line.fact for line in lines))
    config = Config(data=tmp_path / "data", webhook=Webhook(port=0), admin=Admin(port=0))
    data_folder(config)
    gateway = Gateway(config, None)

    async with gateway.open("try it") as (url, _page, _logins), aiohttp.ClientSession() as session:
        async with session.post(url, data=message(1)) as answer:
            assert answer.status == 202
        during = list(said)

    assert (during, said) == ([], ["accepted"])
    assert b'outcome="accepted"} 1.0' in generate_latest(gateway._registry)
