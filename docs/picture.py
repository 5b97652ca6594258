"""Take the README's picture: start the gateway in an empty folder, simulate a morning, photograph the live page.

Run it with `make picture` after the page has changed. It needs Chromium.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parents[1]
GATEWAY = [sys.executable, "-m", "gateway"]
CHROMIUM = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync", "--no-first-run"]

MORNING = (
    ["connection.update"],
    ["messages.upsert", "--text", "Bom dia! Vocês entregam hoje?", "--name", "Ana Souza"],
    ["messages.upsert", "--text", "ping", "--name", "Bruno Lima", "--from", "+55 21 98888-0007"],
    ["messages-upsert__image-v236", "--name", "Carla Dias", "--from", "+55 31 97777-0013"],
    ["messages.update", "--from", "+55 21 98888-0007"],
    ["group-participants.update"],
    ["messages.upsert", "--text", "ping", "--name", "Ana Souza", "--repeat"],
    ["presence.update"],
    ["messages.upsert", "--text", "Fechado, obrigada!", "--name", "Ana Souza"],
)
CONFIG = """
webhook: {port: 18085}
admin: {port: 18086}
routes: %s
"""


def main() -> None:
    """Write docs/images/*.png."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "config.yaml").write_text(CONFIG % (ROOT / "routes"))
        serve = subprocess.Popen([*GATEWAY, "serve", "--show-link"], cwd=folder, stdout=subprocess.PIPE, text=True)
        try:
            link = find_link(serve)
            for event in MORNING:
                subprocess.run([*GATEWAY, "simulate", *event], cwd=folder, check=True, stdout=subprocess.DEVNULL)
            photograph(link)
        finally:
            serve.terminate()
            serve.wait()


def find_link(serve: subprocess.Popen[str]) -> str:
    """The login link out of what the gateway prints at its start."""
    assert serve.stdout
    for line in serve.stdout:
        if found := re.search(r"http://\S+\?code=\S+", line):
            return found[0]
    raise SystemExit("The gateway ended before it printed a link.")


def photograph(link: str) -> None:
    """The list alone, and with one event open beside it."""
    images = ROOT / "docs" / "images"
    images.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM)
        page = browser.new_page(viewport={"width": 1180, "height": 560}, timezone_id="America/Sao_Paulo")
        page.goto(link)
        page.get_by_text("Fechado").or_(page.get_by_text("Ana Souza").nth(2)).first.wait_for()
        page.screenshot(path=images / "live.png")
        open_answered(page)
        page.screenshot(path=images / "event.png")
        browser.close()


def open_answered(page: Page) -> None:
    """Open the event that a plugin answered."""
    page.get_by_text("would send").first.click()
    page.get_by_text("What happened").wait_for()


if __name__ == "__main__":
    main()
