"""This machine: the gateway itself, its plugins, disk and limits."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from gateway.wiring.finding import Finding, failure, ok, warning
from gateway.wiring.scene import Scene
from gateway.worker.loading import load_plugins

ENOUGH_FILES: Final = 4096
"""Descriptors below which a herd is refused: Evolution opens a connection for every event that waits."""
_GIB: Final = 2**30  # bytes


async def gateway(scene: Scene) -> AsyncIterator[Finding]:
    """Whether it runs, and listens where its settings say."""
    webhook = scene.config.webhook
    where = f"{webhook.host}:{webhook.port}"
    if scene.is_running and scene.is_listening:
        yield ok("gateway", f"listens on {where}")
    elif scene.is_running:
        fix = "Start it again, for config.yaml has changed since; a firewall on this machine would do it too"
        yield failure("gateway", f"it runs, and nothing answers on {where}", fix)
    elif scene.is_listening:
        fix = f"Stop that one, or start this one on another webhook.port; this one's folder is {scene.config.data}"
        yield failure("gateway", f"what listens on {where} is not the gateway of this folder", fix)
    else:
        yield failure("gateway", f"nothing listens on {where}", "Start it:  gateway serve")


async def answers(scene: Scene) -> AsyncIterator[Finding]:
    """Whether what handlers queue can leave, and leaves from the gateway that runs."""
    evolution = scene.config.evolution
    if not evolution.apikey:
        fix = 'Write  apikey: "${EVOLUTION_APIKEY:-}"  below evolution in config.yaml, and start the gateway again'
        yield warning("answers", "evolution.apikey in config.yaml is empty, so nothing is ever sent", fix)
    elif scene.is_running and scene.sends_to != evolution.url:
        found = f"the gateway that runs sends {f'to {scene.sends_to}' if scene.sends_to else 'nothing'}"
        yield failure("answers", f"{found}, config.yaml says {evolution.url} with a key", "Start the gateway again")


async def plugins(scene: Scene) -> AsyncIterator[Finding]:
    """Whether they load."""
    loaded = load_plugins(scene.config)
    for error in loaded.errors:
        yield failure("plugins", str(error), "Correct the file; see  gateway check")
    if not loaded.errors:
        yield ok("plugins", f"{len(loaded.plugins)} loaded")


async def disk(scene: Scene) -> AsyncIterator[Finding]:
    """Whether there is room for what is kept."""
    config, free = scene.config, scene.free
    held = sum(file.stat().st_size for file in config.data.glob("*.db*")) if config.data.exists() else 0
    shown = f"{free / _GIB:.1f} GiB free"
    if free < config.data_min_free:
        yield failure("disk", f"{shown}: below data_min_free every event is answered 503", "Make room on the disk")
    elif free + held < config.retention.size + config.data_min_free:
        fix = "Make room, or lower retention.size"
        yield warning("disk", f"{shown}, and retention.size lets {config.retention.size / _GIB:.1f} GiB be kept", fix)
    else:
        yield ok("disk", shown)


async def descriptors(scene: Scene) -> AsyncIterator[Finding]:
    """How many connections the receiver may hold."""
    limit = _limit_of_receiver(scene.config.data) if scene.is_running else None
    if limit is None:
        return
    if limit < ENOUGH_FILES:
        fix = "Raise it before starting: ulimit -n 65536, LimitNOFILE=65536 (systemd) or ulimits: (compose)"
        yield warning("files", f"the receiver may open {limit} files, and each event that comes is one", fix)
    else:
        yield ok("files", f"the receiver may open {limit}")


def _limit_of_receiver(data: Path) -> int | None:
    """Of the process that its lock names; None where this can't be known."""
    try:
        number = (data / "receiver.lock").read_text().removeprefix("process ").strip()
        lines = Path(f"/proc/{int(number)}/limits").read_text().splitlines()
        return next(int(line.split()[3]) for line in lines if line.startswith("Max open files"))
    except (OSError, ValueError, StopIteration):
        return None
