import re
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec

from gateway.config import Auth, Config, HeaderAuth, Secret, load

PROJECT = Path(__file__).parent.parent


def test_config_yaml_of_the_project_holds_the_defaults() -> None:
    config = load(PROJECT / "config.yaml", {})

    assert config == msgspec.structs.replace(Config(), data=PROJECT / "data", routes=PROJECT / "routes")


def test_config_yaml_of_the_project_writes_out_every_setting() -> None:
    text = (PROJECT / "config.yaml").read_text()

    settings = list(setting_paths(Config))

    assert len(settings) > 30
    assert [path for path in settings if not mentioned(text, path)] == []


def test_a_setting_that_is_not_written_out_would_be_noticed() -> None:
    text = (PROJECT / "config.yaml").read_text().replace("  stuck: 120", "  # gone")

    assert not mentioned(text, "worker.stuck")


def test_examples_in_config_yaml_of_the_project_are_read(tmp_path: Path) -> None:
    text = (PROJECT / "config.yaml").read_text()
    auth, plugins = commented_block(text, "  # auth:\n"), commented_block(text, "# plugins:\n")

    file = tmp_path / "config.yaml"
    file.write_text(f"webhook:\n{auth}\n{plugins}")

    config = load(file, {"WEBHOOK_TOKEN": "token", "WEBHOOK_JWT_KEY": "key", "WEBHOOK_PATH": "path"})

    assert config.webhook.auth == Auth(
        header=HeaderAuth(name="X-Webhook-Token", values=(Secret("token"),)),
        jwt_key=(Secret("key"),),
        path_secret=(Secret("path"),),
        allow=(ip_network("10.0.0.0/8"),),
    )
    assert config.plugins["shop"].settings == {"currency": "BRL"}


def setting_paths(kind: type[msgspec.Struct], prefix: str = "") -> Iterator[str]:
    for name, hint in get_type_hints(kind).items():
        below = next((part for part in (hint, *get_args(hint)) if is_struct(part)), None)
        yield f"{prefix}{name}"
        if below is not None and name != "delivery":
            yield from setting_paths(below, f"{prefix}{name}.")


def is_struct(hint: Any) -> bool:  # noqa: ANN401 - whatever a type hint may be
    return isinstance(hint, type) and issubclass(hint, msgspec.Struct)


def mentioned(text: str, path: str) -> bool:
    section, _, rest = path.partition(".")
    block = re.search(rf"(?ms)^{section}:(.*?)(?=^\w|\Z)", text)
    return block is not None and (not rest or f" {rest.rpartition('.')[2]}:" in block[1])


def commented_block(text: str, first: str) -> str:
    """The lines of an example, without the comment signs in front."""
    lines = text[text.index(first) :].splitlines()
    indent = first[: first.index("#")]
    kept = [lines[0], *(line for line in lines[1:8] if line.startswith(f"{indent}#   "))]
    return "\n".join(line.replace("# ", "", 1) for line in kept)
