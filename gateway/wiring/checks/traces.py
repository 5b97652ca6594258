"""What the events that came give away of Evolution's own settings, which no call tells."""

import time
from collections.abc import AsyncIterator
from contextlib import closing
from sqlite3 import OperationalError
from typing import Any, Final

import orjson

from gateway.journal import JournalReader
from gateway.wiring.finding import Finding, warning
from gateway.wiring.scene import Scene

_LARGEST: Final = 2**20  # bytes of a body that is read for traces
_ENOUGH: Final = 4
"""Events from which on a share says something."""
_DAY: Final = 86_400.0  # seconds
_NO_KEY: Final = "Apikey not found"


async def both_webhooks(scene: Scene) -> AsyncIterator[Finding]:
    """Whether each event comes twice."""
    twice = sum(event.repeats > 0 for event in scene.recent)
    if len(scene.recent) >= _ENOUGH and twice * 2 >= len(scene.recent):
        found = f"{twice} of the last {len(scene.recent)} events came twice: the instance's webhook and the global one"
        fix = "Set WEBHOOK_GLOBAL_ENABLED=false in Evolution; until then each event still counts once here"
        yield warning("events", found, fix)


async def exposed_keys(scene: Scene) -> AsyncIterator[Finding]:
    """Whether events carry their instance's key."""
    keys = [body.get("apikey") for body in _bodies(scene)]
    if any(isinstance(key, str) and key not in ("", _NO_KEY) for key in keys[:_ENOUGH]):
        found = "events carry the instance's key, to whoever they are posted to"
        fix = "Set AUTHENTICATION_EXPOSE_IN_FETCH_INSTANCES=false in Evolution; the gateway needs no key in events"
        yield warning("events", found, fix)


async def dropped_videos(scene: Scene) -> AsyncIterator[Finding]:
    """Whether Evolution may be dropping videos: 2.3.6 does, with S3 on and S3_SAVE_VIDEO off."""
    data = [body["data"] for body in _bodies(scene) if isinstance(body.get("data"), dict)]
    contents = [each["message"] for each in data if isinstance(each.get("message"), dict)]
    if any(content.get("mediaUrl") for content in contents) and not any("videoMessage" in each for each in contents):
        found = "Evolution stores files in S3, and no video has come; without S3_SAVE_VIDEO 2.3.6 drops them unsaid"
        yield warning("events", found, "Set S3_SAVE_VIDEO=true in Evolution")


async def refused_posts(scene: Scene) -> AsyncIterator[Finding]:
    """Whether posts were refused lately for what they held."""
    try:
        with closing(JournalReader(scene.config.data)) as journal:
            refused = [post for post in journal.refused(100) if post.at > time.time() - _DAY]
    except OperationalError:
        return
    if refused:
        found = f"{len(refused)} posts of the last day were no JSON object; the last one: {refused[0].reason}"
        yield warning("events", found, "See who posts them: they are on the live page, with their addresses")


def _bodies(scene: Scene) -> list[dict[str, Any]]:
    """The newest events' envelopes, as far as they are small."""
    wanted = [event.seq for event in scene.recent if event.size <= _LARGEST]
    try:
        with closing(JournalReader(scene.config.data)) as journal:
            stored = journal.events(wanted)
    except OperationalError:
        return []
    found = [orjson.loads(stored[seq].body) for seq in wanted if seq in stored]
    return [body for body in found if isinstance(body, dict)]
