"""`gateway login`: a one-time link to the live page of the running gateway, asked for over its own API."""

import http.client
import json
from pathlib import Path
from typing import Any, Final

import click

from gateway.cli.options import config_option, json_option, load_config
from gateway.cli.output import json_text
from gateway.config import Config
from gateway.config.secret import Secret
from gateway.errors import GatewayError
from gateway.web.login import TOKEN_FILE

TIMEOUT: Final = 10.0
"""Seconds to wait for an answer."""

_EVERYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 -- compared, not listened on


@click.command()
@config_option
@json_option("Print JSON: url, path, expires_in (seconds).")
def login(config_file: Path | None, *, as_json: bool) -> None:
    """Print a one-time link to the live page. It works once, within ten minutes."""
    config = load_config(config_file)
    link = _ask(config)
    if as_json:
        click.echo(json_text(link))
        return
    click.echo(link["url"])
    click.secho(f"Works once, within {int(link['expires_in']) // 60} minutes.", dim=True, err=True)


def _token(config: Config) -> Secret:
    """The page's token.

    Raises:
        GatewayError: there is none yet, or it can't be read.
    """
    if config.admin.token:
        return config.admin.token
    file = config.data / TOKEN_FILE
    try:
        return Secret(file.read_text(encoding="utf-8").strip())
    except FileNotFoundError:
        raise GatewayError(
            f"no token at {file}: it is made when the gateway first starts. Start it with  gateway serve, "
            "or name the settings it runs with by --config"
        ) from None
    except OSError as error:
        raise GatewayError(f"{file} can't be read: {error.strerror}") from None


def request(config: Config, method: str, path: str, body: bytes | None = None) -> tuple[int, dict[str, Any]]:
    """Ask the API of the gateway that serves; gives status and JSON.

    Raises:
        GatewayError: nothing answers there, or it is no gateway, or another folder's.
    """
    token = _token(config)
    host, port = _EVERYWHERE.get(config.admin.host, config.admin.host), config.admin.port
    if port == 0:
        raise GatewayError("admin.port is 0, so nobody knows the page's address; set a port in config.yaml")
    connection = http.client.HTTPConnection(host.strip("[]"), port, timeout=TIMEOUT)
    try:
        connection.request(method, path, body, {"Authorization": f"Bearer {token.reveal()}"})
        answer = connection.getresponse()
        return answer.status, _read(answer.status, answer.read(), f"{host}:{port}")
    except OSError as error:
        raise GatewayError(
            f"no gateway answers at http://{host}:{port} ({error.strerror or error}). Is it running? "
            "Start it with  gateway serve"
        ) from None
    except http.client.HTTPException as error:
        raise GatewayError(f"http://{host}:{port} is no gateway: {type(error).__name__}") from None
    finally:
        connection.close()


def _read(status: int, body: bytes, place: str) -> dict[str, Any]:
    if status == http.client.UNAUTHORIZED:
        raise GatewayError(f"the gateway at {place} has another token: is it another folder's? Try --config FILE")
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise GatewayError(f"{place} answered {status} and no JSON: is it a gateway?")
    return answer


def _ask(config: Config) -> dict[str, Any]:
    """The gateway's answer: url, path, expires_in.

    Raises:
        GatewayError: nothing answers there, or not with a link.
    """
    status, answer = request(config, "POST", "/api/login-link")
    if status != http.client.CREATED or "url" not in answer:
        detail = answer.get("detail")
        raise GatewayError(f"the gateway answered {status} instead of a link{f': {detail}' if detail else ''}")
    return answer
