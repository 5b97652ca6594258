"""`gateway connect INSTANCE`: from a running gateway and a running Evolution to a bot that answers."""

import asyncio
import sys
from pathlib import Path

import click

from gateway.cli.options import config_option, load_config
from gateway.cli.qr import qr_lines
from gateway.config import Config
from gateway.evolution.errors import EvolutionError
from gateway.redact import printable
from gateway.wiring.connecting import Stuck, Wishes
from gateway.wiring.connecting import connect as go
from gateway.wiring.peer import Peer


@click.command()
@click.argument("instance")
@click.option("--evolution", "url", metavar="URL", help="Evolution's address instead of evolution.url.")
@click.option(
    "--apikey", envvar="EVOLUTION_APIKEY", help="Its key instead of evolution.apikey; better in EVOLUTION_APIKEY."
)
@click.option("--create", is_flag=True, help="Make the instance if Evolution has none of this name.")
@click.option("--webhook-url", metavar="URL", help="This gateway's webhook as Evolution reaches it; else found out.")
@click.option("--events", metavar="A,B", default="", help="Events to subscribe to, in any spelling; else all.")
@click.option("--by-events/--one-url", default=True, help="A URL for each event, or one for all. Both work.")
@click.option("--base64", is_flag=True, help="Have files inside the events; else they are fetched when asked for.")
@click.option(
    "--wait", metavar="SECONDS", type=float, default=120.0, help="How long to wait for the code to be scanned."
)
@config_option
def connect(
    *,
    instance: str,
    url: str | None,
    apikey: str | None,
    create: bool,
    webhook_url: str | None,
    events: str,
    by_events: bool,
    base64: bool,
    wait: float,
    config_file: Path | None,
) -> None:
    """Point INSTANCE's webhook at this gateway, pair it with a phone, and see an event arrive."""
    config = load_config(config_file)
    wishes = Wishes(
        instance=instance,
        create=create,
        url=webhook_url,
        events=tuple(event.strip() for event in events.split(",") if event.strip()),
        by_events=by_events,
        base64=base64,
        wait=wait,
    )
    key = apikey or config.evolution.apikey.reveal()
    try:
        asyncio.run(_connect(config, (url or config.evolution.url).rstrip("/"), key, wishes))
    except Stuck as stuck:
        _fail(stuck.found, stuck.fix)
    except EvolutionError as error:
        _fail(str(error), "")


async def _connect(config: Config, url: str, apikey: str, wishes: Wishes) -> None:
    async with Peer(url, apikey, config.evolution.version) as peer:
        await go(config, peer, wishes, Terminal())


class Terminal:
    """Shows the steps on standard output."""

    def done(self, text: str) -> None:
        """A step succeeded."""
        self._line(click.style("✓", fg="green"), text)

    def note(self, text: str) -> None:
        """Something to know."""
        self._line(click.style("▸", fg="blue"), text)

    def code(self, code: str, pairing_code: str | None) -> None:
        """A QR code, and the digits to type instead."""
        self.note("scan with WhatsApp > Linked devices (the live page shows it too)")
        click.echo("\n".join(["", *(f"    {line}" for line in qr_lines(code)), ""]))
        if pairing_code:
            self.note(f"or type there: {pairing_code}")

    def _line(self, sign: str, text: str) -> None:
        click.echo(f"  {sign} {printable(text)}")


def _fail(found: str, fix: str) -> None:
    click.echo(f"  {click.style('✗', fg='red')} {printable(found)}")
    if fix:
        click.echo(f"    {printable(fix)}")
    sys.exit(1)
