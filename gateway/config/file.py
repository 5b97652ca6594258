"""Find the file, read it, and check what no single setting can show."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec

from gateway.config.document import parse_document
from gateway.config.kept import WEBHOOK_TOKEN, find_token
from gateway.config.reader import read_section
from gateway.config.secret import Secret
from gateway.config.settings import Config, HeaderAuth
from gateway.errors import ConfigError
from gateway.redact import is_secret_name

FILE_NAME: Final = "config.yaml"


def load(path: Path | None = None, environ: Mapping[str, str] = os.environ) -> Config:
    """Read the settings.

    Args:
        path: the file; None takes `config.yaml` in the working folder, and all defaults when there is none.
        environ: where `${ENV}` is looked up.

    Raises:
        ConfigError: a named file that cannot be read, or a setting that cannot be used.
    """
    file = path or Path(FILE_NAME)
    text = "" if path is None and not file.exists() else _read(file)
    config = read_section(parse_document(text, str(file), environ), Config)
    _check(config, str(file))
    folder = file.expanduser().absolute().parent
    config = msgspec.structs.replace(
        config, data=folder / config.data.expanduser(), routes=folder / config.routes.expanduser()
    )
    token = find_token(config.data / WEBHOOK_TOKEN)
    return with_token(config, token) if token else config


def with_token(config: Config, token: Secret) -> Config:
    """The settings, with a token that the webhook takes beside those configured, as header and in the path.

    Where nothing is asked for it makes no difference: on loopback without `webhook.auth`, and with `auth: none`.
    """
    webhook = config.webhook
    if webhook.auth == "none" or (webhook.is_local and not webhook.auth.is_set):
        return config
    header = webhook.auth.header or HeaderAuth(values=())
    auth = msgspec.structs.replace(
        webhook.auth,
        header=msgspec.structs.replace(header, values=(*header.values, token)),
        path_secret=(*webhook.auth.path_secret, token),
    )
    return msgspec.structs.replace(config, webhook=msgspec.structs.replace(webhook, auth=auth))


def secrets(config: Config, *settings: object) -> tuple[str, ...]:
    """Every key and token set, so that logs and pages can be kept free of them.

    Of a plugin's settings, whose types nobody here knows, those whose name says so (`api_key`, `token`); and of
    `settings`, the structs they were read into, those that are a `Secret`.
    """
    return tuple(dict.fromkeys(filter(None, _find_secrets((config, *settings)))))


def refuse_open_listener(config: Config) -> None:
    """Refuse to take events from other machines without asking for a credential; whoever starts a listener calls this.

    Raises:
        ConfigError: `webhook.host` is not loopback, and `webhook.auth` is empty.
    """
    if config.webhook.is_local or config.webhook.auth == "none" or not config.webhook.is_open:
        return
    raise ConfigError(
        f"webhook.host: {config.webhook.host} lets other machines post, and webhook.auth asks for nothing. Either "
        "set webhook.auth (header, jwt_key, path_secret or allow), or let  gateway connect  make a token, or set "
        "webhook.host to 127.0.0.1 and put a reverse proxy in front, or write  auth: none  if everybody who reaches "
        "the port may post"
    )


def _read(file: Path) -> str:
    try:
        return file.expanduser().read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{file}: no such file; name another with --config, or make one with  gateway init") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: not UTF-8 text at byte {error.start}") from None
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}") from None


def _check(config: Config, file: str) -> None:
    webhook, admin = config.webhook, config.admin
    if webhook.port == admin.port != 0 and webhook.host == admin.host:
        raise ConfigError(f"{file}: admin.port: {admin.port} is webhook.port too; the two listeners need two ports")
    if webhook.max_in_flight < webhook.max_body:
        raise ConfigError(f"{file}: webhook.max_in_flight: is below webhook.max_body, so no large body could pass")
    if webhook.auth != "none" and webhook.auth.header and not webhook.auth.header.values:
        raise ConfigError(f"{file}: webhook.auth.header.values: expected at least one")


def _find_secrets(value: object) -> Iterator[str]:
    if isinstance(value, Secret):
        yield value.reveal()
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from _find_secrets(getattr(value, name))
    elif isinstance(value, tuple | list):
        for item in value:
            yield from _find_secrets(item)
    elif isinstance(value, dict):
        for name, below in value.items():
            yield from [below] if isinstance(below, str) and is_secret_name(name) else _find_secrets(below)
