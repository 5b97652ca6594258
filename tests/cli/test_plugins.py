"""Claims about `gateway plugins`, `routes` and `check`, on real folders."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway import names

ROOT = Path(__file__).parents[2]
Command = Callable[..., subprocess.CompletedProcess[str]]

SHOP = """
from gateway import MessagesUpsert, Context, Plugin, GroupsUpsert, EventContext
from gateway import filters as f

print("imported")
plugin = Plugin()


@plugin.message(f.regex(r"order (?P<number>\\d+)") & f.private)
async def order(event: MessagesUpsert, ctx: Context) -> None: ...


@plugin.on(GroupsUpsert)
async def joined(event: GroupsUpsert, ctx: EventContext) -> None: ...
"""


@pytest.fixture
def bot(tmp_path: Path) -> Path:
    (tmp_path / "routes").mkdir()
    (tmp_path / "routes" / "shop.py").write_text(SHOP)
    return tmp_path


def lines(done: subprocess.CompletedProcess[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_plugins_names_file_handlers_events_and_filters(gateway: Command, bot: Path) -> None:
    done = gateway("plugins", "--json", cwd=bot)

    (shop,) = lines(done)
    assert (shop["name"], shop["file"], shop["enabled"]) == ("shop", "routes/shop.py", True)
    assert shop["handlers"] == [
        {
            "name": "order",
            "line": 9,
            "events": ["MessagesUpsert"],
            "filters": ["inbound", "(regex('order (?P<number>\\\\d+)') & private)"],
        },
        {"name": "joined", "line": 13, "events": ["GroupsUpsert"], "filters": []},
    ]


def test_plugins_shows_people_the_same(gateway: Command, bot: Path) -> None:
    done = gateway("plugins", cwd=bot)

    assert "order    MessagesUpsert   inbound & (regex('order (?P<number>\\\\d+)') & private)" in done.stdout
    assert "joined   GroupsUpsert" in done.stdout


def test_a_disabled_plugin_is_listed_as_such(gateway: Command, bot: Path) -> None:
    (bot / "config.yaml").write_text("plugins: {shop: {enabled: false}}\n")

    done = gateway("plugins", cwd=bot)

    assert "disabled in config.yaml" in done.stdout


def test_what_a_plugin_prints_while_imported_does_not_spoil_the_output(gateway: Command, bot: Path) -> None:
    done = gateway("plugins", "--json", cwd=bot)

    assert "imported" not in done.stdout
    assert "imported" in done.stderr


def test_a_broken_file_is_named_beside_the_plugins_that_load(gateway: Command, bot: Path) -> None:
    (bot / "routes" / "broken.py").write_text("import nowhere_to_be_found\n")

    done = gateway("plugins", "--json", cwd=bot)

    assert [each["name"] for each in lines(done)] == ["shop"]
    assert "routes/broken.py:1: ModuleNotFoundError" in done.stderr
    assert done.returncode == 1


def test_routes_lists_every_suffix_of_every_event(gateway: Command, bot: Path) -> None:
    done = gateway("routes", "--json", cwd=bot)

    found = {str(each["path"]): each["event"] for each in lines(done)}
    expected = {f"/webhook/{suffix}": event.name for event in names.EVENTS.values() for suffix in event.suffixes}
    assert found == expected | {"/webhook": None, "/webhook/ANYTHING-ELSE": "unknown"}


def test_routes_says_since_when_and_who_takes_it(gateway: Command, bot: Path) -> None:
    done = gateway("routes", "--json", cwd=bot)

    by_path = {each["path"]: each for each in lines(done)}
    assert by_path["/webhook/messages-upsert"]["plugins"] == ["shop"]
    assert by_path["/webhook/messages-upsert"]["since"] == "1.0.9"
    assert by_path["/webhook/labels-edit"]["plugins"] == []


def test_routes_follows_the_base_path_and_hides_the_secret(gateway: Command, bot: Path) -> None:
    (bot / "config.yaml").write_text("webhook: {base_path: /hooks, auth: {path_secret: [hunter2-hunter2]}}\n")

    done = gateway("routes", cwd=bot)

    assert "/hooks/messages-upsert" in done.stdout
    assert "/hooks/SECRET/..." in done.stdout
    assert "hunter2" not in done.stdout + done.stderr


def test_the_projects_own_plugins_are_fine(gateway: Command) -> None:
    done = gateway("check", cwd=ROOT)

    assert (done.returncode, done.stderr) == (0, "")
    assert "3 plugins are fine: connection_alert, log_everything, ping" in done.stdout


def test_check_makes_nothing_on_disk(gateway: Command, bot: Path) -> None:
    before = sorted(bot.rglob("*"))

    done = gateway("check", cwd=bot)

    assert done.returncode == 0
    assert sorted(bot.rglob("*")) == before


def test_check_reports_each_problem_with_file_and_line(gateway: Command, bot: Path) -> None:
    (bot / "routes" / "a.py").write_text("\nimport nowhere_to_be_found.deep\n")
    (bot / "routes" / "b.py").write_text("x = 1\n")
    (bot / "routes" / "c.py").write_text("def broken(:\n")

    done = gateway("check", cwd=bot)

    assert "routes/a.py:2: ModuleNotFoundError: No module named 'nowhere_to_be_found'" in done.stdout
    assert "pip install nowhere_to_be_found\n" in done.stdout
    assert "routes/b.py: no plugin here" in done.stdout
    assert "routes/c.py:1: SyntaxError" in done.stdout
    assert "3 problems; nothing was started" in done.stdout
    assert done.returncode == 1


def test_check_as_json_is_one_object(gateway: Command, bot: Path) -> None:
    (bot / "routes" / "b.py").write_text("x = 1\n")

    done = gateway("check", "--json", cwd=bot)

    report = json.loads(done.stdout)
    assert (report["ok"], report["plugins"]) == (False, ["shop"])
    assert [problem["file"] for problem in report["problems"]] == ["routes/b.py"]


def test_check_finds_settings_for_a_plugin_that_is_not_there(gateway: Command, bot: Path) -> None:
    (bot / "config.yaml").write_text("plugins: {shpo: {enabled: false}}\n")

    done = gateway("check", cwd=bot)

    assert "plugins.shpo: no plugin in routes has this name" in done.stdout
    assert "there is shop" in done.stdout
    assert done.returncode == 1


def test_check_reports_a_setting_misspelt_with_its_line(gateway: Command, bot: Path) -> None:
    (bot / "config.yaml").write_text("webhook:\n  prot: 8085\n")

    done = gateway("check", cwd=bot)

    assert "config.yaml, line 2: webhook.prot" in done.stdout
    assert done.returncode == 1


def test_check_refuses_a_listener_open_to_everybody(gateway: Command, bot: Path) -> None:
    (bot / "config.yaml").write_text("webhook: {host: 0.0.0.0}\n")

    done = gateway("check", cwd=bot)

    assert "webhook.auth" in done.stdout
    assert done.returncode == 1


@pytest.mark.parametrize("command", ["plugins", "routes", "check"])
def test_no_folder_of_plugins_is_one_clear_line(command: str, gateway: Command) -> None:
    done = gateway(command)

    assert done.returncode == 1
    assert "There is no folder" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["plugins", "routes", "events", "dead", "login", "simulate"])
def test_a_named_config_that_is_missing_is_one_clear_line(command: str, gateway: Command) -> None:
    done = gateway(command, "--config", "nowhere.yaml")

    assert done.returncode == 1
    assert done.stderr.startswith("gateway: nowhere.yaml: no such file")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["plugins", "routes", "check", "events", "dead", "login", "simulate", "init"])
def test_each_command_explains_itself(command: str, gateway: Command) -> None:
    done = gateway(command, "--help")

    assert done.returncode == 0
    assert "Usage: gateway" in done.stdout.replace("python -m gateway", "gateway")


@pytest.mark.parametrize("command", ["plugins", "routes", "check", "events", "dead", "login", "simulate"])
def test_an_option_nobody_knows_is_wrong_use(command: str, gateway: Command) -> None:
    assert gateway(command, "--nonsense").returncode == 2


SET_UP = """
import msgspec

