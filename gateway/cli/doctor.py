"""`gateway doctor`: what keeps Evolution and this gateway apart, each with the one thing to do."""

import asyncio
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import click

from gateway.cli.options import config_option, json_option, load_config
from gateway.cli.output import count, json_text
from gateway.config import Config
from gateway.redact import printable
from gateway.wiring.examination import examine
from gateway.wiring.finding import Finding, Level
from gateway.wiring.peer import Peer
from gateway.wiring.probe import WITHIN

_SIGNS: Final[dict[Level, tuple[str, str]]] = {
    "ok": ("✓", "green"),
    "warning": ("!", "yellow"),
    "failure": ("✗", "red"),
}


@click.command()
@click.argument("instance", required=False)
@click.option("--evolution", "url", metavar="URL", help="Evolution's address instead of evolution.url.")
@click.option(
    "--apikey", envvar="EVOLUTION_APIKEY", help="Its key instead of evolution.apikey; better in EVOLUTION_APIKEY."
)
@click.option("--no-test", is_flag=True, help="Don't have Evolution send an event where none has come for an hour.")
@config_option
@json_option("Print one JSON object for each finding.")
def doctor(
    *, instance: str | None, url: str | None, apikey: str | None, no_test: bool, config_file: Path | None, as_json: bool
) -> None:
    """Look at everything between Evolution and this gateway, for INSTANCE or for all of them.

    Ends with 1 if something is wrong, with 0 if all is well or only doubtful.
    """
    config = load_config(config_file)
    key = apikey or config.evolution.apikey.reveal()
    peer_url = (url or config.evolution.url).rstrip("/")
    findings = asyncio.run(
        _examine(config, peer_url, key, instance, patience=0 if no_test else WITHIN, as_json=as_json)
    )
    if not as_json:
        click.echo(f"\n  {_summary(findings)}")
    sys.exit(1 if any(each.level == "failure" for each in findings) else 0)


async def _examine(
    config: Config, url: str, apikey: str, instance: str | None, *, patience: float, as_json: bool
) -> list[Finding]:
    findings = []
    async with Peer(url, apikey, config.evolution.version) as peer:
        async for finding in examine(config, peer, instance, patience=patience):
            findings.append(finding)
            click.echo(json_text(finding) if as_json else _lines(finding))
    return findings


def _lines(finding: Finding) -> str:
    sign, colour = _SIGNS[finding.level]
    about = click.style(printable(finding.about), bold=True)
    line = f"  {click.style(sign, fg=colour)} {about}  {printable(finding.found)}"
    return f"{line}\n      {printable(finding.fix)}" if finding.fix else line


def _summary(findings: Iterable[Finding]) -> str:
    wrong = sum(each.level == "failure" for each in findings)
    doubtful = sum(each.level == "warning" for each in findings)
    if not wrong and not doubtful:
        return "All is well."
    return f"{count(wrong, 'failure')}, {count(doubtful, 'warning')}."
