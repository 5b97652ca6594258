"""Claims about deploy/: what compose.yaml starts fits together. No container engine is needed, and none is used."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway import names
from gateway.config import Config, load, refuse_open_listener
from gateway.simulate import target_of

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
SECRET = "s3cret-part-of-the-url"
ENVIRONMENT = {"WEBHOOK_SECRET": SECRET, "EVOLUTION_APIKEY": "an-api-key", "POSTGRES_PASSWORD": "a-password"}

VARIABLE = re.compile(r"\$\{(\w+)(?::([?-])([^}]*))?\}")


def filled(text: str, environ: dict[str, str]) -> str:
    """What compose makes of `${NAME}`, `${NAME:-default}` and `${NAME:?what to say}`."""

    def fill(found: re.Match[str]) -> str:
        name, kind, rest = found.groups()
        if environ.get(name):
            return environ[name]
        if kind == "?":
            raise KeyError(name)
        return rest or ""

    return VARIABLE.sub(fill, text)


def compose(environ: dict[str, str] | None = None) -> dict[str, Any]:
    text = filled((DEPLOY / "compose.yaml").read_text(), ENVIRONMENT if environ is None else environ)
    document: dict[str, Any] = yaml.safe_load(text)
    return document["services"]  # type: ignore[no-any-return]


def settings(tmp_path: Path) -> Config:
    """The gateway's settings with the environment that compose gives it, and nothing more."""
    file = tmp_path / "config.yaml"
    file.write_text((DEPLOY / "config.yaml").read_text())
    return load(file, environ=compose()["gateway"]["environment"])


def test_the_gateways_settings_load_with_what_compose_hands_in(tmp_path: Path) -> None:
    config = settings(tmp_path)

    refuse_open_listener(config)
    assert not config.webhook.is_open
    assert config.evolution.apikey.reveal() == "an-api-key"
    assert config.evolution.url == "http://evolution:8080"


def test_evolution_posts_to_the_url_that_the_gateway_takes(tmp_path: Path) -> None:
    evolution = compose()["evolution"]["environment"]

    expected = target_of(settings(tmp_path)).url.replace("127.0.0.1", "gateway")
    assert expected == f"http://gateway:8085/webhook/{SECRET}"
    assert evolution["WEBHOOK_GLOBAL_URL"] == expected
    assert evolution["WEBHOOK_EVENTS_ERRORS_WEBHOOK"] == expected
    assert evolution["WEBHOOK_GLOBAL_ENABLED"] == "true"


def test_every_event_with_a_switch_of_its_own_is_switched_on() -> None:
    evolution = compose()["evolution"]["environment"]
    switches = {name: value for name, value in evolution.items() if re.fullmatch(r"WEBHOOK_EVENTS_(?!ERRORS)\w+", name)}

    known = {names.canonical(name.removeprefix("WEBHOOK_EVENTS_")) for name in switches}
    # No switch exists for these; the older versions' own events have none in 2.3 either.
    without = {
        "status.instance",
        "remove.instance",
        "logout.instance",
        "creds.update",
        "messaging-history.set",
        "error",
    }
    assert set(switches.values()) == {"true"}
    assert known == set(names.EVENTS) - without - {"new.jwt", "chama-ai.action"}


def test_both_know_the_same_key() -> None:
    services = compose()

    key = services["evolution"]["environment"]["AUTHENTICATION_API_KEY"]
    assert key == services["gateway"]["environment"]["EVOLUTION_APIKEY"] == "an-api-key"


@pytest.mark.parametrize("missing", ENVIRONMENT)
def test_nothing_starts_while_a_secret_is_missing(missing: str) -> None:
    rest = {name: value for name, value in ENVIRONMENT.items() if name != missing}

    with pytest.raises(KeyError, match=missing):
        compose(rest)


def test_the_example_environment_names_every_variable_and_no_secret() -> None:
    lines = [line for line in (DEPLOY / ".env.example").read_text().splitlines() if line and not line.startswith("#")]
    example = dict(line.split("=", 1) for line in lines)

    used = {found[1] for found in VARIABLE.finditer((DEPLOY / "compose.yaml").read_text())}
    assert set(example) == used
    assert {name for name, value in example.items() if value} == {"EVOLUTION_URL"}


def test_only_this_machine_reaches_a_port() -> None:
    ports = [port for service in compose().values() for port in service.get("ports", [])]

    assert sorted(ports) == ["127.0.0.1:8080:8080", "127.0.0.1:8085:8085", "127.0.0.1:8086:8086"]


def test_the_gateway_can_write_its_data_and_nothing_else() -> None:
    gateway = compose()["gateway"]

    writable = [volume for volume in gateway["volumes"] if not volume.endswith(":ro")]
    assert gateway["read_only"] is True
    assert writable == ["gateway-data:/bot/data"]
    assert gateway["cap_drop"] == ["ALL"]


def test_what_is_mounted_exists() -> None:
    mounted = [volume.split(":")[0] for volume in compose()["gateway"]["volumes"] if volume.startswith(".")]

    assert mounted == ["./config.yaml", "../routes"]
    assert all((DEPLOY / each).exists() for each in mounted)


def test_the_image_runs_as_nobody_in_particular() -> None:
    steps = (DEPLOY / "Dockerfile").read_text().splitlines()

    assert [step for step in steps if step.startswith("USER")] == ["USER gateway"]
    assert 'ENTRYPOINT ["gateway"]' in steps


def test_the_healthcheck_asks_the_port_the_settings_name(tmp_path: Path) -> None:
    dockerfile = (DEPLOY / "Dockerfile").read_text()

    assert f"'127.0.0.1', {settings(tmp_path).webhook.port}" in dockerfile
    assert "/health/ready" in dockerfile


def test_the_image_is_made_of_what_the_wheel_needs() -> None:
    let_in = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]

    assert let_in == ["gateway", "pyproject.toml", "constraints.txt", "README.md", "LICENSE"]
    assert all((ROOT / each).exists() for each in let_in)
