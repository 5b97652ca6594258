"""The doors of the page's listener: login form, one-time link, logout, and the check on every other route.

A route is closed unless it stands in `OPEN`.
"""

import math
from typing import Final

import aiohttp_jinja2
from aiohttp import web
from aiohttp.typedefs import Handler

from gateway.log import log
from gateway.web.login import CODE_SECONDS, SESSION_SECONDS, Logins
from gateway.web.problems import problem
from gateway.web.security import STATIC

LOGINS: Final = web.AppKey("logins", Logins)

OPEN: Final = frozenset({"/", "/live", "/login", "/logout", "/health/live", "/health/ready"})
"""Paths without the check; `/live` asks by itself, with a form."""
PAGE_HEADERS: Final = {"Referrer-Policy": "same-origin"}
"""With `no-referrer` a browser sends `Origin: null` from the page's own forms."""

_STALE: Final = "This link was used already or is older than ten minutes. Run “gateway login” for a new one."
_WRONG: Final = "That is not the token."


@web.middleware
async def require_login(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let nobody past without a session or the token."""
    if request.path in OPEN or request.path.startswith(STATIC) or has_session(request):
        return await handler(request)
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return problem(401, "log in at /live, or send Authorization: Bearer TOKEN", WWW_Authenticate="Bearer")
    if wait := wait_of(request):
        return problem(429, "too many wrong tokens", Retry_After=str(wait))
    if not check_token(request, token.strip()):
        return problem(401, "wrong token", WWW_Authenticate='Bearer error="invalid_token"')
    return await handler(request)


def has_session(request: web.Request) -> bool:
    """Whether the request carries a good cookie."""
    logins = request.app[LOGINS]
    return logins.is_session(request.cookies.get(logins.cookie, ""))


def wait_of(request: web.Request) -> int:
    """Whole seconds this address must wait before it may try a token; 0 when it may."""
    return math.ceil(request.app[LOGINS].throttle.wait(request.remote or ""))


def check_token(request: web.Request, token: str) -> bool:
    """Whether the token is right; a wrong one is counted."""
    if request.app[LOGINS].is_token(token):
        return True
    _count_failure(request)
    return False


async def enter(request: web.Request) -> web.StreamResponse:
    """GET /live without a session: a one-time link, or the form."""
    code = request.query.get("code")
    if code is not None and request.app[LOGINS].redeem(code):
        return _logged_in(request, await _render(request, "enter.html", {"to": "/live"}))
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        # A SameSite=Strict cookie is kept back from a link on another site. Coming from here, it will be sent.
        return await _render(request, "enter.html", {"to": request.path_qs})
    if code is None:
        return await form(request)
    if wait := wait_of(request):
        return await _wait_form(request, wait)
    _count_failure(request)
    return await form(request, _STALE, 403)


async def post_login(request: web.Request) -> web.StreamResponse:
    """POST /login: the token typed in."""
    if wait := wait_of(request):
        return await _wait_form(request, wait)
    token = (await request.post()).get("token", "")
    if not check_token(request, token.strip() if isinstance(token, str) else ""):
        return await form(request, _WRONG, 403)
    return _logged_in(request, _to_live())


async def post_logout(request: web.Request) -> web.StreamResponse:
    """POST /logout: forget the cookie."""
    answer = _to_live()
    answer.del_cookie(request.app[LOGINS].cookie, path="/", httponly=True, samesite="Strict")
    return answer


async def post_link(request: web.Request) -> web.Response:
    """POST /api/login-link: a one-time link, for `gateway login`."""
    path = f"/live?code={request.app[LOGINS].new_code()}"
    url = f"{request.scheme}://{request.host}{path}"
    return web.json_response({"path": path, "url": url, "expires_in": int(CODE_SECONDS)}, status=201)


async def form(request: web.Request, note: str = "", status: int = 200) -> web.Response:
    """The login form, with what went wrong."""
    return await _render(request, "login.html", {"note": note}, status)


async def _wait_form(request: web.Request, wait: int) -> web.Response:
    answer = await form(request, f"Too many wrong tries. Wait {wait} seconds.", 429)
    answer.headers["Retry-After"] = str(wait)
    return answer


def _to_live() -> web.Response:
    return web.Response(status=303, headers={"Location": "/live"})


async def _render(request: web.Request, name: str, context: dict[str, str], status: int = 200) -> web.Response:
    answer = aiohttp_jinja2.render_template(name, request, context, status=status)
    answer.headers.update(PAGE_HEADERS)
    return answer


def _logged_in(request: web.Request, answer: web.Response) -> web.Response:
    logins = request.app[LOGINS]
    answer.set_cookie(
        logins.cookie,
        logins.new_session(),
        max_age=SESSION_SECONDS,
        path="/",
        httponly=True,
        samesite="Strict",
        secure=request.secure,
    )
    log.info("logged_in", address=request.remote)
    return answer


def _count_failure(request: web.Request) -> None:
    request.app[LOGINS].throttle.failed(request.remote or "")
    log.warning("login_failed", address=request.remote)
