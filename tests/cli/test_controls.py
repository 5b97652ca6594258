"""Claims about `replay`, `dead --retry|--drop`, `pause` and `resume`, beside a gateway that runs and without one."""

import json
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

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


def posted(gateway: Command, folder: Path, instance: str, *more: str) -> str:
    """Simulate an event; gives its id once every plugin is done with it."""
    gateway("simulate", "--instance", instance, *more, cwd=folder)
    for _ in range(TRIES):
        found = rows(gateway("events", "--instance", instance, "--limit", "1", "--json", cwd=folder))
        states = {one["status"] for row in found for one in row["plugins"]}
        if found and len(found[0]["plugins"]) == 2 and not states & {"waiting", "running", "retrying"}:
            return str(found[0]["id"])
    pytest.fail(f"never settled: {instance}")


def test_a_replay_waits_and_says_what_became_of_it(gateway: Command, serving: Serving) -> None:
    event = posted(gateway, serving.folder, "again", "--text", "ping")

    done = gateway("replay", event, "--plugin", "ping", cwd=serving.folder)

    assert (done.returncode, done.stdout.strip()) == (0, "Replayed 1 of 1: 1 done"), done.stderr
    (row,) = rows(gateway("events", "--instance", "again", "--json", cwd=serving.folder))
    assert [one["run"] for one in row["plugins"] if one["plugin"] == "ping"] == [1]


def test_a_replay_of_nothing_in_particular_is_wrong_use(gateway: Command, serving: Serving) -> None:
    done = gateway("replay", cwd=serving.folder)

    assert done.returncode == 2
    assert "every event there is" in done.stderr


def test_a_replay_that_fits_nothing_says_so(gateway: Command, serving: Serving) -> None:
    gateway("simulate", cwd=serving.folder)

    assert "Nothing fits" in gateway("replay", "--instance", "nowhere", "--since", "1d", cwd=serving.folder).stdout


@pytest.mark.parametrize("dry", [(), ("--dry-run",)])
def test_a_replay_of_an_event_that_is_not_there_names_it(
    gateway: Command, serving: Serving, dry: Sequence[str]
) -> None:
    done = gateway("replay", "999999", *dry, cwd=serving.folder)

    assert "the journal holds no event 999999" in done.stdout + done.stderr


def test_an_unknown_plugin_is_one_clear_line(gateway: Command, serving: Serving) -> None:
    gateway("simulate", cwd=serving.folder)

    for arguments in (
        ["replay", "--all", "--plugin", "pong"],
        ["pause", "pong"],
        ["dead", "--retry", "--plugin", "pong"],
    ):
        done = gateway(*arguments, cwd=serving.folder)
        assert done.returncode == 1
        assert "no plugin pong is loaded; there is angry, ping" in done.stderr


def test_a_dry_run_shows_what_would_be_sent_and_leaves_no_trace(gateway: Command, serving: Serving) -> None:
    event = posted(gateway, serving.folder, "dry", "--text", "ping")
    before = rows(gateway("events", event, "--json", cwd=serving.folder))

    done = gateway("replay", event, "--dry-run", cwd=serving.folder)
    as_json = rows(gateway("replay", event, "--dry-run", "--plugin", "ping", "--json", cwd=serving.folder))

    assert done.returncode == 0, done.stderr
    assert 'would send "pong"' in done.stdout
    assert [(one["plugin"], one["result"], one["sends"][0]["payload"]) for one in as_json] == [
        ("ping", "done", {"text": "pong"})
    ]
    assert rows(gateway("events", event, "--json", cwd=serving.folder)) == before


def test_a_dry_run_of_a_handler_that_fails_shows_the_traceback_and_fails(gateway: Command, serving: Serving) -> None:
    event = posted(gateway, serving.folder, "dry-boom", "--text", "boom")

    done = gateway("replay", event, "--dry-run", "--dead", cwd=serving.folder)

    assert done.returncode == 1
    assert "RuntimeError: the till is on fire" in done.stdout


def test_a_dead_letter_says_how_to_try_it_again_and_both_ways_do(gateway: Command, serving: Serving) -> None:
    event = posted(gateway, serving.folder, "booms", "--text", "boom")
    (letter,) = [one for one in rows(gateway("dead", "--json", cwd=serving.folder)) if one["event_id"] == event]

    assert f"gateway dead {letter['id']} --retry" in gateway("dead", cwd=serving.folder).stdout
    assert f"gateway replay {event} --plugin angry" in gateway("dead", cwd=serving.folder).stdout
    tried = gateway("dead", letter["id"], "--retry", cwd=serving.folder)
    dropped = gateway("dead", letter["id"], "--drop", cwd=serving.folder)
    again = gateway("dead", letter["id"], "--drop", cwd=serving.folder)

    assert tried.stdout.strip() == "Tried again 1 of 1: 1 dead"
    assert dropped.stdout.strip() == "Dropped 1 dead letter."
    assert "no dead letters (any more)" in again.stdout


def test_a_paused_plugin_waits_until_it_is_resumed_and_is_shown_as_such(gateway: Command, serving: Serving) -> None:
    gateway("simulate", cwd=serving.folder)
    paused = gateway("pause", "ping", cwd=serving.folder)
    shown = gateway("plugins", cwd=serving.folder).stdout
    gateway("simulate", "--instance", "paused", "--text", "ping", cwd=serving.folder)
    (row,) = rows(gateway("events", "--instance", "paused", "--json", cwd=serving.folder))

    resumed = gateway("resume", cwd=serving.folder)

    assert (paused.stdout.strip(), resumed.stdout.strip()) == ("ping paused.", "All plugins resumed.")
    assert "paused since" in shown
    assert "done" not in {one["status"] for one in row["plugins"] if one["plugin"] == "ping"}
    assert "paused" not in gateway("plugins", cwd=serving.folder).stdout


def test_without_a_gateway_a_request_is_kept_for_the_next_worker(
    gateway: Command, serve_alone: Callable[[], Serving]
) -> None:
    alone = serve_alone()
    event = posted(gateway, alone.folder, "later", "--text", "ping")
    alone.stop()

    done = gateway("replay", event, cwd=alone.folder)

    assert done.returncode == 0, done.stderr
    assert "the next one does it" in done.stdout


def test_in_a_folder_without_a_journal_nothing_can_be_asked_and_nothing_is_made(
    gateway: Command, tmp_path: Path
) -> None:
    done = gateway("pause")

    assert done.returncode == 1
    assert "nothing was ever stored" in done.stderr
    assert list(tmp_path.iterdir()) == []
