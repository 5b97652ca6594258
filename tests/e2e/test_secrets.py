"""Keys pass through everything and are seen nowhere: only the journal keeps them, with the event they came in."""

from collections.abc import Iterable

import orjson
from aiohttp import web

from gateway import samples
from tests.support.bodies import message
from tests.support.evolution import FakeEvolution
from tests.support.gateway import Gateway
from tests.support.waiting import until

INSTANCE_KEY = "canary-instance-5f2b7e0c"
SERVER_KEY = "canary-server-11aa22bb"
URL_TOKEN = "canary-url-77ee88ff"
EVOLUTION_KEY = "canary-evolution-33cc44dd"
HEADER_TOKEN = "canary-header-55aa66bb"
PATH_SECRET = "canary-path-99cc00dd"
SECRETS = (INSTANCE_KEY, SERVER_KEY, URL_TOKEN, EVOLUTION_KEY, HEADER_TOKEN, PATH_SECRET)
MARKER = "harmless-1234"
"""Written beside the secrets wherever a handler writes: a place that shows it would have shown them."""

WAYS = {
    "raw": "raise RuntimeError(f'MARKER {event.raw}')",
    "json": "raise RuntimeError('MARKER ' + json.dumps(raw))",
    "json-twice": "raise RuntimeError('MARKER ' + json.dumps(json.dumps(raw)))",
    "event": "raise RuntimeError(f'MARKER {event!r}')",
    "key": "raise RuntimeError(f'MARKER {key}')",
    "url": "raise RuntimeError(f'MARKER http://127.0.0.1/?apikey={key}')",
    "cause": "raise ValueError('MARKER') from RuntimeError(str(raw))",
    "group": "raise ExceptionGroup('MARKER', [RuntimeError(str(raw))])",
    "note": "error = RuntimeError('MARKER'); error.add_note(str(raw)); raise error",
    "drop": "raise Drop(f'MARKER {raw}')",
    "retry": "raise Retry(f'MARKER {raw}') if ctx.delivery.attempt == 1 else RuntimeError('MARKER')",
    "log": "ctx.log.error('MARKER', raw=raw, text=str(raw), apikey=key)",
    "logging": "logging.getLogger('bot').error('MARKER %s', raw)",
    "traceback": "ctx.log.error('MARKER', exc_info=RuntimeError(str(raw)))",
    "task": "task = asyncio.create_task(fail(raw)); await asyncio.sleep(0.01)",
    "reply": "ctx.send('5511999900001', f'MARKER {json.dumps(raw)}')",
}
"""What a handler may do with an event that it should not."""
RAISING = ("raw", "json", "json-twice", "event", "key", "url", "cause", "group", "note", "retry")


async def test_no_key_is_in_any_log_page_answer_metric_or_dead_letter(
    gateway: Gateway, evolution: FakeEvolution
) -> None:
    evolution.answers = [web.json_response({"message": f"{MARKER}: {EVOLUTION_KEY} is wrong"}, status=400)]
    for way, code in WAYS.items():
        gateway.plugin(f"by-{way}", careless(code))
    gateway.settings(
        webhook={
            "auth": {"header": {"name": "X-Webhook-Token", "values": [HEADER_TOKEN]}, "path_secret": [PATH_SECRET]}
        },
        evolution={"url": evolution.url, "apikey": EVOLUTION_KEY},
        delivery={"retry": []},
    )
    await gateway.start()

    async with gateway.watched() as page:
        answers = [await gateway.post(body, f"/{PATH_SECRET}") for body in leaky_bodies()]
        answers += [
            await gateway.post(message(100, envelope={"apikey": INSTANCE_KEY}), X_Webhook_Token=HEADER_TOKEN),
            await gateway.post(
                message(101, envelope={"apikey": INSTANCE_KEY}), f"/{PATH_SECRET}x", X_Webhook_Token=f"{HEADER_TOKEN}x"
            ),
            await gateway.post(orjson.dumps([INSTANCE_KEY]), f"/{PATH_SECRET}"),
        ]
        await gateway.settled()
        count = len(gateway.summaries())
        await until(lambda: len(page.rows) == count, "the page shows every event")
    await until(lambda: not [row for row in gateway.outbox() if row.status in ("queued", "sending")], "replies left")

    assert [answer.status for answer in answers] == [202] * (count - 1) + [202, 401, 400]
    shown = {
        "answers": " ".join(f"{answer.headers} {answer.body!r}" for answer in answers),
        "page as it came": page.text.decode(),
        "log": gateway.log_file.read_text(),
        "printed": (gateway.folder / "stdout.txt").read_text(),
        "dead letters": " ".join(str(row.error) for row in gateway.deliveries()),
        **{path: await gateway.ask(path) for path in paths(gateway.events())},
    }
    assert [leak for where, text in shown.items() for leak in leaks(where, text)] == []

    kept = b" ".join(event.body for event in gateway.events().values()).decode()
    assert all(secret in kept for secret in (INSTANCE_KEY, SERVER_KEY, URL_TOKEN))
    assert all(
        MARKER in shown[where]
        for where in ("log", "page as it came", "dead letters", "/api/dead?limit=500", "/api/events/1")
    )
    assert f"{MARKER}: [redacted] is wrong" in " ".join(shown.values())
    assert "messages.upsert" in shown["/metrics"]
    dead = {row.plugin for row in gateway.deliveries() if row.status == "dead"}
    assert {f"by-{way}" for way in RAISING} <= dead


def leaks(where: str, text: str) -> list[str]:
    """Each secret in a text, with what stands around it."""
    return [f"{where}: {text[max(0, at - 150) : at + 40]}" for one in SECRETS if (at := text.find(one)) >= 0]


def careless(code: str) -> str:
    return f"""
import asyncio
import json
import logging

async def fail(raw):
    raise RuntimeError('MARKER ' + str(raw))

@plugin.on(Event)
async def leak(event, ctx):
    raw = dict(event.raw)
    key = raw.get('apikey') or raw.get('api_key')
    {code}
""".replace("MARKER", MARKER)


def leaky_bodies() -> list[bytes]:
    """Bodies with a key in each of the places where Evolution puts one, and a few where nobody would look."""
    leaks = {"apikey": INSTANCE_KEY, "destination": f"http://user:{URL_TOKEN}@127.0.0.1/hook?token={URL_TOKEN}"}
    typebot = samples.load("typebot-change-status__opened-v236")
    typebot["data"]["session"] = {"parameters": {"apiKey": SERVER_KEY, "serverUrl": "http://127.0.0.1"}}
    return [
        message(1, name=MARKER, envelope=leaks),
        orjson.dumps({**samples.load("error__v236"), "api_key": SERVER_KEY}),
        orjson.dumps({**typebot, **leaks}),
        orjson.dumps({"event": "event.to.come", "instance": "loja", "data": {"deep": [{"x": {"apikey": SERVER_KEY}}]}}),
    ]


def paths(seqs: Iterable[int]) -> list[str]:
    """Everything that can be asked for, logged in."""
    return ["/live", "/api/events", "/api/dead?limit=500", "/metrics", *(f"/api/events/{seq}" for seq in seqs)]
