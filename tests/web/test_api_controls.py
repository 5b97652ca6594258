"""What can be asked of the worker over the API: kept in the journal, answered with an id, followed by it."""

import msgspec
import orjson
import pytest

from gateway.journal import JournalReader
from gateway.work import Batch
from gateway.work.controls import Progress
from gateway.worker.explain import FilterAnswer, HandlerAnswer, PluginAnswer
from gateway.worker.rehearsal import Rehearsed, Sending
from tests.web.conftest import AdminSite, Answer

KINDS = [
    "/api/replay",
    "/api/dead/retry",
    "/api/dead/drop",
    "/api/pause",
    "/api/resume",
    "/api/explain",
    "/api/dry-run",
]


async def post(site: AdminSite, path: str, payload: object, **more: str) -> Answer:
    return await site.ask(path, method="POST", data=orjson.dumps(payload), **more)


async def test_a_request_is_in_the_journal_when_it_is_answered(site: AdminSite) -> None:
    await site.event()

    answer = await post(site, "/api/replay", {"chat": "5511999990002"})

    assert (answer.status, answer.json) == (202, {"id": "1"})
    assert answer.headers["Location"] == "/api/controls/1"
    (control,) = JournalReader(site.folder).controls(0, 9)
    assert (control.kind, control.upto) == ("replay", 1)
    assert orjson.loads(control.payload) == {"by": "the API from 127.0.0.1", "chat": "5511999990002"}


@pytest.mark.parametrize("path", KINDS)
async def test_nothing_can_be_asked_without_the_token_or_from_another_site(site: AdminSite, path: str) -> None:
    without = await post(site, f"/api/{path}", {"all": True}, token="")
    elsewhere = await post(site, f"/api/{path}", {"all": True}, Origin="https://evil.example")

    assert (without.status, elsewhere.status) == (401, 403)
    assert not (site.folder / "journal.db").exists()


@pytest.mark.parametrize(
    ("path", "payload", "says"),
    [
        ("/api/replay", {}, "every event"),
        ("/api/dead/drop", {}, "which dead letters"),
        ("/api/pause", {"plugins": "a"}, "unknown field"),
        ("/api/dead/retry", [1], "object"),
        ("/api/explain", {}, "id"),
        ("/api/dry-run", {"ids": [1]}, "unknown field"),
    ],
)
async def test_what_can_hardly_be_meant_is_refused(site: AdminSite, path: str, payload: object, says: str) -> None:
    answer = await post(site, path, payload)

    assert answer.status == 400
    assert says in answer.json["detail"]


async def test_a_request_waits_until_a_worker_reads_it_and_is_followed_to_its_end(site: AdminSite) -> None:
    seq = await site.event()
    await post(site, "/api/replay", {"ids": [seq]})
    before = await site.ask("/api/controls/1")
    delivery = await site.take(seq)
    delivery.control = 1
    await site.work.write(Batch(controls=[Progress(id=1, kind="replay", payload="{}", upto=1, status="done", found=1)]))

    after = await site.ask("/api/controls/1")

    assert before.json["status"] == "waiting"
    assert (after.json["status"], after.json["found"], after.json["error"]) == ("done", 1, None)


async def test_the_answer_to_a_question_comes_with_it(site: AdminSite) -> None:
    seq = await site.event()
    asked = [await post(site, path, {"id": seq}) for path in ("/api/explain", "/api/dry-run")]
    asks = FilterAnswer(filter="text('a')", answer=False)
    handler = HandlerAnswer(
        name="greet", file="a.py", line=3, events=["MessagesUpsert"], takes=True, matches=False, filters=[asks]
    )
    plugin = PluginAnswer(plugin="a", event="MessagesUpsert", handlers=[handler])
    send = Sending(to="55", kind="text", text='"hi"', payload={"text": "hi"})
    run = Rehearsed(
        event_id="1", plugin="a", result="done", handler="greet", millis=1.0, sends=[send], changes=[], error=None
    )
    results = ({"as_of": 1.0, "plugins": [plugin]}, {"as_of": 1.0, "runs": [run]})
    for number, result in enumerate(results, 1):
        progress = Progress(
            id=number, kind="explain", payload="{}", upto=1, status="done", result=msgspec.json.encode(result).decode()
        )
        await site.work.write(Batch(controls=[progress]))

    answers = [(await site.ask(f"/api/controls/{one.json['id']}")).json for one in asked]

    assert [answer["kind"] for answer in answers] == ["explain", "rehearse"]
    assert answers[0]["result"]["plugins"][0]["handlers"][0]["filters"][0]["answer"] is False
    assert answers[1]["result"]["runs"][0]["sends"][0]["text"] == '"hi"'


async def test_an_id_nobody_was_given_is_not_found(site: AdminSite) -> None:
    assert (await site.ask("/api/controls/7")).status == 404
    assert (await site.ask("/api/controls/9999999999999999999")).status == 404
