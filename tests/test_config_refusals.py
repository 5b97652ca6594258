from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path
from typing import Literal

import pytest

from gateway.config import Auth, Config, Secret, Webhook, is_loopback, load, refuse_open_listener
from gateway.errors import ConfigError

CANARY = "canary-7Fq2xPz9"

Load = Callable[..., Config]


@pytest.fixture
def read(tmp_path: Path) -> Load:
    def read_text(text: str, **environ: str) -> Config:
        file = tmp_path / "config.yaml"
        file.write_text(text, encoding="utf-8")
        return load(file, environ)

    return read_text


@pytest.fixture
def refuse(read: Load) -> Callable[..., str]:
    """The refusal's text from the file's name on, as one sees it."""

    def refusal(text: str, **environ: str) -> str:
        with pytest.raises(ConfigError) as caught:
            read(text, **environ)
        return str(caught.value).rpartition("/config.yaml")[2].removeprefix(", ").removeprefix(": ")

    return refusal


Refuse = Callable[..., str]


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("webhook:\n  host: 127.0.0.1\n  prot: 1", "line 3: webhook.prot: no such setting; did you mean port?"),
        ("webhook: {base-path: /x}", "line 1: webhook.base-path: no such setting; did you mean base_path?"),
        ("\nport: 8085", "line 2: port: no such setting; did you mean webhook.port or admin.port?"),
        ("log: {file: x}", "line 1: log.file: no such setting; there are format, level"),
        ("webhook: {auth: {header: {name: X}}}", "line 1: webhook.auth.header: values is missing"),
        (
            "plugins: {shop: {delivery: {retries: 1}}}",
            "line 1: plugins.shop.delivery.retries: no such setting; did you mean retry?",
        ),
        (
            "webhook: {port: 1}\nadmin: {port: 2}\nwebhook: {port: 3}",
            "line 3: webhook is written twice, first on line 1",
        ),
        ("log:\n  level: info\n  level: debug", "line 3: log: level is written twice, first on line 2"),
    ],
)
def test_keys_that_cannot_be_are_refused_with_their_line(refuse: Refuse, text: str, refusal: str) -> None:
    assert refuse(text) == refusal


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("webhook: {port: 70000}", "line 1: webhook.port: expected a port from 0 to 65535, got '70000'"),
        ("webhook: {port: eighty}", "line 1: webhook.port: expected a port from 0 to 65535, got 'eighty'"),
        ("webhook: {port: [1]}", "line 1: webhook.port: expected a port from 0 to 65535, got a list"),
        ("webhook: 8085", "line 1: webhook: expected settings, such as  {name: value}, got something else"),
        ("- webhook", "line 1: expected settings, such as  webhook: {port: 8085}"),
        (
            "delivery:\n  retry:\n    - 1\n    - 5s",
            "line 4: delivery.retry[1]: expected seconds as a number, 0 or more, got '5s'",
        ),
        ("delivery: {timeout: 0}", "line 1: delivery.timeout: expected seconds as a number above 0, got '0'"),
        ("delivery: {concurrency: 1.5}", "line 1: delivery.concurrency: expected a whole number above 0, got '1.5'"),
        (
            "delivery: {order: random}",
            "line 1: delivery.order: expected lane or none, got 'random'",
        ),
        (
            "log: {level: inf}",
            "line 1: log.level: expected debug, info, warning or error, got 'inf'; did you mean info?",
        ),
        (
            "webhook: {base_path: webhook}",
            "line 1: webhook.base_path: expected a path that begins with /, such as /webhook, got 'webhook'",
        ),
        (
            "worker: {memory: none}",
            "line 1: worker.memory: expected a size such as 1GiB, or 0 for none, got 'none'",
        ),
        (
            "webhook: {max_body: 128M}",
            "line 1: webhook.max_body: expected a size such as 128MiB, 5GiB or a number of bytes, got '128M'",
        ),
        (
            "webhook: {trusted_proxies: [10.0.0.0/40]}",
            (
                "line 1: webhook.trusted_proxies[0]: "
                "expected a network such as 10.0.0.0/8, or one address, got '10.0.0.0/40'"
            ),
        ),
        ("data: ", "line 1: data: expected a path, got nothing"),
        ("log:\n  level:\nadmin:", "line 2: log.level: expected debug, info, warning or error, got nothing"),
        (
            "webhook: {trusted_proxies: }",
            "line 1: webhook.trusted_proxies: expected a list, got nothing; an empty one is written []",
        ),
        ("delivery: {timeout: 1e999}", "line 1: delivery.timeout: expected seconds as a number above 0, got '1e999'"),
        ("delivery: {timeout: ٣}", "line 1: delivery.timeout: expected seconds as a number above 0, got '٣'"),
        ("webhook: {port: yes}", "line 1: webhook.port: expected a port from 0 to 65535, got 'yes'"),
        ("data: ''", "line 1: data: expected a path, got an empty text"),
        ("admin: {allowed_hosts: [null]}", "line 1: admin.allowed_hosts[0]: expected text, got nothing"),
        (
            "evolution: {url: evo.example.com}",
            (
                "line 1: evolution.url: "
                "expected an http or https URL without user, password and query, got 'evo.example.com'"
            ),
        ),
        (
            "webhook: {auth: yes}",
            (
                "line 1: webhook.auth: "
                "expected any of header, jwt_key, path_secret, allow, or the word none, got something else"
            ),
        ),
        ("webhook: {auth: {header: {values: []}}}", "webhook.auth.header.values: expected at least one"),
        (
            "webhook: {auth: {path_secret: ''}}",
            "line 1: webhook.auth.path_secret: expected letters, digits and . _ ~ - only, not empty, got an empty text",
        ),
        (
            "webhook: {auth: {jwt_key: ['']}}",
            "line 1: webhook.auth.jwt_key[0]: expected text that is not empty, got an empty text",
        ),
        ("admin: {port: 8085}", "admin.port: 8085 is webhook.port too; the two listeners need two ports"),
        (
            "webhook: {max_in_flight: 1MiB}",
            "webhook.max_in_flight: is below webhook.max_body, so no large body could pass",
        ),
        ("plugins: [shop]", "line 1: plugins: expected settings, such as  {name: value}, got a list"),
        ("plugins: {shop: {enabled: 1}}", "line 1: plugins.shop.enabled: expected true or false, got '1'"),
    ],
)
def test_values_that_cannot_be_are_refused_with_place_value_and_what_was_expected(
    refuse: Refuse, text: str, refusal: str
) -> None:
    assert refuse(text) == refusal


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("data: off", 'YAML takes off for true or false, so write "off" in quotes'),
        ("data: No", 'YAML takes No for true or false, so write "No" in quotes'),
        ("data: 0123", 'YAML takes 0123 for a number that loses its zero, so write "0123" in quotes'),
        ("data: 0x1F", 'YAML takes 0x1F for a number with another base, so write "0x1F" in quotes'),
        ("data: 12:30", 'YAML takes 12:30 for a number in base 60, so write "12:30" in quotes'),
        ("data: 2026-01-02", 'YAML takes 2026-01-02 for a date, so write "2026-01-02" in quotes'),
        ("data: 1_000", 'YAML takes 1_000 for a number, so write "1_000" in quotes'),
        ("data: 1.5", 'YAML takes 1.5 for a number, so write "1.5" in quotes'),
        ("webhook: {auth: {jwt_key: 12345}}", "YAML takes what stands here for a number, so put it in quotes"),
        ("admin: {token: 0123}", "YAML takes what stands here for a number that loses its zero, so put it in quotes"),
        ("admin: {token: !x abc}", "a tag (!word) is not understood here; text that begins with ! needs quotes"),
        ("admin: {token: *x}", "text that begins with * needs quotes"),
        ("webhook: {port: 08085}", "expected a port from 0 to 65535, got '08085'; write 8085"),
        ("plugins: {a: {enabled: yes}}", "expected true or false, got 'yes'; write true"),
        ("plugins: {a: {enabled: off}}", "expected true or false, got 'off'; write false"),
        (
            "plugins: {a: {settings: {x: off}}}",
            'YAML takes off for true or false; write "off" in quotes if it is text, or false',
        ),
        (
            "plugins: {a: {settings: {x: 007}}}",
            'YAML takes 007 for a number that loses its zero; write "007" in quotes if it is text, or 7',
        ),
        ("plugins: {a: {settings: {x: 12:30}}}", 'YAML takes 12:30 for a number in base 60; write "12:30" in quotes'),
        ("a: &b\n  <<: *b", "merging with << is not understood; write the settings out"),
        ("a: &b [*b]", "nested too deep"),
        ("[" * 5000, "nested too deep"),
        ("{[a]: b}", "expected a name before the colon; text that holds ${...} or {...} needs quotes"),
        ("webhook: {port: 1", "not YAML: expected ',' or '}', but got '<stream end>'"),
    ],
)
def test_yaml_traps_are_answered_with_what_to_write(refuse: Refuse, text: str, advice: str) -> None:
    assert refuse(text).endswith(advice)


