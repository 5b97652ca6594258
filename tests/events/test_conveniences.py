"""What a bot author asks of a message: the file, the choice, the quote, whom it mentions, where to answer."""

import base64
from typing import Any

import pytest

from gateway import samples
from gateway.errors import MediaNotInline
from gateway.events import Media, Message, MessageEvent, MessagesUpsert, decode

BOT = "5511999990001@s.whatsapp.net"
BOT_LID = "201110000000001@lid"
ANA = "5511999990002@s.whatsapp.net"
GROUP = "120363400000000001@g.us"


def sample(name: str) -> Message:
    raw = samples.load(f"messages-upsert__{name}")
    event = decode(raw["event"], raw)
    assert isinstance(event, MessageEvent)
    return event.message


def received(
    message: object, *, directory: dict[str, str] | None = None, sender: str | None = BOT, **data: object
) -> Message:
    key = {"remoteJid": ANA, "fromMe": False, "id": "AC01"}
    raw = {"sender": sender, "data": {"key": key, "message": message, **data}}
    event = decode("messages.upsert", raw, directory=directory)
    assert isinstance(event, MessagesUpsert)
    return event.message


def media(message: object) -> Media:
    found = received(message).media
    assert found is not None
    return found


async def test_read_gives_the_bytes_inside_the_event() -> None:
    photo = media({"imageMessage": {"mimetype": "image/jpeg"}, "base64": base64.b64encode(b"JPEG").decode()})

    assert photo.has_base64
    assert await photo.read() == b"JPEG"


@pytest.mark.parametrize("beside", [{}, {"base64": ""}, {"base64": None}, {"base64": "%%%"}])
async def test_read_says_what_to_do_when_there_are_no_bytes(beside: dict[str, Any]) -> None:
    photo = media({"imageMessage": {}, **beside})

    with pytest.raises(MediaNotInline, match="this image"):
        await photo.read()


@pytest.mark.parametrize(
    ("content", "extension"),
    [
        ({"imageMessage": {"mimetype": "image/jpeg"}}, "jpg"),
        ({"audioMessage": {"mimetype": "audio/ogg; codecs=opus"}}, "ogg"),
        ({"documentMessage": {"fileName": "Report.PDF", "mimetype": "application/octet-stream"}}, "pdf"),
        ({"documentMessage": {"fileName": "no extension", "mimetype": "application/pdf"}}, "pdf"),
        ({"stickerMessage": {}}, "bin"),
    ],
)
def test_extension_is_the_names_own_or_the_mimetypes(content: dict[str, Any], extension: str) -> None:
    assert media(content).extension == extension


def test_thumbnail_and_digest_are_bytes() -> None:
    photo = sample("image-v236").media

    assert photo is not None
    assert photo.thumbnail is not None
    assert photo.thumbnail.startswith(b"\xff\xd8")
    assert photo.sha256 is not None
    assert len(photo.sha256) == 32


def test_photos_of_an_album_name_their_album() -> None:
    assert sample("image-album-child-v236").album_id == sample("album-parent-v236").id


def test_transcript_is_what_was_heard_and_not_text() -> None:
    voice = sample("business-audio-v236")

    assert (voice.kind, voice.transcript, voice.text) == ("voice", "oi", None)


@pytest.mark.parametrize(
    ("name", "picked", "label"),
    [
        ("buttons-response-v223", "btn-1", "Sim"),
        ("list-response-v236", "fazer_pedido", "Fazer um pedido"),
        ("template-button-reply-v223", "ok-1", "Ok"),
        ("interactive-response-nativeflow-v236", "btn-1", "Sim"),
        ("business-button-v236", None, "Sim"),
        ("business-interactive-list-v236", None, "Opção 1"),
    ],
)
def test_choice_has_the_id_and_label_of_what_was_picked(name: str, picked: str | None, label: str) -> None:
    choice = sample(name).choice

    assert choice is not None
    assert (choice.id, choice.label) == (picked, label)


def test_native_flow_without_a_body_is_read_from_its_params() -> None:
    flow = {"nativeFlowResponseMessage": {"paramsJson": '{"id": 7, "display_text": "Seven"}'}}

    message = received({"interactiveResponseMessage": flow})

    assert message.text == "Seven"
    assert message.choice is not None
    assert message.choice.id == "7"


def test_plain_text_is_no_choice() -> None:
    assert sample("text-private-v223").choice is None


def test_location_is_in_degrees() -> None:
    place = sample("location-v236").location

    assert place is not None
    assert (place.latitude, place.longitude, place.name, place.live) == (-23.5505, -46.6333, "Praça da Sé", False)
    assert sample("live-location-v230").location is not None


def test_vcards_are_read() -> None:
    jose, ana = sample("contacts-array-v223").contacts

    assert (jose.name, ana.name) == ("José", "Ana")
    assert [(p.number, p.phone, p.label) for p in jose.phones] == [("+5511999990003", "5511999990003", "Celular")]


def test_vcard_of_another_dialect_is_read() -> None:
    card = "BEGIN:VCARD\r\nVERSION:2.1\r\nN:Souza;Ana;;;\r\nTEL;CELL:+55 11\r\n  99999\r\nORG:Padaria;Forno\r\n"
    card += "EMAIL;TYPE=INTERNET:ana@example.com\r\nNOTE;ENCODING=QUOTED-PRINTABLE:=C3=A1\r\nEND:VCARD"

    (ana,) = received({"contactMessage": {"vcard": card}}).contacts

    assert (ana.name, ana.organization, ana.emails) == ("Souza Ana", "Padaria Forno", ("ana@example.com",))
    assert [(p.number, p.phone, p.label) for p in ana.phones] == [("+55 11 99999", None, "CELL")]


