"""Break a real gateway, over and over, at full size, and look whether it kept its promises.

`make torture` runs it. The short forms of the same faults are in `tests/`, and so are the checkers used here.
"""
