"""`gateway init NAME`: a folder in which a bot runs as it stands, with a test."""

from collections.abc import Sequence
from pathlib import Path

import click

from gateway.cli.output import columns
from gateway.errors import GatewayError
from gateway.scaffold import FIRST, Example, examples, strangers, write


def _chosen(_ctx: click.Context, _param: click.Parameter, value: str) -> Sequence[Example]:
    """The examples whose names stand there, with commas between them."""
    known = {each.name: each for each in examples()}
    wanted = [name.strip() for name in value.split(",") if name.strip()]
    if not wanted or not known.keys() >= set(wanted):
        strange = next((name for name in wanted if name not in known), value)
        raise click.BadParameter(f"no example is called {strange!r}; there is {', '.join(known)}")
    return [known[name] for name in wanted]


@click.command()
@click.argument("name", required=False, type=click.Path(path_type=Path, file_okay=True))
@click.option(
    "--with", "chosen", default=FIRST, callback=_chosen, metavar="EXAMPLE,...", help="Plugins to begin with; else ping."
)
@click.option("--list", "is_listing", is_flag=True, help="Show the examples that --with can name, and make nothing.")
def init(name: Path | None, chosen: Sequence[Example], *, is_listing: bool) -> None:
    """Make folder NAME with config.yaml, routes/ and tests/, ready to run. A dot takes the folder you are in.

    Nothing is ever overwritten: the folder must be new, or empty but for hidden files.
    """
    if is_listing:
        for line in columns([[each.name, each.about] for each in examples()]):
            click.echo(line)
        return
    if name is None:
        raise click.UsageError("Missing argument 'NAME'.")
    _refuse(name)
    try:
        made = list(write(name, chosen))
    except OSError as error:
        raise GatewayError(f"{name}: can't be made: {error.strerror}") from error
    _say(name, made, chosen)


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


def _say(folder: Path, made: list[str], chosen: Sequence[Example]) -> None:
    here = folder.resolve() == Path.cwd()
    steps = [] if here else [[f"cd {folder}", ""]]
    steps += [
        ["gateway serve", "start it; it prints the URL to paste into Evolution"],
        ["gateway simulate --server", "in a second terminal: chat with your bot, no WhatsApp needed"],
        ["gateway events", "what came, and what became of it"],
        ["pytest", "the same chat as a test; pip install pytest if it isn't there"],
    ]
    place = "here" if here else f"in {folder}/"
    click.echo(f"\n  Made {', '.join(made)} {place}\n\n  Next:")
    for line in columns(steps, indent=4):
        click.echo(line)
    mine = " and ".join(filter(None, [", ".join(each.files[0] for each in chosen[:-1]), chosen[-1].files[0]]))
    click.echo(f"\n  Your bot is {mine}: copy it, change a word, save.\n")
