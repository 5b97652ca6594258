"""Claims about the fake Evolution: what it takes, answers and posts back, and how it fails. Asked by hand."""

import asyncio
import base64
from typing import Any

import aiohttp
import pytest

from gateway.events import MessagesUpsert, decode
from gateway.testing import EvolutionServer, Fault
from gateway.testing.evolution.place import CONTAINER
from tests.testing.conftest import ANA, CHAT, Asker, Receiver


async def test_a_text_leaves_and_the_answer_names_it(server: EvolutionServer, ask: Asker) -> None:
    status, answer = await ask("POST", "/message/sendText/shop-1", {"number": "5511999990002", "text": "pong"})

    assert status == 201
    assert answer["key"]["remoteJid"] == CHAT
    assert (answer["message"], answer["status"]) == ({"conversation": "pong"}, "PENDING")
    assert [(each.chat, each.text, each.id) for each in server.sent] == [(CHAT, "pong", answer["key"]["id"])]
    assert server.complaints == []


async def test_what_left_comes_back_as_echo_and_acknowledgements(
    server: EvolutionServer, ask: Asker, receiver: Receiver
) -> None:
    _, answer = await ask("POST", "/message/sendText/shop-1", {"number": CHAT, "text": "pong"})
    await server.settled()

    (echo,) = receiver.events("send.message")
    assert echo["data"] == answer
    updates = receiver.events("messages.update")
    assert {each["data"]["status"] for each in updates} == {"SERVER_ACK", "DELIVERY_ACK"}
    assert {each["data"]["keyId"] for each in updates} == {answer["key"]["id"]}
    assert "/webhook/send-message" in [path for path, _ in receiver.posts]


async def test_a_person_who_writes_is_posted_as_a_message(server: EvolutionServer, receiver: Receiver) -> None:
    written = await server.write(ANA, "Olá 👋", name="Ana")

    (posted,) = receiver.events("messages.upsert")
    event = decode("messages.upsert", posted)
    assert isinstance(event, MessagesUpsert)
    assert (event.message.id, event.message.text) == (written.id, "Olá 👋")
    assert (event.message.sender.phone, event.message.sender.name) == ("5511999990002", "Ana")
    assert event.problems == ()


async def test_a_key_that_evolution_does_not_know_is_complained_of_and_ignored(
    server: EvolutionServer, ask: Asker
) -> None:
    status, _ = await ask("POST", "/message/sendText/shop-1", {"number": CHAT, "text": "hi", "txet": "hi"})

    assert status == 201
    assert server.complaints == ["POST /message/sendText/shop-1: txet is no key that Evolution knows here"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"number": CHAT}, 'instance requires property "text"'),
        ({"number": 5511999990002, "text": "hi"}, "Invalid format"),
        ({"number": CHAT, "text": "hi", "delay": "1000"}, "Enter a value in milliseconds"),
        ({"number": CHAT, "text": "hi", "mentioned": ["Ana"]}, '"mentioned" must be an array of numeric strings'),
    ],
)
async def test_a_wrong_body_is_refused_in_evolutions_words(
    server: EvolutionServer, ask: Asker, body: dict[str, Any], words: str
) -> None:
    status, answer = await ask("POST", "/message/sendText/shop-1", body)

    assert (status, answer) == (400, {"status": 400, "error": "Bad Request", "response": {"message": [[words]]}})
    assert len(server.complaints) == 1
    assert server.sent == []


async def test_a_lost_answer_has_left_all_the_same(server: EvolutionServer, ask: Asker) -> None:
    server.fail(Fault.RESET_AFTER)

    with pytest.raises(aiohttp.ClientError):
        await ask("POST", "/message/sendText/shop-1", {"number": CHAT, "text": "pong"})

    assert server.texts(ANA) == ["pong"]


async def test_without_an_answer_nothing_has_left(server: EvolutionServer, ask: Asker) -> None:
    server.fail(Fault.NO_ANSWER)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await ask("POST", "/message/sendText/shop-1", {"number": CHAT, "text": "pong"})

    assert server.sent == []


async def test_find_messages_has_what_left_and_what_came(server: EvolutionServer, ask: Asker) -> None:
    await server.write(ANA, "ping")
    _, sent = await ask("POST", "/message/sendText/shop-1", {"number": CHAT, "text": "pong"})

    where = {"where": {"key": {"remoteJid": CHAT, "fromMe": True}}}
    status, own = await ask("POST", "/chat/findMessages/shop-1", where)
    _, page = await ask("POST", "/chat/findMessages/shop-1", {"offset": 1, "page": 2})

    assert status == 200
    assert [each["key"]["id"] for each in own["messages"]["records"]] == [sent["key"]["id"]]
    assert page["messages"] | {"records": None} == {"total": 2, "pages": 2, "currentPage": 2, "records": None}
    assert page["messages"]["records"][0]["message"] == {"conversation": "ping"}


