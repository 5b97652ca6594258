"""Evolution's part, played without WhatsApp: realistic events, posted as Evolution posts them.

`payload` makes the bodies, `request` what goes around them, `retry` says when Evolution tries again; they are pure.
`sender` posts, `tally` counts what came of it.
"""

from gateway.simulate.payload import Cast, Script, choose_sample, read_phone
from gateway.simulate.request import Post, Target, target_of
from gateway.simulate.sender import OnRetry, Pace, Sender
from gateway.simulate.tally import Outcome, Tally

__all__ = [
    "Cast",
    "OnRetry",
    "Outcome",
    "Pace",
    "Post",
    "Script",
    "Sender",
    "Tally",
    "Target",
    "choose_sample",
    "read_phone",
    "target_of",
]
