"""`gateway simulate --server`: Evolution played on this machine, with the person at the terminal on its other side."""

import asyncio
import contextlib
import signal
import sqlite3
import sys
import time
from collections.abc import Iterator
from secrets import token_hex
from typing import Final

import click
import msgspec

from gateway.cli.asking import has
from gateway.cli.chat import Screen, kept_terminal, lines_of, mine, read_lines
from gateway.cli.talk import HELP, Refusal, Talk
from gateway.config import Config
from gateway.errors import GatewayError
from gateway.owner import data_folder
from gateway.play import Play, announced
from gateway.redact import printable
from gateway.report import read_facts
from gateway.simulate import Outcome, target_of
from gateway.sqlite import is_missing
from gateway.testing import EvolutionServer, Happening
from gateway.work.reader import DeliveryRow, OutboxRow, WorkReader
from gateway.worker.loading import SENDS_TO

LOOK_EVERY: Final = 0.1  # seconds
GROUP: Final = "Friends"
"""The name of the group that a play may have."""
VERSION: Final = "2.3.7"
"""The Evolution that is played: the first whose webhooks tell of votes."""
PATIENCE: Final = 3.0
"""Seconds until somebody who waits for the gateway is told so."""
_KEY_BYTES: Final = 16
HANDOVER: Final = 15.0
"""Seconds within which a worker that runs makes way for one that answers through the play."""


class Player(msgspec.Struct, frozen=True, kw_only=True):
    """Who writes to whom, and how long they wait."""

    phone: str
    name: str
    instance: str
    in_group: bool
    """They write in a group, and not in the private chat."""
    wait: float
    """Seconds that a line of piped input may take to be answered."""


def play(config: Config, player: Player) -> None:
    """Run a server, and a chat with the bot on it, until the input ends.

    Raises:
        GatewayError: the gateway would answer through a real server, or an answer did not come.
    """
    if config.evolution.apikey:
        raise GatewayError(
            "evolution.apikey is set: this gateway answers real people, and a play must not. Leave the key out to try "
            "it, or use a folder of its own:  gateway init mybot"
        )
    with kept_terminal(), contextlib.suppress(KeyboardInterrupt, asyncio.CancelledError):
        asyncio.run(_play(config, player))


async def _play(config: Config, player: Player) -> None:
    playing = asyncio.current_task()
    assert playing  # noqa: S101 -- this is one
    for number in (signal.SIGTERM, signal.SIGHUP):  # a window that is closed, too, ends the play for the gateway
        asyncio.get_running_loop().add_signal_handler(number, playing.cancel)
    screen = Screen(is_terminal=sys.stdin.isatty() and sys.stdout.isatty())
    async with EvolutionServer(version=VERSION, apikey=token_hex(_KEY_BYTES), on_retry=_Notice(screen)) as server:
        target = target_of(config)
        jwt_key = {"jwt_key": target.jwt_key} if target.jwt_key else {}
        server.instance(player.instance)
        server.point(target.url, instance=player.instance, headers=dict(target.headers) | jwt_key)
        with announced(data_folder(config), Play(server.url, server.apikey)):
            await _meet(config, server, screen)
            person = server.person(player.phone, name=player.name, instance=player.instance)
            group = server.group(GROUP, [person], instance=player.instance).id if player.in_group else None
            await _chat(config, Talk(server, person, group), screen, player.wait)


async def _meet(config: Config, server: EvolutionServer, screen: Screen) -> None:
    """Wait until the gateway's worker answers through this server.

    Raises:
        GatewayError: one works, and does not.
    """
    began, is_told = time.monotonic(), False
    while read_facts(config.data).get(SENDS_TO) != server.url:
        waited = time.monotonic() - began
        if not is_told and waited > PATIENCE and not has(config, "worker"):
            is_told = True
            screen.warn("  Waiting for the gateway; start it in another terminal:  make run  (or gateway serve)")
        if not is_told and waited > HANDOVER:
            raise GatewayError(
                "the gateway runs and can't answer through this play: a plugin that doesn't load keeps it from taking "
                "anything new up; see  gateway check"
            )
        await asyncio.sleep(LOOK_EVERY)


async def _chat(config: Config, talk: Talk, screen: Screen, wait: float) -> None:
    watch = Watch(config, screen)
    talk.server.listen(_Window(talk, screen))
    screen.say(_greeting(talk))
    typed = read_lines(screen, asyncio.get_running_loop())
    late: list[int] = []
    async with asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(watch.run())
        while not late and (line := await typed.get()) is not None:
            await _take(line, talk, watch, screen)
            if not screen.is_terminal:  # nobody reads along, so the next line waits for the answers to this one
                late = await watch.settled(wait)
        watching.cancel()
    if late:
        raise GatewayError(f"not answered within {wait:g} s; see  gateway events {late[0]}")


