"""The receiver learns which LID belongs to which phone, and never from anything uncertain."""

from typing import Any

import pytest

from gateway import samples
from gateway.events.pairs import pairs

BOT = "5511999990001@s.whatsapp.net"
ANA, ANA_LID = "5511999990002@s.whatsapp.net", "201110000000002@lid"
GROUP = "120363400000000001@g.us"
PAIR = (ANA_LID, "5511999990002")


def of_key(**key: object) -> tuple[tuple[str, str], ...]:
    return pairs("messages.upsert", {"sender": BOT, "data": {"key": key, "pushName": "5511999990009"}})


@pytest.mark.parametrize(
    "key",
    [
        {"remoteJid": ANA_LID, "remoteJidAlt": ANA},
        {"remoteJid": ANA, "remoteJidAlt": ANA_LID},
        {"remoteJid": ANA_LID, "senderPn": ANA},
        {"remoteJid": ANA, "senderLid": ANA_LID},
        {"remoteJid": ANA, "senderPn": ANA, "previousRemoteJid": ANA_LID},
        {"remoteJid": GROUP, "participant": ANA_LID, "participantAlt": ANA},
        {"remoteJid": GROUP, "participant": "5511999990002:7@s.whatsapp.net", "participantAlt": ANA_LID},
        {"remoteJid": "status@broadcast", "participant": ANA_LID, "remoteJidAlt": ANA},
    ],
)
def test_key_shows_both_identities_of_the_author(key: dict[str, str]) -> None:
    assert of_key(**key, fromMe=False) == (PAIR,)


@pytest.mark.parametrize(
    "key",
    [
        {"remoteJid": ANA_LID, "remoteJidAlt": BOT, "fromMe": True},
        {"remoteJid": ANA_LID, "fromMe": False},
        {"remoteJid": ANA, "remoteJidAlt": ANA, "fromMe": False},
        {"remoteJid": GROUP, "participant": ANA_LID, "remoteJidAlt": ANA, "fromMe": False},
        {"remoteJid": GROUP, "participant": ""},
        {},
    ],
)
def test_key_that_shows_one_identity_or_maybe_the_bots_own_gives_nothing(key: dict[str, Any]) -> None:
    assert of_key(**key) == ()


def test_groups_show_members_owner_and_author() -> None:
    raw = samples.load("groups-upsert__v236")

    assert pairs("groups.upsert", raw) == (PAIR, ("201110000000001@lid", "5511999990001"))


def test_change_of_members_shows_author_and_members() -> None:
    data = {
        "id": GROUP,
        "author": "201110000000003@lid",
        "authorPn": "5511999990003@s.whatsapp.net",
        "participants": [{"id": ANA, "lid": ANA_LID}, "201110000000004@lid", None],
    }

    assert pairs("group-participants.update", {"data": data}) == (("201110000000003@lid", "5511999990003"), PAIR)


def test_history_and_contacts_show_many() -> None:
    item = {"key": {"remoteJid": ANA_LID, "remoteJidAlt": ANA}}

    assert pairs("messages.set", {"data": [item, item, "x"]}) == (PAIR,)
    assert pairs("contacts.upsert", {"data": [{"id": ANA, "lid": ANA_LID}]}) == (PAIR,)


@pytest.mark.parametrize("event", ["connection.update", "presence.update", "from.tomorrow"])
def test_other_events_show_none(event: str) -> None:
    assert pairs(event, {"data": {"id": ANA, "lid": ANA_LID}}) == ()
