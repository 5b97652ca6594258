"""Claims about the commands beside a gateway that really runs, in a folder that `gateway init` made."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol
from urllib.request import urlopen

import pytest

Command = Callable[..., subprocess.CompletedProcess[str]]
TRIES = 100  # each is a process of its own, so this is a long time


class Serving(Protocol):
    """What the fixture of this name offers."""

    folder: Path

    def stop(self) -> None:
        """End the process, and wait until it has ended."""


def rows(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def settled(gateway: Command, folder: Path, instance: str) -> dict[str, Any]:
    """The newest event of an instance, once every plugin is done with it."""
    row: dict[str, Any] = {}
    for _ in range(TRIES):
        (row,) = rows(gateway("events", "--instance", instance, "--limit", "1", "--json", cwd=folder))
        states = {one["status"] for one in row["plugins"]}
        if len(row["plugins"]) == 2 and not states & {"waiting", "running", "retrying"}:
            return row
    pytest.fail(f"never settled: {row}")


def test_a_simulated_message_shows_what_each_plugin_made_of_it(gateway: Command, serving: Serving) -> None:
    sent = gateway("simulate", "--text", "ping", "--instance", "pings", "--name", "Ana Souza", cwd=serving.folder)

    row = settled(gateway, serving.folder, "pings")
    assert sent.returncode == 0
    assert {one["plugin"]: (one["status"], one["sending"]) for one in row["plugins"]} == {
        "angry": ("skipped", None),
        "ping": ("done", "shown"),
    }
    assert (row["event"], row["who"], row["chat"]) == ("messages.upsert", "Ana Souza", "…0002")


def test_people_see_one_line_an_event(gateway: Command, serving: Serving) -> None:
    gateway("simulate", "connection.update", "--instance", "lines", "--count", "3", cwd=serving.folder)

    done = gateway("events", "--instance", "lines", cwd=serving.folder)

    assert done.stdout.count("connection.update   lines") == 3
    assert "5511999990002" not in done.stdout


def test_events_can_be_narrowed_down(gateway: Command, serving: Serving) -> None:
    gateway("simulate", "connection.update", "--instance", "narrow", "--count", "3", cwd=serving.folder)
    gateway("simulate", "qrcode.updated", "--instance", "narrow", cwd=serving.folder)

    only = ["events", "--instance", "narrow", "--json"]
    assert len(rows(gateway(*only, cwd=serving.folder))) == 4
    assert len(rows(gateway(*only, "--event", "CONNECTION_UPDATE", cwd=serving.folder))) == 3
    assert len(rows(gateway(*only, "--limit", "2", cwd=serving.folder))) == 2


def test_one_event_is_shown_whole_without_its_secrets(gateway: Command, serving: Serving) -> None:
    gateway("simulate", "messages-upsert__text-private-v223", "--instance", "whole", cwd=serving.folder)
    (row,) = rows(gateway("events", "--instance", "whole", "--json", cwd=serving.folder))

    as_json = json.loads(gateway("events", row["id"], "--json", cwd=serving.folder).stdout)
    for_people = gateway("events", row["id"], cwd=serving.folder).stdout

    assert as_json["raw"]["event"] == "messages.upsert"
    assert as_json["raw"]["apikey"] == "[redacted]"
    assert '"conversation": "Olá!"' in for_people
    assert "EXAMPLE-INSTANCE-APIKEY" not in for_people


def test_repeats_are_one_event(gateway: Command, serving: Serving) -> None:
    gateway("simulate", "--instance", "twice", "--repeat", cwd=serving.folder)

    (row,) = rows(gateway("events", "--instance", "twice", "--json", cwd=serving.folder))

    assert row["repeats"] == 1


def test_a_dead_letter_shows_its_error(gateway: Command, serving: Serving) -> None:
    gateway("simulate", "--text", "boom", "--instance", "booms", cwd=serving.folder)
    row = settled(gateway, serving.folder, "booms")

    letters = rows(gateway("dead", "--json", cwd=serving.folder))

    assert letters[0]["event_id"] == row["id"]
    assert (letters[0]["story"]["plugin"], letters[0]["story"]["handler"]) == ("angry", "explode")
    assert "RuntimeError: the till is on fire" in gateway("dead", cwd=serving.folder).stdout


def test_an_event_that_is_not_there_is_one_clear_line(gateway: Command, serving: Serving) -> None:
    gateway("simulate", cwd=serving.folder)

    done = gateway("events", "999999", cwd=serving.folder)

    assert done.returncode == 1
    assert "there is no event 999999" in done.stderr


def test_login_prints_a_link_that_works_once(gateway: Command, serving: Serving) -> None:
    done = gateway("login", cwd=serving.folder)

    link = done.stdout.strip()
    assert done.returncode == 0
    with urlopen(link) as page:  # noqa: S310 -- our own
        assert page.headers["Set-Cookie"]


def test_login_beside_a_gateway_of_another_folder_says_so(gateway: Command, serving: Serving, tmp_path: Path) -> None:
    settings = (serving.folder / "config.yaml").read_text()
    (tmp_path / "config.yaml").write_text(settings.replace("admin: {", "admin: {token: somebody-elses, "))

    done = gateway("login")

    assert done.returncode == 1
    assert "has another token" in done.stderr


def test_simulate_without_the_credential_is_refused_with_advice(
    gateway: Command, serving: Serving, tmp_path: Path
) -> None:
    settings = (serving.folder / "config.yaml").read_text()
    (tmp_path / "config.yaml").write_text(settings.replace("auth: {header: {values: [s3cret-header]}}", "auth: {}"))

    done = gateway("simulate")

    assert done.returncode == 1
    assert "answered 401" in done.stderr
    assert "--header" in done.stderr


def test_login_before_the_first_start_says_what_to_do(gateway: Command) -> None:
    done = gateway("login")

    assert done.returncode == 1
    assert "it is made when the gateway first starts" in done.stderr


def test_login_while_nothing_runs_says_what_to_do(gateway: Command, tmp_path: Path, closed_port: int) -> None:
    (tmp_path / "config.yaml").write_text(f"admin: {{port: {closed_port}, token: any}}\n")

    done = gateway("login")

    assert done.returncode == 1
    assert f"no gateway answers at http://127.0.0.1:{closed_port}" in done.stderr
    assert "gateway serve" in done.stderr


def test_events_in_a_folder_without_any_make_nothing(gateway: Command, tmp_path: Path) -> None:
    done = gateway("events")

    assert done.returncode == 0
    assert "nothing was ever stored" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_events_of_a_stopped_gateway_can_still_be_read(gateway: Command, serve_alone: Callable[[], Serving]) -> None:
    alone = serve_alone()
    gateway("simulate", "--instance", "later", cwd=alone.folder)
    alone.stop()

    (row,) = rows(gateway("events", "--json", cwd=alone.folder))

    assert (row["event"], row["instance"]) == ("messages.upsert", "later")


def test_a_journal_that_is_none_is_one_clear_line(gateway: Command, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "journal.db").write_text("this is no database at all, and long enough to look at")

    done = gateway("events")

    assert done.returncode == 1
    assert "can't be read" in done.stderr
    assert "Traceback" not in done.stderr