from gateway import Plugin, Secret


class Settings(msgspec.Struct):
    url: str
    '''Where the shop's
    service answers.'''
    api_key: Secret = Secret()
    timeout: float = 10


plugin = Plugin(settings=Settings)
"""
CANARY = "canary-4711"


@pytest.fixture
def shop(bot: Path) -> Path:
    """A bot whose one plugin has settings."""
    (bot / "routes" / "shop.py").write_text(SET_UP)
    settings = {"url": "https://example.com", "api_key": CANARY}
    (bot / "config.yaml").write_text(json.dumps({"plugins": {"shop": {"settings": settings}}}))
    return bot


def test_one_plugin_shows_its_settings_with_defaults_docs_and_no_secret(gateway: Command, shop: Path) -> None:
    done = gateway("plugins", "shop", "--json", cwd=shop)

    (view,) = lines(done)
    assert view["settings"] == [
        {
            "name": "url",
            "type": "str",
            "default": None,
            "value": '"https://example.com"',
            "doc": "Where the shop's service answers.",
        },
        {"name": "api_key", "type": "Secret", "default": "(none)", "value": "[redacted]", "doc": ""},
        {"name": "timeout", "type": "float", "default": "10", "value": "10", "doc": ""},
    ]


def test_people_see_the_same_settings(gateway: Command, shop: Path) -> None:
    done = gateway("plugins", "shop", cwd=shop)

    assert "Where the shop's service answers." in done.stdout
    assert CANARY not in done.stdout + done.stderr


def test_a_plugin_that_is_not_there_is_wrong_use(gateway: Command, shop: Path) -> None:
    done = gateway("plugins", "shoop", cwd=shop)

    assert done.returncode == 2
    assert "no plugin shoop; there is shop" in done.stderr


def test_a_setting_that_does_not_fit_is_a_problem_with_key_and_line(gateway: Command, shop: Path) -> None:
    (shop / "config.yaml").write_text("plugins:\n  shop:\n    settings:\n      url: https://x\n      timeout: soon\n")

    done = gateway("check", cwd=shop)

    assert done.returncode == 1
    assert "config.yaml, line 5: plugins.shop.settings.timeout: expected a number, got text" in done.stdout


def test_a_plugin_that_lacks_a_setting_shows_what_can_be_set(gateway: Command, shop: Path) -> None:
    (shop / "config.yaml").write_text("")

    done = gateway("plugins", "shop", "--json", cwd=shop)

    assert done.returncode == 1
    assert "plugins.shop.settings.url: it is missing, and has no default" in done.stderr
    (view,) = lines(done)
    assert [(each["name"], each["value"]) for each in view["settings"]] == [  # type: ignore[attr-defined]  # JSON
        ("url", "?"),
        ("api_key", "?"),
        ("timeout", "?"),
    ]


def test_check_doubts_a_handler_that_may_answer_itself_and_passes(gateway: Command, bot: Path) -> None:
    echo = "\n\n@plugin.on(MessagesUpsert)\nasync def echo(event, ctx):\n    ctx.reply('x')\n"
    (bot / "routes" / "shop.py").write_text(SHOP + echo)

    done = gateway("check", "--json", cwd=bot)

    assert done.returncode == 0
    (checked,) = lines(done)
    assert (checked["ok"], checked["problems"]) == (True, [])
    assert "echo answers its own messages too" in str(checked["doubts"])