async def test_media_can_be_fetched_again(server: EvolutionServer, ask: Asker) -> None:
    photo = await server.person(ANA).send("image", b"\x89PNG", caption="look", mimetype="image/png")

    status, answer = await ask("POST", "/chat/getBase64FromMediaMessage/shop-1", {"message": {"key": {"id": photo.id}}})

    assert status == 201
    assert (base64.b64decode(answer["base64"]), answer["mimetype"]) == (b"\x89PNG", "image/png")


async def test_a_server_in_a_container_reaches_this_machine_by_its_other_names_alone(receiver: Receiver) -> None:
    async with EvolutionServer(retry_scale=0.0, place=CONTAINER) as server:
        server.point(receiver.url)
        await server.write(ANA, "by loopback")
        server.point(receiver.url.replace("127.0.0.1", "host.docker.internal"))
        await server.write(ANA, "by the host's name")

        assert [post["data"]["message"]["conversation"] for _, post in receiver.posts] == ["by the host's name"]
        assert receiver.posts[0][1]["destination"].startswith("http://host.docker.internal:")


async def test_the_date_of_its_answers_is_its_own_clocks() -> None:
    async with (
        EvolutionServer(clock=lambda: 1_800_000_000.0) as server,
        aiohttp.ClientSession() as session,
        session.get(f"{server.url}/") as answer,
    ):
        assert answer.headers["Date"] == "Fri, 15 Jan 2027 08:00:00 GMT"


@pytest.mark.parametrize("apikey", ["wrong", "00000000"])
async def test_a_wrong_key_is_refused_with_a_text(ask: Asker, apikey: str) -> None:
    status, answer = await ask("GET", "/instance/connectionState/shop-1", apikey=apikey)

    assert (status, answer["response"]) == (401, {"message": "Unauthorized"})


async def test_an_instances_own_token_opens_it_and_no_other(server: EvolutionServer, ask: Asker) -> None:
    own, other = server.instance("shop-1").token, server.instance("shop-2").token

    assert (await ask("GET", "/instance/connectionState/shop-1", apikey=own))[0] == 200
    assert (await ask("GET", "/instance/connectionState/shop-1", apikey=other))[0] == 401


async def test_what_nobody_serves_is_complained_of(server: EvolutionServer, ask: Asker) -> None:
    status, answer = await ask("POST", "/message/sendTextMessage/shop-1", {})
    unknown, missing = await ask("GET", "/instance/connectionState/nobody")

    assert (status, answer["response"]["message"]) == (404, ["Cannot POST /message/sendTextMessage/shop-1"])
    assert (unknown, missing["response"]["message"]) == (404, ['The "nobody" instance does not exist'])
    assert server.complaints == ["POST /message/sendTextMessage/shop-1: there is no such call"]


async def test_a_number_that_is_not_on_whatsapp_gets_nothing(server: EvolutionServer, ask: Asker) -> None:
    server.absent.add("5511999990009")

    status, answer = await ask("POST", "/message/sendText/shop-1", {"number": "5511999990009", "text": "hi"})
    _, checked = await ask("POST", "/chat/whatsappNumbers/shop-1", {"numbers": ["5511999990009", "5511999990002"]})

    assert status == 400
    assert answer["response"]["message"][0] | {"jid": ""} == {"jid": "", "exists": False, "number": "5511999990009"}
    assert [each["exists"] for each in checked] == [False, True]
    assert server.sent == []


async def test_a_number_reaches_the_account_that_has_it_with_its_ninth_digit_or_without(
    server: EvolutionServer, ask: Asker
) -> None:
    written = await server.write("+55 31 99999-0002", "ping")

    await ask("POST", "/message/sendText/shop-1", {"number": "5531999990002", "text": "pong"})  # Evolution drops the 9

    assert [each.chat for each in server.sent] == [written.chat] == ["5531999990002@s.whatsapp.net"]


async def test_a_person_known_by_lid_is_one_chat(server: EvolutionServer, ask: Asker) -> None:
    ana = server.person(ANA, by_lid=True)
    written = await ana.write("ping")

    await ask("POST", "/message/sendText/shop-1", {"number": written.chat, "text": "pong"})

    assert written.chat.endswith("@lid")
    assert server.texts(ANA) == server.texts(ana.lid) == ["pong"]


async def test_faults_by_chance_come_at_the_same_calls_for_the_same_seed(receiver: Receiver) -> None:
    runs = []
    for _ in range(2):
        async with EvolutionServer(seed=7, typing_scale=0) as server, aiohttp.ClientSession() as session:
            server.fail(Fault.SERVER_FAULT, times=None, share=0.3)
            ask = Asker(server, session)
            body = {"number": CHAT, "text": "hi"}
            runs.append([(await ask("POST", "/message/sendText/shop-1", body))[0] for _ in range(40)])

    assert runs[0] == runs[1]
    assert 4 <= runs[0].count(500) <= 20


async def test_a_fault_meets_the_calls_it_was_ordered_for(server: EvolutionServer, ask: Asker) -> None:
    server.fail(Fault.SERVER_FAULT, "chat/findMessages", times=None)

    sent, _ = await ask("POST", "/message/sendText/shop-1", {"number": CHAT, "text": "hi"})
    found, _ = await ask("POST", "/chat/findMessages/shop-1", {})
    server.heal()
    healed, _ = await ask("POST", "/chat/findMessages/shop-1", {})

    assert (sent, found, healed) == (201, 500, 200)


