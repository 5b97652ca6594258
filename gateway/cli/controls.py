"""`gateway replay`, `pause` and `resume`, and what `gateway dead` does with `--retry` and `--drop`."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import click
import msgspec

from gateway import names
from gateway.cli.asking import OPEN, ask, follow, has, me
from gateway.cli.moments import moment
from gateway.cli.options import config_option, json_option, load_config
from gateway.cli.output import count, json_text, nothing_fits
from gateway.config import Config
from gateway.errors import ControlError
from gateway.journal.controls import Kind, Letters, Replay, Steer
from gateway.report import Report


@click.command()
@click.argument("ids", type=click.IntRange(min=1), nargs=-1, metavar="[EVENT_ID]...")
@click.option("--since", type=moment, metavar="TIME", help="Events accepted since: 15m, 2h, 1d, 15:07, 2026-01-31.")
@click.option("--until", type=moment, metavar="TIME", help="Events accepted until.")
@click.option("--event", help="Only this event, in any spelling.")
@click.option("--instance", help="Only this instance.")
@click.option("--chat", help="Only this chat: a jid, or a telephone number with its country code.")
@click.option("--plugin", "plugins", multiple=True, help="Only to this plugin (may be repeated); else to all.")
@click.option("--dead", is_flag=True, help="Only where the plugin's delivery became a dead letter.")
@click.option("--all", "everything", is_flag=True, help="Every event there is.")
@click.option("--dry-run", is_flag=True, help="Run the handlers here; show what they would send and change.")
@click.option("--wait/--no-wait", default=True, help="Wait until all is handled, or failed once.  [default: wait]")
@config_option
@json_option("Print JSON.")
def replay(
    *,
    ids: Sequence[int],
    since: float | None,
    until: float | None,
    event: str | None,
    instance: str | None,
    chat: str | None,
    plugins: Sequence[str],
    dead: bool,
    everything: bool,
    dry_run: bool,
    wait: bool,
    config_file: Path | None,
    as_json: bool,
) -> None:
    """Handle events again: those with the given ids, or all that fit every option.

    Each is a new run behind what comes meanwhile, in order within its chat; the handler sees ctx.delivery.replay.
    What it sends is sent again. Stopping this command does not stop the replay.
    """
    chosen = Replay(
        ids=tuple(ids),
        since=since,
        until=until,
        event=(names.canonical(event) or event) if event else None,
        instance=instance,
        chat=chat,
        plugins=tuple(plugins),
        dead=dead,
        all=everything,
        by=me(),
    )
    _check(chosen.check)
    config = load_config(config_file)
    if dry_run:
        from gateway.cli.rehearsal import rehearse  # noqa: PLC0415 -- loads what running handlers needs

        rehearse(config, chosen, as_json=as_json)
    _do(config, "replay", chosen, wait=wait, as_json=as_json)


@click.command()
@click.argument("plugin", required=False)
@config_option
@json_option("Print JSON.")
def pause(*, plugin: str | None, config_file: Path | None, as_json: bool) -> None:
    """Start no attempts of PLUGIN, or of any, until it is resumed. Events are accepted and wait."""
    _do(load_config(config_file), "pause", Steer(plugin=plugin, by=me()), wait=True, as_json=as_json)


@click.command()
@click.argument("plugin", required=False)
@config_option
@json_option("Print JSON.")
def resume(*, plugin: str | None, config_file: Path | None, as_json: bool) -> None:
    """Let PLUGIN, or all of them, go on after a pause."""
    _do(load_config(config_file), "resume", Steer(plugin=plugin, by=me()), wait=True, as_json=as_json)


def change_letters(config: Config, kind: Kind, letters: Letters, *, as_json: bool) -> None:
    """Try dead letters again, or drop them; say what became of it."""
    letters = msgspec.structs.replace(letters, by=me())
    _check(letters.check)
    _do(config, kind, letters, wait=True, as_json=as_json)


def _check(check: Callable[[], None]) -> None:
    try:
        check()
    except ControlError as error:
        raise click.UsageError(str(error)) from None


def _do(config: Config, kind: Kind, payload: Replay | Letters | Steer, *, wait: bool, as_json: bool) -> None:
    number = ask(config, kind, payload)
    if not wait or not has(config, "worker"):
        _say_kept(number, as_json=as_json, is_later=wait)
        return
    is_long = kind == "replay" and not as_json and sys.stderr.isatty()
    report = follow(config, number, bar=is_long, to_the_end=kind in ("replay", "retry"))
    if as_json:
        click.echo(json_text(report))
        return
    for line in _lines(report, payload):
        click.echo(line)


def _say_kept(number: int, *, as_json: bool, is_later: bool) -> None:
    if as_json:
        click.echo(json_text({"id": str(number), "status": "waiting"}))
    else:
        click.echo(f"  Kept as request {number}" + (": no worker runs; the next one does it." if is_later else "."))


def _lines(report: Report, payload: Replay | Letters | Steer) -> list[str]:
    if isinstance(payload, Steer):
        return [f"  {payload.plugin or 'All plugins'} {'paused' if report.kind == 'pause' else 'resumed'}."]
    if isinstance(payload, Letters) and payload.messages:
        word = "Dropped" if report.kind == "drop" else "Queued again"
        return [f"  {word}: {count(report.found, 'message')}.", *_missing(report, payload)]
    if report.kind == "drop":
        return [f"  Dropped {count(report.found, 'dead letter')}.", *_missing(report, payload)]
    through = sum(number for state, number in report.outcomes.items() if state not in {*OPEN, "retrying"})
    word = "Replayed" if report.kind == "replay" else "Tried again"
    states = ", ".join(f"{number:,} {state}" for state, number in sorted(report.outcomes.items()))
    total = sum(report.outcomes.values())
    lines = [f"  {word} {through:,} of {total:,}{f': {states}' if states else ''}"]
    return lines + _missing(report, payload)


def _missing(report: Report, payload: Replay | Letters) -> list[str]:
    asked = len(set(payload.ids))
    if isinstance(payload, Letters) and report.found < asked:
        return [f"  {asked - report.found} of the ids are no dead letters (any more); see  gateway dead"]
    return [] if report.found else [f"  {nothing_fits(payload.ids)}"]
