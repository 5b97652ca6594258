"""Take one message to its end: sent, refused, expired, or unknown and not sent a second time.

A row says `sending`, on disk, before its request leaves. If the answer stays out, Evolution's echo and its own record
of the chat tell what became of it; only what was looked for and is not there is sent again.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from itertools import count
from typing import Final

import msgspec

from gateway.evolution import EvolutionError, EvolutionUnsure
from gateway.log import Line as LogLine
from gateway.log import log
from gateway.plugins.outgoing import REPEATABLE
from gateway.redact import shorten_phone
from gateway.work import Message
from gateway.work.outbox import Sent
from gateway.worker.outbox.calls import Calls, Unsendable
from gateway.worker.outbox.evidence import Evidence, Finding
from gateway.worker.outbox.line import Line
from gateway.worker.outbox.notes import End, Notes
from gateway.worker.outbox.waiting import Tempo, Waiting, nth

_DIED: Final = "the worker died while it was being sent"
_TOO_OLD: Final = Finding("unreadable", why="an older gateway did not note when it was sent")


class Courier:
    """Takes messages to their ends, any number at once."""

    def __init__(
        self,
        *,
        calls: Calls,
        evidence: Evidence,
        waiting: Waiting,
        notes: Notes,
        changed: Callable[[Sequence[int]], None],
        expire: float,
        settle: float,
        tempo: Tempo,
    ) -> None:
        self._calls = calls
        self._evidence = evidence
        self._waiting = waiting
        self._notes = notes
        self._changed = changed
        self._expire = expire
        self._settle = settle
        self._tempo = tempo
        self._leaving = 0
        self._idle = asyncio.Event()

    async def until_idle(self) -> None:
        """Return once no request is under way."""
        while self._leaving:
            self._idle.clear()
            await self._idle.wait()

    async def close(self) -> None:
        """Close the connections."""
        await self._calls.close()

    async def deliver(self, message: Message, line: Line) -> None:
        """Return once the message is settled.

        Raises:
            Closed: the outbox is closing; the row says how far it came.
        """
        if (why := self._calls.refusal(message)) is not None:
            self._give_up(message, why)
            return
        if message.status == "sending" and await self._is_settled(message, _DIED, since=message.began):
            return
        until = message.created + self._expire
        while True:
            async with line.turn(message.chat, until) as in_time:
                if not in_time:
                    self._expired(message, line)
                    return
                message = await self._begin(message, line)
                error = await self._try(message, line)
            if error is None:
                return
            if not error.may_have_left:
                await self._put_back(message, line, error)
            elif await self._is_found_out(message, str(error)):
                return
            if message.kind in REPEATABLE or not (error.may_have_left or error.is_about_instance):
                # Else the line has waited, or the search for the message has.
                await line.pause(min(self._waiting.now() + nth(self._tempo.fault, message.attempts - 1), until))

    async def _begin(self, message: Message, line: Line) -> Message:
        """Show somebody typing, then note on disk that the request leaves."""
        seconds = line.typing(message.kind, str(message.payload.get("text") or message.payload.get("caption") or ""))
        if seconds:
            await self._calls.show_typing(message, seconds)
        attempts, now = message.attempts + 1, self._waiting.now()
        message = msgspec.structs.replace(message, status="sending", attempts=attempts, began=now)
        await self._notes.write(Sent(id=message.id, status="sending", attempts=attempts, began=now))
        return message

    async def _try(self, message: Message, line: Line) -> EvolutionError | None:
        """One request. None: the message is settled; else why it is not."""
        self._leaving += 1
        try:
            message_id = await self._calls.perform(message)
        except (Unsendable, ValueError) as error:
            self._give_up(message, str(error))
        except EvolutionError as error:
            if error.may_have_left or error.passing:
                return error
            line.works()
            self._give_up(message, str(error))
        except Exception as error:  # noqa: BLE001 -- what nobody thought of: it may have left, and its chat must go on
            log.error("message_failed", **_names(message), exc_info=True)
            return EvolutionUnsure(f"{type(error).__name__} {error}")
        else:
            line.works()
            self._sent(message, message_id)
        finally:
            self._leaving -= 1
            self._idle.set()
        return None

    async def _put_back(self, message: Message, line: Line, error: EvolutionError) -> None:
        """It has certainly not left: wait until the instance sends again, or until the server may do better."""
        if error.is_about_instance:
            wait = line.fails(str(error), too_much=error.is_too_much)
        else:
            wait = nth(self._tempo.fault, message.attempts - 1)
        due = self._waiting.now() + wait
        await self._notes.write(
            Sent(id=message.id, status="queued", attempts=message.attempts, due=due, error=str(error))
        )
        log.warning("message_not_sent", **_names(message), attempt=message.attempts, again_in=wait, error=str(error))
        self._changed([message.seq])

    async def _is_found_out(self, message: Message, error: str) -> bool:
        """As `_is_settled`, and people are told. Evolution may still be at work on it: the time counts from now on."""
        if message.kind in REPEATABLE:
            return False
        log.warning("message_unsure", **_names(message), error=error)
        note = f"No answer ({error}); looking whether it left."
        await self._notes.write(Sent(id=message.id, status="sending", attempts=message.attempts, error=note))
        self._changed([message.seq])
        return await self._is_settled(message, error, since=self._waiting.now())

    async def _is_settled(self, message: Message, error: str, *, since: float | None) -> bool:
        """Wait for evidence; False when it may be sent again, since it did not leave or does no harm twice."""
        if message.kind in REPEATABLE:
            return False
        finding = await self._find(message, since) if since is not None else _TOO_OLD
        if finding.fate == "found":
            self._sent(message, finding.message_id)
        elif finding.fate == "unreadable":
            text = f"Unknown whether it left: {error}; no echo of it came, and {finding.why}."
            self._finish(
                message, Sent(id=message.id, status="dead", attempts=message.attempts, error=text, unsure=True)
            )
        else:
            log.info("message_did_not_leave", **_names(message), attempt=message.attempts)
        return finding.fate != "absent"

    async def _find(self, message: Message, since: float) -> Finding:
        """Look until it is found, or the time since then is up in which it could still turn up."""
        at = since + self._settle
        for number in count():
            is_last = self._waiting.now() >= at
            try:
                finding = await self._evidence.look(message)
            except sqlite3.Error as error:
                finding = Finding("unreadable", why=f"the gateway's own files can't be read ({error})")
            if is_last or finding.fate == "found":
                return finding
            await self._waiting.until_past(min(self._waiting.now() + nth(self._tempo.looks, number), at))
        raise AssertionError

    def _sent(self, message: Message, message_id: str | None) -> None:
        self._finish(message, Sent(id=message.id, status="sent", attempts=message.attempts, message_id=message_id))

    def _give_up(self, message: Message, error: str) -> None:
        self._finish(message, Sent(id=message.id, status="dead", attempts=message.attempts, error=error))

    def _expired(self, message: Message, line: Line) -> None:
        line.expired += 1
        text = f"It could not leave within {self._expire:g} s (outbox.expire)."
        self._give_up(message, f"{text} {line.reason}".rstrip())

    def _finish(self, message: Message, change: Sent) -> None:
        """Its chat goes on at once: the next message's note can't be on disk before this one."""
        told = {**_about(message), "attempt": message.attempts}
        if change.status == "sent":
            line = LogLine("info", "message_sent", told, message.seq)
        else:
            line = LogLine("error", "message_dead", {**told, "error": change.error}, message.seq)
        self._notes.add(msgspec.structs.replace(change, finished=self._waiting.now()), End(message.seq, line))


def _names(message: Message) -> dict[str, str]:
    return {**_about(message), "id": str(message.seq)}


def _about(message: Message) -> dict[str, str]:
    return {"plugin": message.plugin, "instance": message.instance, "person": shorten_phone(message.target)}
