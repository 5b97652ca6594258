"""Claims about who is answered through a play: only a gateway without a key, and only while somebody plays."""

from pathlib import Path

import msgspec
import pytest

from gateway.config import Config, Evolution, Secret
from gateway.errors import DataFolderBusy
from gateway.play import Play, announced, with_play
from gateway.worker.outbox.servers import Servers, allowed

PLAY = Play("http://127.0.0.1:40000", "of the play")


def config(folder: Path, key: str = "") -> Config:
    return Config(data=folder, evolution=Evolution(apikey=Secret(key)))


def test_a_gateway_without_a_key_answers_through_the_play(tmp_path: Path) -> None:
    with announced(tmp_path, PLAY):
        played = with_play(config(tmp_path))

    assert (played.evolution.url, played.evolution.apikey.reveal()) == (PLAY.url, PLAY.apikey)


def test_what_is_queued_in_a_play_is_bound_to_it(tmp_path: Path) -> None:
    with announced(tmp_path, PLAY):
        played = with_play(config(tmp_path)).evolution

    assert allowed(played, None) == PLAY.url
    assert Servers(config(tmp_path, "the-real-key").evolution).refusal(PLAY.url) is not None
    assert allowed(config(tmp_path, "the-real-key").evolution, PLAY.url) is None


def test_a_key_of_ones_own_is_never_shown_to_a_player(tmp_path: Path) -> None:
    own = config(tmp_path, "the-real-key")

    with announced(tmp_path, PLAY):
        assert with_play(own) is own


def test_the_play_ends_with_its_player(tmp_path: Path) -> None:
    own = config(tmp_path)

    with announced(tmp_path, PLAY):
        pass

    assert with_play(own) is own


def test_a_file_that_a_dead_player_left_counts_for_nothing(tmp_path: Path) -> None:
    (tmp_path / "play.json").write_bytes(msgspec.json.encode(PLAY))
    own = config(tmp_path)

    assert with_play(own) is own


def test_two_do_not_play_at_once(tmp_path: Path) -> None:
    with announced(tmp_path, PLAY), pytest.raises(DataFolderBusy, match="is its simulator"), announced(tmp_path, PLAY):
        pass


def test_nobody_else_can_read_the_key_of_the_play(tmp_path: Path) -> None:
    with announced(tmp_path, PLAY):
        assert (tmp_path / "play.json").stat().st_mode & 0o777 == 0o600
