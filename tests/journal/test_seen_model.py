"""Whatever happens to the keys, each is found again as it was seen last: held against a dict, in random order."""

import shutil
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from gateway.journal import JournalReader, keys, seen
from gateway.journal.files import open_journal
from gateway.journal.keys import KEY, Sighting, insert_sorted
from gateway.journal.rows import Bite, remove
from gateway.journal.seen import Seen

NAMES = st.integers(0, 2000)
MANY = 1_000_000
"""Pages: more than a file here ever has."""


def key_of(name: int) -> bytes:
    """Spread over all beginnings, and so that some have the same one."""
    return (name * 2_654_435_761 % 2**32 >> 4).to_bytes(4, "big") + name.to_bytes(KEY - 4, "big")


class Keys(RuleBasedStateMachine):
    """What the receiver does with its keys, and what happens to it."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="seen-"))
        self.known: dict[bytes, Sighting] = {}
        self.now = 1000.0
        self.seq = 0

    @initialize()
    def start(self) -> None:
        self.connection, _, _ = open_journal(self.folder, 0)
        self.seen = Seen(self.connection)

    @rule(names=st.lists(NAMES, min_size=20, max_size=40, unique=True), commits=st.booleans(), tidies=st.booleans())
    def add(self, names: list[int], *, commits: bool, tidies: bool) -> None:
        self.now += 1
        fresh = [(key_of(name), (self.seq + n, self.now)) for n, name in enumerate(names, start=1)]
        self.connection.execute("BEGIN IMMEDIATE")
        self.seen.add(fresh)
        if not commits:
            self.connection.execute("ROLLBACK")
            return
        self.connection.execute("COMMIT")
        self.seen.committed()
        self.seq += len(names)
        self.known.update(fresh)
        if tidies and self.seen.is_untidy():
            self.seen.tidy(len(names))

    @rule(times=st.integers(1, 20))
    def tidy(self, times: int) -> None:
        for _ in range(times):
            if self.seen.is_untidy():
                self.seen.tidy(1)

    @rule()
    def tidy_on_a_full_disk(self) -> None:
        pages = self.connection.execute("PRAGMA page_count").fetchone()[0]
        self.connection.execute(f"PRAGMA max_page_count = {pages}")
        self.seen.tidy(1)
        self.connection.execute(f"PRAGMA max_page_count = {MANY}")

    @rule()
    def be_killed(self) -> None:
        self.connection.close()
        self.start()

    @rule(age=st.integers(5, 60))
    def forget(self, age: int) -> None:
        before = self.now - age
        with closing(JournalReader(self.folder)) as journal:
            bites = [
                Bite(run=run, keys=journal.old_keys(run, b"", before, 50), keys_before=before) for run in journal.runs()
            ]
        for bite in [Bite(fresh_before=before), *bites]:
            self.connection.execute("BEGIN IMMEDIATE")
            remove(self.connection, bite)
            if bite.fresh_before:
                self.seen.forget(before)
            self.connection.execute("COMMIT")
        self.known = {key: sighting for key, sighting in self.known.items() if sighting[1] >= before}

    @invariant()
    def each_is_found_as_it_was_seen_last(self) -> None:
        found = self.seen.find(list(self.known))
        assert found == self.known

    def teardown(self) -> None:
        self.connection.close()
        shutil.rmtree(self.folder)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seen, "HELD", 40)
    monkeypatch.setattr(seen, "SLICE", 7)
    monkeypatch.setattr(keys, "LEARNED", 50)
    monkeypatch.setattr(keys, "FULL", 60)
    monkeypatch.setattr(keys, "FINENESS", range(9, 14, 2))


def held_against_a_dict(examples: int, phases: Sequence[Phase] = tuple(Phase)) -> None:
    run_state_machine_as_test(
        Keys,
        settings=settings(
            max_examples=examples,
            stateful_step_count=60,
            deadline=None,
            phases=phases,
            report_multiple_bugs=False,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )


def test_every_key_is_found_as_it_was_seen_last() -> None:
    held_against_a_dict(20)


def test_a_filter_that_forgets_what_is_sorted_in_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys.SortedKeys, "insert", lambda self, part: insert_sorted(self._connection, 1, part))
    with pytest.raises(AssertionError):
        held_against_a_dict(100, [Phase.generate])
