"""The token that `gateway connect` makes: taken beside what config.yaml asks for, and never written into it."""

from pathlib import Path

import pytest

from gateway.config import Config, load, refuse_open_listener, secrets
from gateway.config.kept import WEBHOOK_TOKEN, make_token
from gateway.errors import ConfigError


def loaded(folder: Path, text: str) -> Config:
    (folder / "config.yaml").write_text(text)
    return load(folder / "config.yaml")


@pytest.fixture
def token(tmp_path: Path) -> str:
    (tmp_path / "data").mkdir()
    return make_token(tmp_path / "data" / WEBHOOK_TOKEN).reveal()


def test_off_loopback_it_is_the_credential(tmp_path: Path, token: str) -> None:
    config = loaded(tmp_path, "webhook: {host: 10.0.0.5}")

    refuse_open_listener(config)
    assert config.webhook.auth != "none"
    assert config.webhook.auth.header
    assert [value.reveal() for value in config.webhook.auth.header.values] == [token]
    assert [value.reveal() for value in config.webhook.auth.path_secret] == [token]
    assert token in secrets(config)


def test_it_stands_behind_what_the_author_wrote(tmp_path: Path, token: str) -> None:
    config = loaded(tmp_path, "webhook: {auth: {header: {name: X-Mine, values: [one]}, jwt_key: [two]}}")

    assert config.webhook.auth != "none"
    assert config.webhook.auth.header
    assert config.webhook.auth.header.name == "X-Mine"
    assert [value.reveal() for value in config.webhook.auth.header.values] == ["one", token]
    assert [value.reveal() for value in config.webhook.auth.jwt_key] == ["two"]


@pytest.mark.parametrize("text", ["", "webhook: {auth: none}", "webhook: {host: 10.0.0.5, auth: none}"])
def test_where_nothing_is_asked_for_nothing_changes(tmp_path: Path, token: str, text: str) -> None:
    config = loaded(tmp_path, text)

    assert config.webhook.is_open
    assert token not in secrets(config)


def test_without_it_a_listener_off_loopback_is_refused_and_told_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="let  gateway connect  make a token"):
        refuse_open_listener(loaded(tmp_path, "webhook: {host: 10.0.0.5}"))


def test_it_is_made_once_for_its_owner_alone(tmp_path: Path, token: str) -> None:
    file = tmp_path / "data" / WEBHOOK_TOKEN

    assert make_token(file).reveal() == token
    assert oct(file.stat().st_mode)[-3:] == "600"


def test_an_empty_file_is_an_error_and_not_no_token(tmp_path: Path, token: str) -> None:
    (tmp_path / "data" / WEBHOOK_TOKEN).write_text("\n")

    with pytest.raises(ConfigError, match="the file is empty"):
        loaded(tmp_path, "")
    assert token
