from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path

import msgspec
import pytest

from gateway.config import (
    Auth,
    Config,
    Delivery,
    HeaderAuth,
    PluginSettings,
    Secret,
    load,
    secrets,
)
from gateway.errors import ConfigError

PROJECT = Path(__file__).parent.parent
CANARY = "canary-7Fq2xPz9"

Load = Callable[..., Config]


@pytest.fixture
def read(tmp_path: Path) -> Load:
    def read_text(text: str, **environ: str) -> Config:
        file = tmp_path / "config.yaml"
        file.write_text(text, encoding="utf-8")
        return load(file, environ)

    return read_text


# ---- the file


def test_without_a_file_every_setting_has_its_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    config = load()

    assert msgspec.structs.replace(config, data=Path("data"), routes=Path("routes")) == Config()
    assert config.data == tmp_path / "data"
    assert config.routes == tmp_path / "routes"


def test_config_yaml_in_the_working_folder_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config.yaml").write_text("webhook: {port: 9000}")
    monkeypatch.chdir(tmp_path)

    assert load().webhook.port == 9000


def test_a_named_file_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"other\.yaml: no such file"):
        load(tmp_path / "other.yaml")


def test_a_file_that_cannot_be_read_is_refused_as_a_setting(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"data: caf\xe9")

    with pytest.raises(ConfigError, match="not UTF-8 text at byte 9"):
        load(tmp_path / "latin.yaml")
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path)


@pytest.mark.parametrize(
    "text", ["", "# nothing yet\n", "---\n", "webhook:\n", "plugins:\nlog:\n", "\ufeffdata: data\n"]
)
def test_empty_files_and_empty_sections_have_their_defaults(read: Load, text: str) -> None:
    config = read(text)

    assert (config.webhook, config.plugins, config.log) == (Config().webhook, {}, Config().log)


def test_relative_paths_count_from_the_file(read: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)

    config = read("data: store/events\nroutes: /srv/routes")

    assert config.data == tmp_path / "store/events"
    assert config.routes == Path("/srv/routes")


def test_a_relative_file_gives_absolute_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bot").mkdir()
    (tmp_path / "bot" / "config.yaml").write_text("data: d")
    monkeypatch.chdir(tmp_path)

    assert load(Path("bot/config.yaml")).data == tmp_path / "bot" / "d"


# ---- values


def test_every_kind_of_value_is_read(read: Load) -> None:
    config = read(
        """
        webhook:
          host: 0.0.0.0
          base_path: /hooks/evolution/
          max_body: 1GiB
          max_in_flight: 2147483648
          trusted_proxies: [10.0.0.0/8, 192.168.1.7, "::1"]
          auth: {header: {name: X-Key, values: [first-one, second-one]}, allow: 172.16.0.0/12}
        delivery: {timeout: 1.5, retry: [0, 2.5], order: none}
        evolution: {url: https://evo.example.com/, version: 1, allow_servers: [https://b.example.com]}
        retention: {days: 30, size: 10GB}
        """
    )

    assert (config.webhook.host, config.webhook.base_path) == ("0.0.0.0", "/hooks/evolution")  # noqa: S104
    assert (config.webhook.max_body, config.webhook.max_in_flight) == (2**30, 2**31)
    assert config.webhook.trusted_proxies == tuple(map(ip_network, ("10.0.0.0/8", "192.168.1.7/32", "::1/128")))
    assert config.webhook.auth == Auth(
        header=HeaderAuth(name="X-Key", values=(Secret("first-one"), Secret("second-one"))),
        allow=(ip_network("172.16.0.0/12"),),
    )
    assert config.delivery == Delivery(timeout=1.5, retry=(0, 2.5), order="none")
    assert (config.evolution.url, config.evolution.version, config.evolution.allow_servers) == (
        "https://evo.example.com",
        "1",
        ("https://b.example.com",),
    )
    assert (config.retention.days, config.retention.size) == (30, 10 * 1000**3)


@pytest.mark.parametrize(
    ("written", "size"),
    [("128MiB", 2**27), ("5GiB", 5 * 2**30), ("1 KiB", 1024), ("2mb", 2_000_000), ("3TiB", 3 * 2**40), ("512", 512)],
)
def test_sizes_are_bytes(read: Load, written: str, size: int) -> None:
    assert read(f"data_min_free: {written}").data_min_free == size


def test_the_limit_of_memory_may_be_none(read: Load) -> None:
    assert read("worker: {memory: 0}").worker.memory == 0
    assert read("worker: {memory: 512MiB}").worker.memory == 512 * 1024**2


def test_both_listeners_may_take_free_ports(read: Load) -> None:
    config = read("webhook: {port: 0}\nadmin: {port: 0}")

    assert (config.webhook.port, config.admin.port) == (0, 0)


