"""`gateway init NAME`: a folder in which a bot runs as it stands."""

from pathlib import Path

import click

from gateway.cli.output import columns
from gateway.errors import GatewayError
from gateway.scaffold import strangers, write


@click.command()
@click.argument("name", type=click.Path(path_type=Path, file_okay=True))
def init(name: Path) -> None:
    """Make folder NAME with config.yaml and routes/, ready to run. A dot takes the folder you are in.

    Nothing is ever overwritten: the folder must be new, or empty but for hidden files.
    """
    _refuse(name)
    try:
        made = list(write(name))
    except OSError as error:
        raise GatewayError(f"{name}: can't be made: {error.strerror}") from error
    _say(name, made)


def _refuse(folder: Path) -> None:
    """Refuse a folder in which something would be mixed with what is made.

    Raises:
        GatewayError: it is a file, or not empty.
    """
    if folder.exists() and not folder.is_dir():
        raise GatewayError(f"{folder} is a file; give the name of a new folder")
    if found := strangers(folder):
        shown = ", ".join(found[:3]) + (", ..." if len(found) > 3 else "")  # noqa: PLR2004 -- enough to recognise it
        raise GatewayError(f"{folder.resolve()} is not empty ({shown}); give the name of a new folder")


def _say(folder: Path, made: list[str]) -> None:
    here = folder.resolve() == Path.cwd()
    steps = [] if here else [[f"cd {folder}", ""]]
    steps += [
        ["gateway serve", "start it; it prints the URL to paste into Evolution"],
        ["gateway simulate --text ping", "in a second terminal: a message arrives, no WhatsApp needed"],
        ["gateway events", "what came, and what became of it"],
    ]
    place = "here" if here else f"in {folder}/"
    click.echo(f"\n  Made {', '.join(made)} {place}\n\n  Next:")
    for line in columns(steps, indent=4):
        click.echo(line)
    click.echo("\n  Your bot is routes/ping.py: copy it, change a word, save.\n")