@pytest.mark.parametrize("word", ["off", "0123", "12:30", "2026-01-02", "~", "12345"])
def test_the_same_words_in_quotes_are_text(read: Load, word: str) -> None:
    assert read(f'admin: {{token: "{word}"}}').admin.token == Secret(word)


def test_an_absent_variable_without_default_is_named_with_its_place(refuse: Refuse) -> None:
    assert refuse("admin:\n  token: ${ADMIN_TOKEN}") == (
        "line 2: admin.token: the environment has no ADMIN_TOKEN; set it, or write ${ADMIN_TOKEN:-default}"
    )


def test_a_broken_variable_is_refused(refuse: Refuse) -> None:
    assert "expected ${NAME} or ${NAME:-default}" in refuse("admin: {token: '${not closed'}")
    assert "expected ${NAME} or ${NAME:-default}" in refuse("admin: {token: '${1X}'}")


def test_an_unquoted_variable_within_braces_is_answered_with_what_to_write(refuse: Refuse) -> None:
    assert refuse("webhook:\n  auth: {path_secret: [${SECRET}]}", SECRET="x").endswith(
        'inside [ ] and { } write "${NAME}" in quotes'
    )


def test_a_wrong_value_of_the_environment_is_not_shown(refuse: Refuse) -> None:
    text = refuse("webhook:\n  port: ${PORT}", PORT=CANARY)

    assert text == "line 2: webhook.port: expected a port from 0 to 65535, got '${PORT}'"


