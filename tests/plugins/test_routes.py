"""The three plugins of routes/."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.events import Event, MessagesUpsert
from gateway.plugins import EventContext, Plugin, load_folder

Arrived = Callable[..., MessagesUpsert]
Happened = Callable[..., Event]
Opened = Callable[..., EventContext]
Lines = list[dict[str, Any]]

ROUTES = Path(__file__).parents[2] / "routes"


@pytest.fixture(scope="module")
def plugins() -> dict[str, Plugin[Any, Any]]:
    loaded = load_folder(ROUTES)
    assert loaded.errors == ()
    return {each.plugin.name: each.plugin for each in loaded.plugins}


async def handle(plugin: Plugin[Any, Any], event: Event, ctx: EventContext) -> Lines:
    """Run the handler that takes the event; what it logged."""
    with capture_logs() as lines:
        handler = await plugin.find(event, ctx)
        running = handler.function(event, ctx) if handler else None
        if running is not None:
            await running
    return [dict(line) for line in lines]


def test_three_plugins_come_with_the_gateway(plugins: dict[str, Plugin]) -> None:
    assert list(plugins) == ["connection_alert", "log_everything", "ping"]


async def test_ping_answers_pong(plugins: dict[str, Plugin], arrived: Arrived, opened: Opened) -> None:
    event = arrived("Ping ")
    ctx = opened(event)

    await handle(plugins["ping"], event, ctx)

    assert [send.text for send in ctx.take_effects()] == ["pong"]


@pytest.mark.parametrize("given", [{"from_me": True}, {"text": "ping!"}, {"chat": "status@broadcast"}])
async def test_ping_answers_nothing_else(
    plugins: dict[str, Plugin], arrived: Arrived, opened: Opened, given: dict[str, Any]
) -> None:
    event = arrived(**given)

    assert await plugins["ping"].find(event, opened(event)) is None


async def test_log_everything_says_what_came_but_not_who_or_what_was_said(
    plugins: dict[str, Plugin], arrived: Arrived, opened: Opened
) -> None:
    event = arrived("my secret is 42")

    [line] = await handle(plugins["log_everything"], event, opened(event))

    assert line == {
        "event": "event_seen",
        "log_level": "info",
        "event_name": "messages.upsert",
        "instance": "shop-1",
        "problems": None,
        "kind": "text",
        "from_me": False,
        "group": False,
    }


@pytest.mark.parametrize("name", ["connection.update", "qrcode.updated", "something.new", "messages.set", "call"])
@pytest.mark.parametrize("data", [{}, None, [], "text"])
async def test_log_everything_takes_whatever_comes(
    plugins: dict[str, Plugin], happened: Happened, opened: Opened, name: str, data: object
) -> None:
    event = happened(name, data)

    [line] = await handle(plugins["log_everything"], event, opened(event))

    assert line["event_name"] == name


@pytest.mark.parametrize(
    ("data", "fact", "todo"),
    [
        ({"state": "close", "statusReason": 401}, "instance_closed", "scan its QR code"),
        ({"state": "close", "statusReason": 440}, "instance_closed", "another program uses the same session"),
        ({"state": "close"}, "instance_closed", "restart the instance"),
        ({"state": "refused", "statusReason": 428}, "instance_refused", "scan its QR code"),
    ],
)
async def test_connection_alert_says_loudly_what_to_do(  # noqa: PLR0917 - fixtures and a table
    plugins: dict[str, Plugin], happened: Happened, opened: Opened, data: object, fact: str, todo: str
) -> None:
    event = happened("connection.update", data)

    [line] = await handle(plugins["connection_alert"], event, opened(event))

    assert (line["event"], line["log_level"], line["instance"]) == (fact, "error", "shop-1")
    assert todo in line["todo"]


async def test_connection_alert_tells_when_the_qr_codes_ran_out(
    plugins: dict[str, Plugin], happened: Happened, opened: Opened
) -> None:
    limit = happened("qrcode.updated", {"message": "QR code limit reached, please login again", "statusCode": 500})

    [line] = await handle(plugins["connection_alert"], limit, opened(limit))

    assert (line["event"], line["log_level"]) == ("qr_limit_reached", "error")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("connection.update", {"state": "connecting", "statusReason": 200}),
        ("qrcode.updated", {"qrcode": {"code": "2@x", "base64": "data:image/png;base64,eA=="}}),
    ],
)
async def test_connection_alert_is_quiet_while_pairing_goes_on(
    plugins: dict[str, Plugin], happened: Happened, opened: Opened, name: str, data: object
) -> None:
    event = happened(name, data)

    assert await handle(plugins["connection_alert"], event, opened(event)) == []
