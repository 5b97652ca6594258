"""The words of `gateway simulate`'s options, read: an event, a telephone number, a header, a URL, what goes wrong."""

import difflib
from collections.abc import Mapping
from urllib.parse import urlsplit

import click

from gateway import names, samples
from gateway.simulate import Mischief, choose_steps, read_phone
from gateway.simulate.mischief import SHARE
from gateway.simulate.programme import ALL, CONVERSATION
from gateway.simulate.request import Headers

WORDS = (ALL, CONVERSATION)


def read_event(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    """A word that means something to play."""
    try:
        choose_steps(value)
    except KeyError:
        known = [*WORDS, *names.EVENTS, *samples.names()]
        close = [one for one in known if value in one][:3] or difflib.get_close_matches(value, known, cutoff=0.4)
        hint = f"; did you mean {' or '.join(close)}?" if close else ""
        raise click.BadParameter(f"{value!r} is neither an event nor a sample{hint}") from None
    return value


def read_number(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    """A telephone number's digits."""
    try:
        return read_phone(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def read_headers(_ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> Headers:
    """Headers as pairs."""
    pairs = [value.partition(":") for value in values]
    for (name, colon, text), value in zip(pairs, values, strict=True):
        if not colon or not name.strip() or {"\r", "\n"} & set(name + text):
            raise click.BadParameter(f"{value!r}: write NAME:VALUE")
    return tuple((name.strip(), text.strip()) for name, _, text in pairs)


def read_url(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    """A whole URL."""
    if value is not None and (urlsplit(value).scheme not in {"http", "https"} or not urlsplit(value).hostname):
        raise click.BadParameter(f"{value!r}: write it out, such as http://127.0.0.1:8085/webhook")
    return value


def read_faults(_ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> Mapping[Mischief, float]:
    """What goes wrong, and with which share of the events."""
    return dict(_fault(value) for value in values)


def _fault(value: str) -> tuple[Mischief, float]:
    name, equals, share = value.partition("=")
    try:
        kind = Mischief(name)
    except ValueError:
        raise click.BadParameter(f"{name!r} is none of {', '.join(each.value for each in Mischief)}") from None
    try:
        part = float(share) if equals else SHARE
    except ValueError:
        part = -1.0
    if not 0 <= part <= 1:
        raise click.BadParameter(f"{value!r}: write a share from 0 to 1, such as {name}=0.2")
    return kind, part
