"""Claims about what `gateway simulate` puts on the wire, and what it says of the answers."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random
from typing import Any, Protocol

import pytest
from aiohttp import web
from multidict import CIMultiDict

from gateway import names, samples
from gateway.config import Auth, Secret, Webhook
from gateway.simulate import Cast, Outcome, Pace, Script, Sender, Target, choose_sample
from gateway.simulate.request import make_post
from gateway.web.credentials import Credentials


class Recorder(Protocol):
    """What the fixture of this name offers."""

    requests: list[Any]
    answers: list[web.Response | int]
    url: str
    hold: int
    peak: int


Ask = Callable[..., Awaitable[Any]]

EVOLUTIONS_ORDER = [
    "Accept",
    "Content-Type",
    "X-Tenant",
    "Authorization",
    "User-Agent",
    "Content-Length",
    "Accept-Encoding",
    "Host",
    "Connection",
]


async def send(url: str, pace: Pace, count: int = 1) -> Sender:
    play = Script(*choose_sample("messages.upsert"), Cast())
    target = Target(url=url)
    async with Sender(pace, random=Random(1)) as sender:  # noqa: S311
        await sender.send(make_post(target, play.event, play.body(number)) for number in range(count))
    return sender


async def test_headers_come_in_evolutions_order_and_case(recorder: Recorder, ask: Ask) -> None:
    await ask("simulate", "--url", recorder.url, "--header", "X-Tenant: acme", "--jwt-key", "k3y")

    (request,) = recorder.requests
    headers = dict(request.headers)
    assert [name for name, _ in request.headers] == EVOLUTIONS_ORDER
    assert headers["Accept"] == "application/json, text/plain, */*"
    assert headers["Content-Type"] == "application/json"
    assert headers["User-Agent"] == "axios/1.12.2"
    assert headers["Accept-Encoding"] == "gzip, compress, deflate, br"
    assert headers["Connection"] == "keep-alive"
    assert headers["X-Tenant"] == "acme"
    assert recorder.url == f"http://{headers['Host']}/webhook"


async def test_the_body_has_its_length_and_arrives_whole(recorder: Recorder, ask: Ask) -> None:
    await ask("simulate", "--url", recorder.url, "--text", "Olá 👋")

    (request,) = recorder.requests
    assert dict(request.headers)["Content-Length"] == str(len(request.body))
    assert json.loads(request.body)["data"]["message"]["conversation"] == "Olá 👋"
    assert json.loads(request.body)["destination"] == recorder.url


async def test_the_token_is_one_the_gateway_accepts(recorder: Recorder, ask: Ask) -> None:
    await ask("simulate", "--url", recorder.url, "--jwt-key", "k3y")

    judge = Credentials(Webhook(auth=Auth(jwt_key=(Secret("k3y"),))))
    headers = CIMultiDict(recorder.requests[0].headers)
    assert judge.check(headers=headers, path_segments=(), address="127.0.0.1", now=time.time()).allowed


async def test_the_suffix_is_there_unless_switched_off(recorder: Recorder, ask: Ask) -> None:
    await ask("simulate", "CONNECTION_UPDATE", "--url", recorder.url)
    await ask("simulate", "CONNECTION_UPDATE", "--url", recorder.url, "--no-by-events")

    assert [request.target for request in recorder.requests] == ["/webhook/connection-update", "/webhook"]


async def test_each_event_is_posted_once(recorder: Recorder, ask: Ask) -> None:
    done = await ask("simulate", "--url", recorder.url, "--count", "30", "--connections", "5", "--json")

    assert json.loads(done.out)["sent"] == 30
    assert len({request.body for request in recorder.requests}) == len(recorder.requests) == 30


async def test_repeat_posts_the_same_bytes_again(recorder: Recorder, ask: Ask) -> None:
    await ask("simulate", "--url", recorder.url, "--count", "4", "--repeat")

    assert set(Counter(request.body for request in recorder.requests).values()) == {2}
    assert len(recorder.requests) == 8


async def test_a_retry_has_the_same_bytes_and_headers(recorder: Recorder) -> None:
    recorder.answers = [503, 500, 429, 202]

    sender = await send(recorder.url, Pace(retry_scale=0))

    first = recorder.requests[0]
    assert recorder.requests == [first] * 4
    assert (sender.tally.accepted, sender.tally.retried, sender.tally.is_ok) == (1, 3, True)


async def test_a_retry_stops_after_ten_attempts(recorder: Recorder) -> None:
    recorder.answers = [503]

    sender = await send(recorder.url, Pace(retry_scale=0))

    assert len(recorder.requests) == 10
    assert sender.tally.refused == {503: 1}


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
async def test_evolution_gives_up_at_once_after(status: int, recorder: Recorder) -> None:
    recorder.answers = [status]

    sender = await send(recorder.url, Pace(retry_scale=0))

    assert len(recorder.requests) == 1
    assert sender.tally.refused == {status: 1}


async def test_nothing_is_tried_again_unless_asked_for(recorder: Recorder) -> None:
    recorder.answers = [503]

    sender = await send(recorder.url, Pace())

    assert (len(recorder.requests), sender.tally.retried) == (1, 0)


async def test_an_event_that_waits_for_its_retry_keeps_nobody_else_waiting(recorder: Recorder) -> None:
    recorder.answers = [503, 202]
    retries: list[int] = []

    def note(_outcome: Outcome, _wait: float) -> None:
        retries.append(len(recorder.requests))

    play = Script(*choose_sample("messages.upsert"), Cast())
    async with Sender(Pace(connections=1, retry_scale=0.2), on_retry=note) as sender:  # a second of waiting
        await sender.send(make_post(Target(url=recorder.url), play.event, play.body(number)) for number in range(5))

    assert retries == [1]
    assert recorder.requests[-1] == recorder.requests[0]
    assert len(recorder.requests) == 6


async def test_a_refused_connection_is_tried_again(closed_port: int) -> None:
    sender = await send(f"http://127.0.0.1:{closed_port}/webhook", Pace(retry_scale=0), count=2)

    assert (sender.tally.unanswered, sender.tally.retried) == (2, 18)


async def test_a_redirect_followed_without_the_body_is_counted_as_lost(recorder: Recorder) -> None:
    recorder.answers = [web.Response(status=302, headers={"Location": "/elsewhere"}), 200]

    sender = await send(recorder.url, Pace(retry_scale=0))

    assert [request.method for request in recorder.requests] == ["POST", "GET"]
    assert (sender.tally.lost, sender.tally.accepted, sender.tally.is_ok) == (1, 0, False)


async def test_a_redirect_that_keeps_the_method_posts_the_body_again(recorder: Recorder) -> None:
    recorder.answers = [web.Response(status=307, headers={"Location": "/elsewhere"}), 202]

    sender = await send(recorder.url, Pace())

    assert [(request.method, request.target) for request in recorder.requests][1] == ("POST", "/elsewhere")
    assert recorder.requests[0].body == recorder.requests[1].body
    assert sender.tally.accepted == 1


async def test_the_rate_spreads_the_events(recorder: Recorder) -> None:
    begun = asyncio.get_running_loop().time()

    await send(recorder.url, Pace(rate=50, connections=8), count=11)

    assert asyncio.get_running_loop().time() - begun >= 10 / 50


async def test_as_many_requests_are_under_way_as_connections_say(recorder: Recorder) -> None:
    recorder.hold = 3

    sender = await send(recorder.url, Pace(connections=3), count=30)

    assert (sender.tally.accepted, recorder.peak) == (30, 3)


async def test_what_did_not_arrive_fails_the_command_and_says_why(recorder: Recorder, ask: Ask) -> None:
    recorder.answers = [web.json_response({"status": 401, "detail": "header X-Webhook-Token is missing"}, status=401)]

    done = await ask("simulate", "--url", recorder.url)

    assert done.code == 1
    assert "answered 401: header X-Webhook-Token is missing. It asks for a credential" in done.err


async def test_duplicates_are_told_apart(recorder: Recorder, ask: Ask) -> None:
    recorder.answers = [
        web.json_response({"status": "accepted", "id": "7"}, status=202),
        web.json_response({"status": "duplicate", "id": "7"}),
    ]

    done = await ask("simulate", "--url", recorder.url, "--repeat", "--json")

    summary = json.loads(done.out)
    assert (summary["accepted"], summary["duplicates"], done.code) == (1, 1, 0)
    assert set(summary["latency_ms"]) == {"p50", "p95", "p99"}


async def test_nobody_listening_says_how_to_start_the_gateway(closed_port: int, ask: Ask) -> None:
    done = await ask("simulate", "--url", f"http://127.0.0.1:{closed_port}/webhook", "--count", "500", "--json")

    assert done.code == 1
    assert json.loads(done.out)["sent"] == 1
    assert "Is the gateway running? Start it with  gateway serve" in done.err
    assert "Traceback" not in done.err


async def test_secrets_in_the_url_are_not_printed(recorder: Recorder, ask: Ask) -> None:
    done = await ask("simulate", "--url", f"{recorder.url}?token=hunter2-hunter2")

    assert recorder.requests[0].target == "/webhook?token=hunter2-hunter2/messages-upsert"
    assert "hunter2" not in done.out + done.err


async def test_the_configured_path_secret_is_used_and_not_printed(recorder: Recorder, ask: Ask, tmp_path: Path) -> None:
    port = recorder.url.rpartition(":")[2].partition("/")[0]
    (tmp_path / "config.yaml").write_text(f"webhook: {{port: {port}, auth: {{path_secret: [hunter2-hunter2]}}}}\n")

    done = await ask("simulate")

    assert recorder.requests[0].target == "/webhook/hunter2-hunter2/messages-upsert"
    assert done.code == 0
    assert "hunter2" not in done.out + done.err


async def test_a_url_named_by_hand_gets_no_credential_of_the_config(
    recorder: Recorder, ask: Ask, tmp_path: Path
) -> None:
    (tmp_path / "config.yaml").write_text("webhook: {auth: {header: {values: [hunter2]}}}\n")

    await ask("simulate", "--url", recorder.url)

    assert "X-Webhook-Token" not in dict(recorder.requests[0].headers)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["messages.exploded"], "neither an event nor a sample"),
        (["image"], "messages-upsert__image"),
        (["--url", "127.0.0.1"], "write it out"),
        (["--from", "Ana"], "no telephone number"),
        (["--header", "nocolon"], "NAME:VALUE"),
        (["--count", "0"], "0 is not in the range"),
        (["connection.update", "--text", "hi"], "no text that could be replaced"),
        (["connection.update", "--group"], "is no event of a group"),
        (["--fault", "fire"], "'fire' is none of duplicate, reorder, late, lid-flip, huge, malformed"),
        (["--fault", "late=2"], "write a share from 0 to 1"),
        (["--server", "--url", "http://h/webhook", "--count", "3"], "it does not go with --url, --count"),
        (["--server", "connection.update"], "it does not go with EVENT"),
    ],
)
async def test_wrong_use_is_explained(arguments: list[str], said: str, ask: Ask) -> None:
    done = await ask("simulate", *arguments)

    assert done.code == 2
    assert said in done.err


async def test_a_gateway_that_can_answer_for_real_is_warned_of(recorder: Recorder, ask: Ask, tmp_path: Path) -> None:
    with_a_key(tmp_path, recorder)

    done = await ask("simulate", "--from", "+55 11 99999-0002")

    assert "is really sent, to 5511999990002" in done.err
    assert "hunter2" not in done.out + done.err


@pytest.mark.parametrize("arguments", [[], ["--from", "+55 11 99999-0002", "--chats", "2"], ["all"]])
async def test_nobody_is_answered_for_real_who_was_not_named(
    recorder: Recorder, ask: Ask, tmp_path: Path, arguments: list[str]
) -> None:
    with_a_key(tmp_path, recorder)

    done = await ask("simulate", *arguments)
    by_hand = await ask("simulate", *arguments, "--url", recorder.url)

    for each in (done, by_hand):
        assert each.code == 2
        assert "name the one number that may get it with --from" in each.err
    assert recorder.requests == []


def with_a_key(folder: Path, recorder: Recorder) -> None:
    port = recorder.url.rpartition(":")[2].partition("/")[0]
    (folder / "config.yaml").write_text(f"webhook: {{port: {port}}}\nevolution: {{apikey: hunter2-hunter2}}\n")


async def test_many_people_write_on_many_instances(recorder: Recorder, ask: Ask) -> None:
    await ask("simulate", "--url", recorder.url, "--chats", "3", "--instances", "2")

    bodies = [json.loads(request.body) for request in recorder.requests]
    who = {(body["instance"], body["data"]["key"]["remoteJid"]) for body in bodies}
    assert who == {
        (f"shop-{instance}", f"551199999000{digit}@s.whatsapp.net") for instance in (1, 2) for digit in (2, 3, 4)
    }
    assert [body["data"]["pushName"] for body in bodies[:3]] == ["Ana", "Bruno", "Carla"]


async def test_all_posts_every_sample_once(recorder: Recorder, ask: Ask) -> None:
    done = await ask("simulate", "all", "--url", recorder.url, "--json")

    assert json.loads(done.out)["sent"] == len(samples.names())
    assert {json.loads(request.body)["event"] for request in recorder.requests} == {
        samples.load(name)["event"] for name in samples.names()
    }


async def test_the_list_names_every_event_with_its_samples(ask: Ask) -> None:
    done = await ask("simulate", "--list", "--json")

    listed = json.loads(done.out)
    assert [each["event"] for each in listed] == list(names.EVENTS)
    assert sorted(name for each in listed for name in each["samples"]) == list(samples.names())


async def test_a_body_that_was_cut_off_is_rightly_refused(recorder: Recorder, ask: Ask) -> None:
    recorder.answers = [400]

    done = await ask("simulate", "--url", recorder.url, "--count", "5", "--fault", "malformed=1", "--json")

    summary = json.loads(done.out)
    assert (done.code, summary["spoilt"], summary["refused"]) == (0, 5, 0)


async def test_a_body_that_was_cut_off_and_is_accepted_fails_the_run(recorder: Recorder, ask: Ask) -> None:
    recorder.answers = [202]

    done = await ask("simulate", "--url", recorder.url, "--fault", "malformed=1")

    assert done.code == 1
    assert "answered 202 to a body that was cut off, not 400" in done.err
