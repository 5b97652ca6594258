"""The `gateway` command. Each subcommand lives in a module of its own, imported only when it is asked for.

So `gateway --help` and `gateway login` don't wait for a web server or a database to be imported.
"""

import importlib
import sys

import click

from gateway.cli.names import COMMANDS
from gateway.garbage import look_seldom


class LazyGroup(click.Group):
    """Knows its commands by name and help; imports the one that is run."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """In the order a newcomer meets them."""
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, from its module; None for a name nobody knows."""
        if cmd_name not in COMMANDS:
            return None
        command = getattr(importlib.import_module(COMMANDS[cmd_name].module), cmd_name)
        assert isinstance(command, click.Command)  # noqa: S101 -- the table names commands only
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.help) for name, command in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="evolution-gateway", message="Evolution Gateway %(version)s")
def cli() -> None:
    """The webhook gateway for Evolution API: loses no event, runs your handlers safely."""


def main() -> None:
    """Run the command line; an error the gateway knows of is one line on standard error and exit code 1."""
    from gateway.errors import GatewayError  # noqa: PLC0415 -- keeps --help quick

    look_seldom()
    try:
        cli()
    except GatewayError as error:
        click.secho(f"gateway: {error}", fg="red", err=True)
        sys.exit(1)
