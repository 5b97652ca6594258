"""Each fault is planted in a gateway and an Evolution that were well, and is named with what to do; nothing else is."""

import resource
import time

import aiohttp
import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway import samples
from gateway.testing.evolution.place import LONELY_CONTAINER
from gateway.wiring.finding import Finding
from tests.support.bodies import message
from tests.support.waiting import until
from tests.wiring.conftest import Open, Site, envelope


def only(found: list[Finding], level: str) -> tuple[str, str]:
    """The one finding there is, and its remedy."""
    assert [each.level for each in found] == [level], found
    return f"{found[0].about}: {found[0].found}", found[0].fix


async def test_nothing_is_wrong_where_all_is_well(site: Open) -> None:
    async with site() as here:
        await here.well()

        found = await here.examined()

        assert {each.level for each in found if "carry the instance's key" not in each.found} == {"ok"}, found
        assert {each.about for each in found} >= {"gateway", "plugins", "disk", "files", "evolution", "clock"}
        assert {each.about for each in found} >= {"instance shop-1", "webhook shop-1", "events shop-1"}
        assert here.evolution.apikey not in str(found)


async def test_gateway_that_does_not_run(site: Open) -> None:
    async with site() as here:
        here.evolution.point(here.webhook)

        found = await here.wrong()

        assert [(each.about, each.fix) for each in found] == [
            ("gateway", "Start it:  gateway serve"),
            ("webhook shop-1", "Start the gateway there, or  gateway connect shop-1"),
        ]


async def test_settings_that_changed_since_the_gateway_was_started(site: Open) -> None:
    async with site() as here:
        await here.well()
        here.settings(webhook={"port": 9})

        found = await here.wrong(patience=0)

        assert "nothing answers on 127.0.0.1:9" in found[0].found
        assert found[0].fix.startswith("Start it again")


async def test_evolution_that_is_not_there(site: Open) -> None:
    async with site() as here:
        await here.well()
        await here.evolution.close()

        found, fix = only(await here.wrong(), "failure")

        assert "evolution: Evolution does not answer at http://127.0.0.1:" in found
        assert fix == "Start Evolution, or correct evolution.url"


async def test_key_that_evolution_refuses(site: Open) -> None:
    async with site() as here:
        await here.well()

        found, fix = only(await here.wrong(apikey="wrong"), "failure")

        assert "refuses the key" in found
        assert "AUTHENTICATION_API_KEY" in fix


async def test_replies_that_can_not_leave_for_want_of_a_key(site: Open) -> None:
    async with site() as here:
        await here.well()
        here.settings(evolution={"url": here.evolution.url})

        found, fix = only(await here.wrong(), "warning")

        assert found == "answers: evolution.apikey in config.yaml is empty, so nothing is ever sent"
        assert "start the gateway again" in fix


async def test_url_that_is_not_evolutions_own(site: Open) -> None:
    async with site() as here:
        await here.well()

        found, fix = only(await here.wrong(at=f"{here.evolution.url}/manager"), "failure")

        assert found.startswith("evolution: ")
        assert "without /manager" in fix


@pytest.mark.parametrize(
    ("url", "level", "found", "fix"),
    [
        ("{webhook}/", "warning", "its URL ends in /", "gateway connect shop-1"),
        ("{webhook}?source=evolution", "warning", "its URL has a ?", "gateway connect shop-1"),
        (
            "{origin}/hook",
            "failure",
            "/hook, and this gateway's webhook.base_path is /webhook",
            "gateway connect",
        ),
        ("http://127.0.0.1:9/webhook", "failure", "nobody answers at http://127.0.0.1:9/webhook", "gateway connect"),
        ("{evolution}/webhook", "failure", "is no gateway (404)", "gateway connect shop-1"),
    ],
)
async def test_url_of_the_webhook(site: Open, url: str, level: str, found: str, fix: str) -> None:
    async with site() as here:
        await here.well()
        await here.post(envelope())
        given = {
            "webhook": here.webhook,
            "origin": here.webhook.removesuffix("/webhook"),
            "evolution": here.evolution.url,
        }
        here.evolution.point(url.format(**given))

        said, todo = only(await here.wrong(), level)

        assert found in said
        assert fix in todo


async def test_webhook_that_is_not_set_or_switched_off(site: Open) -> None:
    async with site() as here:
        await here.start()
        unset, _ = only(await here.wrong(), "failure")
        here.evolution.point(here.webhook)
        hook = here.evolution.instance().webhook
        assert hook
        hook.enabled = False
        off, fix = only(await here.wrong(), "failure")

        assert "not set, and no event of this instance has come" in unset
        assert "switched off, and no event" in off
        assert fix == "gateway connect shop-1"


