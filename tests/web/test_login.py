"""Who gets in, who doesn't, and what a door says."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gateway.config import Admin, Config, Secret
from gateway.errors import ConfigError
from gateway.web.login import CODE_SECONDS, FAILURES, FAILURES_IN_ALL, SESSION_SECONDS, Logins, Throttle, admin_token

if TYPE_CHECKING:
    from tests.web.conftest import AdminSite

CLOSED = ["/live/stream", "/api/events", "/api/events/1", "/api/dead", "/metrics", "/nothing", "/api/nothing"]


@pytest.mark.parametrize("path", CLOSED)
async def test_every_route_is_closed_without_login(site: "AdminSite", path: str) -> None:
    answer = await site.ask(path, token=None)

    assert answer.status == 401
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_a_wrong_token_is_refused_and_the_right_one_lets_in(site: "AdminSite") -> None:
    assert (await site.ask("/api/events", token="wrong")).status == 401
    assert (await site.ask("/api/events")).status == 200


@pytest.mark.parametrize("header", ["Basic eDp5", "Bearer", "Bearer ", "bearer\twrong", "Bearer ação"])
async def test_odd_authorization_headers_are_refused(site: "AdminSite", header: str) -> None:
    assert (await site.ask("/api/events", token=None, Authorization=header)).status == 401


async def test_health_asks_nobody(site: "AdminSite") -> None:
    ready = await site.ask("/health/ready", token=None, Host="10.1.2.3:8086")
    site.status["ready"] = False
    stopped = await site.ask("/health/ready", token=None)

    assert (ready.status, ready.json) == (200, {"status": "ready"})
    assert (stopped.status, stopped.json["detail"]) == (503, "not ready")
    assert (await site.ask("/health/live", token=None)).json == {"status": "live"}


async def test_a_link_logs_in_once(site: "AdminSite") -> None:
    path = f"/live?code={site.logins.new_code()}"
    first = await site.ask(path, token=None)
    cookie = first.headers["Set-Cookie"]
    second = await site.ask(path, token=None)

    assert first.status == 200
    assert {"HttpOnly", "SameSite=Strict", "Path=/", f"Max-Age={SESSION_SECONDS}"} <= set(re.split("; *", cookie))
    assert (await site.ask("/live", token=None, Cookie=cookie.partition(";")[0])).text.count("live.js") == 1
    assert second.status == 403
    assert "used already or is older than ten minutes" in second.text
    assert "Set-Cookie" not in second.headers


async def test_a_link_is_dead_after_ten_minutes(site: "AdminSite") -> None:
    code = site.logins.new_code()
    site.now += CODE_SECONDS

    assert (await site.ask(f"/live?code={code}", token=None)).status == 403


async def test_a_used_link_takes_one_who_is_in_to_the_page(site: "AdminSite") -> None:
    answer = await site.ask("/live?code=used", token=None, Cookie=site.cookie)

    assert (answer.status, answer.headers["Location"]) == (302, "/live")


async def test_a_link_followed_by_one_who_is_in_is_used_up_too(site: "AdminSite") -> None:
    code = site.logins.new_code()

    await site.ask(f"/live?code={code}", token=None, Cookie=site.cookie)

    assert not site.logins.redeem(code)


async def test_a_strict_cookie_kept_back_by_a_link_elsewhere_is_asked_for_again_from_here(site: "AdminSite") -> None:
    answer = await site.ask("/live", token=None, Sec_Fetch_Site="cross-site")

    assert answer.status == 200
    assert 'content="0; url=/live"' in answer.text


async def test_a_code_in_the_address_can_not_write_html(site: "AdminSite") -> None:
    answer = await site.ask('/live?code="><script>1</script>', token=None, Sec_Fetch_Site="cross-site")

    assert "<script" not in answer.text


async def test_typing_the_token_logs_in(site: "AdminSite") -> None:
    wrong = await site.ask("/login", method="POST", token=None, data={"token": "wrong"})
    right = await site.ask("/login", method="POST", token=None, data={"token": " the-admin-token-of-the-tests "})

    assert (wrong.status, "That is not the token." in wrong.text) == (403, True)
    assert (right.status, right.headers["Location"]) == (303, "/live")
    assert site.logins.is_session(right.headers["Set-Cookie"].partition(";")[0].partition("=")[2])


async def test_logging_out_takes_the_cookie_away(site: "AdminSite") -> None:
    answer = await site.ask("/logout", method="POST", token=None, Cookie=site.cookie)

    assert "Max-Age=0" in answer.headers["Set-Cookie"]


async def test_a_link_can_be_asked_for_with_the_token(site: "AdminSite") -> None:
    made = await site.ask("/api/login-link", method="POST")

    assert made.status == 201
    assert made.json["expires_in"] == CODE_SECONDS
    assert made.json["url"] == site.url + made.json["path"]
    assert "Set-Cookie" in (await site.ask(made.json["path"], token=None)).headers
    assert (await site.ask("/api/login-link", method="POST", token=None)).status == 401


async def test_five_wrong_tokens_a_minute_then_even_the_right_one_waits(site: "AdminSite") -> None:
    tried = [(await site.ask("/api/events", token=f"wrong-{n}")).status for n in range(FAILURES)]
    blocked = await site.ask("/api/events")
    typed = await site.ask("/login", method="POST", token=None, data={"token": "x"})
    by_cookie = await site.ask("/api/events", token=None, Cookie=site.cookie)
    link = await site.ask(f"/live?code={site.logins.new_code()}", token=None)
    wrong_link = await site.ask("/live?code=wrong", token=None)
    site.now += 61

    assert tried == [401] * FAILURES
    assert (blocked.status, 0 < int(blocked.headers["Retry-After"]) <= 60) == (429, True)
    assert (typed.status, "Retry-After" in typed.headers) == (429, True)
    assert (by_cookie.status, link.status, wrong_link.status) == (200, 200, 429)
    assert (await site.ask("/api/events")).status == 200


def test_guessing_from_many_addresses_is_bounded_too() -> None:
    now = 1000.0
    throttle = Throttle(lambda: now)
    for number in range(FAILURES_IN_ALL):
        throttle.failed(f"10.0.{number}.1")
    assert throttle.wait("10.9.9.9") == 60

    now += 61

    assert throttle.wait("10.9.9.9") == 0


def test_sessions_outlive_a_restart_and_end_with_the_token() -> None:
    now = 1_000_000.0
    session = Logins(Secret("one"), lambda: now).new_session()

    assert Logins(Secret("one"), lambda: now).is_session(session)
    assert not Logins(Secret("two"), lambda: now).is_session(session)
    assert not Logins(Secret("one"), lambda: now + SESSION_SECONDS + 1).is_session(session)


@pytest.mark.parametrize("change", ["", ".", "x", "9999999999", "9999999999.aa.bb", "é.é", "9" * 5000 + ".x"])
def test_a_made_up_session_is_none(change: str) -> None:
    assert not Logins(Secret("one")).is_session(change)


def test_a_session_can_not_be_prolonged() -> None:
    logins = Logins(Secret("one"))
    until, rest = logins.new_session().split(".", 1)

    assert not logins.is_session(f"{int(until) + 1}.{rest}")


def test_the_token_is_made_once_and_kept_from_others(tmp_path: Path) -> None:
    config = Config(data=tmp_path)

    made = admin_token(config)

    assert len(made.reveal()) >= 43
    assert (tmp_path / "admin.token").stat().st_mode & 0o777 == 0o600
    assert admin_token(config) == made
    assert admin_token(Config(data=tmp_path, admin=Admin(token=Secret("mine")))) == Secret("mine")


def test_an_empty_token_file_is_an_error_and_not_an_open_door(tmp_path: Path) -> None:
    (tmp_path / "admin.token").write_text(" \n")

    with pytest.raises(ConfigError, match="is empty"):
        admin_token(Config(data=tmp_path))


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "[::1", "localhost@evil.example:80"])
async def test_a_strange_host_is_refused_even_with_the_token(site: "AdminSite", host: str) -> None:
    answer = await site.ask("/api/events", Host=host)

    assert answer.status == 403
    assert "admin.allowed_hosts" in answer.json["detail"]


@pytest.mark.parametrize("host", ["127.0.0.1", "LOCALHOST:99", "localhost.", "[::1]:8086", "gateway.example:443"])
async def test_own_and_configured_hosts_are_allowed(site: "AdminSite", host: str) -> None:
    assert (await site.ask("/api/events", Host=host)).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
)
async def test_a_change_asked_for_by_another_site_is_refused(site: "AdminSite", headers: dict[str, str]) -> None:
    for path in ("/login", "/logout", "/api/login-link"):
        answer = await site.ask(path, method="POST", data={"token": "the-admin-token-of-the-tests"}, **headers)

        assert answer.status == 403
        assert "Set-Cookie" not in answer.headers


async def test_a_change_asked_for_by_the_page_is_allowed(site: "AdminSite") -> None:
    answer = await site.ask("/api/login-link", method="POST", Origin=site.url, Sec_Fetch_Site="same-origin")

    assert answer.status == 201


@pytest.mark.parametrize("path", ["/live", "/api/events", "/nothing", "/static/live.js", "/health/live", "/login"])
async def test_every_answer_carries_the_headers(site: "AdminSite", path: str) -> None:
    answer = await site.ask(path, Origin="http://evil.example")

    assert answer.headers["Content-Security-Policy"].startswith(
        "default-src 'none'; script-src 'self'; style-src 'self'"
    )
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == ("no-cache" if "static" in path else "no-store")
    assert answer.headers["Referrer-Policy"] in {"no-referrer", "same-origin"}
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]
