"""What is wrong with a plugin stands on the page while it lasts, in a sentence that says what to look at."""

import subprocess
import sys

from tests.support.bodies import message, messages
from tests.support.gateway import Gateway
from tests.support.waiting import until


async def test_a_plugin_that_is_held_back_says_why_on_the_page_until_it_recovers(gateway: Gateway) -> None:
    up = gateway.folder / "up"
    gateway.plugin(
        "shop",
        f"""
        import pathlib

        @plugin.on(MessagesUpsert)
        async def ask(event, ctx):
            if not pathlib.Path({str(up)!r}).exists():
                raise ConnectionError("10.0.0.7 refuses")
            record(ctx)
        """,
    )
    gateway.settings(delivery={"retry": [0.1] * 100})
    await gateway.start()

    async with gateway.watched() as page:
        for body in messages(5, chats=5):
            await gateway.accept(body)
        (said,) = await until(lambda: page.strip.get("reasons"), "the page says why it waits")
        listed = plugins(gateway)
        up.touch()
        gateway.plugin("other", "")  # a reload: the next worker knows of the outage, and probes at once
        await gateway.settled()
        await until(lambda: page.strip["reasons"] == [], "the page takes it back")

    (held, again) = gateway.logged("plugin_held")
    assert "held back, for it fails again and again: ConnectionError: 10.0.0.7 refuses" in listed
    assert said.startswith("shop fails again and again (ConnectionError: 10.0.0.7 refuses)")
    assert held["error"] == again["error"] == "ConnectionError: 10.0.0.7 refuses"
    assert len(gateway.logged("plugin_recovered", plugin="shop")) == 1
    assert {row.status for row in gateway.deliveries()} == {"done"}


def plugins(gateway: Gateway) -> str:
    """What `gateway plugins` prints."""
    command = [sys.executable, "-m", "gateway", "plugins", "--config", str(gateway.folder / "config.yaml")]
    return subprocess.run(command, env=gateway._environment(), capture_output=True, text=True, check=True).stdout


async def test_a_plugin_that_blocks_is_on_the_page_with_its_line_until_it_goes_on(gateway: Gateway) -> None:
    go_on = gateway.folder / "go-on"
    gateway.plugin(
        "shop",
        f"""
        import pathlib, time

        @plugin.on(MessagesUpsert)
        async def ask(event, ctx):
            while not pathlib.Path({str(go_on)!r}).exists():
                time.sleep(0.01)
        """,
    )
    gateway.recorder("other")
    await gateway.start()
    source = (gateway.routes / "shop.py").read_text().splitlines()

    async with gateway.watched() as page:
        await gateway.accept(message(1))
        (said,) = await until(lambda: page.strip.get("reasons"), "the page names the plugin")
        others = [record.plugin for record in gateway.records]
        go_on.touch()
        await until(lambda: page.strip["reasons"] == [], "the page takes it back")
        await gateway.settled()

    (line,) = gateway.logged("plugin_blocks", plugin="shop", handler="ask", function="ask")
    assert said.startswith(f"shop hangs in ask (shop.py:{line['line']})")
    assert any(word in source[line["line"] - 1] for word in ("time.sleep", "pathlib.Path"))
    assert len(gateway.logged("plugin_free", plugin="shop")) == 1
    assert others == ["other"]


async def test_what_a_plugin_cannot_open_is_on_the_page_until_it_can_and_its_deliveries_wait(gateway: Gateway) -> None:
    up = gateway.folder / "up"
    gateway.plugin(
        "shop",
        f"""
        import contextlib, pathlib

        @contextlib.asynccontextmanager
        async def connect():
            if not pathlib.Path({str(up)!r}).exists():
                raise ConnectionError("10.0.0.7 refuses")
            yield "connected"

        plugin = Plugin(lifespan=connect)

        @plugin.message()
        async def ask(event, ctx):
            record(ctx, ctx.resource)
        """,
    )
    await gateway.start()

    async with gateway.watched() as page:
        await gateway.accept(message(1, "hello"))
        (said,) = await until(lambda: page.strip.get("reasons"), "the page says why it waits")
        waiting = {row.status for row in gateway.deliveries()}
        up.touch()
        await gateway.settled()
        await until(lambda: page.strip["reasons"] == [], "the page takes it back")

    assert said.startswith("shop can't open what it needs (ConnectionError: 10.0.0.7 refuses)")
    assert waiting <= {"waiting"}
    assert {(row.status, row.failures) for row in gateway.deliveries()} == {("done", 0)}


async def test_a_bot_in_a_loop_is_stopped_and_the_page_says_where(gateway: Gateway) -> None:
    gateway.plugin(
        "echo",
        """
        @plugin.message()
        async def echo(event, ctx):
            ctx.reply(event.text)
        """,
    )
    gateway.settings(delivery={"replies_per_minute": 3})
    await gateway.start()

    async with gateway.watched() as page:
        for body in messages(5, chats=1):
            await gateway.accept(body)
        await gateway.settled()
        (said,) = await until(lambda: page.strip.get("reasons"), "the page says who was stopped")

    assert "echo was stopped in" in said
    assert len(gateway.logged("loop_stopped", plugin="echo")) == 1
    assert sorted(row.status for row in gateway.deliveries()) == ["dead", "dead", "done", "done", "done"]
