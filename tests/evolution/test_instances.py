"""What each call about instances and webhooks asks of Evolution: written by hand from its REST reference."""

import pytest

from gateway.evolution import InstanceSettings, Webhook
from gateway.evolution.call import Body
from tests.evolution.asked import Asked, Make, both, case, check
from tests.evolution.conftest import FakeEvolution

URL = "http://gateway:8085/webhook"
HOOK = Webhook(url=URL, events=("messages.upsert", "GROUPS_UPDATE", "group-participants.update"), by_events=True)
EVENTS = ["MESSAGES_UPSERT", "GROUP_UPDATE", "GROUP_PARTICIPANTS_UPDATE"]


def created(body: Body) -> Asked:
    return Asked("POST", "/instance/create", body)


def hooked(body: Body) -> Asked:
    return Asked("POST", "/webhook/set/shop-1", body)


LEAST = {"instanceName": "shop-1", "integration": "WHATSAPP-BAILEYS", "qrcode": True}
INSTANCES = [
    both("create", lambda client: client.create_instance("shop-1"), created(LEAST)),
    case(
        "create with all",
        lambda client: client.create_instance(
            "shop-1",
            token="its-own-key",
            number="+55 11 98888-0000",
            qr=False,
            settings=InstanceSettings(reject_call=True, msg_call="Write, please", sync_full_history=False),
            webhook=HOOK,
        ),
        created({
            "instanceName": "shop-1",
            "integration": "WHATSAPP-BAILEYS",
            "token": "its-own-key",
            "number": "5511988880000",
            "qrcode": False,
            "rejectCall": True,
            "msgCall": "Write, please",
            "syncFullHistory": False,
            "webhook": {"enabled": True, "url": URL, "byEvents": True, "base64": False, "events": EVENTS},
        }),
        created({
            "instanceName": "shop-1",
            "integration": "WHATSAPP-BAILEYS",
            "token": "its-own-key",
            "number": "5511988880000",
            "qrcode": False,
            "reject_call": True,
            "msg_call": "Write, please",
            "sync_full_history": False,
            "webhook": URL,
            "webhook_by_events": True,
            "webhook_base64": False,
            "events": EVENTS,
        }),
    ),
    both(
        "create on the Business channel",
        lambda client: client.create_instance(
            "shop-1", integration="WHATSAPP-BUSINESS", token="EAA", number="1098765432109876", business_id="7", qr=False
        ),
        created({
            "instanceName": "shop-1",
            "integration": "WHATSAPP-BUSINESS",
            "token": "EAA",
            "number": "1098765432109876",
            "businessId": "7",
            "qrcode": False,
        }),
    ),
    both("connect", lambda client: client.connect_instance("shop-1"), Asked("GET", "/instance/connect/shop-1")),
    both(
        "connect by a code typed in",
        lambda client: client.connect_instance("shop-1", number="+55 11 98888-0000"),
        Asked("GET", "/instance/connect/shop-1?number=5511988880000"),
    ),
    both(
        "state", lambda client: client.connection_state("shop-1"), Asked("GET", "/instance/connectionState/shop-1")
    ),
    both("list", lambda client: client.find_instances(), Asked("GET", "/instance/fetchInstances")),
    both(
        "find",
        lambda client: client.find_instances("loja São"),
        Asked("GET", "/instance/fetchInstances?instanceName=loja+S%C3%A3o"),
    ),
    case(
        "restart",
        lambda client: client.restart_instance("shop-1"),
        Asked("POST", "/instance/restart/shop-1"),
        Asked("PUT", "/instance/restart/shop-1"),
    ),
    both("log out", lambda client: client.logout_instance("shop-1"), Asked("DELETE", "/instance/logout/shop-1")),
    both("delete", lambda client: client.delete_instance("shop-1"), Asked("DELETE", "/instance/delete/shop-1")),
    both(
        "presence",
        lambda client: client.set_presence("shop-1", "available"),
        Asked("POST", "/instance/setPresence/shop-1", {"presence": "available"}),
    ),
]  # fmt: skip

WEBHOOKS = [
    case(
        "set",
        lambda client: client.set_webhook("shop-1", HOOK),
        hooked({"webhook": {"enabled": True, "url": URL, "byEvents": True, "base64": False, "events": EVENTS}}),
        hooked({
            "enabled": True, "url": URL, "events": EVENTS, "webhook_by_events": True, "webhook_base64": False,
        }),
    ),
    case(
        "set with a secret, for all events",
        lambda client: client.set_webhook("shop-1", Webhook(url=URL, headers={"X-Token": "secret"}, base64=True)),
        hooked({"webhook": {
            "enabled": True,
            "url": URL,
            "headers": {"X-Token": "secret"},
            "byEvents": False,
            "base64": True,
            "events": [],
        }}),
        None,
    ),
    case(
        "switch off",
        lambda client: client.set_webhook("shop-1", Webhook(url=URL, enabled=False)),
        hooked({"webhook": {"enabled": False, "url": URL, "byEvents": False, "base64": False, "events": []}}),
        hooked({
            "enabled": False, "url": URL, "events": [], "webhook_by_events": False, "webhook_base64": False,
        }),
    ),
    both("find", lambda client: client.find_webhook("shop-1"), Asked("GET", "/webhook/find/shop-1")),
]  # fmt: skip


@pytest.mark.parametrize(("make", "two", "one"), [*INSTANCES, *WEBHOOKS])
async def test_each_call_is_spelt_as_the_servers_version_wants_it(
    evolution: FakeEvolution, make: Make, two: Asked, one: Asked | None
) -> None:
    await check(evolution, make, two, one)