async def test_instance_whose_events_come_by_the_global_webhook_needs_none_of_its_own(site: Open) -> None:
    async with site() as here:
        await here.start()
        await here.post(envelope())

        assert await here.wrong() == []


@pytest.mark.parametrize(
    ("auth", "headers", "found"),
    [
        ({"header": {"values": ["right"]}}, {"X-Webhook-Token": "wrong"}, "header X-Webhook-Token is wrong"),
        ({"header": {"values": ["right"]}}, {}, "no credential"),
        ({"jwt_key": ["right"]}, {"jwt_key": "wrong"}, "its jwt_key is not webhook.auth's"),
    ],
)
async def test_credential_that_the_gateway_refuses(
    site: Open, auth: dict[str, object], headers: dict[str, str], found: str
) -> None:
    async with site() as here:
        here.settings(webhook={"auth": auth})
        await here.well()
        here.evolution.point(here.webhook, headers=headers)

        said, fix = await refused(here)

        assert found in said
        assert fix == "gateway connect shop-1  sets a right one"


async def test_allow_list_is_not_judged_from_this_machines_address(site: Open) -> None:
    async with site() as here:
        here.settings(webhook={"auth": {"allow": ["10.0.0.0/8"]}})
        await here.start()
        here.evolution.point(here.webhook)

        found = [each for each in await here.wrong(patience=0) if each.about == "webhook shop-1"]

        assert [(each.level, each.fix) for each in found] == [("warning", "See below whether its events arrive")]


async def refused(here: Site) -> tuple[str, str]:
    found = [each for each in await here.wrong(patience=0) if each.about == "webhook shop-1"]
    assert [each.level for each in found] == ["failure"]
    return found[0].found, found[0].fix


async def test_evolution_that_can_not_reach_the_gateway(site: Open) -> None:
    async with site(place=LONELY_CONTAINER) as here:
        await here.start()
        here.evolution.point(here.webhook)

        found, fix = only(await here.wrong(), "failure")

        assert "events shop-1: Evolution can't reach" in found
        assert "a container has a 127.0.0.1 of its own" in found
        assert "gateway connect shop-1" in fix


async def test_another_machine_that_is_told_to_post_to_itself(site: Open) -> None:
    async with site() as here:
        await here.well()

        found, fix = only(await here.wrong(at=here.evolution.url.replace("127.0.0.1", "0.0.0.0")), "failure")  # noqa: S104

        assert "which is Evolution's own machine and not this one" in found
        assert fix == "gateway connect shop-1"


async def test_silent_instance_is_tried_and_the_trial_can_be_forbidden(site: Open) -> None:
    async with site() as here:
        await here.start()
        here.evolution.point(here.webhook)

        forbidden, _ = only(await here.wrong(patience=0), "warning")
        tried = [each.found for each in await here.examined() if each.about == "events shop-1"]

        assert "events shop-1: none has come" in forbidden
        assert [found[:21] for found in tried] == ["a test event came in "]


async def test_event_that_a_plugin_handles_and_nobody_subscribed_to(site: Open) -> None:
    async with site() as here:
        here.plugin("calls", "Call")
        here.plugin("everything", "Event")
        await here.well(events=("messages.upsert", "presence.update"))
        await here.post(envelope())

        found, fix = only(await here.wrong(), "failure")

        assert found == "webhook shop-1: call is not subscribed to, and calls handles it"
        assert "gateway connect shop-1" in fix


async def test_events_that_this_version_does_not_offer_are_not_missed(site: Open) -> None:
    async with site() as here:
        here.plugin("rare", "NewJwt | ErrorEvent | ChamaAiAction | ContactsSet")
        await here.well(events=("presence.update",))
        await here.post(envelope())

        assert await here.wrong() == []


async def test_groups_update_that_evolution_never_posts(site: Open) -> None:
    async with site() as here:
        here.plugin("groups", "GroupsUpdate")
        await here.well()
        await here.post(envelope())

        found, fix = only(await here.wrong(), "warning")

        assert "plugin groups: Evolution never posts groups.update" in found
        assert "GROUP_UPDATE" in found
        assert "GroupParticipantsUpdate" in fix


async def test_instance_without_its_phone(site: Open) -> None:
    async with site() as here:
        await here.well()
        here.evolution.disconnect()
        await until(lambda: here.events[0] == "connection.update", "the event is there")

        found, fix = only(await here.wrong(), "warning")

        assert "instance shop-1: not connected to WhatsApp (connecting)" in found
        assert fix == "gateway connect shop-1"


