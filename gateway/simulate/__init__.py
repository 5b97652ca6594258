"""Evolution's part, played without WhatsApp: realistic events, posted as Evolution posts them.

`payload` makes one person's bodies and `programme` everybody's, `mischief` lets some go wrong, `request` makes what
goes around them, `retry` says when Evolution tries again; they are pure. `sender` posts, and `tally` counts what came
of it.
"""

from gateway.simulate.mischief import Mischief, Troubled
from gateway.simulate.payload import Cast, Script, choose_sample, read_phone
from gateway.simulate.programme import Programme, choose_steps, crowd
from gateway.simulate.request import Post, Target, target_of
from gateway.simulate.sender import OnRetry, Pace, Sender
from gateway.simulate.tally import Outcome, Tally

__all__ = [
    "Cast",
    "Mischief",
    "OnRetry",
    "Outcome",
    "Pace",
    "Post",
    "Programme",
    "Script",
    "Sender",
    "Tally",
    "Target",
    "Troubled",
    "choose_sample",
    "choose_steps",
    "crowd",
    "read_phone",
    "target_of",
]