def _greeting(talk: Talk) -> str:
    where = f"to the group {GROUP}" if talk.group else "to the bot"
    how = click.style(f"Write {where}. Ctrl-D ends it, :help says what else you can do.", dim=True)
    return f"\n  You are {talk.person.name}, +{talk.person.phone}. {how}\n"


async def _take(line: str, talk: Talk, watch: "Watch", screen: Screen) -> None:
    if not line.strip():
        return
    if line.strip() == ":help":
        for text in HELP:
            screen.say(f"  {text}")
        return
    if not screen.is_terminal:
        screen.say(mine(line))
    try:
        happened = await talk.do(line)
    except Refusal as error:
        screen.say(click.style(f"  {printable(str(error))}", fg="yellow"))
        return
    if happened.event is None:
        screen.say(click.style("  The gateway did not take it; see what it says in its own terminal.", fg="red"))
    else:
        watch.add(int(happened.event))


class _Window:
    """Shows what the bot does."""

    def __init__(self, talk: Talk, screen: Screen) -> None:
        self._talk = talk
        self._screen = screen

    def __call__(self, happening: Happening) -> None:
        if happening.kind == "typing" and happening.text in ("composing", "recording"):
            self._screen.typing()
        if happening.kind not in ("wrote", "read", "typing"):
            known = {each.id: each for each in self._talk.server.happenings if each.kind in ("wrote", "sent")}
            for line in lines_of(happening, self._talk.chat, known):
                self._screen.say(line)


class _Notice:
    """Says once that the gateway does not answer."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._said = False

    def __call__(self, outcome: Outcome, wait: float) -> None:
        if not self._said:
            self._said = True
            why = f"answers {outcome.status}" if outcome.status else f"does not answer ({outcome.detail})"
            self._screen.warn(f"  The gateway {why}; Evolution tries again, first in {wait:.0f} s ...")


class Watch:
    """Follows what becomes of the events a person caused, and says where no answer will come."""

    def __init__(self, config: Config, screen: Screen) -> None:
        self._folder = config.data
        self._screen = screen
        self._open: dict[int, float | None] = {}
        """By event: when it came, on the monotonic clock; None once its trouble was told."""
        self._idle = asyncio.Event()
        self._idle.set()

    def add(self, seq: int) -> None:
        """Follow an event."""
        self._open[seq] = time.monotonic()
        self._idle.clear()

    async def run(self) -> None:
        """Look again and again."""
        while True:
            try:
                with contextlib.closing(WorkReader(self._folder)) as work:
                    for seq in list(self._open):
                        self._look(work, seq)
            except sqlite3.Error as error:
                if not is_missing(error):
                    raise
            await asyncio.sleep(LOOK_EVERY)

    async def settled(self, within: float) -> list[int]:
        """Wait until nothing is open, so many seconds at most; gives what still is."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), within)
        return sorted(self._open)

    def _look(self, work: WorkReader, seq: int) -> None:
        waits = work.waits()
        if any(waits.positions.get(plugin, 0) < seq for plugin in waits.loaded):
            return
        rows = work.deliveries([seq]).get(seq, [])
        began = self._open[seq]
        if began is not None and (trouble := _trouble(rows, seq, time.monotonic() - began)):
            self._open[seq] = None
            self._note(trouble, "yellow")
        if work.unfinished([seq]) or work.unsent([seq]):
            return
        del self._open[seq]
        if not self._open:
            self._idle.set()
        dead = [row.plugin for row in rows if row.status == "dead"]
        for text in _endings(seq, dead, work.outbox([seq]).get(seq, [])):
            self._note(text, "red" if dead else None)

    def _note(self, text: str, colour: str | None) -> None:
        self._screen.say(click.style(f"       {printable(text)}", fg=colour, dim=colour is None))


def _trouble(rows: list[DeliveryRow], seq: int, seconds: float) -> str:
    """Why an answer does not come at once; nothing if it may still."""
    for row in rows:
        if row.state == "retrying":
            return f"{row.plugin} failed, and is tried again: gateway events {seq}"
        if row.state == "waiting" and seconds > PATIENCE:
            return f"{row.plugin} is not done with an earlier message of this chat: gateway events"
    return ""


def _endings(seq: int, dead: list[str], messages: list[OutboxRow]) -> Iterator[str]:
    """What there is to say of an event that is done with."""
    for plugin in dead:
        yield f"{plugin} failed for good: gateway events {seq}"
    for message in messages:
        if message.status not in ("sent", "shown"):
            yield f"an answer did not leave: {message.error}"
    if not dead and not messages:
        yield "no plugin answers that"
