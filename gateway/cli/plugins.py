"""`gateway plugins`, `routes` and `check`: what is there before anything runs. All three load; none starts anything."""

import contextlib
import re
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from gateway import names
from gateway.cli.options import config_option, json_option, load_config
from gateway.cli.output import columns, count, heading, json_text
from gateway.cli.plugin import setting_lines, settings_of
from gateway.config import Config, refuse_open_listener
from gateway.errors import GatewayError
from gateway.plugins import Handler, Loaded, LoadedPlugin, LoadError
from gateway.plugins.available import load_all
from gateway.redact import printable
from gateway.report import read_paused
from gateway.work import WorkReader
from gateway.work.store import EVERYBODY, OUTAGES

_MISSING_MODULE: Final = re.compile(r"^ModuleNotFoundError: No module named '([\w.]+)'")


class Endpoint(msgspec.Struct, frozen=True):
    """One URL path and what is behind it."""

    path: str
    event: str | None
    """None: the body says which."""
    since: str | None
    """First Evolution version that sends it; `never` if none does."""
    plugins: list[str]
    """Those with a handler for the event, before any filter is asked."""


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that is wrong."""

    text: str
    file: str | None = None
    line: int | None = None
    todo: str | None = None

    def __str__(self) -> str:
        place = "".join(f"{part}:" for part in (self.file, self.line) if part)
        return f"{place} {self.text}".strip()


class Checked(msgspec.Struct, frozen=True):
    """What `gateway check` found."""

    plugins: list[str]
    """Names of those that would be run."""
    problems: list[Problem]
    doubts: list[Problem] = []
    """Allowed, and hardly ever meant."""


@click.command()
@click.argument("name", required=False)
@config_option
@json_option("Print one JSON object for each plugin.")
def plugins(name: str | None, config_file: Path | None, *, as_json: bool) -> None:
    """List the loaded plugins and what they subscribe to; with NAME that one alone, and its settings."""
    config = load_config(config_file)
    loaded = _load(config)
    shown = [each for each in loaded.plugins if name in (None, each.plugin.name)]
    shown += [each for each in loaded.unset if each.plugin.name == name]
    if name and not (shown or loaded.errors):
        raise click.UsageError(f"no plugin {name}; there is {', '.join(each.plugin.name for each in loaded.plugins)}")
    outages, paused = _outages(config), read_paused(config.data)
    for each in shown:
        enabled = config.plugin(each.plugin.name).enabled
        view = _plugin_view(each, enabled=enabled, held=outages.get(each.plugin.name))
        if since := paused.get(each.plugin.name, paused.get(EVERYBODY)):
            view["paused"] = since
        settings = settings_of(each) if name else []
        if as_json:
            click.echo(json_text(view | ({"settings": settings} if name else {})))
        else:
            click.echo("\n".join([*_plugin_lines(view), *setting_lines(settings), ""]))
    if not loaded.plugins and not as_json:
        click.echo(f"  No plugins in {_short(config.routes)}: put a file there, or begin with  gateway init")
    for warning in loaded.warnings:
        click.secho(f"  look at: {_problem(warning)}", fg="yellow", err=True)
    _say_errors(loaded.errors)


@click.command()
@config_option
@json_option("Print one JSON object for each endpoint.")
def routes(config_file: Path | None, *, as_json: bool) -> None:
    """List each endpoint with its event, and the plugins that take it."""
    config = load_config(config_file)
    loaded = _load(config)
    found = list(endpoints(config.webhook.base_path, _enabled(config, loaded)))
    if as_json:
        for each in found:
            click.echo(json_text(each))
    else:
        rows = [[one.path, one.event or "as the body says", one.since or "", ", ".join(one.plugins)] for one in found]
        for line in columns([heading("POST", "event", "since", "plugins"), *rows]):
            click.echo(line)
        if config.webhook.auth != "none" and config.webhook.auth.path_secret:
            click.echo(f"\n  With the path secret: {config.webhook.base_path}/SECRET/...")
    _say_errors(loaded.errors)


@click.command()
@config_option
@json_option("Print one JSON object: ok, plugins, problems, doubts.")
def check(config_file: Path | None, *, as_json: bool) -> None:
    """Load config and plugins, report what is wrong, start nothing. Exit code 1 if anything is."""
    checked = _check(config_file)
    if as_json:
        click.echo(json_text({"ok": not checked.problems, **msgspec.structs.asdict(checked)}))
    else:
        for line in _check_lines(checked):
            click.echo(line)
    if checked.problems:
        sys.exit(1)


def endpoints(base_path: str, loaded: Sequence[LoadedPlugin]) -> Iterator[Endpoint]:
    """Every endpoint: the base path, each suffix of each event, and the one for events nobody knows."""
    everybody = [each.plugin.name for each in loaded]
    yield Endpoint(base_path or "/", None, None, everybody)
    for event in names.EVENTS.values():
        takers = _takers(event.name, loaded)
        for suffix in event.suffixes:
            yield Endpoint(f"{base_path}/{suffix}", event.name, event.since, takers)
    yield Endpoint(f"{base_path}/ANYTHING-ELSE", "unknown", None, _takers("unknown", loaded))


def _takers(event_name: str, loaded: Sequence[LoadedPlugin]) -> list[str]:
    return [each.plugin.name for each in loaded if each.plugin.wants(event_name)]


def _load(config: Config) -> Loaded:
    """Load with standard output kept clean of what plugins print while they are imported."""
    with contextlib.redirect_stdout(sys.stderr):
        return load_all(config)


def _enabled(config: Config, loaded: Loaded) -> list[LoadedPlugin]:
    return [each for each in loaded.plugins if config.plugin(each.plugin.name).enabled]


def _outages(config: Config) -> dict[str, str]:
    """What the plugins fail with that the worker holds back; nothing where none has run."""
    try:
        with closing(WorkReader(config.data)) as work:
            return {name: str(outage["error"]) for name, outage in (work.facts().get(OUTAGES) or {}).items()}
    except sqlite3.Error:
        return {}


def _plugin_view(each: LoadedPlugin, *, enabled: bool, held: str | None) -> dict[str, Any]:
    handlers = [_handler_view(handler) for handler in each.plugin.handlers]
    view = {
        "name": each.plugin.name,
        "file": str(each) if each.package else _short(each.file),
        "enabled": enabled,
        "handlers": handlers,
    }
    return {**view, "held": held} if held else view


def _handler_view(handler: Handler) -> dict[str, Any]:
    return {
        "name": handler.name,
        "line": handler.line,
        "events": [event.__name__ for event in handler.events],
        "filters": [repr(each) for each in handler.filters],
    }


def _plugin_lines(view: dict[str, Any]) -> Iterator[str]:
    note = "" if view["enabled"] else click.style("   disabled in config.yaml", fg="yellow")
    if "paused" in view:
        since = datetime.fromtimestamp(view["paused"]).astimezone().strftime("%Y-%m-%d %H:%M:%S")
        note += click.style(f"   paused since {since}", fg="yellow")
    yield f"  {click.style(view['name'], bold=True)}   {click.style(view['file'], dim=True)}{note}"
    if held := view.get("held"):
        yield click.style(f"    held back, for it fails again and again: {printable(held)}", fg="red")
    if not view["handlers"]:
        yield "    no handlers: it takes no event"
    rows = [
        [handler["name"], " | ".join(handler["events"]), " & ".join(handler["filters"])] for handler in view["handlers"]
    ]
    yield from columns(rows, indent=4)


def _say_errors(errors: Sequence[LoadError]) -> None:
    """Files left out go to standard error, and make the command fail."""
    for error in errors:
        click.secho(f"  left out: {_problem(error)}", fg="red", err=True)
    if errors:
        sys.exit(1)


def _check(config_file: Path | None) -> Checked:
    try:
        config = load_config(config_file)
        refuse_open_listener(config)
        loaded = _load(config)
    except GatewayError as error:
        return Checked([], [Problem(str(error))])
    return Checked(
        plugins=[each.plugin.name for each in _enabled(config, loaded)],
        problems=[*map(_problem, loaded.errors), *_strangers(config, loaded)],
        doubts=[*map(_problem, loaded.warnings)],
    )


def _strangers(config: Config, loaded: Loaded) -> Iterator[Problem]:
    """Settings for plugins that do not exist, most often a name misspelt; a broken file may yet have the name."""
    known = [each.plugin.name for each in loaded.plugins]
    if loaded.errors:
        return
    for name in config.plugins.keys() - set(known):
        text = f"plugins.{name}: no plugin in {_short(config.routes)} has this name"
        yield Problem(text, todo=f"rename or remove it; there is {', '.join(known) or 'none'}")


def _problem(error: LoadError) -> Problem:
    missing = _MISSING_MODULE.match(error.text)
    todo = f"install it beside the gateway:  pip install {missing[1].partition('.')[0]}" if missing else None
    return Problem(error.text, _short(error.file), error.line, todo)


def _check_lines(checked: Checked) -> Iterator[str]:
    for doubt in checked.doubts:
        yield f"  {click.style('!', fg='yellow')} {doubt}"
    for problem in checked.problems:
        yield f"  {click.style('✗', fg='red')} {problem}"
        if problem.todo:
            yield f"    {problem.todo}"
    if checked.problems:
        yield f"  {count(len(checked.problems), 'problem')}; nothing was started"
        return
    names_ = ", ".join(checked.plugins)
    yield f"  {click.style('✓', fg='green')} config and {count(len(checked.plugins), 'plugin')} are fine: {names_}"


def _short(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
