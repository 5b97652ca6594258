"""`gateway replay --dry-run`: run the handlers here, and show what they would send and change. Nothing of it happens.

In a process of its own, with files that are only read: whatever a handler does, no worker is disturbed by it.
"""

import asyncio
import contextlib
import os
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any, Final, NoReturn

import click

from gateway.cli.output import COLOURS, json_text, nothing_fits
from gateway.config import Config, secrets
from gateway.errors import GatewayError
from gateway.journal import JournalReader, StoredEvent
from gateway.journal.controls import Replay
from gateway.log import configure
from gateway.media import Library
from gateway.plugins import Plugin
from gateway.redact import Redactor, printable
from gateway.work import Delivery
from gateway.work.controls import ControlReader
from gateway.work.state import StateReader
from gateway.work.store import WORK
from gateway.worker.around import Around
from gateway.worker.attempt import Attempts, Job
from gateway.worker.loading import load_plugins, redactor_for
from gateway.worker.rehearsal import Rehearsed, rehearsed
from gateway.worker.verdict import Ended

MOST: Final = 20
"""Events of one dry run at most."""
_PAGE: Final = 500


def rehearse(config: Config, replay: Replay, *, as_json: bool) -> NoReturn:
    """Run them, print, and end the process: 1 if a handler failed. Its threads must not keep it.

    Raises:
        GatewayError: nothing fits, or too much.
    """
    configure(config.log.format, config.log.level, secrets(config), stream=sys.stderr)
    with contextlib.redirect_stdout(sys.stderr):  # what plugins print must not get into the answer
        loaded = load_plugins(config)
        plugins = [each.plugin for each in loaded.plugins if not replay.plugins or each.plugin.name in replay.plugins]
        if missing := set(replay.plugins) - {plugin.name for plugin in plugins}:
            raise GatewayError(f"no plugin {', '.join(sorted(missing))} is loaded; see  gateway check")
        redactor = redactor_for(config, loaded)
        found = asyncio.run(_run(config, redactor, plugins, _choose(config, plugins, replay)))
    for one in found:
        click.echo(json_text(one) if as_json else "\n".join(_lines(one)))
    if not as_json:
        click.secho("  Nothing was sent or saved.", dim=True, err=True)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(1 if any(one.result in ("failed", "dead") for one in found) else 0)


def _choose(config: Config, plugins: Sequence[Plugin[Any, Any]], replay: Replay) -> list[tuple[str, StoredEvent]]:
    """Which plugin would be given which event."""
    try:
        with closing(JournalReader(config.data)) as journal:
            chosen = list(_chosen(config, journal, plugins, replay))
            events = journal.events(sorted({seq for _, seq in chosen}))
    except sqlite3.Error as error:
        raise GatewayError(f"{config.data} can't be read: {error}") from None
    if not chosen:
        raise GatewayError(nothing_fits(replay.ids))
    return [(name, events[seq]) for name, seq in chosen if seq in events]


def _chosen(
    config: Config, journal: JournalReader, plugins: Sequence[Plugin[Any, Any]], replay: Replay
) -> Iterator[tuple[str, int]]:
    seen = 0
    for row in _headings(journal, replay):
        takers = [plugin.name for plugin in plugins if plugin.wants(row.event)]
        if replay.dead:
            with closing(ControlReader(config.data / WORK)) as work:
                takers = [name for name in takers if work.dead_seqs(name, row.seq - 1, row.seq, 1)]
        if takers and (seen := seen + 1) > MOST:
            raise GatewayError(f"more than {MOST} events fit; a dry run is for a few: narrow it")
        yield from ((name, row.seq) for name in takers)


def _headings(journal: JournalReader, replay: Replay) -> Iterator[Any]:
    after = 0
    while rows := journal.among(sorted(replay.ids)) if replay.ids else journal.between(after, 2**63 - 1, _PAGE):
        for row in rows:
            if replay.fits(row.event, row.instance, row.chat, row.lane, row.accepted_at):
                yield row
        if replay.ids:
            return
        after = rows[-1].seq


async def _run(
    config: Config, redactor: Redactor, plugins: Sequence[Plugin[Any, Any]], chosen: Sequence[tuple[str, StoredEvent]]
) -> list[Rehearsed]:
    state, around = StateReader(config.data), Around(library=Library.of(config))
    by_name = {plugin.name: plugin for plugin in plugins}
    threads = ThreadPoolExecutor(4, thread_name_prefix="dry-run")
    found = []
    async with contextlib.AsyncExitStack() as opened:
        resources = {name: await _open(by_name[name], opened) for name in dict.fromkeys(name for name, _ in chosen)}
        for name, event in chosen:
            timeout = config.delivery_of(name).timeout
            attempts = Attempts(
                by_name[name], timeout=timeout, redactor=redactor, threads=threads, state=state, around=around
            )
            attempts.desk.resource = resources[name]
            delivery = Delivery(id=0, seq=event.seq, plugin=name, lane=event.lane, run=1)
            ended = attempts.at_once(Job(delivery, event))
            found.append(rehearsed(ended if isinstance(ended, Ended) else await ended, state))
    return found


async def _open(plugin: Plugin[Any, Any], opened: contextlib.AsyncExitStack) -> object:
    """What a plugin's lifespan yields; closed with the others."""
    try:
        return await opened.enter_async_context(plugin.open())
    except Exception as error:
        text = f"{plugin.name} can't open what it needs: {type(error).__name__}: {error}"
        raise GatewayError(text) from error


def _lines(one: Rehearsed) -> Iterator[str]:
    handler = f"   {one.handler}" if one.handler else ""
    state = click.style(one.result, fg=COLOURS.get(one.result, "red"))
    yield f"  event {one.event_id}   {click.style(one.plugin, bold=True)} {state}{handler}"
    for send in one.sends:
        yield f"    would send {printable(send.text)} to {send.to}"
    for change in one.changes:
        before, after = json_text(change.before), json_text(change.after)
        yield f"    would remember {printable(change.scope)}: {before} -> {after}"
    for line in (one.error or "").splitlines():
        yield f"    {printable(line)}"
