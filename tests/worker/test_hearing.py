"""The moment for which results are left alone ends, however many begin meanwhile."""

import pytest

from gateway.worker import hearing
from gateway.worker.bell import Bell
from gateway.worker.hearing import Hearing


async def test_a_moment_that_has_begun_is_not_put_off(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Hearing({}, Bell())
    monkeypatch.setattr(hearing, "PATIENCE", 60)
    one.begin()
    first = one.left
    monkeypatch.setattr(hearing, "PATIENCE", 600)
    one.begin()

    assert first is not None
    assert one.left is not None
    assert one.left <= first
    assert not one.end()


async def test_when_it_is_over_it_ends_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hearing, "PATIENCE", 0)
    one = Hearing({}, Bell())
    one.begin()

    assert (one.left, one.end(), one.left, one.end()) == (0.0, True, None, False)
