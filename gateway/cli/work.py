"""`gateway work`: the worker's process."""

import sys
from pathlib import Path

import click

from gateway.cli.options import config_option
from gateway.cli.process import prepare
from gateway.log import log
from gateway.play import with_play
from gateway.worker.process import work as run_worker


@click.command()
@config_option
@click.option("--link", type=int, hidden=True, help="Descriptor of the socket to the receiver.")
def work(config_file: Path | None, *, link: int | None) -> None:
    """Run the worker alone: run the plugins on what a receiver on the same data folder accepts."""
    config = prepare(config_file)
    played = with_play(config)
    if played is not config:
        log.info("answers_played", result="answers go to  gateway simulate --server  and to nobody's phone")
    sys.exit(run_worker(played, link))
