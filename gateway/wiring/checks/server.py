"""Evolution: whether it can be asked, what time it has, whether its instances are connected."""

from collections.abc import AsyncIterator
from typing import Final

from gateway.evolution.errors import EvolutionUnreachable, Unauthorized, UnsupportedCall
from gateway.web.tokens import LEEWAY
from gateway.wiring.finding import Finding, failure, ok, warning
from gateway.wiring.scene import Scene

SKEW: Final = 30.0
"""Seconds between two clocks that nobody needs to know of."""


async def reach(scene: Scene) -> AsyncIterator[Finding]:
    """Whether it answers, and takes the key."""
    url, trouble = scene.peer.url, scene.trouble
    if not trouble:
        yield ok("evolution", f"version {scene.peer.version or 'unknown'} answers at {url}, key accepted")
    elif isinstance(trouble, Unauthorized):
        fix = "Set evolution.apikey to its AUTHENTICATION_API_KEY; with an instance's own key, name the instance"
        yield failure("evolution", f"{url} refuses the key of evolution.apikey", fix)
    elif isinstance(trouble, EvolutionUnreachable):
        yield failure("evolution", str(trouble), "Start Evolution, or correct evolution.url")
    elif isinstance(trouble, UnsupportedCall):
        fix = "Correct evolution.url: the server's own address, without /manager or another path"
        yield failure("evolution", str(trouble), fix)
    else:
        yield failure("evolution", str(trouble), "See Evolution's own log")


async def clock(scene: Scene) -> AsyncIterator[Finding]:
    """Whether its clock agrees with this machine's."""
    if scene.ahead is None:
        return
    seconds = abs(scene.ahead)
    said = f"Evolution's clock is {seconds:.0f} s {'ahead of' if scene.ahead > 0 else 'behind'} this machine's"
    fix = "Set both by NTP (timedatectl set-ntp true)"
    signs = any(hook and "jwt_key" in hook.headers for hook in scene.hooks.values())
    if signs and seconds > LEEWAY:
        yield failure("clock", f"{said}: its tokens are refused, and the events with them", fix)
    elif seconds > SKEW:
        yield warning("clock", said, fix)
    else:
        yield ok("clock", "the two agree")


async def connections(scene: Scene) -> AsyncIterator[Finding]:
    """Whether each instance has its phone."""
    for name, state in scene.instances.items():
        about = f"instance {name}"
        if state == "open":
            yield ok(about, "connected to WhatsApp")
        else:
            yield warning(about, f"not connected to WhatsApp ({state})", f"gateway connect {name}")
    if not scene.instances and not scene.trouble:
        yield failure("instance", "Evolution has none that is meant", "gateway connect NAME --create")
