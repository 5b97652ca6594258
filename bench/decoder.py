"""What decoding costs: a typical text message, over parsing its JSON alone, beside a pydantic model of the same depth.

The model fails on other versions and other events, so it does less; both start from the same bytes.
"""

import timeit
from collections.abc import Callable
from typing import Final

import orjson

from bench.model import Envelope
from bench.result import Goal, Result
from bench.scale import Scale
from gateway import samples
from gateway.events import decode

SAMPLE: Final = "messages-upsert__text-link-flattened-v236"
CALLS: Final = 2_000


async def decoding(scale: Scale) -> Result:
    """Microseconds, and the ratio to pydantic."""
    body = samples.read(SAMPLE)
    parse = measure(lambda: orjson.loads(body), scale.rounds)
    ours = measure(lambda: decode("messages.upsert", orjson.loads(body)), scale.rounds) - parse
    theirs = measure(lambda: Envelope.model_validate(orjson.loads(body)), scale.rounds) - parse
    return Result(
        title=f"Decoding a text message of {len(body):,} bytes",
        columns=("what", "µs"),
        rows=[
            ["orjson.loads alone", parse],
            ["gateway.events.decode, over it", ours],
            ["pydantic, same depth, over it", theirs],
        ],
        goals=[Goal(name="decoding over parsing alone, µs", value=ours, goal=15, at_most=True)],
    )


def measure(call: Callable[[], object], rounds: int) -> float:
    """Microseconds of one call, in the quickest round."""
    return min(timeit.repeat(call, number=CALLS, repeat=rounds)) / CALLS * 1e6
