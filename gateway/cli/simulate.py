"""`gateway simulate`: post realistic events, as Evolution does; with --server, play its server too."""

import asyncio
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypedDict, Unpack

import click
import msgspec
from click.core import ParameterSource

from gateway.cli import posted
from gateway.cli.casting import read_event, read_faults, read_headers, read_number, read_url
from gateway.cli.options import config_option, json_option, load_config
from gateway.cli.output import json_text
from gateway.config import Config, secrets
from gateway.errors import GatewayError
from gateway.simulate import (
    Cast,
    Mischief,
    Outcome,
    Pace,
    Post,
    Programme,
    Sender,
    Tally,
    Target,
    Troubled,
    choose_steps,
    crowd,
    target_of,
)
from gateway.simulate.request import Headers, origin, post_url

CONNECTIONS_AT_A_RATE: Final = 64
"""Requests that may be under way when a rate is asked for: enough that a slow answer does not slow the next event."""
FICTIONAL_PHONE: Final = "12025550142"
"""Who writes in a play: 555-0100 to 555-0199 are nobody's, so whatever happens to an answer, no phone rings."""
PLAYED_INSTANCE: Final = "play"
"""Whom they write to: no real server has it, for the same reason."""
_FOR_POSTING: Final = (
    *("event", "url", "texts", "count", "rate", "connections", "instances", "chats", "faults", "by_events"),
    *("headers", "jwt_key", "repeat", "retry", "retry_scale", "as_json"),
)
"""Parameters that say something about posting, and nothing about a chat."""
GROUP: Final = "120363400000000001@g.us"


class Given(TypedDict):
    """The options, as they were given."""

    event: str
    """An event, a sample, or one of the words that stand for many."""
    url: str | None
    texts: tuple[str, ...]
    count: int | None
    rate: float | None
    connections: int | None
    instance: str
    instances: int
    phone: str
    """Digits."""
    name: str | None
    chats: int
    group: bool
    faults: Mapping[Mischief, float]
    by_events: bool
    headers: Headers
    jwt_key: str
    repeat: bool
    retry: bool
    retry_scale: float
    listed: bool
    server: bool
    wait: float
    config_file: Path | None
    as_json: bool


