"""Claims about the simulator's bodies and requests, without a socket: on values alone."""

import json
from datetime import UTC, datetime, timedelta, timezone
from random import Random
from typing import Any

import jwt
import pytest

from gateway import names, samples
from gateway.config import Auth, Config, HeaderAuth, Secret, Webhook
from gateway.envelope import read_envelope
from gateway.errors import GatewayError
from gateway.events import MessagesUpsert, decode
from gateway.simulate import Cast, Script, Tally, Target, choose_sample, read_phone, target_of
from gateway.simulate.payload import TEXTS
from gateway.simulate.request import make_post, post_url
from gateway.simulate.retry import ATTEMPTS, FINAL, retry_wait
from gateway.simulate.tally import Outcome, percentile

NOON = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=timezone(timedelta(hours=-3)))


def script(wanted: str = "messages.upsert", cast: Cast | None = None, *texts: str) -> Script:
    return Script(*choose_sample(wanted), cast or Cast(), texts=texts, clock=lambda: NOON, random=Random(7))  # noqa: S311


def body(wanted: str = "messages.upsert", cast: Cast | None = None, *texts: str) -> dict[str, Any]:
    envelope: dict[str, Any] = json.loads(script(wanted, cast, *texts).body(0))
    return envelope


@pytest.mark.parametrize("event", names.EVENTS)
def test_every_known_event_can_be_simulated(event: str) -> None:
    made = script(event).body(0)

    assert read_envelope(made, None).event == event


@pytest.mark.parametrize("sample", samples.names())
def test_a_sample_keeps_its_shape(sample: str) -> None:
    made = script(sample).body(0)

    assert shape(json.loads(made)) == shape(samples.load(sample))


def shape(value: object) -> object:
    if isinstance(value, dict):
        return {name: shape(below) for name, below in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value]
    return type(value).__name__


@pytest.mark.parametrize("spelling", ["messages.upsert", "MESSAGES_UPSERT", "messages-upsert", "message.upsert"])
def test_any_spelling_of_an_event_is_understood(spelling: str) -> None:
    event, sample = choose_sample(spelling)

    assert (event, sample) == ("messages.upsert", "messages-upsert__text-private-lid-normalized-v237")


def test_a_name_that_is_neither_event_nor_sample_is_refused() -> None:
    with pytest.raises(KeyError):
        choose_sample("messages.exploded")


def test_a_body_is_written_as_javascript_writes_it() -> None:
    made = script("messages.upsert", Cast(), "Olá 👋").body(0)

    assert made == json.dumps(json.loads(made), separators=(",", ":"), ensure_ascii=False).encode()
    assert "Olá 👋".encode() in made


def test_each_message_has_an_id_of_its_own_that_still_tells_the_device() -> None:
    play = script()

    ids = [json.loads(play.body(number))["data"]["key"]["id"] for number in range(50)]

    assert len(set(ids)) == 50
    assert {(each[:4], len(each)) for each in ids} == {("ACF4", 32)}


def test_bodies_of_events_without_ids_differ_by_their_dates() -> None:
    play = script("connection.update")

    assert len({play.body(number) for number in range(50)}) == 50


def test_the_date_is_local_time_with_a_z_it_does_not_deserve() -> None:
    assert body()["date_time"] == "2026-03-01T12:00:00.250Z"


def test_the_message_is_dated_in_true_seconds() -> None:
    assert body()["data"]["messageTimestamp"] == int(datetime(2026, 3, 1, 15, tzinfo=UTC).timestamp())


def test_a_timestamp_keeps_the_encoding_of_its_version() -> None:
    stamped = body("messages-upsert__business-text-v18")["data"]["messageTimestamp"]

    assert stamped == str(int(NOON.timestamp()))


def test_texts_are_written_in_turn() -> None:
    play = script("messages.upsert", Cast(), "one", "two")

    written = [json.loads(play.body(number))["data"]["message"]["conversation"] for number in range(3)]

    assert written == ["one", "two", "one"]


def test_without_a_text_customers_say_natural_things() -> None:
    assert body()["data"]["message"]["conversation"] == TEXTS[0]


def test_a_text_becomes_the_caption_of_a_photo() -> None:
    photo = body("messages-upsert__image-base64-v18", None, "look")

    assert photo["data"]["message"]["imageMessage"]["caption"] == "look"


def test_a_text_for_an_event_without_words_is_refused() -> None:
    with pytest.raises(ValueError, match="no text that could be replaced"):
        script("connection.update", None, "ping")


def test_a_handler_sees_who_wrote_where_and_what() -> None:
    cast = Cast(instance="shop-9", phone="5511988887777", name="Bia")

    event = decode("messages.upsert", body("messages.upsert", cast, "ping"))

    assert isinstance(event, MessagesUpsert)
    assert event.instance == "shop-9"
    assert (event.message.text, event.message.sender.phone) == ("ping", "5511988887777")
    assert event.message.sender.name == "Bia"


def test_another_number_never_shares_a_lid() -> None:
    first, second = (
        body("messages-upsert__image-v236", Cast(phone=phone)) for phone in ("5511911111111", "4915123456")
    )

    assert first["data"]["key"]["remoteJid"].endswith("@lid")
    assert first["data"]["key"]["remoteJid"] != second["data"]["key"]["remoteJid"]
    assert first["data"]["key"]["remoteJidAlt"] == "5511911111111@s.whatsapp.net"


