"""Plugins are shown as the worker has loaded them, with how their deliveries ended and why some wait."""

from typing import Any

from gateway.work import Batch
from tests.web.conftest import AdminSite

HANDLER = {"name": "greet", "line": 7, "events": ["MessagesUpsert"], "filters": ["inbound", "text('hi')"]}


async def shown(site: AdminSite, **facts: object) -> Any:  # noqa: ANN401 -- JSON
    await site.work.write(Batch(facts=facts))
    return (await site.ask("/api/plugins")).json


async def test_before_the_first_worker_there_are_none(site: AdminSite) -> None:
    assert (await site.ask("/api/plugins")).json == {"plugins": [], "load_errors": []}


async def test_a_plugin_says_what_it_takes_and_how_it_does(site: AdminSite) -> None:
    for number, status in enumerate(("done", "dead", "dead")):
        await site.settle(await site.event(nonce=number), "ping", status)  # type: ignore[arg-type]
    await site.take(await site.event(nonce=5), "ping")
    failure = {
        "at": 5.0,
        "event_id": "7",
        "handler": "greet",
        "error": "ValueError: token=abcdef a-secret-of-the-gateway",
    }
    tally = {"since": 1.0, "done": 8, "failed": 2, "p50": 1.5, "p95": 9.0, "attempts": 10, "last_failure": failure}

    found = await shown(
        site,
        plugins=[{"name": "ping", "file": "ping.py", "handlers": [HANDLER], "events": ["messages.upsert"]}],
        stats={"plugins": {"ping": tally}},
        outages={"ping": {"since": 9.0, "error": "OSError: down"}},
    )

    (ping,) = found["plugins"]
    assert (ping["file"], ping["handlers"], ping["events"]) == ("ping.py", [HANDLER], ["messages.upsert"])
    assert ping["counts"] == {
        "since": 1.0, "done": 8, "skipped": 0, "dropped": 0, "failed": 2, "waiting": 1, "dead": 2
    }  # fmt: skip
    assert ping["latency"] == {"p50": 1.5, "p95": 9.0, "attempts": 10}
    assert ping["last_failure"]["error"] == "ValueError: token=[redacted] [redacted]"
    assert ping["breaker"] == {"since": 9.0, "error": "OSError: down"}
    assert (ping["delivery"]["timeout"], ping["delivery"]["order"]) == (60, "lane")


async def test_its_settings_are_shown_without_secrets(site: AdminSite) -> None:
    found = await shown(site, plugins=[{"name": "shop", "settings": {"url": "http://a", "token": "s3cret", "n": 3}}])

    assert found["plugins"][0]["settings"] == {"url": "http://a", "token": "[redacted]", "n": 3}


async def test_plugins_say_since_when_they_are_paused(site: AdminSite) -> None:
    found = await shown(site, plugins=[{"name": "ping"}, {"name": "token"}], paused={"token": 1700000000.5})

    assert [one["paused"] for one in found["plugins"]] == [None, 1700000000.5]
    assert [one["paused"] for one in (await shown(site, paused={"*": 5.0}))["plugins"]] == [5.0, 5.0]


async def test_what_could_not_be_loaded_is_shown_with_its_traceback(site: AdminSite) -> None:
    error = {"file": "greet.py", "line": 7, "text": "NameError: x", "traceback": "Traceback\n  apikey=sk-12345678"}

    found = await shown(site, plugins=[], load_errors=[error])

    assert found["load_errors"] == [{**error, "traceback": "Traceback\n  apikey=[redacted]"}]
