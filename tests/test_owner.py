"""Two gateways never write one data folder, and a dead one leaves nothing in the way."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.errors import DataFolderBusy
from gateway.owner import Owner

HOLD = """
import sys
from pathlib import Path
from gateway.owner import Owner
with Owner(Path(sys.argv[1]), "worker"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """Another process that holds the worker's half."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    with process:
        yield process
        process.kill()


def test_a_second_owner_is_refused_and_told_who_the_first_is(tmp_path: Path, holder: "subprocess.Popen[str]") -> None:
    with pytest.raises(DataFolderBusy, match=f"process {holder.pid} is its worker"), Owner(tmp_path, "worker"):
        pass


def test_a_holder_that_was_killed_leaves_the_folder_free(tmp_path: Path, holder: "subprocess.Popen[str]") -> None:
    holder.kill()
    holder.wait()

    with Owner(tmp_path, "worker"):
        assert (tmp_path / "worker.lock").read_text().startswith("process ")


def test_a_holder_that_is_about_to_leave_is_waited_for(tmp_path: Path, holder: "subprocess.Popen[str]") -> None:
    assert holder.stdin is not None
    holder.stdin.close()

    with Owner(tmp_path, "worker", patience=10):
        pass


def test_the_two_halves_don_t_stand_in_each_others_way(tmp_path: Path, holder: "subprocess.Popen[str]") -> None:
    with Owner(tmp_path, "receiver"):
        assert holder.poll() is None


def test_the_lock_is_free_again_when_its_owner_leaves(tmp_path: Path) -> None:
    with Owner(tmp_path, "worker"):
        pass

    with Owner(tmp_path, "worker"):
        pass
