"""From a running gateway and a running Evolution to a bot that answers; each obstacle is named with its remedy."""

import asyncio
import re
from typing import Any

import pytest

from gateway.config.kept import WEBHOOK_TOKEN
from gateway.testing.evolution import Fault
from gateway.testing.evolution.place import CONTAINER, LONELY_CONTAINER
from gateway.testing.evolution.world import Webhook
from tests.support.waiting import until
from tests.wiring.conftest import Open, Site


def hook_of(site: Site, instance: str = "shop-1") -> Webhook:
    hook = site.evolution.instance(instance).webhook
    assert hook is not None
    return hook


async def test_new_instance_is_made_pointed_here_paired_and_heard(site: Open) -> None:
    async with site() as here:
        await here.start()

        connecting = asyncio.create_task(here.connect("shop-9", create=True))
        await until(lambda: "qrcode.updated" in here.events, "its code is on the page")
        here.evolution.connect("shop-9")
        steps = await connecting

        hook = hook_of(here, "shop-9")
        token = (here.data / WEBHOOK_TOKEN).read_text().strip()
        assert (hook.url, hook.headers, hook.by_events) == (here.webhook, {"X-Webhook-Token": token}, True)
        assert len(steps.codes) == 1
        assert [re.sub(r"in \d+ ms", "in N ms", line) for line in steps.lines] == [
            f"✓ Evolution API 2.3.6 answers at {here.evolution.url} (key accepted)",
            "✓ instance shop-9 created",
            f"✓ webhook set: {here.webhook}, by events, 31 events, secret header",
            "✓ test event came back in N ms",
            f"✓ connected as +{here.evolution.instance('shop-9').phone}",
        ]
        assert [name for name in here.evolution.world.instances if name.startswith("gateway-test-")] == []
        assert here.evolution.complaints == []
        assert token not in steps.text
        assert here.evolution.apikey not in steps.text


async def test_connected_instance_is_only_pointed_here(site: Open) -> None:
    async with site() as here:
        await here.start()
        here.evolution.point("http://127.0.0.1:9/elsewhere/s3cret?token=s3cret")

        steps = await here.connect()
        await here.evolution.write("+55 11 99999-0002", "ping")

        assert "▸ in place of http://127.0.0.1:9/elsewhere/...?..." in steps.lines
        assert steps.lines[-1] == "✓ connected as +5511988880000"
        assert here.events[0] == "messages.upsert"


async def test_events_base64_and_one_url_are_as_asked_for(site: Open) -> None:
    async with site() as here:
        await here.start()

        steps = await here.connect(events=("messages.upsert", "CALL"), base64=True, by_events=False)

        hook = hook_of(here)
        assert (hook.events, hook.base64, hook.by_events) == (("MESSAGES_UPSERT", "CALL"), True, False)
        assert "one URL for all events, 2 events, base64" in steps.text


@pytest.mark.parametrize(
    ("auth", "headers", "path"),
    [
        ({"header": {"name": "X-Mine", "values": ["s3cret"]}}, {"X-Mine": "s3cret"}, ""),
        ({"jwt_key": ["s3cret"]}, {"jwt_key": "s3cret"}, ""),
        ({"path_secret": ["s3cret"]}, None, "/s3cret"),
        ("none", None, ""),
    ],
)
async def test_configured_credential_is_the_one_evolution_gets(
    site: Open, auth: object, headers: dict[str, str] | None, path: str
) -> None:
    async with site() as here:
        here.settings(webhook={"auth": auth})
        await here.start()

        steps = await here.connect()

        assert "test event came back" in steps.text
        assert (hook_of(here).headers, hook_of(here).url) == (headers, here.webhook + path)
        assert "s3cret" not in steps.text


async def test_1x_takes_the_flat_body_and_no_test_event(site: Open) -> None:
    async with site(version="1.8.2") as here:
        here.settings(webhook={"auth": {"path_secret": ["s3cret"]}})
        await here.start()

        steps = await here.connect()

        assert "no test event: Evolution 1.8.2 can't be made to send one" in steps.text
        assert steps.lines[-1].startswith("✓ connected")
        assert hook_of(here).url == f"{here.webhook}/s3cret"
        assert here.evolution.complaints == []


async def test_container_that_knows_its_host_gets_the_hosts_name(site: Open) -> None:
    async with site(place=CONTAINER) as here:
        await here.start()

        steps = await here.connect()

        assert "test event came back" in steps.text
        assert hook_of(here).url == f"http://host.docker.internal:{here.port}/webhook"


async def test_container_that_can_not_reach_loopback_is_named_with_the_bridge_and_the_secret(site: Open) -> None:
    async with site(place=LONELY_CONTAINER) as here:
        await here.start()

        steps = await here.connect()

        assert "it seems to run in a container, whose 127.0.0.1 is not this one" in steps.lines[-1]
        assert re.search(r"-> In config\.yaml set  webhook: \{host: [\d.]+\}", steps.lines[-1])
        assert "the secret in data/webhook.token" in steps.lines[-1]
        assert here.evolution.instance().webhook is None


