"""What a bot gets to see of Evolution's answers, whichever version gave them."""

from collections.abc import Callable

import pytest

from gateway.evolution import Evolution, FoundMessage, MessageKey, NumberCheck, SentMessage, UnsupportedCall
from gateway.evolution.records import MOST_PAGES
from tests.evolution.conftest import FakeEvolution, Request, sent

TO = "5511999990002"
JID = "5511999990002@s.whatsapp.net"


@pytest.mark.parametrize(
    "answer",
    [
        sent("BAE5"),
        {
            "key": {"remoteJid": JID, "fromMe": True, "id": "BAE5"},
            "message": {"extendedTextMessage": {"text": "hi"}},
            "messageTimestamp": "1761300549",
            "status": "PENDING",
        },
    ],
    ids=["2.x", "1.x"],
)
async def test_a_sent_message_has_its_id_chat_and_time(
    evolution: FakeEvolution, client: Evolution, answer: object
) -> None:
    evolution.answer = lambda _: (201, answer)

    message = await client.send_text("shop-1", TO, "hi")

    assert message == SentMessage(id="BAE5", chat=JID, timestamp=1761300549, status="PENDING", raw=answer)
    assert message.key == MessageKey(id="BAE5", chat=JID, from_me=True)


def stored(n: int, *, from_me: bool = True, **more: object) -> dict[str, object]:
    """A message as Evolution keeps it; the higher, the newer."""
    return {
        "key": {"id": f"M{n}", "fromMe": from_me, "remoteJid": JID},
        "message": {"conversation": f"{n}"},
        "messageTimestamp": n,
        **more,
    }


