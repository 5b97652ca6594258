"""The plugins as the last worker has loaded them, and how they do."""

from collections.abc import Mapping
from typing import Any

from gateway.config import Config
from gateway.redact import Redactor
from gateway.web.shown import short_text
from gateway.work.reader import OpenCounts
from gateway.work.store import EVERYBODY, OUTAGES, PAUSED, STATS


def plugins_of(
    facts: Mapping[str, Any], open_counts: Mapping[str, OpenCounts], config: Config, redactor: Redactor
) -> list[dict[str, Any]]:
    """All of them, from what the worker says of itself."""
    return [_view(each, facts, open_counts, config, redactor) for each in facts.get("plugins") or ()]


def _view(
    plugin: Mapping[str, Any],
    facts: Mapping[str, Any],
    open_counts: Mapping[str, OpenCounts],
    config: Config,
    redactor: Redactor,
) -> dict[str, Any]:
    name = plugin["name"]
    tally = (facts.get(STATS) or {}).get("plugins", {}).get(name) or {}
    paused = facts.get(PAUSED) or {}
    stands = open_counts.get(name) or OpenCounts()
    return {
        "name": name,
        "file": plugin.get("file", ""),
        "handlers": plugin.get("handlers", []),
        "events": plugin.get("events", []),
        "settings": redactor.json(plugin.get("settings")),
        "paused": paused.get(name, paused.get(EVERYBODY)),
        "breaker": _safe((facts.get(OUTAGES) or {}).get(name), redactor),
        "counts": {
            "since": tally.get("since"),
            **{result: tally.get(result, 0) for result in ("done", "skipped", "dropped", "failed")},
            "waiting": stands.waiting,
            "dead": stands.dead,
        },
        "latency": {part: tally[part] for part in ("p50", "p95", "attempts")} if tally.get("attempts") else None,
        "last_failure": _safe(tally.get("last_failure"), redactor),
        "delivery": config.delivery_of(name),
    }


def _safe(found: Mapping[str, Any] | None, redactor: Redactor) -> dict[str, Any] | None:
    """What tells an error, without secrets."""
    return {**found, "error": short_text(found["error"], redactor)} if found else None
