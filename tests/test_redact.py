import copy
import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.redact import PLACEHOLDER, Redactor, redact, redact_url

CANARY = "canary-7Fq2xPz9"


# ---- names


@pytest.mark.parametrize(
    "name",
    [
        "apikey", "apiKey", "api_key", "API-KEY", "x-api-key", "Authorization", "token", "accessToken", "access_token",
        "jwt", "jwt_key", "secret", "password", "mediaKey", "messageSecret", "hash", "pairingCode", "X-Webhook-Token",
        "Cookie",
    ],
)  # fmt: skip
def test_what_stands_under_a_secrets_name_is_redacted(name: str) -> None:
    assert redact({"data": [{name: CANARY}]}) == {"data": [{name: PLACEHOLDER}]}


@pytest.mark.parametrize(
    "name", ["key", "keyId", "fileSha256", "mediaKeyTimestamp", "tokens", "code", "base64", "text"]
)
def test_what_stands_under_another_name_stays(name: str) -> None:
    assert redact({name: CANARY}) == {name: CANARY}


@pytest.mark.parametrize("value", [None, True, False, "", "Apikey not found"])
def test_a_value_that_says_there_is_no_key_stays_readable(value: Any) -> None:  # noqa: ANN401 - any JSON
    assert redact({"apikey": value}) == {"apikey": value}


@pytest.mark.parametrize("value", [{"0": 12, "1": 255}, {"type": "Buffer", "data": [1]}, [1, 2], 123456, "AAECAw=="])
def test_a_media_key_is_redacted_in_every_encoding(value: Any) -> None:  # noqa: ANN401 - any JSON
    assert redact({"mediaKey": value}) == {"mediaKey": PLACEHOLDER}


def test_the_copy_is_redacted_and_the_value_is_not() -> None:
    value: Any = {"apikey": CANARY, "data": [{"text": f"my {CANARY}"}]}
    before = copy.deepcopy(value)

    redact(value)

    assert value == before


def test_a_value_nested_without_end_is_cut_and_holds_no_key() -> None:
    deep: Any = {"apikey": CANARY}
    for _ in range(50_000):
        deep = [deep]

    redacted = str(redact({"a": deep, "b": CANARY}))

    assert "[nested too deep]" in redacted
    assert CANARY not in redacted


# ---- Evolution's events


def test_a_qr_code_is_redacted_and_its_limit_message_is_not() -> None:
    qr: Any = {
        "qrcode": {"instance": "shop", "pairingCode": "WZYEH1YY", "code": "2@abc", "base64": "data:image/png;base64,iV"}
    }
    limit: Any = {"event": "qrcode.updated", "data": {"message": "QR code limit reached", "statusCode": 500}}

    redacted = redact({"event": "qrcode.updated", "data": qr})

    assert redacted == {
        "event": "qrcode.updated",
        "data": {
            "qrcode": {"instance": "shop", "pairingCode": PLACEHOLDER, "code": PLACEHOLDER, "base64": PLACEHOLDER}
        },
    }
    assert redact(limit) == limit


def test_a_qr_code_without_pairing_code_is_redacted_too() -> None:
    assert redact({"qrcode": {"code": "2@abc", "base64": "iV"}}) == {
        "qrcode": {"code": PLACEHOLDER, "base64": PLACEHOLDER}
    }


def test_the_answer_to_a_connect_is_a_qr_code_too() -> None:
    assert redact({"pairingCode": None, "code": "2@abc", "base64": "data:...", "count": 1}) == {
        "pairingCode": None,
        "code": PLACEHOLDER,
        "base64": PLACEHOLDER,
        "count": 1,
    }


def test_a_photos_base64_and_a_status_code_stay() -> None:
    value: Any = {"data": {"message": {"imageMessage": {"caption": "x"}, "base64": "/9j/4AAQ"}, "code": 200}}

    assert redact(value) == value


def test_a_key_is_redacted_wherever_else_the_same_event_holds_it() -> None:
    event: Any = {
        "event": "typebot.change-status",
        "apikey": CANARY,
        "data": {"session": {"parameters": {"apiKey": "typebot-own-key"}}, "log": f"GET /?k={CANARY} typebot-own-key"},
    }

    redacted: Any = redact(event)

    assert redacted["data"]["session"]["parameters"]["apiKey"] == PLACEHOLDER
    assert redacted["data"]["log"] == f"GET /?k={PLACEHOLDER} {PLACEHOLDER}"


def test_a_key_within_a_secret_object_is_redacted_elsewhere_too() -> None:
    assert redact({"hash": {"value": CANARY}, "text": f"made {CANARY}"}) == {
        "hash": PLACEHOLDER,
        "text": f"made {PLACEHOLDER}",
    }


