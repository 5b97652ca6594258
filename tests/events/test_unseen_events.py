"""Other events that no sample holds, but some Evolution version or channel sends."""

from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest

from gateway.events import (
    Call,
    ContactsUpsert,
    Event,
    GroupParticipantsUpdate,
    GroupsUpsert,
    LogoutInstance,
    MessagesDelete,
    MessagesEdited,
    MessagesUpdate,
    PresenceUpdate,
    QrcodeUpdated,
    SendMessage,
    TypebotStart,
    UnknownEvent,
    decode,
)

BOT = "5511999990001@s.whatsapp.net"
ANA = "5511999990002@s.whatsapp.net"
ANA_LID = "201110000000002@lid"
GROUP = "120363400000000001@g.us"

E = TypeVar("E", bound=Event)


def of(kind: type[E], data: object, **envelope: object) -> E:
    event = decode(kind.name, {"event": kind.name, "instance": "shop", "data": data, **envelope})
    assert isinstance(event, kind)
    return event


def test_events_without_data_need_none() -> None:
    event = decode("logout.instance", {"instance": "shop"})

    assert isinstance(event, LogoutInstance)
    assert event.instance_event.name == "shop"


def test_name_nobody_knows_is_an_unknown_event() -> None:
    event = decode("from.tomorrow", {"event": "from.tomorrow", "instance": "shop", "data": [1]})

    assert type(event) is UnknownEvent
    assert (event.event, event.instance, event.raw["data"]) == ("from.tomorrow", "shop", [1])


def test_lid_beside_a_phone_id_names_the_same_participant() -> None:
    change = of(
        GroupParticipantsUpdate,
        {"id": GROUP, "action": "promote", "participants": [{"id": ANA, "lid": ANA_LID, "admin": "admin"}]},
    ).change

    (member,) = change.participants
    assert (member.jid, member.phone, member.lid, member.is_admin) == (ANA, "5511999990002", ANA_LID, True)


def test_phone_number_that_is_the_lids_own_digits_is_no_phone() -> None:
    data = {
        "id": GROUP,
        "participants": [ANA_LID, "201110000000003@lid"],
        "participantsData": [
            {"jid": ANA_LID, "phoneNumber": "201110000000002"},
            {"jid": "201110000000003@lid", "phoneNumber": "5511999990003"},
        ],
    }

    members = of(GroupParticipantsUpdate, data).change.participants

    assert [member.phone for member in members] == [None, "5511999990003"]


def test_edit_in_a_private_chat_has_no_chat_because_its_key_names_the_bot() -> None:
    own_view = {"remoteJid": BOT, "fromMe": True, "id": "AC01"}
    in_group = {"remoteJid": GROUP, "fromMe": True, "id": "AC01"}

    assert of(MessagesEdited, {"key": own_view, "type": "MESSAGE_EDIT"}).chat is None
    assert of(MessagesEdited, {"key": in_group, "type": "MESSAGE_EDIT"}).chat == GROUP


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        ({"status": "READ"}, "receipt"),
        ({"status": "FAILED"}, "receipt"),
        ({"status": "DELETED"}, "changed"),
        ({}, "changed"),
        ({"status": "DELETED", "pollUpdates": [{"name": "A", "voters": []}]}, "votes"),
    ],
)
def test_update_says_what_it_is_about(data: dict[str, Any], kind: str) -> None:
    assert of(MessagesUpdate, {"keyId": "AC01", "remoteJid": ANA, **data}).update.kind == kind


def test_times_of_old_versions_are_milliseconds() -> None:
    update = of(MessagesUpdate, {"id": "AC01", "remoteJid": ANA, "datetime": 1717689197123}).update

    assert update.message_id == "AC01"
    assert update.updated_at == datetime(2024, 6, 6, 15, 53, 17, tzinfo=UTC)


def test_deletion_by_rest_gives_the_messages_id_not_the_rows() -> None:
    row = {"id": "cmh6c664e", "key": {"id": "3EB0", "remoteJid": ANA, "fromMe": True}, "participant": None}

    assert of(MessagesDelete, row).deleted.message_id == "3EB0"


def test_sent_message_is_the_bots_even_without_from_me() -> None:
    event = of(SendMessage, {"key": {"remoteJid": ANA, "id": "3EB0"}, "message": {"conversation": "x"}}, sender=BOT)

    assert event.message.from_me
    assert event.message.sender.jid == BOT


def test_presences_are_one_for_each_person() -> None:
    people = {ANA_LID: {"lastKnownPresence": "composing"}, "5511999990003:2@s.whatsapp.net": {"lastSeen": "1761299000"}}

    event = of(PresenceUpdate, {"id": GROUP, "presences": people})

    assert [(p.jid, p.state, p.last_seen) for p in event.presences] == [
        (ANA_LID, "composing", None),
        ("5511999990003@s.whatsapp.net", None, 1761299000),
    ]


def test_call_belongs_to_its_group_and_its_caller_has_no_device() -> None:
    data = {"chatId": ANA, "from": "5511999990002:3@s.whatsapp.net", "groupJid": GROUP, "date": "2025-10-24T10:05:00Z"}

    event = of(Call, data)

    assert (event.chat, event.call.caller.jid, event.call.timestamp) == (GROUP, ANA, 1761300300)


def test_call_with_a_date_that_is_none_lists_it() -> None:
    event = of(Call, {"from": ANA, "date": "yesterday"})

    assert event.call.timestamp is None
    assert event.problems == ("data.date: expected an ISO 8601 time, found text",)


def test_qr_image_is_bytes_and_none_where_it_cannot_be_read() -> None:
    good = of(QrcodeUpdated, {"qrcode": {"base64": "data:image/png;base64,iVBORw0KGgo="}}).qr
    bad = of(QrcodeUpdated, {"qrcode": {"base64": "data:image/png;base64,%%%"}}).qr

    assert good.image() == b"\x89PNG\r\n\x1a\n"
    assert bad.image() is None


def test_group_owner_twins_of_the_fork_are_read() -> None:
    (group,) = of(GroupsUpsert, {"id": GROUP, "owner": ANA_LID, "ownerJid": ANA, "participants": [ANA, 7]}).groups

    assert (group.owner, group.owner_phone) == (ANA_LID, "5511999990002")
    assert [member.jid for member in group.participants or ()] == [ANA]


def test_contact_shows_both_identities() -> None:
    event = of(ContactsUpsert, [{"id": ANA, "lid": ANA_LID, "pushName": "Ana"}, 3])

    assert [(c.jid, c.phone, c.lid) for c in event.contacts] == [(ANA, "5511999990002", ANA_LID)]
    assert event.problems == ("data[1]: expected an object, found a number",)


def test_session_id_and_variables_come_as_numbers_too() -> None:
    data = {"remoteJid": ANA, "sessionId": 1718312312, "variables": {"name": "Ana", "age": 30}}

    typebot = of(TypebotStart, data).typebot

    assert (typebot.session_id, typebot.variables) == ("1718312312", {"name": "Ana", "age": "30"})