@pytest.mark.parametrize(
    "text", ["+55 11 99999-0002", "5511999990002", "(55) 11 99999.0002", "5511999990002@s.whatsapp.net"]
)
def test_a_number_is_read_as_people_write_it(text: str) -> None:
    assert read_phone(text) == "5511999990002"


@pytest.mark.parametrize("text", ["", "Ana", "12", "1" * 16, "5511@lid", "٣٤٥٦٧٨٩٠"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no telephone number"):
        read_phone(text)


def test_the_suffix_is_glued_to_the_very_end_of_the_url() -> None:
    urls = ["http://h/webhook", "http://h/webhook/", "http://h/webhook?token=abc"]

    assert [post_url(Target(url=url), "messages.upsert") for url in urls] == [
        "http://h/webhook/messages-upsert",
        "http://h/webhook//messages-upsert",
        "http://h/webhook?token=abc/messages-upsert",
    ]


def test_by_events_off_posts_to_the_url_as_it_is() -> None:
    assert post_url(Target(url="http://h/webhook", by_events=False), "messages.upsert") == "http://h/webhook"


def test_a_token_is_signed_as_evolution_signs_it() -> None:
    post = make_post(Target(url="http://h", jwt_key="short"), "messages.upsert", b"{}", clock=lambda: 1_795_351_638.9)

    token = dict(post.headers)["Authorization"].removeprefix("Bearer ")
    claims = jwt.decode(token, b"short".ljust(64, b"\0"), algorithms=["HS256"], options={"verify_exp": False})
    assert token.startswith("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpYXQiOjE3OTUzNTE2MzgsImV4cCI6MTc5NTM1MjIzOCwi")
    assert claims == {"iat": 1_795_351_638, "exp": 1_795_352_238, "app": "evolution", "action": "webhook"}


def test_the_target_carries_the_first_credential_that_is_configured() -> None:
    header = HeaderAuth(values=(Secret("new"), Secret("old")))
    auths = [
        Auth(header=header, jwt_key=(Secret("key"),)),
        Auth(jwt_key=(Secret("key"),), path_secret=(Secret("s3cret"),)),
        Auth(path_secret=(Secret("s3cret"),)),
        Auth(),
    ]

    targets = [target_of(Config(webhook=Webhook(auth=auth))) for auth in auths]

    assert targets == [
        Target(url="http://127.0.0.1:8085/webhook", headers=(("X-Webhook-Token", "new"),)),
        Target(url="http://127.0.0.1:8085/webhook", jwt_key="key"),
        Target(url="http://127.0.0.1:8085/webhook/s3cret"),
        Target(url="http://127.0.0.1:8085/webhook"),
    ]


@pytest.mark.parametrize(("host", "url"), [("0.0.0.0", "http://127.0.0.1:8085"), ("::", "http://[::1]:8085")])  # noqa: S104
def test_a_listener_on_every_address_is_reached_on_this_machine(host: str, url: str) -> None:
    assert target_of(Config(webhook=Webhook(host=host, base_path="", auth="none"))).url == url


def test_a_port_nobody_knows_asks_for_the_url() -> None:
    with pytest.raises(GatewayError, match="--url"):
        target_of(Config(webhook=Webhook(port=0)))


def test_evolution_waits_ever_longer_and_gives_up_after_ten_attempts() -> None:
    waits = [retry_wait(attempt, 503, 0) for attempt in range(1, ATTEMPTS + 1)]

    assert waits == [5, 10, 20, 40, 80, 160, 300, 300, 300, None]


def test_waits_are_spread_by_a_fifth() -> None:
    assert (retry_wait(1, None, -1), retry_wait(1, None, 1)) == (4, 6)


@pytest.mark.parametrize("status", [200, 202, 204, *FINAL])
def test_evolution_does_not_come_again_after(status: int) -> None:
    assert retry_wait(1, status, 0) is None


@pytest.mark.parametrize("status", [None, 302, 408, 410, 413, 429, 500, 501, 503])
def test_evolution_comes_again_after(status: int | None) -> None:
    assert retry_wait(1, status, 0) == 5


def test_percentiles_are_values_that_were_measured() -> None:
    ordered = [float(value) for value in range(1, 101)]

    assert [percentile(ordered, part) for part in (50, 95, 99)] == [50, 95, 99]
    assert [percentile([0.25], part) for part in (50, 95, 99)] == [0.25] * 3


def test_the_tally_tells_accepted_repeated_refused_lost_and_unanswered_apart() -> None:
    tally = Tally()
    for outcome in (
        Outcome(status=202, result="accepted", seconds=0.010),
        Outcome(status=200, result="duplicate", seconds=0.020, attempts=3),
        Outcome(status=401, detail="no"),
        Outcome(status=200, is_lost=True),
        Outcome(status=None, detail="connection refused"),
    ):
        tally.add(outcome)

    view = tally.view(1.0)

    assert {name: view[name] for name in ("ok", "sent", "accepted", "duplicates", "refused", "lost", "unanswered")} == {
        "ok": False,
        "sent": 5,
        "accepted": 1,
        "duplicates": 1,
        "refused": 1,
        "lost": 1,
        "unanswered": 1,
    }
    assert view["retried"] == 2
    assert view["statuses"] == {"401": 1}
    assert view["detail"] == "no"