@pytest.mark.parametrize(("ahead", "level"), [(300, "warning"), (-300, "warning"), (4000, "failure")])
async def test_clocks_that_disagree(site: Open, ahead: float, level: str) -> None:
    async with site(clock=lambda: time.time() + ahead) as here:
        here.settings(webhook={"auth": {"jwt_key": ["key"]}})
        await here.start()
        here.evolution.point(here.webhook, headers={"jwt_key": "key"})

        found = [each for each in await here.wrong(patience=0) if each.about == "clock"]

        assert [each.level for each in found] == [level]
        assert ("ahead of" if ahead > 0 else "behind") in found[0].found
        assert "NTP" in found[0].fix


async def test_both_webhooks_on(site: Open) -> None:
    async with site() as here:
        await here.well()
        for number in range(4):
            body = message(number)
            await here.post(body)
            await here.post(body)

        found, fix = next((each.found, each.fix) for each in await here.wrong() if "came twice" in each.found)

        assert "the instance's webhook and the global one" in found
        assert "WEBHOOK_GLOBAL_ENABLED=false" in fix


async def test_key_in_events(site: Open) -> None:
    async with site() as here:
        await here.well()
        await here.post(envelope(apikey="4711-canary"))

        found = [each for each in await here.examined() if "carry the instance's key" in each.found]

        assert len(found) == 1
        assert "AUTHENTICATION_EXPOSE_IN_FETCH_INSTANCES=false" in found[0].fix
        assert "4711-canary" not in str(found)


async def test_videos_that_s3_drops(site: Open) -> None:
    async with site() as here:
        await here.well()
        await here.post(orjson.dumps(samples.load("messages-upsert__image-mediaurl-s3-v236")))
        dropped = [each for each in await here.wrong() if "S3" in each.found]
        await here.post(orjson.dumps(samples.load("messages-upsert__video-v236")))
        saved = [each for each in await here.wrong() if "S3" in each.found]

        assert [each.fix for each in dropped] == ["Set S3_SAVE_VIDEO=true in Evolution"]
        assert saved == []


async def test_posts_that_are_no_json(site: Open) -> None:
    async with site() as here:
        await here.well()
        await here.post(b"event=call")

        found = [each for each in await here.wrong() if "no JSON object" in each.found]

        assert [each.level for each in found] == ["warning"]


async def test_proxy_that_lets_small_bodies_through(site: Open) -> None:
    async def limit(request: web.Request) -> web.StreamResponse:
        if (request.content_length or 0) > 2**20:
            return web.Response(status=413)
        async with (
            aiohttp.ClientSession() as session,
            session.request(
                request.method,
                f"http://127.0.0.1:{here.port}{request.path}",
                data=await request.read(),
                headers=request.headers,
            ) as answer,
        ):
            return web.Response(status=answer.status)

    app = web.Application(client_max_size=2**30)
    app.router.add_route("*", "/{tail:.*}", limit)
    async with site() as here, TestServer(app) as proxy:
        await here.well()
        here.evolution.point(str(proxy.make_url("/webhook")))

        found, fix = only(await here.wrong(), "failure")

        assert "refuses 16 MiB (413)" in found
        assert "client_max_body_size" in fix


async def test_disk_with_too_little_room(site: Open) -> None:
    async with site() as here:
        await here.well()
        here.settings(data_min_free="900TB")
        full, _ = only(await here.wrong(), "failure")
        here.settings(retention={"size": "900TB"})
        tight, fix = only(await here.wrong(), "warning")

        assert "disk: " in full
        assert "below data_min_free" in full
        assert "retention.size lets" in tight
        assert "lower retention.size" in fix


async def test_receiver_that_may_open_few_files(site: Open) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    async with site() as here:
        await here.well()
        resource.setrlimit(resource.RLIMIT_NOFILE, (1_024, hard))  # the receiver is this process
        try:
            found, fix = only(await here.wrong(), "warning")
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

        assert "files: the receiver may open 1024 files" in found
        assert "ulimit -n" in fix


async def test_plugin_that_does_not_load(site: Open) -> None:
    async with site() as here:
        await here.well()
        (here.folder / "routes" / "broken.py").write_text("import nothing_of_that_name\n")

        found = [each for each in await here.wrong() if each.about == "plugins"]

        assert [each.level for each in found] == ["failure"]
        assert "broken.py" in found[0].found