@pytest.mark.parametrize("written", ["/", "//"])
def test_the_root_as_base_path_is_the_empty_text(read: Load, written: str) -> None:
    assert read(f"webhook: {{base_path: {written}}}").webhook.base_path == ""


def test_one_text_stands_for_a_list_of_it(read: Load) -> None:
    config = read("webhook: {auth: {header: {values: only-one}, jwt_key: a-key, path_secret: way, allow: 10.1.1.1}}")

    assert config.webhook.auth == Auth(
        header=HeaderAuth(values=(Secret("only-one"),)),
        jwt_key=(Secret("a-key"),),
        path_secret=(Secret("way"),),
        allow=(ip_network("10.1.1.1/32"),),
    )


def test_none_is_a_word_of_its_own(read: Load) -> None:
    assert read("webhook: {auth: none}").webhook.auth == "none"
    assert read("webhook: {auth: {}}").webhook.auth == Auth()
    assert read("webhook: {auth: }").webhook.auth == Auth()


def test_a_plugins_settings_stay_json_values(read: Load) -> None:
    config = read(
        """
        plugins:
          shop:
            enabled: false
            settings:
              {name: Loja, limit: 5, rate: 0.5, open: true, "no": "no", nested: [{a: null}], empty: , odd: ٣ 1e999 x}
            delivery: {timeout: 5, order: none}
          bare:
        """
    )

    shop = config.plugin("shop")
    assert not shop.enabled
    assert shop.settings == {
        "name": "Loja",
        "limit": 5,
        "rate": 0.5,
        "open": True,
        "no": "no",
        "nested": [{"a": None}],
        "empty": None,
        "odd": "٣ 1e999 x",
    }
    assert config.delivery_of("shop") == Delivery(timeout=5, order="none")
    assert config.plugin("bare") == PluginSettings()
    assert config.delivery_of("unheard_of") == Delivery()


# ---- the environment


def test_the_environment_fills_in_text_numbers_and_choices(read: Load) -> None:
    config = read(
        """
        webhook:
          host: ${HOST}
          port: ${PORT:-8085}
          auth: {path_secret: "${SECRET}"}
        admin: {port: "${PORT}", allowed_hosts: ["${NAME:-gateway}.${DOMAIN}"]}
        log: {level: "${LEVEL}"}
        """,
        HOST="localhost",
        PORT="9001",
        SECRET="0123",
        DOMAIN="example.com",
        LEVEL="debug",
    )

    assert (config.webhook.host, config.webhook.port, config.admin.port) == ("localhost", 9001, 9001)
    assert config.webhook.auth == Auth(path_secret=(Secret("0123"),))
    assert config.admin.allowed_hosts == ("gateway.example.com",)
    assert config.log.level == "debug"


def test_a_default_is_taken_for_an_absent_and_for_an_empty_variable(read: Load) -> None:
    text = "webhook: {port: '${PORT:-9002}'}"

    assert read(text).webhook.port == 9002
    assert read(text, PORT="").webhook.port == 9002
    assert read(text, PORT="9003").webhook.port == 9003


def test_variables_in_a_plugins_settings_stay_text(read: Load) -> None:
    config = read("plugins: {shop: {settings: {key: '${KEY}'}}}", KEY="0123")

    assert config.plugin("shop").settings == {"key": "0123"}


def test_a_plain_brace_after_a_dollar_is_written_with_two_dollars(read: Load) -> None:
    assert read("plugins: {a: {settings: {text: 'costs $${price}'}}}").plugin("a").settings == {
        "text": "costs ${price}"
    }


# ---- secrets

EVERY_SECRET = f"""
webhook:
  auth:
    header: {{values: [{CANARY}-1]}}
    jwt_key: [{CANARY}-2]
    path_secret: [{CANARY}-3]
admin: {{token: {CANARY}-4}}
evolution: {{apikey: {CANARY}-5}}
plugins: {{shop: {{settings: {{api_key: {CANARY}-6, deep: [{{token: {CANARY}-7}}], name: Loja}}}}}}
"""


def test_no_secret_is_in_what_a_config_prints(read: Load) -> None:
    config = read(EVERY_SECRET)

    printed = f"{config} {config!r} {config.webhook} {config.plugins}"

    assert "Secret([redacted])" in printed
    assert CANARY not in printed


def test_secrets_of_a_config_are_listed_for_redaction(read: Load) -> None:
    found = secrets(read(EVERY_SECRET))

    assert sorted(found) == [f"{CANARY}-{number}" for number in range(1, 8)]
    assert secrets(Config()) == ()


def test_a_secret_gives_its_text_only_when_asked() -> None:
    secret = Secret(CANARY)

    assert secret.reveal() == CANARY
    assert CANARY not in f"{secret} {secret!r} {[secret]} {secret:}"
    assert secret == Secret(CANARY)
    assert secret != Secret("another")
    assert secret != CANARY
    assert len({secret, Secret(CANARY)}) == 1
    assert not Secret()
    assert str(Secret()) == ""
