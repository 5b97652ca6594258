"""`gateway serve` and `receive`: the receiver's process. The worker's has a module of its own, and loads less."""

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from gateway import __version__
from gateway.cli.options import config_option
from gateway.cli.process import prepare
from gateway.config import Config
from gateway.serve.run import Started
from gateway.serve.run import serve as run_receiver


@click.command()
@config_option
@click.option("--show-link", is_flag=True, help="Print the login link even where the output is no terminal.")
def serve(config_file: Path | None, *, show_link: bool) -> None:
    """Run the gateway: receiver, worker and live page, until it is stopped."""
    config = prepare(config_file)
    _receive(config, config_file, with_worker=True, show_link=show_link)


@click.command()
@config_option
@click.option("--show-link", is_flag=True, help="Print the login link even where the output is no terminal.")
def receive(config_file: Path | None, *, show_link: bool) -> None:
    """Run the receiver alone: accept events and serve the live page. `gateway work` runs the other half."""
    _receive(prepare(config_file), config_file, with_worker=False, show_link=show_link)


def _receive(config: Config, config_file: Path | None, *, with_worker: bool, show_link: bool) -> None:
    def announce(started: Started) -> None:
        click.echo(_banner(config, started, show_link=show_link or sys.stdout.isatty()))

    asyncio.run(
        run_receiver(config, config_file=config_file, with_worker=with_worker, try_it=_try_it(), announce=announce)
    )


def _banner(config: Config, started: Started, *, show_link: bool) -> str:
    page = f"{started.page_url}?code={started.login_code}" if show_link else started.page_url
    login = f"{_command()} login"
    link_note = f"one-time link, 10 minutes; later: {login}" if show_link else f"for a login link: {login}"
    title = click.style(f"Evolution Gateway {__version__}", bold=True)
    return "\n".join(
        [
            "",
            f"  {title}    SQLite in {_short(config.data)}    {_plugins(started.plugins)}",
            "",
            f"  Webhooks   {started.webhook_url}    paste into Evolution (by-events on or off, both work)",
            f"  Live page  {page}    {link_note}",
            f"  Try it     {_first_step(config)}",
            "",
        ]
    )


def _first_step(config: Config) -> str:
    """With a key, answers really leave, and nothing is played."""
    if config.evolution.apikey:
        return f"write to your bot from another phone    {_command()} events -f  shows what comes of it"
    return f"{_command()} simulate --server    chat with your bot here, no WhatsApp needed"


def _plugins(names: Sequence[str]) -> str:
    count = f"{len(names)} plugin{'' if len(names) == 1 else 's'}"
    return f"{count}: {', '.join(names)}" if names else "no plugins"


def _short(path: Path) -> str:
    try:
        return f"./{path.relative_to(Path.cwd())}"
    except ValueError:
        return str(path)


def _try_it() -> str:
    return f"{_command()} simulate --text ping"


def _command() -> str:
    """How this very command can be called again from the same folder."""
    command = Path(sys.argv[0])
    if command.name != "gateway":
        return f"{Path(sys.executable).name} -m gateway"
    on_path = any((Path(folder) / "gateway").exists() for folder in os.get_exec_path())
    return "gateway" if on_path else _short(command.absolute()).removeprefix("./")