@click.command()
@click.argument("event", callback=read_event, default="messages.upsert")
@click.option("--url", callback=read_url, help="Where to; without it this config's webhook, with its credential.")
@click.option("--text", "texts", multiple=True, help="What is written; several are written in turn.")
@click.option("--count", type=click.IntRange(min=1), help="How many events. [everybody plays everything once]")
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), help="Events a second; else as fast as answered.")
@click.option("--connections", type=click.IntRange(min=1), help="Requests under way at once. [1; with --rate 64]")
@click.option("--instance", default="shop-1", show_default=True, help="The instance's name.")
@click.option("--instances", type=click.IntRange(min=1), default=1, help="On so many instances: shop-1, shop-2, ...")
@click.option(
    "--from", "phone", callback=read_number, default="+55 11 99999-0002", show_default=True, help="Who writes."
)
@click.option("--name", help="The writer's name.")
@click.option(
    "--chats", type=click.IntRange(min=1), default=1, help="So many people write, with the numbers that follow."
)
@click.option("--group", is_flag=True, help="They write in a group.")
@click.option(
    "--fault",
    "faults",
    callback=read_faults,
    multiple=True,
    metavar="KIND[=SHARE]",
    help=f"Let a share of the events [0.1] go wrong: {', '.join(each.value for each in Mischief)}.",
)
@click.option("--by-events/--no-by-events", default=True, help="Glue the event's suffix to the URL, or don't. [on]")
@click.option(
    "--header", "headers", callback=read_headers, multiple=True, metavar="K:V", help="A header of the webhook's own."
)
@click.option("--jwt-key", default="", help="Sign a token with this key, as Evolution does for a jwt_key header.")
@click.option("--repeat", is_flag=True, help="Post each event twice, as with instance and global webhook both on.")
@click.option("--retry/--no-retry", default=False, help="Try again as Evolution does, for about 20 minutes. [off]")
@click.option(
    "--retry-scale", type=click.FloatRange(min=0), default=1.0, help="Multiplies the waits; 0.01: 100x faster."
)
@click.option("--list", "listed", is_flag=True, help="List every event with its samples, and post nothing.")
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

    EVENT is an event in any spelling (messages.upsert, CONNECTION_UPDATE, qrcode-updated), the name of a sample
    (messages-upsert__image-v236), `all` samples, or a `conversation`. Every body has fresh ids and times. Exit code 1
    if one did not arrive.
    """
    if given["listed"]:
        click.echo(json_text(posted.catalogue()) if given["as_json"] else "\n".join(posted.catalogue_lines()))
        return
    config = load_config(given["config_file"])
    if given["server"]:
        _play(config, given)
    else:
        _post(config, given)


def _post(config: Config, given: Given) -> None:
    target = _aim(config, given)
    programme = _write(config, target, given)
    _beware(config, programme, given)
    troubled = Troubled(programme, target, given["faults"])
    begun = time.monotonic()
    tally = asyncio.run(_send(_pace(given), troubled.posts(given["count"] or len(programme))))
    view = {
        **_headline(programme, target, given["event"], config),
        **tally.view(time.monotonic() - begun),
        "faults": {kind.value: number for kind, number in troubled.counts.items()},
    }
    click.echo(json_text(view) if given["as_json"] else "\n".join(posted.lines(view, tally, given["phone"])))
    posted.end(tally, target)


def _headline(programme: Programme, target: Target, word: str, config: Config) -> dict[str, Any]:
    """What was played, and where to."""
    is_one = len(programme.steps) == 1
    event = programme.steps[0][0] if is_one else word
    url = post_url(target, event) if is_one else target.url
    return {"event": event, "url": posted.shown_url(url, target, secrets(config)), "chats": len(programme.cast)}


def _play(config: Config, given: Given) -> None:
    from gateway.cli.play import Player, play  # noqa: PLC0415 -- a whole server, which plain posting needs none of

    if beside := [name for name in _FOR_POSTING if _is_given(name)]:
        options = [param for param in click.get_current_context().command.params if param.name in beside]
        named = ", ".join(param.opts[0] if param.opts[0].startswith("-") else "EVENT" for param in options)
        raise click.UsageError(f"--server is a chat with the bot of this folder; it does not go with {named}")
    play(
        config,
        Player(
            phone=given["phone"] if _is_given("phone") else FICTIONAL_PHONE,
            name=given["name"] or "Ana",
            instance=given["instance"] if _is_given("instance") else PLAYED_INSTANCE,
            in_group=given["group"],
            wait=given["wait"],
        ),
    )


def _is_given(name: str) -> bool:
    return click.get_current_context().get_parameter_source(name) is not ParameterSource.DEFAULT


def _aim(config: Config, given: Given) -> Target:
    """A URL named by hand gets no credential of the settings: they are nobody else's business."""
    own = Target(url=given["url"]) if given["url"] else target_of(config)
    return msgspec.structs.replace(
        own,
        headers=(*own.headers, *given["headers"]),
        jwt_key=given["jwt_key"] or own.jwt_key,
        by_events=given["by_events"],
    )


def _write(config: Config, target: Target, given: Given) -> Programme:
    first = Cast(
        instance=given["instance"],
        phone=given["phone"],
        name=given["name"],
        destination=target.url,
        group=GROUP if given["group"] else None,
        server_url=None if given["url"] else config.evolution.url,
    )
    steps = choose_steps(given["event"], in_group=given["group"])
    cast = crowd(first, instances=given["instances"], chats=given["chats"])
    try:
        return Programme(steps, cast, texts=given["texts"])
    except ValueError as error:
        raise click.UsageError(str(error)) from None


def _pace(given: Given) -> Pace:
    return Pace(
        connections=given["connections"] or (CONNECTIONS_AT_A_RATE if given["rate"] else 1),
        rate=given["rate"],
        retry_scale=given["retry_scale"] if given["retry"] else None,
        repeat=given["repeat"],
    )


def _beware(config: Config, programme: Programme, given: Given) -> None:
    """A played message can have a real answer: with a key, only to one number that was named for it.

    Raises:
        UsageError: it would be answered to a stranger.
    """
    if not config.evolution.apikey or "messages.upsert" not in dict(programme.steps):
        return
    if given["url"] and not _is_own(given["url"], config):
        return
    if not _is_given("phone") or given["chats"] > 1:
        raise click.UsageError(
            "evolution.apikey is set, so what your plugins answer is really sent: name the one number that may get it "
            "with --from, or try your bot with --server and no key"
        )
    text = f"  evolution.apikey is set: what your plugins answer is really sent, to {given['phone']}"
    click.secho(text, fg="yellow", err=True)


def _is_own(url: str, config: Config) -> bool:
    """Whether a URL named by hand is this gateway's all the same."""
    try:
        return origin(url) == origin(target_of(config).url)
    except GatewayError:  # its port is known to nobody
        return False


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
