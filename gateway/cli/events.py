"""`gateway events` and `gateway dead`: what came and what became of it, read beside a running gateway or alone."""

import asyncio
import contextlib
import json
import sqlite3
import textwrap
from collections.abc import Callable, Coroutine, Iterator, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

import click

from gateway.cli.controls import change_letters
from gateway.cli.options import config_option, json_option, load_config
from gateway.cli.output import COLOURS, Columns, columns, heading, json_text
from gateway.cli.searching import search_options, tell
from gateway.config import Config, secrets
from gateway.errors import GatewayError
from gateway.follow import Follow
from gateway.journal.controls import Letters
from gateway.redact import Redactor, printable
from gateway.search import Query, search
from gateway.web.answers import DeadLetter
from gateway.web.detail import Attempt, Detail, MessageStory, Story
from gateway.web.look import Look
from gateway.web.outbox import QueuedMessage
from gateway.web.rows import PluginResult, Row
from gateway.worker.effects import last_line

_TITLES: Final = heading("id", "time", "event", "instance", "who", "plugins")
_JOURNAL: Final = "journal.db"

T = TypeVar("T")


@click.command()
@click.argument("event_id", type=click.IntRange(min=1), required=False)
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many.")
@search_options
@click.option("-f", "--follow", is_flag=True, help="Go on: show what comes, and again what changes.")
@config_option
@json_option("Print one JSON object for each event.")
def events(
    *, event_id: int | None, limit: int, query: Query, follow: bool, config_file: Path | None, as_json: bool
) -> None:
    """Show the newest events and what each plugin made of them; with EVENT_ID that one, with its JSON.

    All that is given must fit. Reads the data folder and changes nothing. Keys and tokens are left out.
    """
    config = load_config(config_file)
    if event_id is not None and (follow or query != Query()):
        raise click.UsageError("EVENT_ID names one event: leave out what looks for others")
    if event_id is not None:
        _show_one(config, event_id, as_json=as_json)
    elif follow:
        _follow(config, query, limit, as_json=as_json)
    else:
        _show_found(config, query, limit, as_json=as_json)


@click.command()
@click.argument("ids", type=click.IntRange(min=1), nargs=-1, metavar="[ID]...")
@click.option("--retry", "change", flag_value="retry", help="Try them again, with all their tries.")
@click.option("--drop", "change", flag_value="drop", help="Be done with them.")
@click.option("--plugin", help="With --retry or --drop: those of this plugin.")
@click.option("--all", "everything", is_flag=True, help="With --retry or --drop: all of them.")
@click.option("--messages", is_flag=True, help="Messages that could not be sent, instead of deliveries that failed.")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many are shown.")
@config_option
@json_option("Print one JSON object for each dead letter.")
def dead(
    *,
    ids: Sequence[int],
    messages: bool,
    change: Literal["retry", "drop"] | None,
    plugin: str | None,
    everything: bool,
    limit: int,
    config_file: Path | None,
    as_json: bool,
) -> None:
    """Show the dead letters: deliveries that failed for good, with their errors. Or change those with the given IDs."""
    config = load_config(config_file)
    if change:
        letters = Letters(ids=tuple(ids), plugin=plugin, all=everything, messages=messages)
        change_letters(config, change, letters, as_json=as_json)
        return
    if ids or plugin or everything:
        raise click.UsageError("say what to do with them: --retry or --drop")
    if messages:
        _show_unsent(config, limit, as_json=as_json)
        return
    dead_ones = _look(config, lambda look: look.dead(limit)) if _has_journal(config) else []
    if as_json:
        for letter in dead_ones:
            click.echo(json_text(letter))
    else:
        _say(_dead_lines(dead_ones) if dead_ones else [_nothing(config, "dead letters")])


def _show_unsent(config: Config, limit: int, *, as_json: bool) -> None:
    queue = _look(config, lambda look: look.outbox(["dead"], limit, None)) if _has_journal(config) else None
    unsent = queue.messages if queue else []
    if as_json:
        for message in unsent:
            click.echo(json_text(message))
    else:
        _say(_unsent_lines(unsent) if unsent else [_nothing(config, "unsent messages")])


def _show_one(config: Config, event_id: int, *, as_json: bool) -> None:
    detail = _look(config, lambda look: look.event(event_id)) if _has_journal(config) else None
    if detail is None:
        raise GatewayError(f"there is no event {event_id} in {config.data}; it may be older than retention.days")
    if as_json:
        click.echo(json_text(detail))
    else:
        _say(_detail_lines(detail))


def _show_found(config: Config, query: Query, limit: int, *, as_json: bool) -> None:
    try:
        found = list(islice(search(config.data, query), limit))
    except sqlite3.Error as error:
        raise _unreadable(config, error) from None
    rows = _look(config, lambda look: look.rows_of(found)) if found else []
    if as_json:
        for row in rows:
            click.echo(json_text(row))
    else:
        _say(_row_lines(rows) if rows else [_nothing(config, "events", is_filtered=query != Query())])


def _follow(config: Config, query: Query, limit: int, *, as_json: bool) -> None:
    """Oldest first, and on until Ctrl-C, which is how it ends and no error."""
    table = Columns()
    if not as_json:
        click.echo(table.line(_TITLES))

    def say(row: Row) -> None:
        click.echo(json_text(row) if as_json else table.line(_cells(row)))

    with contextlib.suppress(KeyboardInterrupt):
        _look(config, lambda look: tell(look, Follow(config.data, query), limit, say))


