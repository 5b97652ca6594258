"""Messages that no sample holds, but some Evolution version or channel sends."""

from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest

from gateway import samples
from gateway.events import (
    Event,
    MalformedEvent,
    MessagesEdited,
    MessagesUpsert,
    decode,
)

BOT = "5511999990001@s.whatsapp.net"
ANA = "5511999990002@s.whatsapp.net"
ANA_LID = "201110000000002@lid"
GROUP = "120363400000000001@g.us"

E = TypeVar("E", bound=Event)


def upsert(message: object = None, /, **data: object) -> MessagesUpsert:
    """A message from Ana, with `data`'s own fields on top."""
    own = data.pop("key", {})
    assert isinstance(own, dict)
    key = {"remoteJid": ANA, "fromMe": False, "id": "AC01", **own}
    raw = {
        "event": "messages.upsert",
        "instance": "shop",
        "sender": BOT,
        "data": {"key": key, "message": message, **data},
    }
    event = decode("messages.upsert", raw)
    assert isinstance(event, MessagesUpsert)
    return event


def of(kind: type[E], data: object, **envelope: object) -> E:
    event = decode(kind.name, {"event": kind.name, "instance": "shop", "data": data, **envelope})
    assert isinstance(event, kind)
    return event


def test_long_with_negative_low_is_read_as_unsigned_32_bits() -> None:
    length = {"low": -1, "high": 0, "unsigned": True}

    media = upsert({"imageMessage": {"fileLength": length}}).message.media

    assert media is not None
    assert media.size == 2**32 - 1


def test_buffer_bytes_read_like_base64_and_index_dictionaries() -> None:
    digest = bytes(range(32))
    forms = (
        {"type": "Buffer", "data": list(digest)},
        {str(at): octet for at, octet in enumerate(digest)},
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    )

    read = [upsert({"imageMessage": {"fileSha256": form}}).message.media for form in forms]

    assert [media.sha256 for media in read if media] == [digest] * 3


def test_account_with_device_is_the_same_account() -> None:
    event = decode("messages.upsert", {"sender": "5511999990001:75@s.whatsapp.net", "data": {"key": {"fromMe": True}}})

    assert isinstance(event, MessagesUpsert)
    assert event.account == BOT
    assert event.message.sender.jid == BOT
    assert event.message.sender.phone == "5511999990001"


@pytest.mark.parametrize("spelling", ["MESSAGES_UPSERT", "messages-upsert", "Messages.Upsert", "message.upsert"])
def test_any_spelling_of_the_name_gives_the_same_event(spelling: str) -> None:
    raw = samples.load("messages-upsert__text-private-v223")

    event = decode(spelling, {**raw, "event": spelling})

    assert isinstance(event, MessagesUpsert)
    assert event.event == "messages.upsert"
    assert event.text == "Olá!"


@pytest.mark.parametrize(
    ("raw", "found"),
    [({}, "nothing"), ({"data": None}, "null"), ({"data": "x"}, "text"), ({"data": [{}]}, "a list")],
)
def test_data_that_is_no_object_makes_a_malformed_event(raw: dict[str, Any], found: str) -> None:
    event = decode("messages.upsert", {"instance": "shop", **raw})

    assert isinstance(event, MalformedEvent)
    assert event.event == "messages.upsert"
    assert event.instance == "shop"
    assert event.problems == (f"data: expected an object, found {found}",)


def test_several_poll_votes_are_all_text_and_all_options() -> None:
    vote = {"pollCreationMessageKey": {"id": "POLL"}, "vote": {"selectedOptions": ["Pizza", "Salad"]}}
    result = [{"name": "Pizza", "voters": [ANA, "me"]}, {"name": "Salad", "voters": ["5511999990002:3@s.whatsapp.net"]}]

    event = upsert({"pollUpdateMessage": vote}, pollUpdates=result)

    assert event.text == "Pizza, Salad"
    assert event.message.vote is not None
    assert (event.message.vote.poll_id, event.message.vote.options) == ("POLL", ("Pizza", "Salad"))
    assert [(v.option, v.voters) for v in event.message.poll_votes or ()] == [("Pizza", (ANA, "me")), ("Salad", (ANA,))]


def test_vote_that_came_undecoded_is_read_from_the_result() -> None:
    result = [{"name": "Pizza", "voters": [ANA_LID]}, {"name": "Salad", "voters": []}]

    event = upsert(
        {"pollUpdateMessage": {"vote": {"encPayload": "x"}}}, key={"remoteJidAlt": ANA_LID}, pollUpdates=result
    )

    assert event.text == "Pizza"


def test_view_once_placeholder_says_so_and_has_no_content() -> None:
    event = upsert(key={"isViewOnce": True})

    assert event.message.view_once
    assert event.message.kind == "unknown"
    assert event.problems == ()


@pytest.mark.parametrize("wrapper", ["viewOnceMessage", "viewOnceMessageV2", "viewOnceMessageV2Extension"])
def test_view_once_wrapper_is_opened(wrapper: str) -> None:
    event = upsert({wrapper: {"message": {"imageMessage": {"caption": "look"}}}})

    assert (event.message.view_once, event.message.kind, event.text) == (True, "image", "look")


def test_wrappers_inside_wrappers_are_opened() -> None:
    inner = {"ephemeralMessage": {"message": {"viewOnceMessageV2": {"message": {"videoMessage": {"seconds": "7"}}}}}}

    message = upsert({"messageContextInfo": {}, "groupMentionedMessage": {"message": inner}}).message

    assert message.kind == "video"
    assert message.media is not None
    assert message.media.seconds == 7


