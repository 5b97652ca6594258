"""The client against the server of `gateway.testing`, which was written from Evolution's own rules and not from it."""

from collections.abc import AsyncIterator

import msgspec
import pytest

from gateway.evolution import (
    Evolution,
    MessageKey,
    NameTaken,
    NoSuchInstance,
    NotOnWhatsApp,
    Unauthorized,
    Webhook,
)
from gateway.pieces import Button, Card, Row
from gateway.testing import EvolutionServer

TO = "+55 11 99999-0002"
JID = "5511999990002@s.whatsapp.net"
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(params=["2.3.6", "1.8.2"])
async def server(request: pytest.FixtureRequest) -> AsyncIterator[EvolutionServer]:
    async with EvolutionServer(version=request.param, typing_scale=0, hang=0.2) as server:
        yield server


@pytest.fixture
async def client(server: EvolutionServer) -> AsyncIterator[Evolution]:
    client = Evolution(server.url, server.apikey)
    yield client
    await client.close()


async def test_every_kind_of_message_arrives(server: EvolutionServer, client: Evolution) -> None:
    sent = [
        await client.send_text("shop-1", TO, "hi", delay=1, mentions=["5511999990003"], link_preview=False),
        await client.send_media("shop-1", TO, PNG, kind="image", caption="look"),
        await client.send_audio("shop-1", TO, "https://example.com/a.ogg"),
        await client.send_sticker("shop-1", TO, PNG),
        await client.send_location("shop-1", TO, latitude=-23.5, longitude=-46.6, name="Shop"),
        await client.send_contact("shop-1", TO, [Card("Ana", "+55 11 99999-0003")]),
        await client.send_poll("shop-1", TO, "Lunch?", ["Pizza", "Sushi"]),
        await client.send_list("shop-1", TO, "Menu", {"Food": [Row("p", "Pizza")]}, button="Open"),
        await client.send_buttons("shop-1", TO, "Sure?", [Button(label="Yes", value="y")], description="Really?"),
    ]

    assert all(message.chat == JID for message in sent)
    assert len(server.sent) == len(sent)
    assert server.complaints == []


async def test_a_message_is_quoted_reacted_to_edited_read_and_deleted(
    server: EvolutionServer, client: Evolution
) -> None:
    await server.write(TO, "hello", name="Ana")
    (theirs,) = await client.find_messages("shop-1", chat=TO)
    assert theirs.id is not None
    key = MessageKey(id=theirs.id, chat=JID)

    mine = await client.send_text("shop-1", TO, "helo", quoted=key)
    await client.send_reaction("shop-1", key, "👍")
    await client.edit_message("shop-1", mine.key, "hello")
    await client.mark_read("shop-1", [key])
    await client.send_presence("shop-1", TO, "composing")
    await client.delete_message("shop-1", mine.key)

    assert [each.kind for each in server.happenings] == [
        "wrote", "sent", "reacted", "edited", "read", "typing", "deleted",
    ]  # fmt: skip
    assert server.complaints == []


async def test_own_messages_of_one_chat_are_found(server: EvolutionServer, client: Evolution) -> None:
    await server.write(TO, "theirs")
    sent = await client.send_text("shop-1", TO, "mine")
    await client.send_text("shop-1", "+55 11 99999-0009", "elsewhere")

    found = await client.find_messages("shop-1", chat=TO, from_me=True, back_to=0)

    assert [message.id for message in found] == [sent.id]
    assert found[0].raw["message"]
    assert server.complaints == []


async def test_a_group_lives_from_its_making_to_its_end(server: EvolutionServer, client: Evolution) -> None:
    group = (await client.create_group("shop-1", "Team", [TO])).jid
    assert group is not None

    await client.set_group_subject("shop-1", group, "Crew")
    await client.set_group_description("shop-1", group, "Us")
    await client.set_group_picture("shop-1", group, PNG)
    await client.set_group_setting("shop-1", group, "announcement")
    await client.set_group_expiration("shop-1", group, 86400)
    changes = await client.change_members("shop-1", group, "add", ["+55 11 99999-0003"])
    invite = await client.find_invite("shop-1", group)
    await client.send_invite("shop-1", group, [TO], description="Come in")
    found = await client.find_group("shop-1", group)
    members = await client.find_members("shop-1", group)
    await client.leave_group("shop-1", group)

    assert (found.subject, found.description, found.announce) == ("Crew", "Us", True)
    assert [change.is_done for change in changes] == [True]
    assert {member.phone for member in members} >= {"5511999990002", "5511999990003"}
    assert invite.code
    assert await client.find_groups("shop-1", participants=True) == []
    assert server.complaints == []


async def test_an_instance_lives_from_its_making_to_its_end(server: EvolutionServer, client: Evolution) -> None:
    made = await client.create_instance("new", webhook=Webhook(url="http://127.0.0.1:1/webhook"))
    pairing = await client.connect_instance("new", number="+55 11 98888-0001")
    hook = await client.set_webhook("new", Webhook(url="http://127.0.0.1:1/other", events=("messages.upsert",)))
    again = await client.find_webhook("new")
    found = {each.name: each for each in await client.find_instances()}

    assert again is not None
    assert made.token
    assert made.token == found["new"].token
    assert pairing.qr is not None
    assert pairing.qr.pairing_code
    assert hook.events == ("MESSAGES_UPSERT",)
    assert msgspec.structs.replace(hook, raw=None) == msgspec.structs.replace(again, raw=None)
    assert await client.connection_state("new") == found["new"].state == "connecting"
    assert (await client.connect_instance("shop-1")).state == "open"

    await client.restart_instance("shop-1")
    await client.logout_instance("shop-1")
    await client.delete_instance("new")
    with pytest.raises(NoSuchInstance):
        await client.connection_state("new")
    assert server.complaints == []


async def test_what_is_not_there_is_told_apart(server: EvolutionServer, client: Evolution) -> None:
    server.world.absent.add("5511999990009")
    with pytest.raises(NotOnWhatsApp):
        await client.send_text("shop-1", "+55 11 99999-0009", "hi")
    with pytest.raises(NoSuchInstance):
        await client.send_text("nobody", TO, "hi")
    with pytest.raises(NameTaken):
        await client.create_instance("shop-1")

    stranger = Evolution(server.url, "wrong-key")
    with pytest.raises(Unauthorized):
        await stranger.send_text("shop-1", TO, "hi")
    await stranger.close()
