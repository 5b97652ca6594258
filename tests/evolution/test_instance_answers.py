"""What Evolution tells of its instances and webhooks, whichever version tells it."""

import pytest
from aiohttp import web

from gateway.evolution import Evolution, Webhook
from tests.evolution.conftest import FakeEvolution

QR = {"pairingCode": "ABCD1234", "code": "2@abc", "base64": "data:image/png;base64,iVBORw==", "count": 1}
URL = "http://gateway:8085/webhook"


async def test_pairing_shows_what_to_scan(evolution: FakeEvolution, client: Evolution) -> None:
    evolution.answer = lambda _: (200, QR)

    pairing = await client.connect_instance("shop-1")

    assert pairing.state == "connecting"
    assert pairing.qr is not None
    assert (pairing.qr.code, pairing.qr.pairing_code, pairing.qr.image()) == ("2@abc", "ABCD1234", b"\x89PNG")
    assert "2@abc" not in repr(pairing), "a code in a log opens the account to its reader"


@pytest.mark.parametrize("method", ["connect_instance", "restart_instance"])
async def test_an_instance_that_is_connected_has_nothing_to_scan(
    evolution: FakeEvolution, client: Evolution, method: str
) -> None:
    evolution.answer = lambda _: (200, {"instance": {"instanceName": "shop-1", "state": "open"}})

    pairing = await getattr(client, method)("shop-1")

    assert (pairing.state, pairing.qr) == ("open", None)


async def test_a_server_without_a_code_yet_has_none(evolution: FakeEvolution, client: Evolution) -> None:
    evolution.answer = lambda _: (200, {"pairingCode": None, "count": 0})

    assert (await client.connect_instance("shop-1")).qr is None


@pytest.mark.parametrize("key", ["its-own-key", {"apikey": "its-own-key"}], ids=["2.x", "1.x"])
async def test_a_new_instance_has_its_own_key(evolution: FakeEvolution, client: Evolution, key: object) -> None:
    evolution.answer = lambda _: (
        201,
        {
            "instance": {"instanceName": "shop-1", "instanceId": "i-1", "status": "connecting"},
            "hash": key,
            "qrcode": QR,
        },
    )

    made = await client.create_instance("shop-1")

    assert (made.name, made.id, made.token) == ("shop-1", "i-1", "its-own-key")
    assert made.qr is not None
    assert "its-own-key" not in repr(made)


async def test_a_state_is_one_word(evolution: FakeEvolution, client: Evolution) -> None:
    evolution.answer = lambda _: (200, {"instance": {"instanceName": "shop-1", "state": "connecting"}})

    assert await client.connection_state("shop-1") == "connecting"


@pytest.mark.parametrize(
    "row",
    [
        {
            "id": "i-1",
            "name": "shop-1",
            "connectionStatus": "open",
            "ownerJid": "5511988880000@s.whatsapp.net",
            "profileName": "Shop",
            "profilePicUrl": None,
            "integration": "WHATSAPP-BAILEYS",
            "token": "its-own-key",
            "disconnectionReasonCode": 401,
        },
        {
            "instance": {
                "instanceName": "shop-1",
                "instanceId": "i-1",
                "owner": "5511988880000@s.whatsapp.net",
                "profileName": "Shop",
                "profilePictureUrl": None,
                "status": "open",
                "apikey": "its-own-key",
                "integration": {"integration": "WHATSAPP-BAILEYS", "token": "", "webhook_wa_business": None},
            }
        },
    ],
    ids=["2.x", "1.x"],
)
async def test_instances_are_listed_alike(evolution: FakeEvolution, client: Evolution, row: object) -> None:
    evolution.answer = lambda _: (200, [row])

    (shop,) = await client.find_instances()

    assert (shop.name, shop.id, shop.state, shop.phone) == ("shop-1", "i-1", "open", "5511988880000")
    assert (shop.profile_name, shop.integration, shop.token) == ("Shop", "WHATSAPP-BAILEYS", "its-own-key")
    assert shop.raw == row
    assert "its-own-key" not in repr(shop)


async def test_a_server_tells_its_version(evolution: FakeEvolution, client: Evolution) -> None:
    welcome = {"status": 200, "version": "2.3.6", "clientName": "evolution", "manager": "http://evolution/manager"}
    evolution.welcome = lambda: web.json_response(welcome | {"whatsappWebVersion": "2.3000"})

    info = await client.server_info()

    assert (info.version, info.client_name, info.whatsapp_version) == ("2.3.6", "evolution", "2.3000")
    assert info.manager == "http://evolution/manager"


NEW = {"id": "w", "url": URL, "headers": {"X-Token": "secret"}, "enabled": True, "events": ["MESSAGES_UPSERT"]}
OLD = {"enabled": True, "url": URL, "events": ["MESSAGES_UPSERT"], "webhook_by_events": True, "webhook_base64": False}


@pytest.mark.parametrize(
    "answer",
    [
        NEW | {"headers": None, "webhookByEvents": True, "webhookBase64": False},
        OLD,
        {"webhook": {"instanceName": "shop-1", "webhook": OLD}},
    ],
    ids=["2.x", "1.x", "1.x when it is set"],
)
async def test_a_webhook_is_told_alike(evolution: FakeEvolution, client: Evolution, answer: object) -> None:
    evolution.answer = lambda _: (200, answer)
    told = Webhook(url=URL, events=("MESSAGES_UPSERT",), by_events=True, raw=answer)

    assert await client.find_webhook("shop-1") == told
    assert await client.set_webhook("shop-1", Webhook(url=URL)) == told


@pytest.mark.parametrize("answer", [None, {"enabled": False, "url": "", "events": []}], ids=["2.x", "1.x"])
async def test_a_webhook_that_was_never_set_is_none(
    evolution: FakeEvolution, client: Evolution, answer: object
) -> None:
    evolution.answer = lambda _: (200, answer)

    assert await client.find_webhook("shop-1") is None


async def test_a_webhooks_secret_is_not_shown(evolution: FakeEvolution, client: Evolution) -> None:
    evolution.answer = lambda _: (200, NEW)

    webhook = await client.find_webhook("shop-1")

    assert webhook is not None
    assert webhook.headers == {"X-Token": "secret"}
    assert "secret" not in repr(webhook)
