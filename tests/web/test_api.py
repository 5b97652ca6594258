"""The API's answers, on real files written as receiver and worker write them."""

from typing import TYPE_CHECKING

import orjson
import pytest

from gateway import samples
from gateway.web.shown import LONGEST_LIST, LONGEST_TEXT
from gateway.work import Batch, Failed
from tests.web.conftest import TEXT

if TYPE_CHECKING:
    from tests.web.conftest import AdminSite

CANARY = "canary-A1B2C3D4E5"


async def test_before_the_first_event_lists_are_empty(site: "AdminSite") -> None:
    assert (await site.ask("/api/events")).json == {"events": [], "next": None, "reached": None}
    assert (await site.ask("/api/dead")).json == {"dead": [], "next": None}
    assert (await site.ask("/api/events/1")).status == 404


async def test_an_event_is_listed_with_what_each_plugin_made_of_it(site: "AdminSite") -> None:
    seq = await site.event()
    await site.event()
    await site.settle(seq, "ping", text="pong", handler="ping")
    await site.settle(seq, "support", "waiting", error="TimeoutError: no answer")
    await site.take(seq, "log_everything")

    (row,) = (await site.ask("/api/events")).json["events"]

    assert (row["id"], row["event"], row["repeats"]) == (str(seq), "messages.upsert", 1)
    assert (row["instance"], row["who"], row["chat"], row["from_me"]) == ("loja-bot", "Maria Cliente", "…0002", False)
    assert {one["plugin"]: one["status"] for one in row["plugins"]} == {
        "ping": "done",
        "support": "retrying",
        "log_everything": "waiting",
    }
    assert [one["sending"] for one in row["plugins"] if one["plugin"] == "ping"] == ["shown"]


async def test_an_event_tells_its_story(site: "AdminSite") -> None:
    seq = await site.event()
    await site.settle(seq, "ping", text="pong", handler="ping")

    told = (await site.ask(f"/api/events/{seq}")).json

    assert (told["suffix"], told["address"], told["text"]) == ("messages-upsert", "10.0.0.7", "Olá!")
    assert told["raw"]["data"]["message"]["conversation"] == "Olá!"
    (story,) = told["stories"]
    assert (story["handler"], story["attempts"], story["millis"]) == ("ping", 1, 12.4)
    assert [(one["text"], one["status"], one["target"]) for one in story["messages"]] == [("pong", "shown", "…0002")]


async def test_an_event_shows_what_a_handler_sees_of_it_and_where_it_would_come_again(site: "AdminSite") -> None:
    seq = await site.event()
    await site.event()

    told = (await site.ask(f"/api/events/{seq}")).json

    assert told["decoded"]["message"]["sender"]["name"] == "Maria Cliente"
    assert told["endpoint"] == "http://127.0.0.1:8085/webhook/messages-upsert"
    assert told["row"]["text"] == "Olá!"
    assert told["row"]["at"] <= told["repeated_at"]


async def test_a_story_holds_every_attempt_that_came_to_nothing(site: "AdminSite") -> None:
    seq = await site.event(apikey=CANARY)
    delivery = await site.take(seq, "support")
    error = f"TimeoutError: a-secret-of-the-gateway after 5 s, apikey={CANARY}"
    first = Failed(delivery=delivery.id, result="failed", started=5.0, millis=3.5, handler="ask", error=error)
    await site.work.write(Batch(failed=[first, Failed(delivery=delivery.id, result="died")]))

    (story,) = (await site.ask(f"/api/events/{seq}")).json["stories"]

    assert [(one["result"], one["started"], one["millis"]) for one in story["history"]] == [
        ("failed", 5.0, 3.5),
        ("died", None, None),
    ]
    assert story["history"][0]["error"] == "TimeoutError: [redacted] after 5 s, apikey=[redacted]"


async def test_keys_are_revealed_to_who_asks_for_just_that_and_codes_to_nobody(site: "AdminSite") -> None:
    keyed = await site.event(apikey=CANARY, photo="A" * 10_000)
    pairing = await site.event("qrcode-updated__pairing-code-v236")

    revealed = [(await site.ask(f"/api/events/{seq}/reveal", method="POST")).json["raw"] for seq in (keyed, pairing)]

    assert revealed[0]["apikey"] == CANARY
    assert revealed[0]["photo"].endswith("… (10,000 characters, cut)")
    qr = revealed[1]["data"]["qrcode"]
    assert (qr["pairingCode"], qr["code"], qr["base64"]) == ("[redacted]",) * 3
    assert (await site.ask("/api/events/999/reveal", method="POST")).status == 404
    assert (await site.ask(f"/api/events/{keyed}/reveal", method="POST", token=None)).status == 401
    assert (await site.ask(f"/api/events/{keyed}/reveal", method="POST", Origin="http://evil.example")).status == 403


async def test_no_secret_leaves(site: "AdminSite") -> None:
    message = samples.load(TEXT)
    message["data"]["message"]["conversation"] = f"my key is {CANARY}, is it not?"
    seq = await site.event(message, apikey=CANARY, note=f"hidden {CANARY} in a text and a-secret-of-the-gateway")
    await site.settle(seq, "ping", "dead", error=f"Error: apikey={CANARY} a-secret-of-the-gateway")

    answers = [(await site.ask(path)).text for path in ("/api/events", f"/api/events/{seq}", "/api/dead", "/metrics")]

    assert not [answer for answer in answers if CANARY in answer or "a-secret-of-the-gateway" in answer]
    assert orjson.loads(answers[1])["raw"]["apikey"] == "[redacted]"
    assert orjson.loads(answers[1])["text"] == "my key is [redacted], is it not?"


