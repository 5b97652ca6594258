"""What each call about chats, and each look-up, asks of Evolution: written by hand from its REST reference."""

from collections.abc import AsyncIterator

import pytest

from gateway.evolution import MessageKey
from gateway.evolution.call import Body
from tests.evolution.asked import Asked, Make, both, case, check, put
from tests.evolution.conftest import FakeEvolution

TO = "5511999990002"
JID = "5511999990002@s.whatsapp.net"
GROUP = "120363400000000001@g.us"
OWN = MessageKey(id="BAE5", chat=TO, from_me=True)
NAMED = {"id": "BAE5", "remoteJid": JID, "fromMe": True}
THEIRS = MessageKey(id="3EB0", chat=GROUP, participant="201110000000002@lid")
FILE = {"base64": "T2dn"}


def ask(action: str, body: Body | None, method: str = "POST") -> Asked:
    return Asked(method, f"/chat/{action}/shop-1", body)


async def whole(pieces: AsyncIterator[bytes]) -> bytes:
    return b"".join([piece async for piece in pieces])


LAST = {"chat": JID, "lastMessage": {"key": NAMED}}
CHATS = [
    case(
        "read",
        lambda client: client.mark_read("shop-1", [OWN, THEIRS]),
        ask("markMessageAsRead", {"readMessages": (items := [
            NAMED, {"id": "3EB0", "fromMe": False, "remoteJid": GROUP},
        ])}),
        ask("markMessageAsRead", {"read_messages": items}, "PUT"),
    ),
    case(
        "typing",
        lambda client: client.send_presence("shop-1", TO, "composing", seconds=1.5),
        ask("sendPresence", {"number": TO, "presence": "composing", "delay": 1500}),
        ask("sendPresence", {"number": TO, "options": {"presence": "composing", "delay": 1500}}),
    ),
    both(
        "delete",
        lambda client: client.delete_message("shop-1", THEIRS),
        ask(
            "deleteMessageForEveryone",
            {"id": "3EB0", "fromMe": False, "remoteJid": GROUP, "participant": "201110000000002@lid"},
            "DELETE",
        ),
    ),
    put(
        "edit",
        lambda client: client.edit_message("shop-1", OWN, "better"),
        ask("updateMessage", {"number": TO, "key": NAMED, "text": "better"}),
    ),
    put(
        "archive",
        lambda client: client.archive_chat("shop-1", OWN, timestamp=1761300549),
        ask("archiveChat", {
            "chat": JID, "lastMessage": {"key": NAMED, "messageTimestamp": 1761300549}, "archive": True,
        }),
    ),
    put(
        "take back from the archive",
        lambda client: client.archive_chat("shop-1", OWN, archive=False),
        ask("archiveChat", LAST | {"archive": False}),
    ),
    put("unread", lambda client: client.mark_unread("shop-1", OWN), ask("markChatUnread", LAST)),
    put(
        "block",
        lambda client: client.block("shop-1", "+55 11 99999-0002"),
        ask("updateBlockStatus", {"number": TO, "status": "block"}),
    ),
    put(
        "unblock",
        lambda client: client.block("shop-1", TO, block=False),
        ask("updateBlockStatus", {"number": TO, "status": "unblock"}),
    ),
]  # fmt: skip

RECORDS = [
    case(
        "messages of a chat",
        lambda client: client.find_messages("shop-1", chat="+55 11 99999-0002", from_me=True, size=20),
        ask("findMessages", {
            "where": {"key": {"remoteJid": JID, "remoteJidAlt": JID, "fromMe": True}}, "page": 1, "offset": 20,
        }),
        ask("findMessages", {"where": {"key": {"remoteJid": JID, "fromMe": True}}, "limit": 20}),
    ),
    case(
        "all messages",
        lambda client: client.find_messages("shop-1"),
        ask("findMessages", {"page": 1, "offset": 50}),
        ask("findMessages", {"limit": 50}),
    ),
    case(
        "receipts",
        lambda client: client.find_receipts("shop-1", OWN),
        ask("findStatusMessage", {"where": {"remoteJid": JID, "id": "BAE5"}, "page": 1, "offset": 50}),
        ask("findStatusMessage", {"where": {"remoteJid": JID, "id": "BAE5"}, "limit": 50}),
    ),
    case(
        "chats", lambda client: client.find_chats("shop-1"), ask("findChats", {}), ask("findChats", None, "GET")
    ),
    both("contacts", lambda client: client.find_contacts("shop-1"), ask("findContacts", {})),
    case(
        "one contact",
        lambda client: client.find_contacts("shop-1", TO),
        ask("findContacts", {"where": {"remoteJid": JID}}),
        ask("findContacts", {"where": {"id": JID}}),
    ),
    both(
        "numbers",
        lambda client: client.check_numbers("shop-1", ["+55 11 99999-0002", "201110000000002@lid"]),
        ask("whatsappNumbers", {"numbers": [TO, "201110000000002@lid"]}),
    ),
    both(
        "picture",
        lambda client: client.picture_url("shop-1", JID),
        ask("fetchProfilePictureUrl", {"number": TO}),
    ),
    both("profile", lambda client: client.fetch_profile("shop-1", GROUP), ask("fetchProfile", {"number": GROUP})),
    both(
        "file by id",
        lambda client: client.fetch_media("shop-1", "3EB0", as_mp4=True),
        ask("getBase64FromMediaMessage", {"message": {"key": {"id": "3EB0"}}, "convertToMp4": True}),
    ),
    both(
        "file by key",
        lambda client: client.fetch_media("shop-1", THEIRS),
        ask("getBase64FromMediaMessage", {"message": {"key": {"id": "3EB0"}}}),
    ),
    both(
        "file in pieces",
        lambda client: whole(client.stream_media("shop-1", "3EB0")),
        ask("getBase64FromMediaMessage", {"message": {"key": {"id": "3EB0"}}}),
    ),
    both(
        "file by the whole message",
        lambda client: client.fetch_media("shop-1", {"key": {"id": "3EB0"}, "message": {"imageMessage": {}}}),
        ask("getBase64FromMediaMessage", {"message": {"key": {"id": "3EB0"}, "message": {"imageMessage": {}}}}),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("make", "two", "one"), [*CHATS, *RECORDS])
async def test_each_call_is_spelt_as_the_servers_version_wants_it(
    evolution: FakeEvolution, make: Make, two: Asked, one: Asked
) -> None:
    evolution.answer = lambda _: (200, FILE)

    await check(evolution, make, two, one)
