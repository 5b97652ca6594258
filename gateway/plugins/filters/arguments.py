"""What an author hands to a filter, checked where it stands: a filter that can never match is a mistake."""

from collections.abc import Collection, Sequence

from gateway.plugins.misuse import Misuse


def written(name: str, values: Sequence[object]) -> str:
    """The filter as its author writes it.

    Raises:
        Misuse: there is nothing to compare with.
    """
    text = f"{name}({', '.join(map(repr, values))})"
    if not values or "" in values:
        raise Misuse.here(f"{text} compares with nothing: give it what is not empty")
    return text


def written_of(name: str, values: Sequence[str], known: Collection[str]) -> str:
    """The same, for a filter whose values are all known.

    Raises:
        Misuse: one of them does not exist.
    """
    text = written(name, values)
    strange = [repr(value) for value in values if value not in known]
    if strange:
        raise Misuse.here(f"{text}: there is no {name} {', '.join(strange)}; there are {', '.join(known)}")
    return text
