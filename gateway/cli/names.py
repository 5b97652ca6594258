"""The commands, with the line of help that `gateway --help` shows for each."""

from typing import Final, NamedTuple


class Command(NamedTuple):
    """Where a command lives, and what it is for."""

    module: str
    help: str


COMMANDS: Final[dict[str, Command]] = {
    "init": Command("gateway.cli.init", "Make a folder for a bot: settings, a plugin and its test."),
    "serve": Command("gateway.cli.serve", "Run the gateway: receiver, worker and live page."),
    "connect": Command("gateway.cli.connect", "Point an Evolution instance at this gateway, and pair it with a phone."),
    "doctor": Command("gateway.cli.doctor", "Find what keeps Evolution and this gateway apart, each with its fix."),
    "simulate": Command("gateway.cli.simulate", "Post realistic events, as Evolution does. No WhatsApp needed."),
    "login": Command("gateway.cli.login", "Print a one-time link to the live page."),
    "events": Command("gateway.cli.events", "Show the newest events and what became of them."),
    "dead": Command("gateway.cli.events", "Show the dead letters: deliveries that failed for good."),
    "replay": Command("gateway.cli.controls", "Handle events again: by id, time, event, instance, chat or plugin."),
    "pause": Command("gateway.cli.controls", "Let a plugin's deliveries wait; none is lost."),
    "resume": Command("gateway.cli.controls", "Let a paused plugin go on."),
    "plugins": Command("gateway.cli.plugins", "List the loaded plugins and what they subscribe to."),
    "routes": Command("gateway.cli.plugins", "List each endpoint with its event."),
    "check": Command("gateway.cli.plugins", "Load config and plugins, report what is wrong, start nothing."),
    "decode": Command("gateway.cli.decode", "Show what a handler would see of a payload, as JSON."),
    "receive": Command("gateway.cli.serve", "Run the receiver alone: accept events, serve the live page."),
    "work": Command("gateway.cli.work", "Run the worker alone: run the plugins."),
}