def two(messages: list[dict[str, object]]) -> Callable[[Request], tuple[int, object]]:
    """Answers in pages, as 2.x does."""

    def answer(request: Request) -> tuple[int, object]:
        page, size = request.body["page"], request.body["offset"]
        records = messages[(page - 1) * size : page * size]
        pages = -(-len(messages) // size)
        found = {"total": len(messages), "pages": pages, "currentPage": page, "records": records}
        return 200, {"messages": found}

    return answer


def one(messages: list[dict[str, object]]) -> Callable[[Request], tuple[int, object]]:
    """Answers with the newest so many, as 1.x does."""
    return lambda request: (200, messages[: request.body["limit"]])


@pytest.fixture(params=["2.3.6", "1.8.2"])
def keep(request: pytest.FixtureRequest, evolution: FakeEvolution) -> Callable[[list[dict[str, object]]], None]:
    """Lets the server keep messages, newest first."""

    def keep(messages: list[dict[str, object]]) -> None:
        evolution.version = request.param
        evolution.answer = (two if request.param == "2.3.6" else one)(messages)

    return keep


Keep = Callable[[list[dict[str, object]]], None]


async def test_one_page_of_a_chat_is_found_newest_first(client: Evolution, keep: Keep) -> None:
    keep([stored(n) for n in range(9, 0, -1)])

    found = await client.find_messages("shop-1", chat=TO, size=3)

    assert [message.id for message in found] == ["M9", "M8", "M7"]


async def test_a_chat_is_read_back_to_a_moment_and_no_further(
    evolution: FakeEvolution, client: Evolution, keep: Keep
) -> None:
    keep([stored(n) for n in range(20, 0, -1)])

    found = await client.find_messages("shop-1", chat=TO, size=3, back_to=14)

    assert [message.timestamp for message in found] == [20, 19, 18, 17, 16, 15, 14, 13, 12]
    assert len(evolution.requests) == 3


async def test_a_chat_shorter_than_that_ends_the_reading(
    evolution: FakeEvolution, client: Evolution, keep: Keep
) -> None:
    keep([stored(n) for n in range(5, 0, -1)])

    assert len(await client.find_messages("shop-1", chat=TO, size=3, back_to=0)) == 5
    assert len(evolution.requests) == 3


async def test_a_chat_without_end_is_read_so_far_and_no_further(evolution: FakeEvolution, client: Evolution) -> None:
    evolution.answer = two([stored(n) for n in range(1000, 0, -1)])

    await client.find_messages("shop-1", chat=TO, size=3, back_to=0)

    assert len(evolution.requests) == MOST_PAGES


async def test_messages_of_others_are_left_out_where_the_server_gives_all(client: Evolution, keep: Keep) -> None:
    keep([stored(2, from_me=False), stored(1)])

    assert [found.id for found in await client.find_messages("shop-1", from_me=False)] == ["M2"]
    assert [found.id for found in await client.find_messages("shop-1", from_me=True)] == ["M1"]


@pytest.mark.parametrize("answer", [[], {}, None, {"messages": {"records": []}}, {"messages": None}, [7]])
async def test_where_nothing_is_kept_nothing_is_found(
    evolution: FakeEvolution, client: Evolution, answer: object
) -> None:
    evolution.answer = lambda _: (200, answer)

    assert await client.find_messages("shop-1", chat=TO) == []


async def test_a_stored_message_has_its_last_status(evolution: FakeEvolution, client: Evolution) -> None:
    record = stored(7, MessageUpdate=[{"status": "DELIVERY_ACK"}, {"status": "READ"}])
    evolution.answer = two([record])

    (found,) = await client.find_messages("shop-1", chat=TO)

    assert found == FoundMessage(id="M7", chat=JID, from_me=True, timestamp=7, status="READ", raw=record)


async def test_receipts_say_who_has_read(evolution: FakeEvolution, client: Evolution) -> None:
    evolution.answer = lambda _: (200, [{"status": "READ", "participant": "201110000000002@lid"}, {"status": "PLAYED"}])

    found = await client.find_receipts("shop-1", MessageKey(id="BAE5", chat=TO))

    assert [(each.status, each.participant) for each in found] == [("READ", "201110000000002@lid"), ("PLAYED", None)]


async def test_numbers_are_told_apart_by_whether_they_exist(evolution: FakeEvolution, client: Evolution) -> None:
    evolution.answer = lambda _: (
        200,
        [
            {"jid": JID, "exists": True, "number": TO, "name": "Ana", "lid": "201110000000002@lid"},
            {"jid": "201110000000003@lid", "exists": True, "number": "201110000000003", "lid": "lid"},
            {"jid": "5511999990009@s.whatsapp.net", "exists": False, "number": "5511999990009"},
        ],
    )

    ana, bob, nobody = await client.check_numbers("shop-1", [TO, "201110000000003@lid", "5511999990009"])

    assert ana == NumberCheck(number=TO, exists=True, jid=JID, name="Ana", lid="201110000000002@lid")
    assert (bob.exists, bob.lid) == (True, "201110000000003@lid")
    assert (nobody.exists, nobody.lid) == (False, None)


async def test_a_messages_file_comes_as_bytes(evolution: FakeEvolution, client: Evolution) -> None:
    answer = {"mediaType": "imageMessage", "fileName": "a.png", "caption": "hi", "mimetype": "image/png"}
    evolution.answer = lambda _: (201, answer | {"size": {"fileLength": "3"}, "base64": "T2dn", "buffer": None})

    found = await client.fetch_media("shop-1", "3EB0")

    assert (found.data, found.kind, found.filename) == (b"Ogg", "imageMessage", "a.png")
    assert (found.mimetype, found.caption) == ("image/png", "hi")


@pytest.mark.parametrize("answer", [{}, None, {"base64": None}, {"base64": "***"}])
async def test_an_answer_without_a_file_is_an_error(
    evolution: FakeEvolution, client: Evolution, answer: object
) -> None:
    evolution.answer = lambda _: (201, answer)

    with pytest.raises(UnsupportedCall, match="no file"):
        await client.fetch_media("shop-1", "3EB0")


@pytest.mark.parametrize(
    "row",
    [
        {"id": "cm1", "remoteJid": JID, "pushName": "Ana", "unreadCount": 2},
        {"id": "cm1", "remoteJid": JID, "name": "Ana", "unreadMessages": 2},
        {"id": JID, "name": "Ana", "unreadMessagesCount": 2},
    ],
)
async def test_chats_have_name_and_unread_messages_in_every_version(
    evolution: FakeEvolution, client: Evolution, row: object
) -> None:
    evolution.answer = lambda _: (200, [row])

    (chat,) = await client.find_chats("shop-1")

    assert (chat.jid, chat.name, chat.unread) == (JID, "Ana", 2)


@pytest.mark.parametrize(
    "row",
    [
        {"id": "cm1", "remoteJid": JID, "pushName": "Ana", "profilePicUrl": "https://example.com/a", "instanceId": "i"},
        {"id": JID, "pushName": "Ana", "profilePictureUrl": "https://example.com/a", "owner": "shop-1"},
    ],
    ids=["2.x", "1.x"],
)
async def test_contacts_have_name_and_picture_in_every_version(
    evolution: FakeEvolution, client: Evolution, row: object
) -> None:
    evolution.answer = lambda _: (200, [row])

    (ana,) = await client.find_contacts("shop-1")

    assert (ana.jid, ana.phone, ana.name, ana.picture_url) == (JID, TO, "Ana", "https://example.com/a")


async def test_a_picture_that_is_hidden_is_none(evolution: FakeEvolution, client: Evolution) -> None:
    evolution.answer = lambda _: (200, {"wuid": JID, "profilePictureUrl": None})

    assert await client.picture_url("shop-1", TO) is None


@pytest.mark.parametrize("status", ["At work", {"status": "At work", "setAt": "2026-01-01"}])
async def test_a_profile_shows_what_is_shown(evolution: FakeEvolution, client: Evolution, status: object) -> None:
    answer = {"wuid": JID, "name": "Ana", "picture": None, "status": status, "isBusiness": True, "website": ["x"]}
    evolution.answer = lambda _: (200, answer)

    profile = await client.fetch_profile("shop-1", TO)

    assert (profile.jid, profile.name, profile.status, profile.picture_url) == (JID, "Ana", "At work", None)
    assert profile.is_business
    assert profile.raw == answer