def test_a_short_key_does_not_redact_ordinary_words() -> None:
    assert redact({"apikey": "shop", "text": "the shop is open"}) == {"apikey": PLACEHOLDER, "text": "the shop is open"}


def test_the_phrase_for_no_key_is_not_taken_for_a_key() -> None:
    value: Any = {"apikey": "Apikey not found", "text": "Evolution says: Apikey not found"}

    assert redact(value) == value


def test_an_error_webhooks_global_key_is_redacted() -> None:
    event: Any = {"event": "error", "api_key": CANARY, "data": {"message": [f"bad key {CANARY}"]}}

    assert CANARY not in json.dumps(redact(event))


def test_a_key_in_json_within_a_text_is_redacted() -> None:
    value: Any = {"disconnectionObject": json.dumps({"error": {"headers": {"apikey": CANARY}, "code": 401}})}

    redacted: Any = redact(value)

    assert json.loads(redacted["disconnectionObject"]) == {"error": {"headers": {"apikey": PLACEHOLDER}, "code": 401}}


@pytest.mark.parametrize("text", ["my password is tea", "token=abc", "Bearer of good news", 'say "token" please'])
def test_what_people_write_to_each_other_stays(text: str) -> None:
    assert redact({"conversation": text}) == {"conversation": text}


def test_a_key_as_the_name_of_a_field_is_redacted() -> None:
    assert redact({"apikey": CANARY, "data": {CANARY: 1}}) == {"apikey": PLACEHOLDER, "data": {PLACEHOLDER: 1}}


# ---- URLs


@pytest.mark.parametrize("name", ["destination", "webhookUrl", "webhook_url", "server_url"])
def test_user_and_query_values_are_taken_out_of_urls(name: str) -> None:
    value: Any = {name: f"https://user:{CANARY}@bot.example.com:8085/webhook?token={CANARY}/messages-upsert&b=c#top"}

    assert redact(value) == {
        name: f"https://{PLACEHOLDER}@bot.example.com:8085/webhook?token={PLACEHOLDER}&b={PLACEHOLDER}#top"
    }


def test_a_plain_url_stays() -> None:
    assert (
        redact_url("https://bot.example.com/webhook/messages-upsert")
        == "https://bot.example.com/webhook/messages-upsert"
    )


def test_a_path_secret_is_taken_out_of_a_destination() -> None:
    value: Any = {"destination": f"http://bot:8085/webhook/{CANARY}"}

    assert Redactor([CANARY]).json(value) == {"destination": f"http://bot:8085/webhook/{PLACEHOLDER}"}
    assert redact(value) == value


# ---- known values


def test_known_secrets_are_redacted_in_json_and_text() -> None:
    redactor = Redactor([CANARY, "other-secret"])

    assert redactor.json({"a": CANARY, "b": [f"x {CANARY} y other-secret"]}) == {
        "a": PLACEHOLDER,
        "b": [f"x {PLACEHOLDER} y {PLACEHOLDER}"],
    }
    assert redactor.text(f"x {CANARY} y") == f"x {PLACEHOLDER} y"


def test_the_longer_of_two_secrets_is_redacted_whole() -> None:
    assert Redactor(["abcd", "abcd-efgh"]).text("abcd-efgh abcd") == f"{PLACEHOLDER} {PLACEHOLDER}"


@pytest.mark.parametrize("written", [json.dumps, repr, quote])
def test_a_secret_is_found_as_json_repr_and_urls_write_it(written: Any) -> None:  # noqa: ANN401 - three ways of writing
    for secret in ('é"quoted', "it's \"quoted"):
        assert "quoted" not in Redactor([secret]).text(f"got {written(secret)}!")


def test_a_secret_of_two_characters_is_redacted_alone_but_not_within_words() -> None:
    redactor = Redactor(["ab"])

    assert redactor.json({"x": "ab", "y": "cabbage"}) == {"x": PLACEHOLDER, "y": "cabbage"}
    assert redactor.text("ab") == PLACEHOLDER


def test_secrets_may_come_from_an_iterator() -> None:
    redactor = Redactor(iter(["ab", CANARY]))

    assert redactor.json(["ab", f"x{CANARY}"]) == [PLACEHOLDER, f"x{PLACEHOLDER}"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda below: st.lists(below) | st.dictionaries(st.text(), below),
    max_leaves=20,
)


@given(value=JSON, where=st.sampled_from(["apikey", "token", "x"]))
def test_a_known_secret_is_in_no_redacted_value(value: Any, where: str) -> None:  # noqa: ANN401 - any JSON
    planted: Any = {"a": value, where: CANARY, "b": [{"c": f"{CANARY}!"}]}

    redacted: Any = Redactor([CANARY]).json(planted)

    assert CANARY not in json.dumps(redacted)
    assert redacted["b"] == [{"c": f"{PLACEHOLDER}!"}]
