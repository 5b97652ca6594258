"""What each send asks of Evolution: the requests of its REST reference, written by hand."""

import pytest

from gateway.evolution import Evolution, MessageKey
from gateway.pieces import Button, Card, Row
from tests.evolution.asked import Asked, Make, case, check, send
from tests.evolution.conftest import FakeEvolution

TO = "5511999990002"
GROUP = "120363400000000001@g.us"
KEY = MessageKey(id="BAE5", chat=TO, from_me=True)
NAMED = {"id": "BAE5", "remoteJid": "5511999990002@s.whatsapp.net", "fromMe": True}
QUOTED = {"key": {"id": "3EB0"}}


TEXTS = [
    case(
        "text",
        lambda client: client.send_text("shop-1", "+55 11 99999-0002", "olá 👋"),
        send("sendText", {"number": TO, "text": "olá 👋"}),
        send("sendText", {"number": TO, "textMessage": {"text": "olá 👋"}}),
    ),
    case(
        "text with all options",
        lambda client: client.send_text(
            "shop-1",
            GROUP,
            "@5511999990002 hi",
            delay=1.2,
            quoted="3EB0",
            mentions=["+55 11 99999-0002", "5511999990003@s.whatsapp.net", "201110000000002@lid"],
            mention_all=True,
            link_preview=False,
        ),
        send(
            "sendText",
            {
                "number": GROUP,
                "text": "@5511999990002 hi",
                "delay": 1200,
                "quoted": QUOTED,
                "linkPreview": False,
                "mentionsEveryOne": True,
                "mentioned": ["5511999990002", "5511999990003", "201110000000002@lid"],
            },
        ),
        send(
            "sendText",
            {
                "number": GROUP,
                "textMessage": {"text": "@5511999990002 hi"},
                "options": {
                    "delay": 1200,
                    "presence": "composing",
                    "quoted": QUOTED,
                    "linkPreview": False,
                    "mentions": {
                        "everyOne": True,
                        "mentioned": ["5511999990002", "5511999990003", "201110000000002@lid"],
                    },
                },
            },
        ),
    ),
    case(
        "text quoting a message that the server may not have kept",
        lambda client: client.send_text(
            "shop-1", GROUP, "yes", quoted=MessageKey(id="3EB0", chat=GROUP, participant="2011@lid", text="really?")
        ),
        send("sendText", {"number": GROUP, "text": "yes", "quoted": (full := {
            "key": {"id": "3EB0", "remoteJid": GROUP, "fromMe": False, "participant": "2011@lid"},
            "message": {"conversation": "really?"},
        })}),
        send("sendText", {"number": GROUP, "textMessage": {"text": "yes"}, "options": {"quoted": full}}),
    ),
]  # fmt: skip

