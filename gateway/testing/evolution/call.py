"""One call of the REST API on its way through the fake: what was asked, and who can be told of it."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from gateway.testing.evolution.hooks import Emit
from gateway.testing.evolution.refusals import refusal
from gateway.testing.evolution.shapes import Check
from gateway.testing.evolution.world import Instance, World, create_jid

Answer = tuple[int, object]
"""Status and JSON value."""


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A request that was understood."""

    world: World
    emit: Emit
    name: str
    """`message/sendText`."""
    body: dict[str, Any]
    """In the flat form of 2.x, whatever the version; the query is merged in."""
    raw: Mapping[str, Any]
    """As it came."""
    named: Instance | None = None
    """Whom the path names."""
    file: bytes | None = None
    """What a multipart body carried."""

    @property
    def instance(self) -> Instance:
        """Whom the path names, for calls whose path always does."""
        if self.named is None:
            raise refusal(404, [f"Cannot POST /{self.name}"])
        return self.named

    def jid_of(self, number: str) -> str:
        """The chat that a `number` means: a person that is known under it, else the jid Evolution makes of it."""
        made = create_jid(number)
        return self.instance.numbers.get(made, made)

    def is_on_whatsapp(self, jid: str) -> bool:
        """Whether a message to it could arrive."""
        return (self.world.phone_of(jid) or "") not in self.world.absent


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One call that is served."""

    name: str
    """Group and action: `message/sendText`."""
    method: str
    answer: Callable[[Call], Answer]
    body: Check | None = None
    """None: it takes none."""
    old_method: str | None = "same"
    """The verb of 1.x; None where it has no such call."""
    old_body: Check | None = None
    """None: the same."""
    flat: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    """Makes a 1.x body one of 2.x."""

    def verb(self, *, is_old: bool) -> str | None:
        """What a request must begin with; None: there is no such call."""
        return self.old_method if is_old and self.old_method != "same" else self.method

    def check(self, *, is_old: bool) -> Check | None:
        """What a body is held against."""
        return (self.old_body or self.body) if is_old else self.body
