"""The page keeps up: two hundred events a second, ten thousand rows."""

import time
from collections.abc import Callable

from playwright.async_api import Page, expect

from tests.support.bodies import messages
from tests.support.chromium import NEEDS, Visit
from tests.support.gateway import Gateway
from tests.support.sender import Sender
from torture.bot import NAME
from torture.history import add_history

pytestmark = NEEDS

RATE = 200  # events a second
SECONDS = 5
LONGEST = 200  # milliseconds of one task
BLOCKED = 1 / 20
"""Share of the time that may go into tasks longer than that."""
ROUNDS = 2
"""A busy machine stops the browser now and then, in one round or another; a page that blocks does so in each."""
WATCH = """
window.tasks = [];
new PerformanceObserver((seen) => window.tasks.push(...seen.getEntries().map((one) => one.duration)))
  .observe({ type: "longtask" });
"""

SCROLL = """async () => {
  const list = document.getElementById("list"), shown = [];
  for (let step = 0; step <= 100; step += 1) {
    list.scrollTop = (list.scrollHeight - list.clientHeight) * (step / 100);
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    const { left, top, height } = list.getBoundingClientRect();
    shown.push(document.elementFromPoint(left + 40, top + height / 2).closest(".row, .tail") !== null);
  }
  return shown;
}"""
"""Whether there is a row in the middle of the list, at a hundred places of it."""


async def test_two_hundred_events_a_second_leave_it_responsive(
    gateway: Gateway, seen: Visit, record_property: Callable[[str, object], None]
) -> None:
    gateway.recorder("log")
    await gateway.start()
    async with seen() as page:
        await page.evaluate(WATCH)
        sender = gateway.sender(connections=RATE // 10)
        sender.pause = 0.1
        rounds: list[tuple[float, list[float]]] = []
        while len(rounds) < ROUNDS and not any(share < BLOCKED for share, _ in rounds):
            rounds.append(await responsiveness(page, sender, len(rounds) * RATE * SECONDS))

        record_property("longest_task_ms", [max(tasks, default=0) for _, tasks in rounds])
        assert any(share < BLOCKED for share, _ in rounds), rounds
        assert await page.locator("#rows li").count() < 80


async def responsiveness(page: Page, sender: Sender, before: int) -> tuple[float, list[float]]:
    """The share of a round in which the page was blocked, and its long tasks in milliseconds."""
    began = time.monotonic()
    await page.evaluate("window.tasks.length = 0")
    await sender.post_all(messages(RATE * SECONDS, first=before, chats=50))
    last = before + RATE * SECONDS
    await expect(page.locator(f"li[data-id='{last}'] .result.done")).to_be_visible(timeout=30_000)
    tasks: list[float] = await page.evaluate("window.tasks")
    blocked = sum(task for task in tasks if task > LONGEST) / 1000
    return blocked / (time.monotonic() - began), tasks


async def test_ten_thousand_rows_scroll(gateway: Gateway, seen: Visit) -> None:
    count = 10_000
    gateway.recorder(NAME)
    await gateway.start()
    await gateway.stop()
    add_history(gateway.data, count)
    await gateway.start()
    async with seen() as page:
        await read_all(page, count)
        shown: list[bool] = await page.evaluate(SCROLL)

        assert all(shown)
        assert await page.locator("#rows li").count() < 80


async def read_all(page: Page, count: int) -> None:
    """Scroll to the end again and again, until the oldest event is in the list."""
    rows = page.locator("#rows li")
    while await rows.last.get_attribute("data-id") != "1":
        await page.locator("#list").evaluate("list => { list.scrollTop = list.scrollHeight }")
        await page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    await expect(rows.last).to_have_attribute("aria-setsize", str(count))