def test_poll_has_its_options() -> None:
    poll = sample("poll-creation-multi-v223").poll

    assert poll is not None
    assert (poll.name, poll.options, poll.selectable) == ("Quais dias?", ("Seg", "Ter", "Qua"), 0)


def test_ad_says_where_the_click_came_from() -> None:
    ad = sample("text-ctwa-ad-v236").ad

    assert ad is not None
    assert (ad.source_id, ad.click_id, ad.app) == ("120200000000000000", "EXAMPLE-CTWA-CLID", "facebook")


def test_link_preview_is_no_ad() -> None:
    info = {"externalAdReply": {"title": "A page", "sourceUrl": "https://example.com"}}

    assert received({"conversation": "see"}, contextInfo=info).ad is None


def test_disappearing_message_says_after_how_many_seconds() -> None:
    assert sample("text-disappearing-v236").expiration == 604800


def test_order_product_invite_and_event_are_read() -> None:
    order, invite, meeting = sample("order-v236").order, sample("group-invite-v236").group_invite, sample("event-v230")

    assert order is not None
    assert (order.items, order.total, order.currency) == (2, 59.9, "BRL")
    assert invite is not None
    assert (invite.group, invite.code, invite.expires) == (GROUP, "EXAMPLECODE", 1761559200)
    assert meeting.calendar_event is not None
    assert meeting.calendar_event.start == 1761400000
    assert meeting.calendar_event.starts_at is not None


def test_product_has_its_price_in_units() -> None:
    item = {"productId": "555", "title": "Shirt", "priceAmount1000": "49900", "currencyCode": "BRL"}

    product = received({"productMessage": {"product": item, "businessOwnerJid": BOT}}).product

    assert product is not None
    assert (product.title, product.price, product.seller) == ("Shirt", 49.9, BOT)


def test_reaction_that_was_taken_back_is_removed() -> None:
    taken_back, put = sample("reaction-removed-v230").reaction, sample("business-reaction-v236").reaction

    assert taken_back is not None
    assert put is not None
    assert (taken_back.removed, put.removed) == (True, False)


def test_quote_of_a_status_names_the_status() -> None:
    quoted = sample("text-reply-to-status-v236").quoted

    assert quoted is not None
    assert quoted.chat == "status@broadcast"


def test_quote_of_the_evolution_channel_is_read() -> None:
    quote = {"key": {"id": "EVOIN0001", "remoteJid": ANA, "fromMe": False}}

    quoted = received({"conversation": "x", "quoted": quote}).quoted

    assert quoted is not None
    assert (quoted.id, quoted.sender, quoted.sender_phone) == ("EVOIN0001", ANA, "5511999990002")


@pytest.mark.parametrize(
    ("name", "reply_to"),
    [
        ("text-private-lid-only-v223", "201110000000002@lid"),
        ("text-group-lid-v236", GROUP),
        ("status-broadcast-v236", "201110000000002@lid"),
        ("broadcast-list-v223", ANA),
        ("evolution-channel-text-v236", "5511999990002"),
    ],
)
def test_answers_go_where_the_author_reads_them(name: str, reply_to: str) -> None:
    assert sample(name).reply_to == reply_to


def test_own_status_can_not_be_answered() -> None:
    raw = samples.load("send-message__status-text-v236")
    event = decode(raw["event"], raw)

    assert isinstance(event, MessageEvent)
    assert event.message.reply_to is None


@pytest.mark.parametrize(
    ("mentions", "directory", "sender", "mine"),
    [
        ([], {}, BOT, False),
        ([BOT], {}, BOT, True),
        ([ANA], {}, BOT, False),
        ([BOT_LID], {}, BOT, None),
        ([BOT_LID], {BOT_LID: "5511999990001"}, BOT, True),
        ([BOT_LID], {BOT_LID: "5511999990003"}, BOT, False),
        ([ANA], {}, None, None),
    ],
)
def test_mentions_me_is_told_where_it_can_be_known(
    mentions: list[str], directory: dict[str, str], sender: str | None, *, mine: bool | None
) -> None:
    info = {"mentionedJid": mentions}

    message = received({"conversation": "@..."}, contextInfo=info, directory=directory, sender=sender)

    assert message.mentions_me is mine
    assert message.mentions == tuple(mentions)


def test_mention_is_the_jids_user_part_not_the_phone() -> None:
    assert sample("text-group-lid-v236").sender.mention == "@201110000000002"


@pytest.mark.parametrize("beside", [{}, {"messageContextInfo": {}, "senderKeyDistributionMessage": {}}])
@pytest.mark.parametrize("name", ["messages.upsert", "send.message"])
@pytest.mark.parametrize("data", [{"status": 2, "source": "ios"}, {"messageTimestamp": [], "pushName": 7}])
def test_a_plain_text_read_the_short_way_is_the_same_read_the_long_way(
    beside: dict[str, Any], data: dict[str, Any], name: str
) -> None:
    key = {"remoteJid": GROUP, "participant": ANA, "id": "AC01", "isViewOnce": True}
    message = {"conversation": "hello", **beside}
    short, long = (
        decode(name, {"sender": BOT, "data": {"key": key, "messageType": "conversation", "message": each, **data}})
        for each in (message, {**message, "contextInfo": None})
    )
    assert isinstance(short, MessageEvent)
    assert isinstance(long, MessageEvent)

    assert short.message == long.message
    assert short.problems == long.problems
