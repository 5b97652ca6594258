"""How a worker's process ends: of its own, so that the receiver, which reads it, need not load what a worker needs."""

from typing import Final

EXIT_FAILED: Final = 1
EXIT_UNUSABLE: Final = 3
"""The plugins can't be loaded, on a gateway that has never run: better not to begin."""
EXIT_STUCK: Final = 4
"""A handler could be stopped by nothing; another worker goes on without it."""
EXIT_OUTGROWN: Final = 5
"""It held more memory than `worker.memory`; another worker goes on."""
