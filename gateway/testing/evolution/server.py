"""A stand-in for Evolution API that keeps what it is told, answers as the real one does, and posts webhooks back.

Whether a request is right it judges by Evolution's own rules, never by what our client sends; what was wrong is in
`complaints`, so that a test can say that nothing was.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from email.utils import formatdate
from random import Random
from typing import Final, Literal, Self

from aiohttp import web

from gateway.simulate import OnRetry, read_phone
from gateway.testing.evolution.desk import Desk, NoAnswer, Request, read_request
from gateway.testing.evolution.faults import Fault, Faults, Rule
from gateway.testing.evolution.hooks import Hooks, Inbox
from gateway.testing.evolution.instances import new_instance, opened
from gateway.testing.evolution.person import Person, change_group, new_group
from gateway.testing.evolution.place import HERE, Place
from gateway.testing.evolution.webhooks import set_webhook
from gateway.testing.evolution.world import Group, Happening, Instance, World

APIKEY: Final = "evolution-key-of-a-play"
"""The global key of a server that was given none."""
INSTANCE: Final = "shop-1"
MAX_BODY: Final = 136 * 2**20  # bytes, Evolution's own limit
_STOP_WITHIN: Final = 0.5  # seconds for answers under way


class EvolutionServer:
    """An Evolution API on 127.0.0.1 without WhatsApp. Use it with `async with`.

    It begins with one connected instance, `shop-1`, which posts to `webhook` if that is given. A person writes with
    `await server.write("+55 11 99999-0002", "ping")`; what the bot did is in `server.sent` and `server.happenings`.
    """

    def __init__(
        self,
        *,
        version: str = "2.3.6",
        port: int = 0,
        apikey: str = APIKEY,
        webhook: str | None = None,
        seed: int | None = None,
        typing_scale: float = 1.0,
        retry_scale: float = 1.0,
        hang: float | None = None,
        clock: Callable[[], float] = time.time,
        inbox: Inbox | None = None,
        on_retry: OnRetry | None = None,
        place: Place = HERE,
    ) -> None:
        """`port` 0 takes a free one.

        Args:
            version: what `GET /` says; one that begins with `1.` speaks and expects the shapes of 1.x.
            port: to listen on.
            apikey: the global key; each instance has a token of its own besides.
            webhook: where the first instance posts, by events.
            seed: of ids, and of what happens by chance; None: another one each time.
            typing_scale: multiplies the waits that calls ask for as `delay`; 0 in tests that do not look at them.
            retry_scale: multiplies the waits between attempts to post a webhook.
            hang: seconds after which a connection that gets no answer is cut; None: never.
            clock: gives unix seconds, those of its answers' Date too.
            inbox: takes the bodies of events, in place of the webhook.
            on_retry: hears of each attempt to post a webhook that failed.
            place: where it stands, as far as what it can reach goes.
        """
        self.apikey = apikey
        self.requests: list[Request] = []
        """All that came, whatever became of it."""
        random = Random(seed)  # noqa: S311 -- a play
        self.world = World(version, random, clock)
        self._hang = hang
        self._port = port
        self._faults = Faults(Random(random.random()))  # noqa: S311 -- a play
        self._hooks = Hooks(
            self.world,
            retry_scale=retry_scale,
            random=Random(random.random()),  # noqa: S311 -- a play
            inbox=inbox,
            on_retry=on_retry,
        )
        self._hooks.place = place
        self._desk = Desk(self.world, self._hooks, self._faults, apikey=apikey, typing_scale=typing_scale)
        self._stack = AsyncExitStack()
        self._ending = asyncio.Event()
        first = new_instance(self.world, INSTANCE, phone="5511988880000")
        if webhook:
            self.point(webhook, instance=first.name)

    @property
    def url(self) -> str:
        """Where it answers."""
        return self.world.url

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self._hooks)
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
        await self._stack.aclose()

    async def open(self) -> None:
        """Listen, on the same port as before."""
        self._ending.clear()
        app = web.Application(client_max_size=MAX_BODY)
        app.router.add_route("*", "/{tail:.*}", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=_STOP_WITHIN)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self.world.url = f"http://127.0.0.1:{self._port}"

    async def close(self) -> None:
        """Refuse connections from now on; what it knows stays."""
        self._ending.set()
        await self._runner.cleanup()

    def instance(self, name: str = INSTANCE) -> Instance:
        """An instance; a name nobody has yet is a new one that is connected and posts where the first one does."""
        if name not in self.world.instances:
            number = len(self.world.instances)
            made = new_instance(self.world, name, phone=f"55119888{number:05d}")
            made.webhook = next(iter(self.world.instances.values())).webhook
        return self.world.instances[name]

    def point(
        self,
        url: str,
        *,
        instance: str = INSTANCE,
        headers: Mapping[str, str] | None = None,
        by_events: bool = True,
        base64: bool = False,
    ) -> None:
        """Set an instance's webhook without a call; all events. With `base64` they bring the bytes of files along."""
        given = {"url": url, "headers": dict(headers or {}), "byEvents": by_events, "base64": base64}
        self.instance(instance).webhook = set_webhook(self.world, given)

    def person(self, phone: str, *, name: str = "", instance: str = INSTANCE, by_lid: bool = False) -> Person:
        """Somebody with this number, as people write it; without a name, called by its last digits.

        Raises:
            ValueError: no telephone number.
        """
        digits = read_phone(phone)
        return Person(
            world=self.world,
            hooks=self._hooks,
            instance=self.instance(instance),
            phone=digits,
            name=name or f"Customer {digits[-4:]}",
            by_lid=by_lid,
        )

    def group(self, subject: str, people: Sequence[Person], *, instance: str = INSTANCE) -> Group:
        """A group with the bot and these people."""
        jid = f"1203634{len(self.instance(instance).groups):011d}@g.us"
        return new_group(self.instance(instance), jid, subject, list(people), self.world.now())

    async def change_group(
        self,
        group: Group,
        action: Literal["add", "remove", "promote", "demote"],
        people: Sequence[Person],
        *,
        by: Person | None = None,
        instance: str = INSTANCE,
    ) -> None:
        """People join or leave a group, or become or cease to be admins."""
        await change_group(self._hooks, self.instance(instance), group, action, people, by=by)

    async def write(self, phone: str, text: str, *, name: str = "", instance: str = INSTANCE) -> Happening:
        """A person writes a text in the private chat; returns once the webhook was answered."""
        return await self.person(phone, name=name, instance=instance).write(text)

    def connect(self, instance: str = INSTANCE) -> None:
        """The QR code is scanned: the instance is open."""
        found = self.instance(instance)
        found.state, found.codes = "open", 0
        self._hooks.emit(found, "connection.update", opened(found))

    def disconnect(self, instance: str = INSTANCE) -> None:
        """WhatsApp is out of reach: sends fail until `connect`."""
        found = self.instance(instance)
        found.state = "connecting"
        told = {"instance": found.name, "state": "connecting", "statusReason": 408}
        self._hooks.emit(found, "connection.update", told)

    def fail(
        self, fault: Fault, calls: str = "message/*", *, times: int | None = 1, share: float = 1.0, seconds: float = 0.0
    ) -> None:
        """Have the next calls fail.

        Args:
            fault: how.
            calls: which, as `message/sendText` or a pattern of it.
            times: how many; None: all from now on.
            share: how many of those that fit, by chance; with `times=None`, `share=0.05` is 5 % of all.
            seconds: how much later a slow one is answered.
        """
        self._faults.add(Rule(fault=fault, calls=calls, times=times, share=share, seconds=seconds))

    def heal(self) -> None:
        """Forget all that `fail` ordered."""
        self._faults.clear()

    @property
    def muted(self) -> set[str]:
        """Events that are never posted; `{"send.message", "messages.update"}` leaves no echo of what is sent."""
        return self._hooks.muted

    @property
    def absent(self) -> set[str]:
        """Digits of numbers that are not on WhatsApp."""
        return self.world.absent

    def listen(self, hear: Callable[[Happening], None]) -> None:
        """Have each happening told as it comes."""
        self.world.hear = hear

    @property
    def happenings(self) -> list[Happening]:
        """All that happened in the chats, in its order."""
        return self.world.happenings

    @property
    def sent(self) -> list[Happening]:
        """The messages that left, in their order; reactions are not among them."""
        return [each for each in self.happenings if each.kind == "sent"]

    def texts(self, chat: str, *, instance: str = INSTANCE) -> list[str]:
        """The words of what left for a person or group, in their order; a number as people write it, or a jid."""
        return [each.text for each in self.transcript(chat, instance=instance) if each.kind == "sent"]

    def transcript(self, chat: str, *, instance: str = INSTANCE) -> list[Happening]:
        """All that happened in one chat, under its number as under its LID."""
        wanted = chat if "@" in chat else f"{read_phone(chat)}@s.whatsapp.net"
        return [
            each for each in self.happenings if each.instance == instance and self.world.same_chat(each.chat, wanted)
        ]

    async def settled(self) -> None:
        """Wait until no webhook is being posted."""
        await self._hooks.settled()

    @property
    def complaints(self) -> list[str]:
        """What was wrong with requests, a sentence each: keys, types and paths that the real one does not know."""
        return self._desk.complaints

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        came = await read_request(request)
        self.requests.append(came)
        try:
            status, body = await self._desk.answer(came, request.query)
        except NoAnswer as order:
            if not order.is_cut:
                await self._hold()
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        date = formatdate(self.world.now(), usegmt=True)
        return web.json_response(body, status=status, headers={"Date": date})

    async def _hold(self) -> None:
        """Keep a connection without a word, until the server closes or cuts it."""
        try:
            async with asyncio.timeout(self._hang):
                await self._ending.wait()
        except TimeoutError:
            return
