"""Takes a request in: finds its call, holds it against Evolution's rules, fails as ordered, and answers."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote

import msgspec
from aiohttp import web

from gateway.testing.evolution import chats, groups, instances, messages, records, refusals, shapes, webhooks
from gateway.testing.evolution.call import Answer, Call, Endpoint
from gateway.testing.evolution.faults import Fault, Faults, Rule, refused
from gateway.testing.evolution.hooks import Hooks
from gateway.testing.evolution.instances import UNNAMED
from gateway.testing.evolution.refusals import Refused
from gateway.testing.evolution.world import Instance, World

ENDPOINTS: Final[Mapping[str, Endpoint]] = {
    each.name: each for part in (messages, chats, records, groups, instances, webhooks) for each in part.ENDPOINTS
}
_GROUP_PROBLEMS: Final = "group/"  # these calls list objects where others list texts


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One request that came, whatever became of it."""

    method: str
    path: str
    """With the query, as it was on the wire."""
    apikey: str | None
    body: Any
    """As JSON; of a multipart form its fields."""
    file: bytes | None = None
    """What a multipart form carried."""


class NoAnswer(Exception):
    """The connection stays open, or is cut, without a word."""

    def __init__(self, *, is_cut: bool) -> None:
        super().__init__()
        self.is_cut = is_cut


class Desk:
    """Answers requests; `complaints` has a sentence for each thing that was wrong with one."""

    def __init__(self, world: World, hooks: Hooks, faults: Faults, *, apikey: str, typing_scale: float) -> None:
        self.complaints: list[str] = []
        self._world = world
        self._hooks = hooks
        self._faults = faults
        self._apikey = apikey
        self._typing_scale = typing_scale

    async def answer(self, request: Request, query: Mapping[str, str]) -> Answer:
        """What the real one would answer.

        Raises:
            NoAnswer: it was ordered to give none.
        """
        path = request.path.partition("?")[0]
        try:
            if path == "/":
                return 200, self._welcome()
            name, instance_name = _split(path)
            return await self._call(request, name, instance_name, query)
        except Refused as refused_:
            return refused_.status, refused_.body

    async def _call(self, request: Request, name: str, instance_name: str, query: Mapping[str, str]) -> Answer:
        endpoint = ENDPOINTS.get(name)
        if endpoint is None or endpoint.verb(is_old=self._world.is_old) != request.method:
            self._complain(request, "there is no such call")
            raise refusals.no_route(request.method, request.path)
        call = self._read(request, endpoint, instance_name, query)
        rule = self._faults.draw(name)
        if rule and (wanted := refused(rule.fault, instance_name, str(call.body.get("number", "")))):
            raise wanted
        if rule and not rule.fault.is_after:
            raise NoAnswer(is_cut=rule.fault is Fault.RESET)
        await self._wait(call)
        answer = endpoint.answer(call)
        await self._fail_after(rule)
        return answer

    def _read(self, request: Request, endpoint: Endpoint, instance_name: str, query: Mapping[str, str]) -> Call:
        instance = self._admit(request, endpoint, instance_name)
        is_old = self._world.is_old
        raw = request.body if request.body is not None else {}
        check = endpoint.check(is_old=is_old)
        if check is None:
            if raw:
                self._complain(request, "it takes no body")
            merged = dict(query)
        else:
            merged = {**query, **raw} if isinstance(raw, dict) else raw
            self._check(request, endpoint, shapes.problems(check, merged))
        body = endpoint.flat(merged) if is_old and endpoint.flat else merged
        return Call(
            world=self._world,
            emit=self._hooks.emit,
            name=endpoint.name,
            body=body,
            raw=raw if isinstance(raw, dict) else {},
            named=instance,
            file=request.file,
        )

    def _admit(self, request: Request, endpoint: Endpoint, name: str) -> Instance | None:
        """The instance, for whoever has its token or the global key."""
        if endpoint.name in UNNAMED:
            if request.apikey != self._apikey:
                raise refusals.unauthorized()
            return None
        instance = self._world.instances.get(name)
        if request.apikey != self._apikey and not (instance and request.apikey == instance.token):
            raise refusals.unauthorized()
        if instance is None:
            raise refusals.no_instance(name)
        return instance

    def _check(self, request: Request, endpoint: Endpoint, found: list[shapes.Problem]) -> None:
        for each in found:
            self._complain(request, each.text if not each.says else f"{each.where}: {each.says}")
        fatal = [each for each in found if not each.ignored]
        if not fatal:
            return
        if endpoint.name.startswith(_GROUP_PROBLEMS):
            listed = [{"property": each.where.replace("instance.", ""), "message": each.words} for each in fatal]
            raise refusals.invalid(listed)
        raise refusals.invalid([each.text for each in fatal])

    async def _wait(self, call: Call) -> None:
        """The time the account seems to be typing: the call is held up by it."""
        delay = call.body.get("delay") or call.body.get("options", {}).get("delay") or 0
        if call.name == "chat/sendPresence":
            chats.note_presence(call)
        elif delay:
            chats.note_typing(call, "recording" if call.name == "message/sendWhatsAppAudio" else "composing")
        if delay and self._typing_scale:
            await asyncio.sleep(delay / 1000 * self._typing_scale)

    async def _fail_after(self, rule: Rule | None) -> None:
        if rule is None:
            return
        if rule.fault is Fault.SLOW:
            await asyncio.sleep(rule.seconds)
        else:
            raise NoAnswer(is_cut=rule.fault is Fault.RESET_AFTER)

    def _welcome(self) -> dict[str, Any]:
        return {
            "status": 200,
            "message": "Welcome to the Evolution API, it is working!",
            "version": self._world.version,
            **({} if self._world.is_old else {"clientName": "evolution_exchange"}),
            "manager": f"{self._world.url}/manager",
            "documentation": "https://doc.evolution-api.com",
            **({} if self._world.is_old else {"whatsappWebVersion": "2.3000.1027934701"}),
        }

    def _complain(self, request: Request, words: str) -> None:
        self.complaints.append(f"{request.method} {request.path}: {words}")


def _split(path: str) -> tuple[str, str]:
    """`message/sendText` and the instance's name, which may have encoded slashes."""
    parts = path.strip("/").split("/")
    return "/".join(parts[:2]), unquote("/".join(parts[2:]))


async def read_request(request: web.Request) -> Request:
    """What came, however it was written."""
    body: Any = None
    file: bytes | None = None
    if request.content_type.startswith("multipart/"):
        form = await request.post()
        uploads = [each for each in form.values() if isinstance(each, web.FileField)]
        file = uploads[0].file.read() if uploads else None
        body = {name: value for name, value in form.items() if isinstance(value, str)}
    elif raw := await request.read():
        try:
            body = json.loads(raw)
        except ValueError:
            body = raw.decode(errors="replace")
    return Request(
        method=request.method, path=request.raw_path, apikey=request.headers.get("apikey"), body=body, file=file
    )
