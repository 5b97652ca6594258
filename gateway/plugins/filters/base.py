"""What a filter is: a question about an event, put together with `&`, `|` and `~`.

Answers come at once where they can; only a filter that asks an `async` predicate answers with an awaitable, so that
matching costs no task and no turn of the loop for everybody else.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, NoReturn

from typing_extensions import TypeVar

from gateway.events import Event
from gateway.plugins.misuse import Misuse

Answer = bool | Awaitable[bool]

E = TypeVar("E", bound=Event)
E_contra = TypeVar("E_contra", bound=Event, contravariant=True)


class Found:
    """What filters learned while they looked; of interest only if they let the event through."""

    __slots__ = ("groups",)

    def __init__(self) -> None:
        self.groups: dict[str, str] = {}

    def adopt(self, other: "Found") -> None:
        """Take over what another look learned."""
        self.groups.update(other.groups)


class Filter(Generic[E_contra]):
    """A question about events of one type or a narrower one."""

    __slots__ = ("ask", "needs", "text")

    def __init__(
        self, text: str, ask: Callable[[E_contra, Found], Answer], *, needs: tuple[type[Event], ...] = ()
    ) -> None:
        """`text` is how an author would write it; `needs` are the event types it can be asked about, all of them."""
        self.text = text
        self.ask = ask
        self.needs = needs

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


def ask_all(filters: Sequence[Filter[Any]], event: Event, found: Found) -> Answer:
    """Whether every filter lets the event through, asked in order up to the first refusal."""
    for at, each in enumerate(filters):
        answer = each.ask(event, found)
        if not isinstance(answer, bool):
            return _rest(answer, filters[at + 1 :], event, found)
        if not answer:
            return False
    return True


async def _rest(first: Awaitable[bool], filters: Sequence[Filter[Any]], event: Event, found: Found) -> bool:
    if not await first:
        return False
    answer = ask_all(filters, event, found)
    return answer if isinstance(answer, bool) else await answer


def _both(left: Filter[E], right: Filter[E]) -> Filter[E]:
    pair = (left, right)

    def ask(event: E, found: Found) -> Answer:
        return ask_all(pair, event, found)

    return Filter(f"({left!r} & {right!r})", ask, needs=left.needs + right.needs)


def _either(left: Filter[E], right: Filter[E]) -> Filter[E]:
    def ask(event: E, found: Found) -> Answer:
        mine = Found()
        answer = left.ask(event, mine)
        if not isinstance(answer, bool):
            return later(answer, event, found, mine)
        if answer:
            found.adopt(mine)
        return answer or right.ask(event, found)

    async def later(first: Awaitable[bool], event: E, found: Found, mine: Found) -> bool:
        if await first:
            found.adopt(mine)
            return True
        answer = right.ask(event, found)
        return answer if isinstance(answer, bool) else await answer

    return Filter(f"({left!r} | {right!r})", ask, needs=left.needs + right.needs)


def _opposite(inner: Filter[E]) -> Filter[E]:
    def ask(event: E, _found: Found) -> Answer:
        answer = inner.ask(event, Found())
        return not answer if isinstance(answer, bool) else later(answer)

    async def later(answer: Awaitable[bool]) -> bool:
        return not await answer

    return Filter(f"~{inner!r}", ask, needs=inner.needs)
