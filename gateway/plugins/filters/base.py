"""What a filter is: a question about an event, put together with `&`, `|` and `~`.

Answers come at once where they can; only a filter that asks an `async` predicate answers with an awaitable, so that
matching costs no task and no turn of the loop for everybody else.
"""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, Final, Generic, Literal, NoReturn

import msgspec
from typing_extensions import TypeVar

from gateway.events import Event, MessageEvent, Participant
from gateway.plugins.misuse import Misuse
from gateway.plugins.state import Memory, Nothing

Answer = bool | Awaitable[bool]
AskMembers = Callable[[str, str], Awaitable[Sequence[Participant]]]
"""The members of a group, by instance and jid."""
Rule = Literal["", "&", "|", "~"]
EMPTY: Final = Memory(plugin="", instance=None, chats=(), people=(), source=Nothing())
"""What is remembered where nothing is."""

E = TypeVar("E", bound=Event)
E_contra = TypeVar("E_contra", bound=Event, contravariant=True)


V = TypeVar("V")
V_co = TypeVar("V_co", covariant=True)


async def know_nobody(_instance: str, _group: str) -> Sequence[Participant]:
    """The members of every group where nobody can be asked: none."""
    return ()


class Look(msgspec.Struct, eq=False):
    """One look at one event: what filters may ask besides the event itself, and what they learned while they looked.

    What they learned is of interest only if they let the event through.
    """

    recall: Callable[[], Memory] = lambda: EMPTY
    """What the plugin remembers of the event's sender and chat."""
    members: AskMembers = know_nobody
    """Who is in which group."""
    groups: dict[str, str] = {}
    """Named groups of a `regex`, and a `command`'s `args`."""
    values: "dict[Filter[Any], Any]" = {}
    """What captures have read."""

    @property
    def memory(self) -> Memory:
        """What the plugin remembers, as it stands before the handler."""
        return self.recall()

    def apart(self) -> "Look":
        """Another look at the same event, whose findings are its own until they are adopted."""
        return Look(self.recall, self.members)

    def adopt(self, other: "Look") -> None:
        """Take over what another look learned."""
        self.groups.update(other.groups)
        self.values.update(other.values)


class Filter(Generic[E_contra]):
    """A question about events of one type or a narrower one."""

    __slots__ = ("ask", "needs", "parts", "rule", "text")

    def __init__(
        self,
        text: str,
        ask: Callable[[E_contra, Look], Answer],
        *,
        needs: tuple[type[Event], ...] = (),
        rule: Rule = "",
        parts: "tuple[Filter[Any], ...]" = (),
    ) -> None:
        """`text` is how an author would write it; `needs` are the event types it can be asked about, all of them.

        A composed filter says of which `parts`, and by which `rule`.
        """
        self.text = text
        self.ask = ask
        self.needs = needs
        self.rule = rule
        self.parts = parts

    def __and__(self: "Filter[E]", other: "Filter[E]", /) -> "Filter[E]":
        return _both(self, require(other))

    def __rand__(self: "Filter[E]", other: "Filter[E]", /) -> "Filter[E]":
        return _both(require(other), self)

    def __or__(self: "Filter[E]", other: "Filter[E]", /) -> "Filter[E]":
        return _either(self, require(other))

    def __ror__(self: "Filter[E]", other: "Filter[E]", /) -> "Filter[E]":
        return _either(require(other), self)

    def __invert__(self) -> "Filter[E_contra]":
        return _opposite(self)

    def __bool__(self) -> NoReturn:
        raise Misuse.here(f"{self!r} has no truth before an event: write & for and, | for or, ~ for not")

    def __repr__(self) -> str:
        return self.text

    def leaves(self) -> "Iterator[Filter[Any]]":
        """The filters that it is put together of; itself where it is of none."""
        for part in self.parts:
            yield from part.leaves()
        if not self.parts:
            yield self


class Capture(Filter[MessageEvent], Generic[V_co]):
    """A filter that also reads a value, for `ctx.captured`."""

    __slots__ = ()

    def __init__(self, text: str, read: Callable[[MessageEvent, Look], V_co | None]) -> None:
        """`read` gives the value, or None where the filter lets nothing through."""

        def ask(event: MessageEvent, look: Look) -> bool:
            value = read(event, look)
            if value is not None:
                look.values[self] = value
            return value is not None

        super().__init__(text, ask, needs=(MessageEvent,))


def require(value: object) -> Filter[Any]:
    """A filter as it is.

    Raises:
        Misuse: it is something else; most often a filter whose brackets were forgotten.
    """
    if isinstance(value, Filter):
        return value
    name = getattr(value, "__name__", None)
    if name and getattr(value, "__module__", "").startswith(__package__):
        raise Misuse.here(f"the filter {name} is not called: write {name}(...)")
    hint = f"; a predicate is written check({name})" if callable(value) and name else ""
    raise Misuse.here(f"expected a filter, got {value!r}{hint}")


def ask_all(filters: Sequence[Filter[Any]], event: Event, look: Look) -> Answer:
    """Whether every filter lets the event through, asked in order up to the first refusal."""
    others = iter(filters)
    for each in others:
        answer = each.ask(event, look)
        if answer is False:
            return False
        if answer is not True:
            return _rest(answer, tuple(others), event, look)
    return True


async def _rest(first: Awaitable[bool], filters: Sequence[Filter[Any]], event: Event, look: Look) -> bool:
    if not await first:
        return False
    answer = ask_all(filters, event, look)
    return answer if isinstance(answer, bool) else await answer


def _both(left: Filter[E], right: Filter[E]) -> Filter[E]:
    pair = (left, right)

    def ask(event: E, look: Look) -> Answer:
        return ask_all(pair, event, look)

    return Filter(f"({left!r} & {right!r})", ask, needs=left.needs + right.needs, rule="&", parts=pair)


def _either(left: Filter[E], right: Filter[E]) -> Filter[E]:
    def ask(event: E, look: Look) -> Answer:
        mine = look.apart()
        answer = left.ask(event, mine)
        if not isinstance(answer, bool):
            return later(answer, event, look, mine)
        if answer:
            look.adopt(mine)
        return answer or right.ask(event, look)

    async def later(first: Awaitable[bool], event: E, look: Look, mine: Look) -> bool:
        if await first:
            look.adopt(mine)
            return True
        answer = right.ask(event, look)
        return answer if isinstance(answer, bool) else await answer

    return Filter(f"({left!r} | {right!r})", ask, needs=left.needs + right.needs, rule="|", parts=(left, right))


def _opposite(inner: Filter[E]) -> Filter[E]:
    def ask(event: E, look: Look) -> Answer:
        answer = inner.ask(event, look.apart())
        return not answer if isinstance(answer, bool) else later(answer)

    async def later(answer: Awaitable[bool]) -> bool:
        return not await answer

    return Filter(f"~{inner!r}", ask, needs=inner.needs, rule="~", parts=(inner,))