def test_wrapper_that_nobody_has_heard_of_is_opened() -> None:
    event = upsert({"newInThreeMessage": {"message": {"extendedTextMessage": {"text": "hi"}}}})

    assert (event.message.kind, event.text) == ("text", "hi")


def test_wrappers_without_end_are_survived() -> None:
    message: dict[str, Any] = {"conversation": "deep"}
    for _ in range(200):
        message = {"ephemeralMessage": {"message": message}}

    assert upsert(message).message.kind == "unknown"


def test_content_that_nobody_knows_is_unknown_and_no_problem() -> None:
    event = upsert({"holographicMessage": {"depth": 3}}, messageType="holographicMessage")

    assert (event.message.kind, event.message.message_type, event.problems) == ("unknown", "holographicMessage", ())


def test_status_and_protocol_type_come_as_numbers_too() -> None:
    edited = of(MessagesEdited, {"key": {"id": "AC01"}, "type": 14, "editedMessage": {"conversation": "new"}})
    revoked = of(MessagesEdited, {"key": {"id": "AC01"}, "type": 0})

    assert upsert({"conversation": "x"}, status=4).message.status == "READ"
    assert (edited.edit.is_edit, edited.edit.protocol_type, edited.edit.text) == (True, "MESSAGE_EDIT", "new")
    assert (revoked.edit.is_edit, revoked.edit.protocol_type) == (False, "REVOKE")


def test_bare_protocol_message_that_edits_is_an_edit() -> None:
    protocol = {"key": {"id": "OLD"}, "type": "MESSAGE_EDIT", "editedMessage": {"conversation": "new"}}

    message = upsert({"protocolMessage": protocol}).message

    assert (message.is_edit, message.edit_of, message.text) == (True, "OLD", "new")


def test_protocol_message_that_does_not_edit_is_no_text() -> None:
    message = upsert({"protocolMessage": {"type": "REVOKE", "key": {"id": "OLD"}}}).message

    assert (message.kind, message.is_edit, message.text) == ("protocol", False, None)


def test_sent_at_is_aware_and_none_beyond_the_calendar() -> None:
    assert upsert({"conversation": "x"}, messageTimestamp="1717689097").message.sent_at == datetime(
        2024, 6, 6, 15, 51, 37, tzinfo=UTC
    )
    assert upsert({"conversation": "x"}, messageTimestamp=2**62).message.sent_at is None


def test_own_message_in_a_group_is_the_bots_by_its_participant() -> None:
    key = {"remoteJid": GROUP, "fromMe": True, "participant": "201110000000001@lid"}

    sender = upsert({"conversation": "x"}, key=key).message.sender

    assert (sender.jid, sender.phone, sender.lid) == ("201110000000001@lid", "5511999990001", "201110000000001@lid")


def test_contacts_address_in_an_own_message_is_not_the_sender() -> None:
    key = {"remoteJid": ANA_LID, "remoteJidAlt": BOT, "fromMe": True}

    event = upsert({"conversation": "x"}, key=key)

    assert event.message.sender.jid == BOT
    assert event.message.sender.lid is None
    assert event.pairs == ()


def test_group_message_without_participant_has_no_author() -> None:
    sender = upsert({"conversation": "x"}, key={"remoteJid": GROUP, "participant": ""}).message.sender

    assert sender.jid is None
    assert sender.phone is None


def test_push_name_digits_are_never_a_phone() -> None:
    key = {"remoteJid": GROUP, "participant": ANA_LID}

    sender = upsert({"conversation": "x"}, key=key, pushName="5511999990002").message.sender

    assert sender.phone is None
    assert sender.name == "5511999990002"


def test_phone_comes_from_the_directory_when_only_the_lid_is_shown() -> None:
    directory = {ANA_LID: "5511999990002"}
    raw = {"data": {"key": {"remoteJid": ANA_LID, "id": "AC01"}, "message": {"conversation": "x"}}}

    event = decode("messages.upsert", raw, directory=directory)

    assert isinstance(event, MessagesUpsert)
    assert event.message.sender.phone == "5511999990002"
    assert event.message.sender.jid == ANA_LID


def test_payload_is_believed_before_the_directory() -> None:
    raw = {"data": {"key": {"remoteJid": ANA_LID, "senderPn": ANA}, "message": {}}}

    event = decode("messages.upsert", raw, directory={ANA_LID: "5500000000000"})

    assert isinstance(event, MessagesUpsert)
    assert event.message.sender.phone == "5511999990002"


def test_problem_names_the_place_and_the_type_but_never_the_value() -> None:
    event = upsert({"imageMessage": {"fileLength": "secret", "caption": 5}}, pushName=["Ana"])

    assert event.problems == (
        "data.pushName: expected text, found a list",
        "data.message.imageMessage.caption: expected text, found a number",
        "data.message.imageMessage.fileLength: expected a whole number, found text",
    )


@pytest.mark.parametrize(
    ("sample", "secret"),
    [
        ("new-jwt__v18", "EXAMPLE.JWT.TOKEN"),
        ("qrcode-updated__pairing-code-v236", "2@EXAMPLE"),
        ("messages-upsert__image-base64-v18", "RVhBTVBMRS1CWVRFUw"),
        ("error__v236", "EXAMPLE-GLOBAL-APIKEY"),
    ],
)
def test_secrets_and_files_are_not_in_the_repr(sample: str, secret: str) -> None:
    raw = samples.load(sample)

    assert secret not in repr(decode(raw["event"], raw))


def test_secrets_of_the_envelope_are_not_in_the_repr() -> None:
    raw = {**samples.load("messages-upsert__text-private-v223"), "apikey": "s3cret-key"}

    assert "s3cret-key" not in repr(decode("messages.upsert", raw))
