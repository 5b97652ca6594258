"""The measurements run and say what they found. What they find is another matter: other processes share the machine."""

import subprocess
import sys
from pathlib import Path

import pytest

from bench.metronome import Beat, Pace
from tests.support.gateway import ROOT


@pytest.mark.parametrize("part", ["accept", "start", "decode", "handle"])
def test_a_short_run_prints_its_table_and_writes_it_as_json(part: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bench", "--short", "--only", part, "--json", str(tmp_path / "report.json")]

    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110, check=False)

    assert run.returncode == 0, run.stderr[-2000:]
    assert "| ---" in run.stdout
    assert "### Goals" in run.stdout
    assert '"goal"' in (tmp_path / "report.json").read_text()


def test_a_moment_near_a_slow_beat_is_not_usual_and_all_others_are() -> None:
    usual, slow = 20e-6, 200e-6
    pace = Pace([Beat(at / 100, slow if at == 500 else usual) for at in range(1000)])

    assert not any(map(pace.was_usual, (4.99, 5.0, 5.05)))
    assert all(map(pace.was_usual, (0.0, 4.9, 5.2, 9.9)))
