"""A chat on a terminal: what the bot does, as a person sees it on the phone, above the line that is being typed."""

import contextlib
import re
import sys
import threading
from asyncio import AbstractEventLoop, Queue
from collections.abc import Iterator, Mapping
from typing import Any, Final

import click

from gateway import jid
from gateway.redact import printable
from gateway.testing import Happening
from gateway.testing.evolution.content import MEDIA, offers

try:
    from readline import get_line_buffer as typed_so_far
except ImportError:  # a Python built without it

    def typed_so_far() -> str:
        """What is being typed is then not shown again below what comes."""
        return ""


ME: Final = "you"
BOT: Final = "bot"
_CLEAR: Final = "\r\x1b[2K"
_UP: Final = "\x1b[1A"
_KIB: Final = 1024
_ESCAPE: Final = re.compile(r"\x1b\[[0-9;]*m")


class Screen:
    """Prints what comes; on a terminal above the line being typed, which stays."""

    def __init__(self, *, is_terminal: bool) -> None:
        self.is_terminal = is_terminal
        self._lock = threading.Lock()
        self._shows_typing = False
        self._prompt = ""

    def say(self, line: str) -> None:
        """Print a line."""
        with self._lock:
            self._clear()
            self._shows_typing = False
            click.echo(line)
            self._draw()

    def warn(self, line: str) -> None:
        """Say that something is amiss; where the output is no terminal it goes aside."""
        if self.is_terminal:
            self.say(click.style(line, fg="yellow"))
        else:
            click.secho(line, fg="yellow", err=True)

    def typing(self) -> None:
        """Somebody types: shown until something comes."""
        with self._lock:
            if self.is_terminal and not self._shows_typing:
                self._clear()
                click.echo(_line(BOT, click.style("typing…", dim=True)))
                self._shows_typing = True
                self._draw()

    def read(self) -> str | None:
        """The next line typed; None at the end."""
        if not self.is_terminal:
            line = sys.stdin.readline()
            return line.rstrip("\n") if line else None
        self._prompt = _line(ME, "")
        try:
            line = input(_ESCAPE.sub(_aside, self._prompt))
        except EOFError:
            return None
        with self._lock:
            self._shows_typing = False
        return line

    def _clear(self) -> None:
        if self.is_terminal:
            click.echo(_CLEAR + (_UP + _CLEAR if self._shows_typing else ""), nl=False)

    def _draw(self) -> None:
        if self.is_terminal:
            click.echo(self._prompt + typed_so_far(), nl=False)


def _aside(escape: re.Match[str]) -> str:
    """Tell readline that a colour takes no room."""
    return f"\x01{escape[0]}\x02"


@contextlib.contextmanager
def kept_terminal() -> Iterator[None]:
    """Leave the terminal as it was, even where a line was being typed."""
    if not sys.stdin.isatty():
        yield
        return
    import termios  # noqa: PLC0415 -- not on every system

    before = termios.tcgetattr(sys.stdin)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSANOW, before)


def read_lines(screen: Screen, loop: AbstractEventLoop) -> "Queue[str | None]":
    """What is typed, line by line, then None. Read in a thread, for a terminal can't be waited for."""
    queue: Queue[str | None] = Queue()

    def read() -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            while True:
                line = screen.read()
                loop.call_soon_threadsafe(queue.put_nowait, line)
                if line is None:
                    return

    threading.Thread(target=read, daemon=True).start()
    return queue


def lines_of(happening: Happening, chat: str, known: Mapping[str, Happening]) -> Iterator[str]:
    """How a chat shows what the bot did; `known` has what it may be about, by id, `chat` is whose this window is."""
    where = "" if happening.chat == chat else click.style(f"→ {printable(_address(happening.chat))}  ", dim=True)
    for at, line in enumerate(_body(happening, known)):
        yield _line(BOT if at == 0 else "", (where if at == 0 else "") + line)


def _address(chat: str) -> str:
    phone = jid.phone(chat)
    return f"+{phone}" if phone else chat


def mine(text: str) -> str:
    """What the person wrote, as the chat shows it."""
    return _line(ME, printable(text))


def _line(who: str, text: str) -> str:
    return f"  {click.style(f'{who:<4}', fg='cyan' if who == BOT else None, dim=who == ME)} {text}"


def _body(happening: Happening, known: Mapping[str, Happening]) -> Iterator[str]:
    match happening.kind:
        case "reacted":
            target = happening.data["message"]["reactionMessage"]["key"]["id"]
            what = f"reacts {happening.text}" if happening.text else "takes a reaction back"
            yield f"{what}{_about(known.get(target))}"
        case "edited":
            yield f"{printable(happening.text)} {click.style('edited', dim=True)}"
        case "deleted":
            yield click.style(f"deleted{_about(known.get(happening.id))}", dim=True)
        case _:
            yield from _message(happening, known)


def _message(happening: Happening, known: Mapping[str, Happening]) -> Iterator[str]:
    context = happening.data.get("contextInfo") or {}
    if "stanzaId" in context:
        yield click.style(f"▏{_words(known.get(context['stanzaId']))}", dim=True)
    label = _label(happening)
    first, *more = printable_lines(happening.text) or [""]
    yield " ".join(filter(None, (label, first)))
    yield from more
    yield from (click.style(f"[{each}]", fg="blue") for each in choices(happening))


def _label(happening: Happening) -> str:
    """What a message is that has more than words."""
    if happening.shape == "text":
        return ""
    if happening.shape not in MEDIA:
        return click.style(f"({happening.shape})", dim=True)
    block: Mapping[str, Any] = next(
        part for name, part in happening.data["message"].items() if name.endswith("Message")
    )
    name = f" {printable(str(block['fileName']))}" if block.get("fileName") else ""
    return click.style(f"({happening.shape}{name}, {_size(block['fileLength'])})", fg="magenta")


def _size(length: Mapping[str, int] | str) -> str:
    number = int(length) if isinstance(length, str) else length["low"]
    return f"{number} bytes" if number < _KIB else f"{number / _KIB:,.0f} KiB"


def choices(happening: Happening) -> list[str]:
    """The labels that a message offers: of buttons, rows, or a poll's options."""
    return list(offers(happening.shape, happening.data["message"]).values())


def _about(happening: Happening | None) -> str:
    return f' "{_words(happening)}"' if happening else ""


def _words(happening: Happening | None) -> str:
    return printable(happening.text or happening.shape)[:40] if happening else "an earlier message"


def printable_lines(text: str) -> list[str]:
    """A text's lines, none of which can steer a terminal."""
    return [printable(line) for line in text.split("\n")]