def _look(config: Config, ask: Callable[[Look], Coroutine[Any, Any, T]]) -> T:
    """Ask the reader that the live page uses: what it gives is safe to show."""

    async def run() -> T:
        look = Look(config.data, Redactor(secrets(config)))
        try:
            return await ask(look)
        finally:
            await look.close()

    try:
        return asyncio.run(run())
    except sqlite3.Error as error:
        raise _unreadable(config, error) from None


def _has_journal(config: Config) -> bool:
    return (config.data / _JOURNAL).exists()


def _unreadable(config: Config, error: sqlite3.Error) -> GatewayError:
    return GatewayError(f"{config.data} can't be read: {error}")


def _nothing(config: Config, what: str, *, is_filtered: bool = False) -> str:
    if is_filtered:
        return f"  No such {what} in {config.data}."
    if not _has_journal(config):
        return f"  No {what}: nothing was ever stored in {config.data}. Begin with  gateway serve"
    return f"  No {what} in {config.data}."


def _say(lines: Sequence[str] | Iterator[str]) -> None:
    click.echo("\n".join(lines))


def _row_lines(rows: Sequence[Row]) -> Iterator[str]:
    return columns([_TITLES, *map(_cells, rows)])


def _cells(row: Row) -> list[str]:
    return [row.id, _clock(row.at), row.event, row.instance or "", _who(row), "   ".join(map(_result, row.plugins))]


def _who(row: Row) -> str:
    """The name, and the chat unless it is the name already; a repeat is counted behind it."""
    copies = f" ×{row.repeats + 1}" if row.repeats else ""  # noqa: RUF001 -- times, as people write it
    own = "→ " if row.from_me else ""
    return own + " ".join(part for part in (row.who, row.chat) if part) + copies


def _result(one: PluginResult) -> str:
    sending = f" ({one.messages} {one.sending})" if one.sending else ""
    return f"{one.plugin} {_state(one.status)}{sending}"


def _state(status: str) -> str:
    return click.style(status, fg=COLOURS.get(status))


def _dead_lines(letters: Sequence[DeadLetter]) -> Iterator[str]:
    for letter in letters:
        story = letter.story
        when = _clock(story.started) if story.started else ""
        yield f"  {letter.id}   event {letter.event_id}   {click.style(story.plugin, bold=True)}   {when}"
        yield from _indented(story.error or "no error was kept", 4)
        again = f"gateway dead {letter.id} --retry    or as a new run:  gateway replay {letter.event_id}"
        yield click.style(f"    try it again:  {again} --plugin {story.plugin}", dim=True)
        yield ""


def _unsent_lines(messages: Sequence[QueuedMessage]) -> Iterator[str]:
    for message in messages:
        plugin = click.style(message.plugin, bold=True)
        yield f"  {message.id}   event {message.event_id}   {plugin}   {message.kind} to {message.target}"
        yield from _indented(message.error or "no error was kept", 4)
        yield click.style(f"    send it all the same:  gateway dead --messages {message.id} --retry", dim=True)
        yield ""


def _detail_lines(detail: Detail) -> Iterator[str]:
    row = detail.row
    yield f"  {click.style(row.event, bold=True)}   {row.instance or ''}   {_who(row)}".rstrip()
    yield f"  accepted {_clock(row.at)} from {detail.address or 'somewhere'}   {detail.size:,} bytes"
    for story in detail.stories:
        yield ""
        yield from _story_lines(story)
    yield ""
    yield from _indented(detail.note or json.dumps(detail.raw, indent=2, ensure_ascii=False), 2)


def _story_lines(story: Story) -> Iterator[str]:
    took = f"   {story.millis:.1f} ms" if story.millis is not None else ""
    tries = f"   {story.attempts} attempts" if story.attempts > 1 else ""
    replay = f"   replay {story.run}" if story.run else ""
    handler = f"   {story.handler}" if story.handler else ""
    yield f"  {click.style(story.plugin, bold=True)} {_state(story.status)}{handler}{took}{tries}{replay}"
    for attempt in story.history:
        yield from _indented(_attempt(attempt), 4)
    for message in story.messages:
        yield from _indented(_message(message), 4)
    if story.error:
        yield from _indented(story.error, 4)


def _attempt(one: Attempt) -> str:
    when = _clock(one.started) if one.started else ""
    took = f" after {one.millis:.1f} ms" if one.millis is not None else ""
    return f"{when} {one.result}{took}: {last_line(one.error or '')}".removesuffix(": ").strip()


def _message(one: MessageStory) -> str:
    said = f'"{one.text}"' if one.text is not None else one.kind
    return f"{one.status}: {said} to {one.target}{f' ({one.error})' if one.error else ''}"


def _indented(text: str, by: int) -> Iterator[str]:
    """Lines that cannot move the cursor, whoever wrote them."""
    yield from (textwrap.indent(printable(line), " " * by) for line in text.splitlines())


def _clock(at: float) -> str:
    """Local time; with the date unless it was today."""
    moment = datetime.fromtimestamp(at).astimezone()
    is_today = moment.date() == datetime.now().astimezone().date()
    return moment.strftime("%H:%M:%S" if is_today else "%Y-%m-%d %H:%M:%S")
