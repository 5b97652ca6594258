"""`gateway simulate`: post realistic events, as Evolution does."""

import asyncio
import difflib
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, TypedDict, Unpack
from urllib.parse import urlsplit

import click
import msgspec
from click.core import ParameterSource

from gateway import names, samples
from gateway.cli.options import config_option, json_option, load_config
from gateway.cli.output import count as counted
from gateway.cli.output import json_text
from gateway.config import Config, secrets
from gateway.errors import GatewayError
from gateway.redact import Redactor, printable, redact_url, shorten_phone
from gateway.simulate import (
    Cast,
    Outcome,
    Pace,
    Post,
    Script,
    Sender,
    Tally,
    Target,
    choose_sample,
    read_phone,
    target_of,
)
from gateway.simulate.request import Headers, make_post, origin, post_url

CONNECTIONS_AT_A_RATE: Final = 64
"""Requests that may be under way when a rate is asked for: enough that a slow answer does not slow the next event."""

FICTIONAL_PHONE: Final = "12025550142"
"""Who writes in a play: 555-0100 to 555-0199 are nobody's, so whatever happens to an answer, no phone rings."""
PLAYED_INSTANCE: Final = "play"
"""Whom they write to: no real server has it, for the same reason."""

_HINTS: Final = {
    401: "It asks for a credential: run this where its config.yaml is, or add --config, --header or --jwt-key.",
    404: "Nothing takes webhooks there: check the URL, and webhook.base_path in config.yaml.",
    413: "The body is larger than webhook.max_body.",
    503: "It can't take events just now; Evolution would keep them and come again (--retry).",
}


class Given(TypedDict):
    """The options, as they were given."""

    event: tuple[str, str]
    """Event and sample."""
    url: str | None
    texts: tuple[str, ...]
    count: int
    rate: float | None
    connections: int | None
    instance: str
    phone: str
    """Digits."""
    name: str | None
    by_events: bool
    headers: Headers
    jwt_key: str
    repeat: bool
    retry: bool
    retry_scale: float
    server: bool
    wait: float
    config_file: Path | None
    as_json: bool


def _read_event(_ctx: click.Context, _param: click.Parameter, value: str) -> tuple[str, str]:
    """Event and sample."""
    try:
        return choose_sample(value)
    except KeyError:
        known = [*names.EVENTS, *samples.names()]
        close = [one for one in known if value in one][:3] or difflib.get_close_matches(value, known, cutoff=0.4)
        hint = f"; did you mean {' or '.join(close)}?" if close else ""
        raise click.BadParameter(f"{value!r} is neither an event nor a sample{hint}") from None