PLACE = {"latitude": -23.5, "longitude": -46.6}
CARD = {"fullName": "Ana", "phoneNumber": "+55 11 99999-0003", "wuid": "5511999990003", "organization": "Shop"}
POLL = {"name": "Lunch?", "selectableCount": 2, "values": ["Pizza", "Sushi"]}
LIST = {
    "title": "Menu",
    "description": "What today?",
    "footerText": "",
    "buttonText": "Open",
    "sections": [{"title": "Food", "rows": [{"title": "Pizza", "rowId": "p", "description": "Large"}]}],
}
CONTENT = [
    case(
        "location",
        lambda client: client.send_location("shop-1", TO, latitude=-23.5, longitude=-46.6, name="Shop"),
        send("sendLocation", {"number": TO, **PLACE, "name": "Shop", "address": ""}),
        send("sendLocation", {"number": TO, "locationMessage": {**PLACE, "name": "Shop"}}),
    ),
    case(
        "contact",
        lambda client: client.send_contact("shop-1", TO, [Card("Ana", "+55 11 99999-0003", organization="Shop")]),
        send("sendContact", {"number": TO, "contact": [CARD]}),
        send("sendContact", {"number": TO, "contactMessage": [CARD]}),
    ),
    case(
        "reaction",
        lambda client: client.send_reaction("shop-1", KEY, "👍"),
        send("sendReaction", {"key": NAMED, "reaction": "👍"}),
        send("sendReaction", {"reactionMessage": {"key": NAMED, "reaction": "👍"}}),
    ),
    case(
        "reaction taken back in a group",
        lambda client: client.send_reaction(
            "shop-1", MessageKey(id="3EB0", chat=GROUP, participant="201110000000002@lid"), ""
        ),
        send("sendReaction", reaction := {
            "key": {"id": "3EB0", "remoteJid": GROUP, "fromMe": False, "participant": "201110000000002@lid"},
            "reaction": "",
        }),
        send("sendReaction", {"reactionMessage": reaction}),
    ),
    case(
        "poll",
        lambda client: client.send_poll("shop-1", TO, "Lunch?", ["Pizza", "Sushi"], pick=2),
        send("sendPoll", {"number": TO, **POLL}),
        send("sendPoll", {"number": TO, "pollMessage": POLL}),
    ),
    case(
        "list",
        lambda client: client.send_list(
            "shop-1", TO, "Menu", {"Food": [Row("p", "Pizza", "Large")]}, button="Open", description="What today?"
        ),
        send("sendList", {"number": TO, **LIST}),
        send("sendList", {"number": TO, "listMessage": LIST}),
    ),
    case(
        "buttons that reply",
        lambda client: client.send_buttons(
            "shop-1", TO, "Sure?", [Button(label="Yes", value="y")], description="Really", footer="Shop"
        ),
        send(
            "sendButtons",
            {
                "number": TO,
                "title": "Sure?",
                "description": "Really",
                "footer": "Shop",
                "buttons": [{"type": "reply", "displayText": "Yes", "id": "y"}],
            },
        ),
        send(
            "sendButtons",
            {
                "number": TO,
                "buttonMessage": {
                    "title": "Sure?",
                    "description": "Really",
                    "footerText": "Shop",
                    "buttons": [{"buttonText": "Yes", "buttonId": "y"}],
                },
            },
        ),
    ),
    case(
        "other buttons",
        lambda client: client.send_buttons(
            "shop-1",
            TO,
            "Shop",
            [
                Button(kind="url", label="Open", value="https://example.com"),
                Button(kind="call", label="Call", value="+5511999990002"),
                Button(kind="copy", label="Copy", value="CODE"),
                Button(kind="pix", value="ana@example.com", name="Ana", key_type="email"),
            ],
        ),
        send("sendButtons", {"number": TO, "title": "Shop", "buttons": [
            {"type": "url", "displayText": "Open", "url": "https://example.com"},
            {"type": "call", "displayText": "Call", "phoneNumber": "+5511999990002"},
            {"type": "copy", "displayText": "Copy", "copyCode": "CODE"},
            {"type": "pix", "key": "ana@example.com", "currency": "BRL", "name": "Ana", "keyType": "email"},
        ]}),
        None,
    ),
    case(
        "status of text for all",
        lambda client: client.send_status("shop-1", "Open today", background="#112233", font=2),
        send("sendStatus", text_status := {
            "type": "text", "content": "Open today", "backgroundColor": "#112233", "font": 2, "allContacts": True,
        }),
        send("sendStatus", {"statusMessage": text_status}),
    ),
    case(
        "template",
        lambda client: client.send_template("shop-1", TO, "hello", language="pt_BR", components=[{"type": "body"}]),
        send(
            "sendTemplate", {"number": TO, "name": "hello", "language": "pt_BR", "components": [{"type": "body"}]}
        ),
        send(
            "sendTemplate",
            {
                "number": TO,
                "templateMessage": {"name": "hello", "language": "pt_BR", "components": [{"type": "body"}]},
            },
        ),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("make", "two", "one"), [*TEXTS, *CONTENT])
async def test_each_send_is_spelt_as_the_servers_version_wants_it(
    evolution: FakeEvolution, make: Make, two: Asked, one: Asked | None
) -> None:
    await check(evolution, make, two, one)


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda client: client.send_text("shop-1", "ana", "hi"), "neither a jid nor a telephone number"),
        (lambda client: client.send_text("shop-1", GROUP, "hi", mentions=TO), "mentions= takes a list"),
        (lambda client: client.send_contact("shop-1", TO, [Card("Ana", GROUP)]), "needs a telephone number"),
    ],
)
async def test_what_no_server_could_take_is_refused_before_anything_is_asked(
    evolution: FakeEvolution, client: Evolution, make: Make, why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        await make(client)
    assert evolution.requests == []