async def test_a_key_on_the_edge_of_a_cut_leaves_no_half(site: "AdminSite") -> None:
    seq = await site.event(apikey=CANARY, long="x" * (LONGEST_TEXT - 6) + CANARY)

    assert "canary" not in (await site.ask(f"/api/events/{seq}")).text


async def test_long_texts_and_lists_are_cut_and_say_so(site: "AdminSite") -> None:
    seq = await site.event(photo="A" * 3_000_000, list=list(range(10_000)))

    raw = (await site.ask(f"/api/events/{seq}")).json["raw"]

    assert raw["photo"] == "A" * LONGEST_TEXT + "… (3,000,000 characters, cut)"
    assert raw["list"][-2:] == [LONGEST_LIST - 1, "… 9,800 more"]


@pytest.mark.parametrize("depth", [90, 300, 480, 700, 950])
async def test_a_deeply_nested_body_is_shown_as_far_as_it_can_be(site: "AdminSite", depth: int) -> None:
    seq = await site.body(b'{"event":"messages.upsert","instance":"a","data":' + b"[" * depth + b"]" * depth + b"}")

    told = await site.ask(f"/api/events/{seq}")

    assert told.status == 200
    assert told.json["raw"] or told.json["note"]
    assert len((await site.ask("/api/events")).json["events"]) == 1


async def test_pages_follow_each_other(site: "AdminSite") -> None:
    seqs = [await site.event(nonce=number) for number in range(7)]

    first = (await site.ask("/api/events?limit=3")).json
    second = (await site.ask(f"/api/events?limit=3&before={first['next']}")).json
    last = (await site.ask(f"/api/events?limit=3&before={second['next']}")).json

    pages = [[int(row["id"]) for row in page["events"]] for page in (first, second, last)]
    assert pages == [seqs[:3:-1], seqs[3:0:-1], seqs[:1]]
    assert last["next"] is None
    assert [row["id"] for row in (await site.ask(f"/api/events?after={seqs[4]}")).json["events"]] == [
        str(seqs[6]),
        str(seqs[5]),
    ]


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "limit=-1", "before=1e3", "after=" + "9" * 30, "limit=%D9%A3"])
async def test_a_wrong_query_is_answered_with_what_is_wrong(site: "AdminSite", query: str) -> None:
    answer = await site.ask(f"/api/events?{query}")

    assert answer.status == 400
    assert answer.json["detail"].startswith(query.partition("=")[0])


@pytest.mark.parametrize(
    "path", ["/api/events/x", "/api/events/9999999999999999999", "/api/events/99999999999999999999"]
)
async def test_an_id_that_can_not_be_is_not_found(site: "AdminSite", path: str) -> None:
    answer = await site.ask(path)

    assert answer.status == 404
    assert answer.headers["Content-Type"].startswith("application/problem+json")


async def test_a_wrong_method_is_named(site: "AdminSite") -> None:
    answer = await site.ask("/api/events", method="POST")

    assert (answer.status, "GET" in answer.headers["Allow"]) == (405, True)


async def test_dead_letters_are_listed_newest_first(site: "AdminSite") -> None:
    for number in range(3):
        await site.settle(await site.event(nonce=number), "support", "dead", error=f"Boom: {number}")

    first = (await site.ask("/api/dead?limit=2")).json
    rest = (await site.ask(f"/api/dead?limit=2&before={first['next']}")).json

    assert [one["story"]["error"] for one in (*first["dead"], *rest["dead"])] == ["Boom: 2", "Boom: 1", "Boom: 0"]
    assert (rest["next"], first["dead"][0]["event_id"]) == (None, "3")


async def test_a_broken_file_is_503_and_not_a_crash(site: "AdminSite") -> None:
    (site.folder / "journal.db").write_bytes(b"this is no database, whatever its name says" * 100)

    answer = await site.ask("/api/events")

    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")


async def test_names_with_control_characters_come_escaped(site: "AdminSite") -> None:
    await site.event({"event": "odd\u202eevent", "instance": "a\x1b[31mb", "data": {}})

    (row,) = (await site.ask("/api/events")).json["events"]

    assert (row["event"], row["instance"]) == ("odd\\u202eevent", "a\\x1b[31mb")


async def test_metrics_are_shown_as_prometheus_wants_them(site: "AdminSite") -> None:
    answer = await site.ask("/metrics")

    assert answer.headers["Content-Type"].startswith("text/plain")
    assert "gateway_probe_total 1.0" in answer.text


async def test_the_counters_count(site: "AdminSite") -> None:
    first = await site.event()
    await site.event()
    second = await site.event(nonce=2)
    await site.settle(first)
    await site.settle(second, "support", "dead", error="Boom")
    await site.take(second)

    counts = (await site.look.strip()).counts

    assert (counts.accepted, counts.duplicates, counts.handled, counts.waiting, counts.dead) == (2, 1, 1, 1, 1)
    assert (sum(counts.per_minute), len(counts.per_minute)) == (2, 30)


async def test_a_post_that_was_refused_is_listed_with_its_beginning_and_without_secrets(site: "AdminSite") -> None:
    body = b'{"event": "call", "apikey": "%s", "data": ' % CANARY.encode()
    await site.refuse(body, "not JSON: unexpected end of data at line 1, column 60")

    (post,) = (await site.ask("/api/refused")).json["refused"]

    assert (post["address"], post["path"], post["size"]) == ("10.0.0.7", "/webhook/call", len(body))
    assert post["reason"] == "not JSON: unexpected end of data at line 1, column 60"
    assert post["begins"].startswith('{"event": "call"')
    assert CANARY not in post["begins"]
