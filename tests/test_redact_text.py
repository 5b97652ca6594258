import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.redact import PLACEHOLDER, Redactor, printable, shorten_phone

CANARY = "canary-7Fq2xPz9"


# ---- text


@pytest.mark.parametrize(
    "text",
    [
        f'{{"apikey": "{CANARY}"}}',
        f"{{'apikey': '{CANARY}', 'x': 1}}",
        f'{{"apiKey":"{CANARY}"}}',
        f'"{{\\"apikey\\":\\"{CANARY}\\"}}"',
        f'{{"apikey": "with \\" quote {CANARY}"}}',
        f"('apikey', '{CANARY}')",
        f"(b'apikey', b'{CANARY}')",
        f"apikey={CANARY}",
        f"APIKEY: {CANARY}",
        f"http://evo/instance?apikey={CANARY}&x=1",
        f"http://bot/webhook?token={CANARY}",
        f"http://user:{CANARY}@evo/",
        f"http://{CANARY}@evo/",
        f"Authorization: Bearer {CANARY}",
        f"authorization: {CANARY}",
        f"'Authorization': 'Bearer {CANARY}'",
        f"Bearer {CANARY}",
        f"basic {CANARY}==",
        f'"mediaKey":"{CANARY}"',
        f'"messageSecret": "{CANARY}"',
        f'"pairingCode": "{CANARY}"',
        f"X-Webhook-Token={CANARY}",
        f"jwt_key={CANARY}",
        f"client_secret={CANARY}",
        f"password='{CANARY}'",
        f'password="{CANARY}"',
        f"api_key='{CANARY} with spaces {CANARY}'",
        f"eyJhbGciOiJIUzI1NiJ9.eyJ{CANARY}.sig",
    ],
)
def test_patterns_of_secrets_are_redacted_in_text(text: str) -> None:
    redacted = Redactor().text(f"before {text} after")

    assert CANARY not in redacted
    assert PLACEHOLDER in redacted
    assert redacted.startswith("before ")
    assert redacted.endswith(" after")


@pytest.mark.parametrize(
    "text",
    [
        "delivery_settled",
        "http://127.0.0.1:8085/webhook",
        "no evolution.apikey in config.yaml",
        "the token was refused",
        '{"key": {"id": "3EB0C767D82B4F2E", "remoteJid": "5511999990002@s.whatsapp.net"}}',
        "mail ana@example.com",
        "",
    ],
)
def test_text_without_secrets_stays(text: str) -> None:
    assert Redactor().text(text) == text


def test_a_traceback_loses_the_key_and_keeps_the_rest() -> None:
    try:
        raise ValueError(f"401 for {{'apikey': '{CANARY}'}}")  # noqa: TRY301 - a traceback is wanted
    except ValueError as error:
        text = "".join(traceback.format_exception(error))

    redacted = Redactor().text(text)

    assert CANARY not in redacted
    assert "ValueError: 401 for {'apikey': '[redacted]'}" in redacted


def test_a_key_that_is_cut_off_is_redacted_to_the_end_of_its_line() -> None:
    assert Redactor().text(f'{{"apikey": "{CANARY}\nnext') == f'{{"apikey": "{PLACEHOLDER}\nnext'


def test_redacting_twice_changes_nothing_more() -> None:
    redactor = Redactor([CANARY])
    once = redactor.text(
        f'"apikey": "{CANARY}" apikey={CANARY} Authorization: Bearer {CANARY} http://a:{CANARY}@b?token={CANARY}'
    )

    assert redactor.text(once) == once


def test_a_long_text_is_redacted_in_linear_time() -> None:
    hostile = '"apikey": "' + '\\"apikey\\":' * 20_000 + "\\" * 50_000 + "token=" * 20_000 + "://" * 20_000

    assert Redactor().text(hostile).startswith('"apikey')


# ---- phones and printing


@pytest.mark.parametrize(
    ("jid", "short"),
    [
        ("5511999990002", "…0002"),
        ("+5511999990002", "…0002"),
        ("5511999990002@s.whatsapp.net", "…0002"),
        ("5511999990002:75@s.whatsapp.net", "…0002"),
        ("5511999990002@c.us", "…0002"),
        ("212755501234567@lid", "…4567@lid"),
        ("120363025246125486@g.us", "…5486@g.us"),
        ("5511999990002-1630000000@g.us", "…0000@g.us"),
        ("status@broadcast", "status@broadcast"),
        ("1234", "1234"),
        ("", ""),
    ],
)
def test_phones_are_shortened_to_their_last_four_digits(jid: str, short: str) -> None:
    assert shorten_phone(jid) == short


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Ana Souza 🎉 …", "Ana Souza 🎉 …"),
        ("one\ntwo\r\tthree", "one\\ntwo\\r\\tthree"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("\x9b31m", "\\x9b31m"),
        ("nul\x00del\x7f", "nul\\x00del\\x7f"),
        ("evil\u202etxt", "evil\\u202etxt"),
        ("line\u2028end", "line\\u2028end"),
        ("half \ud83d", "half \\ud83d"),
    ],
)
def test_what_a_terminal_would_act_on_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text())
def test_printable_text_is_one_line_that_can_be_written(text: str) -> None:
    shown = printable(text)

    assert len(shown.splitlines()) <= 1
    assert shown.encode().decode() == shown
