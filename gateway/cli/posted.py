"""What `gateway simulate` says in the end: to a person, to a program, and by its exit code."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import click

from gateway import names, samples
from gateway.cli.output import columns
from gateway.cli.output import count as counted
from gateway.errors import GatewayError
from gateway.redact import Redactor, printable, redact_url, shorten_phone
from gateway.simulate import Tally, Target
from gateway.simulate.request import origin

_HINTS: Final = {
    401: "It asks for a credential: run this where its config.yaml is, or add --config, --header or --jwt-key.",
    404: "Nothing takes webhooks there: check the URL, and webhook.base_path in config.yaml.",
    413: "The body is larger than webhook.max_body.",
    503: "It can't take events just now; Evolution would keep them and come again (--retry).",
}


def shown_url(url: str, target: Target, known: Sequence[str]) -> str:
    """A URL without what is secret in it."""
    hidden = [*known, *(value for _, value in target.headers), target.jwt_key]
    return Redactor(hidden).text(redact_url(url))


def lines(view: Mapping[str, Any], tally: Tally, phone: str) -> Iterator[str]:
    """The summary for a person."""
    rate = f" ({tally.sent / view['seconds']:,.0f} a second)" if tally.sent > 1 and view["seconds"] else ""
    known = names.EVENTS.get(view["event"])
    what = f"{known.name} event" if known else "event"
    who = f" from {shorten_phone(phone)}" if known and known.family == "message" and view["chats"] == 1 else ""
    yield ""
    yield f"  Sent {counted(tally.sent, what)}{who} to {view['url']}{rate}"
    parts = [_part("accepted", tally.accepted, "green"), _part("duplicates", tally.duplicates, "bright_black")]
    parts += [_part("refused", tally.refused.total(), "red"), _part("retried", tally.retried, "yellow")]
    parts += [_part("spoilt", tally.spoilt, "bright_black")] if tally.spoilt else []
    parts += [_part("unanswered", tally.unanswered, "red")] if tally.unanswered else []
    parts += [_part("lost", tally.lost, "red")] if tally.lost else []
    yield f"  {'   '.join(parts)}"
    if view["faults"]:
        yield "  faults    " + "   ".join(f"{name} {number:,}" for name, number in view["faults"].items())
    if tally.latency():
        yield "  latency   " + "   ".join(f"{name} {value:,.1f} ms" for name, value in tally.latency().items())
    if tally.sent == 1 and tally.last and tally.last.id:
        yield f"  See it:   gateway events {printable(tally.last.id)}"
    yield ""


def _part(name: str, number: int, colour: str) -> str:
    return click.style(f"{name} {number:,}", fg=colour if number else None, dim=not number)


def end(tally: Tally, target: Target) -> None:
    """Leave with 0 if all arrived; else say what to do.

    Raises:
        GatewayError: something did not.
    """
    bad = tally.first_bad
    if bad is None:
        return
    if bad.status is None:
        raise GatewayError(
            f"nothing answers at {origin(target.url)} ({bad.detail}). Is the gateway running? "
            "Start it with  gateway serve"
        )
    if bad.is_lost:
        raise GatewayError(
            f"{origin(target.url)} redirects, and Evolution follows without the body: give the final URL"
        )
    if bad.expected is not None:
        raise GatewayError(f"{origin(target.url)} answered {bad.status} to a body that was cut off, not {bad.expected}")
    detail = f": {printable(bad.detail)}" if bad.detail else ""
    raise GatewayError(
        " ".join([f"{origin(target.url)} answered {bad.status}{detail}.", _HINTS.get(bad.status, "")]).strip()
    )


def catalogue() -> list[dict[str, object]]:
    """Every event with its samples."""
    return [
        {"event": event.name, "since": event.since, "samples": list(samples.for_event(event.name))}
        for event in names.EVENTS.values()
    ]


def catalogue_lines() -> Iterator[str]:
    """The same for a person: an event, the version it is sent since, its samples."""
    for event in names.EVENTS.values():
        since = "never sent" if event.since == "never" else f"since {event.since}"
        yield f"  {click.style(event.name, bold=True)}  {click.style(since, dim=True)}"
        yield from columns([[each] for each in samples.for_event(event.name)], indent=6)