def _read_phone(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    try:
        return read_phone(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def _read_headers(_ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> Headers:
    pairs = [value.partition(":") for value in values]
    for (name, colon, text), value in zip(pairs, values, strict=True):
        if not colon or not name.strip() or {"\r", "\n"} & set(name + text):
            raise click.BadParameter(f"{value!r}: write NAME:VALUE")
    return tuple((name.strip(), text.strip()) for name, _, text in pairs)


def _read_url(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    if value is not None and (urlsplit(value).scheme not in {"http", "https"} or not urlsplit(value).hostname):
        raise click.BadParameter(f"{value!r}: write it out, such as http://127.0.0.1:8085/webhook")
    return value


@click.command()
@click.argument("event", callback=_read_event, default="messages.upsert")
@click.option("--url", callback=_read_url, help="Where to; without it this config's webhook, with its credential.")
@click.option("--text", "texts", multiple=True, help="What is written; several are written in turn.")
@click.option("--count", type=click.IntRange(min=1), default=1, help="How many events.")
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), help="Events a second; else as fast as answered.")
@click.option("--connections", type=click.IntRange(min=1), help="Requests under way at once. [1; with --rate 64]")
@click.option("--instance", default="shop-1", show_default=True, help="The instance's name.")
@click.option(
    "--from", "phone", callback=_read_phone, default="+55 11 99999-0002", show_default=True, help="Who writes."
)
@click.option("--name", help="The writer's name.")
@click.option("--by-events/--no-by-events", default=True, help="Glue the event's suffix to the URL, or don't. [on]")
@click.option(
    "--header", "headers", callback=_read_headers, multiple=True, metavar="K:V", help="A header of the webhook's own."
)
@click.option("--jwt-key", default="", help="Sign a token with this key, as Evolution does for a jwt_key header.")
@click.option("--repeat", is_flag=True, help="Post each event twice, as with instance and global webhook both on.")
@click.option("--retry/--no-retry", default=False, help="Try again as Evolution does, for about 20 minutes. [off]")
@click.option(
    "--retry-scale", type=click.FloatRange(min=0), default=1.0, help="Multiplies the waits; 0.01: 100x faster."
)
@click.option("--server", is_flag=True, help="Play Evolution's server too, and chat with the bot on this terminal.")
@click.option(
    "--wait",
    type=click.FloatRange(min=0),
    default=30.0,
    show_default=True,
    help="With --server and piped input: seconds that a line may take to be answered.",
)
@config_option
@json_option("Print the summary as one JSON object.")
def simulate(**given: Unpack[Given]) -> None:
    """Post realistic events to a gateway, as Evolution API does. No WhatsApp needed.

    EVENT is an event in any spelling (messages.upsert, CONNECTION_UPDATE, qrcode-updated) or the name of a sample
    (messages-upsert__image-v236). Every body has fresh ids and times. Exit code 1 if one did not arrive.
    """
    config = load_config(given["config_file"])
    if given["server"]:
        _play(config, given)
        return
    target = _aim(config, given)
    script = _write_script(config, target, given)
    _warn(config, given)
    begun = time.monotonic()
    tally = asyncio.run(_send(_pace(given), _posts(target, script, given["count"])))
    view = {"event": script.event, "url": _shown(post_url(target, script.event), target, secrets(config))}
    view |= tally.view(time.monotonic() - begun)
    click.echo(json_text(view) if given["as_json"] else "\n".join(_lines(view, tally, given["phone"])))
    _end(tally, target)


def _play(config: Config, given: Given) -> None:
    from gateway.cli.play import Player, play  # noqa: PLC0415 -- a whole server, which plain posting needs none of

    if given["url"]:
        raise click.UsageError("--server plays Evolution for the gateway of this folder; --url names another")
    named = click.get_current_context().get_parameter_source
    is_given = named("phone") is not ParameterSource.DEFAULT
    play(
        config,
        Player(
            phone=given["phone"] if is_given else FICTIONAL_PHONE,
            name=given["name"] or "Ana",
            instance=given["instance"] if named("instance") is not ParameterSource.DEFAULT else PLAYED_INSTANCE,
            wait=given["wait"],
        ),
    )


def _aim(config: Config, given: Given) -> Target:
    """A URL named by hand gets no credential of the settings: they are nobody else's business."""
    own = Target(url=given["url"]) if given["url"] else target_of(config)
    return msgspec.structs.replace(
        own,
        headers=(*own.headers, *given["headers"]),
        jwt_key=given["jwt_key"] or own.jwt_key,
        by_events=given["by_events"],
    )


def _write_script(config: Config, target: Target, given: Given) -> Script:
    cast = Cast(
        instance=given["instance"],
        phone=given["phone"],
        name=given["name"],
        destination=target.url,
        server_url=None if given["url"] else config.evolution.url,
    )
    try:
        return Script(*given["event"], cast, texts=given["texts"])
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--text") from None


def _pace(given: Given) -> Pace:
    return Pace(
        connections=given["connections"] or (CONNECTIONS_AT_A_RATE if given["rate"] else 1),
        rate=given["rate"],
        retry_scale=given["retry_scale"] if given["retry"] else None,
        repeat=given["repeat"],
    )


def _warn(config: Config, given: Given) -> None:
    """A played message can have a real answer."""
    if given["event"][0] == "messages.upsert" and config.evolution.apikey and not given["url"]:
        text = f"  evolution.apikey is set: what your plugins answer is really sent, to {given['phone']}"
        click.secho(text, fg="yellow", err=True)


def _posts(target: Target, script: Script, count: int) -> Iterator[Post]:
    return (make_post(target, script.event, script.body(number)) for number in range(count))


async def _send(pace: Pace, posts: Iterator[Post]) -> Tally:
    async with Sender(pace, on_retry=_Notice()) as sender:
        await sender.send(posts)
        return sender.tally


class _Notice:
    """Says once that something is being tried again, so that nobody wonders about the silence."""

    def __init__(self) -> None:
        self._said = False

    def __call__(self, outcome: Outcome, wait: float) -> None:
        if not self._said:
            self._said = True
            why = f"answered {outcome.status}" if outcome.status else outcome.detail
            click.secho(f"  {why}; trying again, first in {wait:.1f} s ...", fg="yellow", err=True)


def _shown(url: str, target: Target, known: Sequence[str]) -> str:
    hidden = [*known, *(value for _, value in target.headers), target.jwt_key]
    return Redactor(hidden).text(redact_url(url))


def _lines(view: dict[str, Any], tally: Tally, phone: str) -> Iterator[str]:
    rate = f" ({tally.sent / view['seconds']:,.0f} a second)" if tally.sent > 1 and view["seconds"] else ""
    who = f" from {shorten_phone(phone)}" if names.EVENTS[view["event"]].family == "message" else ""
    yield ""
    yield f"  Sent {counted(tally.sent, view['event'] + ' event')}{who} to {view['url']}{rate}"
    parts = [_part("accepted", tally.accepted, "green"), _part("duplicates", tally.duplicates, "bright_black")]
    parts += [_part("refused", tally.refused.total(), "red"), _part("retried", tally.retried, "yellow")]
    parts += [_part("unanswered", tally.unanswered, "red")] if tally.unanswered else []
    parts += [_part("lost", tally.lost, "red")] if tally.lost else []
    yield f"  {'   '.join(parts)}"
    if tally.latency():
        yield "  latency   " + "   ".join(f"{name} {value:,.1f} ms" for name, value in tally.latency().items())
    if tally.sent == 1 and tally.last and tally.last.id:
        yield f"  See it:   gateway events {printable(tally.last.id)}"
    yield ""


def _part(name: str, number: int, colour: str) -> str:
    return click.style(f"{name} {number:,}", fg=colour if number else None, dim=not number)


def _end(tally: Tally, target: Target) -> None:
    """Leave with 0 if all arrived; else say what to do.

    Raises:
        GatewayError: something did not.
    """
    bad = tally.first_bad
    if bad is None:
        return
    if bad.status is None:
        raise GatewayError(
            f"nothing answers at {origin(target.url)} ({bad.detail}). Is the gateway running? "
            "Start it with  gateway serve"
        )
    if bad.is_lost:
        raise GatewayError(
            f"{origin(target.url)} redirects, and Evolution follows without the body: give the final URL"
        )
    detail = f": {printable(bad.detail)}" if bad.detail else ""
    raise GatewayError(
        " ".join([f"{origin(target.url)} answered {bad.status}{detail}.", _HINTS.get(bad.status, "")]).strip()
    )