async def test_muted_events_are_not_posted(server: EvolutionServer, ask: Asker, receiver: Receiver) -> None:
    server.muted.update({"send.message", "messages.update"})

    await ask("POST", "/message/sendText/shop-1", {"number": CHAT, "text": "hi"})
    await server.settled()

    assert receiver.posts == []


async def test_while_disconnected_nothing_leaves(server: EvolutionServer, ask: Asker) -> None:
    server.disconnect()
    status, _ = await ask("POST", "/message/sendText/shop-1", {"number": CHAT, "text": "hi"})
    server.connect()
    again, _ = await ask("POST", "/message/sendText/shop-1", {"number": CHAT, "text": "hi"})

    assert (status, again) == (500, 201)
    assert server.texts(ANA) == ["hi"]


async def test_what_it_knows_outlives_an_outage(server: EvolutionServer, ask: Asker) -> None:
    await ask("POST", "/message/sendText/shop-1", {"number": CHAT, "text": "before"})
    url = server.url

    await server.close()
    with pytest.raises(aiohttp.ClientError):
        await ask("POST", "/message/sendText/shop-1", {"number": CHAT, "text": "lost"})
    await server.open()
    await ask("POST", "/message/sendText/shop-1", {"number": CHAT, "text": "after"})

    assert server.url == url
    assert server.texts(ANA) == ["before", "after"]


async def test_a_delay_holds_the_call_up_and_shows_typing(receiver: Receiver) -> None:
    async with EvolutionServer(typing_scale=1) as server, aiohttp.ClientSession() as session:
        began = asyncio.get_running_loop().time()
        await Asker(server, session)("POST", "/message/sendText/shop-1", {"number": CHAT, "text": "hi", "delay": 300})
        took = asyncio.get_running_loop().time() - began

    assert took >= 0.3
    assert [(each.kind, each.text) for each in server.happenings] == [("typing", "composing"), ("sent", "hi")]


async def test_an_instance_is_created_scanned_and_removed(
    server: EvolutionServer, ask: Asker, receiver: Receiver
) -> None:
    hook = {"url": receiver.url, "byEvents": False, "events": ["CONNECTION_UPDATE", "QRCODE_UPDATED"]}
    created = {"instanceName": "new", "integration": "WHATSAPP-BAILEYS", "qrcode": True, "webhook": hook}

    status, made = await ask("POST", "/instance/create", created)
    _, waiting = await ask("GET", "/instance/connectionState/new")
    server.connect("new")
    _, found = await ask("GET", "/instance/fetchInstances?instanceName=new")
    gone, _ = await ask("DELETE", "/instance/delete/new")
    await server.settled()

    assert (status, made["qrcode"]["count"], waiting["instance"]["state"]) == (201, 1, "connecting")
    assert (found[0]["connectionStatus"], found[0]["token"]) == ("open", made["hash"])
    assert gone == 200
    told = [(body["event"], body["data"].get("state")) for path, body in receiver.posts if path == "/webhook"]
    assert sorted(told) == sorted(
        [("connection.update", "connecting"), ("qrcode.updated", None), ("connection.update", "open")]
    )
    assert server.complaints == []


async def test_a_webhook_is_set_as_2x_wants_it_and_no_other_way(server: EvolutionServer, ask: Asker) -> None:
    nested = {"webhook": {"enabled": True, "url": "http://h/hook", "headers": {"X-Token": "t"}, "events": []}}
    flat = {"enabled": True, "url": "http://h/hook", "webhook_by_events": True, "events": []}

    status, row = await ask("POST", "/webhook/set/shop-1", nested)
    _, found = await ask("GET", "/webhook/find/shop-1")
    refused, _ = await ask("POST", "/webhook/set/shop-1", flat)

    assert (status, row["url"], len(row["events"]), row["headers"]) == (201, "http://h/hook", 31, {"X-Token": "t"})
    assert found == row
    assert refused == 400


async def test_a_webhook_without_events_is_the_type_error_it_is_there(ask: Asker) -> None:
    status, _ = await ask("POST", "/webhook/set/shop-1", {"webhook": {"enabled": True, "url": "http://h/hook"}})

    assert status == 500


async def test_a_group_has_members_by_lid_with_their_numbers(server: EvolutionServer, ask: Asker) -> None:
    group = server.group("Friends", [server.person(ANA)])

    _, found = await ask("GET", f"/group/participants/shop-1?groupJid={group.id}")
    changed, _ = await ask(
        "POST",
        f"/group/updateParticipant/shop-1?groupJid={group.id}",
        {"action": "add", "participants": ["5511999990003"]},
    )

    ana = next(each for each in found["participants"] if each["phoneNumber"] == CHAT)
    assert ana["id"].endswith("@lid")
    assert (changed, len(group.members)) == (201, 3)
    assert server.complaints == []
