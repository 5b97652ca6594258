"""How large a run is: whole, or as short as a test has time for."""

import msgspec


class Scale(msgspec.Struct, frozen=True, kw_only=True):
    """Sizes of everything; a value is a size of the whole run unless `SHORT` says less."""

    turns: int = 5
    """How often each server has its turn; ratios are medians over them."""
    seconds: float = 4.0
    """One server's turn."""
    latency_turns: int = 10
    """The same where latency is measured: as long in all, but in more turns."""
    goal_turns: int = 40
    """The same at the rate that has a goal: a p99 of few turns is that of the machine's worst moment in them."""
    latency_seconds: float = 2.0
    connections: tuple[int, ...] = (16, 256, 1_024)
    """Beside 64."""
    sizes: tuple[int, ...] = (700, 2_048, 65_536, 2**20)
    """Bytes of body."""
    history: int = 1_000_000
    """Events in the journal that has some; chats in the one that has many."""
    history_turns: int = 10
    """As `turns`, with that journal: in the first its keys are learned, in each second one more are sorted in."""
    plugins: tuple[int, ...] = (1, 8, 32)
    viewers: int = 50
    rates: tuple[int, ...] = (100, 500, 1_000)
    """Events a second."""
    waiting: int = 20_000
    """Deliveries that wait while memory is measured."""
    starts: int = 7
    big: int = 100 * 10**6
    """Bytes of the largest body."""
    rounds: int = 10
    """How often what a processor does is timed; the quickest counts, as the one least disturbed by other processes."""


WHOLE = Scale()
SHORT = Scale(
    turns=1,
    seconds=1.0,
    latency_turns=1,
    goal_turns=1,
    latency_seconds=1.0,
    connections=(16,),
    sizes=(2_048,),
    history=2_000,
    history_turns=1,
    plugins=(1, 2),
    viewers=2,
    rates=(50,),
    waiting=200,
    starts=1,
    big=10**6,
    rounds=1,
)
