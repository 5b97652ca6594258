"""What `gateway serve` says when it is up."""

from pathlib import Path

import pytest

from gateway.cli.serve import _banner
from gateway.config import load
from gateway.serve.run import Started

STARTED = Started("http://127.0.0.1:8085/webhook", "http://127.0.0.1:8086/live", "a-code", ["ping"])


@pytest.mark.parametrize(
    ("evolution", "said", "unsaid"),
    [("{}", "simulate --server", "another phone"), ("{apikey: secret-key}", "another phone", "simulate --server")],
)
def test_a_gateway_that_really_sends_is_not_said_to_be_played_with(
    tmp_path: Path, evolution: str, said: str, unsaid: str
) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(f"evolution: {evolution}\n")

    banner = _banner(load(file), STARTED, show_link=False)

    assert said in banner
    assert unsaid not in banner
    assert "a-code" not in banner