async def test_another_machine_that_can_not_reach_loopback_is_named_with_the_address_it_knows(site: Open) -> None:
    async with site() as here:
        await here.start()

        steps = await here.connect(at=here.evolution.url.replace("127.0.0.1", "0.0.0.0"))  # noqa: S104 -- not loopback

        assert "is another machine, and this gateway listens on 127.0.0.1 alone" in steps.lines[-1]
        assert "-> In config.yaml set  webhook: {host: " in steps.lines[-1]


async def test_what_it_says_to_do_helps(site: Open) -> None:
    async with site(place=CONTAINER) as here:
        await here.well()  # from here on there is a token
        await here.stop()
        here.settings(webhook={"host": "0.0.0.0"})  # noqa: S104 -- the claim
        await here.start()

        helped = await here.connect()

        assert "test event came back" in helped.text
        assert hook_of(here).url.startswith("http://host.docker.internal:")
        assert await here.post(b"{}") == 401
        token = (here.data / WEBHOOK_TOKEN).read_text().strip()
        assert await here.post(b'{"event": "call"}', **{"X-Webhook-Token": token}) == 202


async def test_without_a_gateway_it_says_how_to_start_one(site: Open) -> None:
    async with site() as here:
        steps = await here.connect()

        assert steps.lines == [f"✗ no gateway runs on {here.data} -> Start it in another terminal:  gateway serve"]


async def test_gateway_that_is_older_than_its_settings_is_told_from_a_network_that_lets_nothing_through(
    site: Open,
) -> None:
    async with site() as here:
        here.settings(webhook={"auth": {"header": {"values": ["old"]}}})
        await here.start()
        here.settings(webhook={"auth": {"header": {"values": ["new"]}}})

        steps = await here.connect()

        assert "✗ the gateway that runs refuses what Evolution would send by config.yaml (401)" in steps.lines[-1]
        assert "Start it again" in steps.lines[-1]
        assert here.evolution.instance().webhook is None


async def test_gateway_of_another_folder_is_not_taken_for_this_one(site: Open, tmp_path: object) -> None:
    async with site() as here:
        await here.start()
        here.settings(data="other")

        steps = await here.connect()

        assert f"no gateway runs on {tmp_path}/other, though another one listens on" in steps.text


@pytest.mark.parametrize(
    ("how", "found", "fix"),
    [
        ({"at": "http://127.0.0.1:9"}, "does not answer at http://127.0.0.1:9", "--evolution http://HOST:8080"),
        ({"apikey": "wrong"}, "refuses the key", "set EVOLUTION_APIKEY"),
        ({"events": ("nonsense",)}, "there is no event nonsense", "gateway routes"),
        ({"events": ("GROUPS_UPDATE",)}, "never posts groups.update", "GROUP_PARTICIPANTS_UPDATE"),
        ({"url": "http://127.0.0.1:9/hook"}, "nothing came", "--webhook-url URL"),
        ({"instance": "shop-7"}, "no instance shop-7 (it has: shop-1)", "Add --create to make it"),
    ],
)
async def test_each_obstacle_is_named_with_what_to_do(site: Open, how: dict[str, Any], found: str, fix: str) -> None:
    async with site() as here:
        await here.start()

        steps = await here.connect(**how)

        assert steps.lines[-1].startswith("✗ ")
        assert found in steps.lines[-1]
        assert fix in steps.lines[-1]
        assert here.evolution.instance().webhook is None
        assert list(here.evolution.world.instances) == ["shop-1"]


async def test_key_of_the_instance_alone_suffices_without_a_test_event(site: Open) -> None:
    async with site() as here:
        await here.start()
        token = here.evolution.instance().token

        steps = await here.connect(apikey=token)

        assert "no test event" in steps.text
        assert hook_of(here).url == here.webhook
        assert steps.lines[-1] == "✓ connected to WhatsApp"
        assert token not in steps.text


async def test_code_that_nobody_scans_ends_with_a_word(site: Open) -> None:
    async with site() as here:
        await here.start()
        here.evolution.disconnect()

        steps = await here.connect(wait=0.1)

        assert "✗ nobody scanned the code" in steps.lines[-1]


async def test_evolutions_own_words_are_shown_where_nobody_foresaw_them(site: Open) -> None:
    async with site() as here:
        await here.start()
        here.evolution.fail(Fault.SERVER_FAULT, "webhook/set", times=None)

        steps = await here.connect()

        assert steps.lines[-1].startswith("✗ Evolution answered 500")


async def test_settings_that_let_no_reply_leave_are_mentioned(site: Open) -> None:
    async with site() as here:
        here.settings(evolution={"url": here.evolution.url})
        await here.start()

        steps = await here.connect()

        assert "▸ so that replies leave: evolution.apikey in config.yaml" in steps.lines[-1]
