"""What stands between Evolution and this gateway, and lets less through."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from gateway.wiring.finding import Finding, failure
from gateway.wiring.local import as_sent, from_here, shown
from gateway.wiring.scene import Scene

LARGE: Final = 16 * 2**20
"""Bytes of a body that has to get through: a photo or a short video as base64."""
_WITHIN: Final = 3.0  # seconds


async def body_limits(scene: Scene) -> AsyncIterator[Finding]:
    """Whether a proxy on the way stops large bodies."""
    ways = {hook.url: hook.headers for hook in scene.hooks.values() if hook and hook.enabled}
    for url, headers in ways.items():
        status = await _announce(from_here(scene.config, url), as_sent(headers), LARGE)
        if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            found = f"{shown(url)} refuses {LARGE // 2**20} MiB (413): files inside events would not get through"
            fix = "Raise the proxy's limit to webhook.max_body (nginx: client_max_body_size 128m)"
            yield failure("proxy", found, fix)


async def _announce(url: str, headers: Mapping[str, str], size: int) -> int | None:
    """The answer to a request that announces a body and sends none; None if nobody answers before it came.

    A gateway answers such a question as it is, a proxy with a limit by the length.
    """
    parts = urlsplit(url)
    tls = ssl.create_default_context() if parts.scheme == "https" else None
    lines = (
        f"HEAD {parts.path or '/'} HTTP/1.1",
        f"Host: {parts.netloc}",
        f"Content-Length: {size}",
        *(f"{name}: {value}" for name, value in headers.items()),
        "Connection: close",
    )
    head = "\r\n".join((*lines, "", ""))
    try:
        async with asyncio.timeout(_WITHIN):
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port or (443 if tls else 80), ssl=tls)
            try:
                writer.write(head.encode("ascii", "ignore"))
                line = await reader.readline()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return None
    words = line.split()
    return int(words[1]) if len(words) > 1 and words[1].isdigit() else None