@pytest.mark.parametrize(
    "text",
    [
        "webhook: {auth: CANARY}",
        "webhook: {auth: [CANARY]}",
        "webhook: {auth: {header: CANARY}}",
        "webhook: {auth: {header: {values: {CANARY: 1}}}}",
        "webhook: {auth: {path_secret: CANARY/with/slashes}}",
        "webhook: {auth: {header: {values: ['CANARY ']}}}",
        "admin: {token: [CANARY]}",
        "admin: {token: *CANARY}",
        "admin: {token: !CANARY x}",
        "evolution: {url: 'http://user:CANARY@evo.example.com'}",
        "evolution: {url: 'http://evo.example.com?apikey=CANARY'}",
        "evolution: {apikey: CANARY, url: }}",
    ],
)
def test_no_secret_is_in_a_refusal(refuse: Refuse, text: str) -> None:
    assert CANARY not in refuse(text.replace("CANARY", CANARY))


@pytest.mark.parametrize("auth", ["header", "jwt_key", "path_secret", "allow"])
@pytest.mark.parametrize("nothing", ["", "null", "~", "# lost-in-a-comment"])
def test_a_credential_with_nothing_behind_it_is_not_taken_for_no_credential(
    refuse: Refuse, auth: str, nothing: str
) -> None:
    assert f"webhook.auth.{auth}: expected" in refuse(f"webhook:\n  auth:\n    {auth}: {nothing}\n")


# ---- the open listener


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "gateway.example.com"])  # noqa: S104
def test_a_listener_off_loopback_without_credential_is_refused_with_three_ways_out(host: str) -> None:
    config = Config(webhook=Webhook(host=host))

    with pytest.raises(ConfigError) as caught:
        refuse_open_listener(config)

    assert all(way in str(caught.value) for way in (host, "webhook.auth", "127.0.0.1", "auth: none"))


@pytest.mark.parametrize("auth", ["none", Auth(path_secret=(Secret("x"),)), Auth(allow=(ip_network("10.0.0.0/8"),))])
def test_a_listener_off_loopback_starts_with_a_credential_or_none(auth: Auth | Literal["none"]) -> None:
    refuse_open_listener(Config(webhook=Webhook(host="0.0.0.0", auth=auth)))  # noqa: S104


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "localhost", "::1", "[::1]"])
def test_a_listener_on_loopback_needs_no_credential(host: str) -> None:
    refuse_open_listener(Config(webhook=Webhook(host=host)))

    assert is_loopback(host)
