"""What every send can be given besides its content; 2.x takes it flat, 1.x as `options`."""

from collections.abc import Sequence
from typing import TypedDict

from gateway import jid
from gateway.address import address
from gateway.evolution.call import Body, sparse
from gateway.evolution.keys import MessageKey, spell_quoted


class Options(TypedDict, total=False):
    """Options of a send."""

    delay: float
    """Seconds that the chat shows somebody typing before the message comes; the call takes that much longer."""
    quoted: MessageKey | str
    """The message it answers: its key, or its id where Evolution keeps messages."""
    mentions: Sequence[str]
    """Whom it mentions: jids, LIDs or numbers; the text has to hold `@` and the digits too."""
    mention_all: bool
    """Mention everybody in the group."""


def spell_flat(options: Options) -> Body:
    """As 2.x takes them."""
    return sparse(
        delay=_millis(options),
        quoted=_quoted(options),
        mentionsEveryOne=options.get("mention_all") or None,
        mentioned=_mentioned(options),
    )


def spell_nested(options: Options, presence: str, extra: Body) -> Body:
    """As 1.x takes them, with what the chat shows meanwhile; nothing when there are none."""
    delay = _millis(options)
    mentions = sparse(everyOne=options.get("mention_all") or None, mentioned=_mentioned(options))
    found = sparse(
        delay=delay, presence=presence if delay else None, quoted=_quoted(options), mentions=mentions or None, **extra
    )
    return {"options": found} if found else {}


def digits_or_jid(text: str) -> str:
    """A person as lists of numbers want them: digits, or the jid of a LID.

    Raises:
        ValueError: it is no address.
    """
    found = address(text)
    return jid.phone(found) or jid.bare(found)


def _millis(options: Options) -> int | None:
    return round(options.get("delay", 0) * 1000) or None


def _quoted(options: Options) -> Body | None:
    quoted = options.get("quoted")
    return spell_quoted(quoted) if quoted else None


def _mentioned(options: Options) -> list[str] | None:
    people = options.get("mentions", ())
    if isinstance(people, str):
        raise ValueError(f"mentions= takes a list of people, got the text {people!r}")  # noqa: TRY004 - one kind to catch
    return list(dict.fromkeys(map(digits_or_jid, people))) or None
