"""The payloads that ship with the package are reachable by name and by event."""

import pytest

from gateway import names, samples


def test_names_are_sorted_and_loadable() -> None:
    found = samples.names()

    assert list(found) == sorted(found)
    assert len(found) >= 148
    assert all(samples.load(name)["event"] in names.EVENTS for name in found)


def test_name_works_with_and_without_its_ending() -> None:
    assert samples.read("call__offer-v236.json") == samples.read("call__offer-v236")


def test_loading_gives_a_new_envelope_each_time() -> None:
    samples.load("call__offer-v236")["event"] = "changed"

    assert samples.load("call__offer-v236")["event"] == "call"


def test_unknown_name_is_answered_with_those_that_resemble_it() -> None:
    with pytest.raises(KeyError, match="call__offer-v236"):
        samples.load("call__of")


@pytest.mark.parametrize("spelling", ["connection.update", "CONNECTION_UPDATE", "connection-update"])
def test_samples_of_one_event_are_found_by_any_spelling(spelling: str) -> None:
    found = samples.for_event(spelling)

    assert "connection-update__open-v236" in found
    assert "envelope__apikey-not-found-v223" in found
    assert samples.for_event("from.tomorrow") == ()


def test_every_event_that_is_ever_sent_has_a_sample() -> None:
    without = {name for name, event in names.EVENTS.items() if event.since != "never" and not samples.for_event(name)}

    assert without == set()
