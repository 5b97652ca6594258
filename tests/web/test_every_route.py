"""What holds for each route there is, those added tomorrow included: login, Host, Origin, headers."""

import re

import pytest

from gateway.web.admin import ROUTES
from gateway.web.entry import OPEN
from gateway.web.security import CONTENT_POLICY
from tests.web.conftest import AdminSite

PARTS = {"id": "1", "name": "shop-1"}


def routes() -> list[tuple[str, str]]:
    """Each route as a request could ask for it."""
    return [(one.method, re.sub(r"\{(\w+)[^}]*\}+", lambda found: PARTS[found[1]], one.path)) for one in ROUTES]


CLOSED = [(method, path) for method, path in routes() if path not in OPEN]
CHANGES = [(method, path) for method, path in routes() if method not in {"GET", "HEAD"}]


@pytest.mark.parametrize(("method", "path"), CLOSED)
async def test_it_is_closed_without_login(site: AdminSite, method: str, path: str) -> None:
    assert (await site.ask(path, method=method, token=None)).status == 401
    assert (await site.ask(path, method=method, token="wrong")).status == 401


@pytest.mark.parametrize(("method", "path"), CLOSED)
async def test_another_host_is_refused(site: AdminSite, method: str, path: str) -> None:
    answer = await site.ask(path, method=method, Host="rebound.example")

    assert answer.status == 403
    assert "Host" in answer.json["detail"]


@pytest.mark.parametrize(("method", "path"), CHANGES)
async def test_a_change_from_another_site_is_refused(site: AdminSite, method: str, path: str) -> None:
    answers = [
        await site.ask(path, method=method, Origin="https://evil.example"),
        await site.ask(path, method=method, Origin="null"),
        await site.ask(path, method=method, Sec_Fetch_Site="same-site"),
    ]

    assert [answer.status for answer in answers] == [403, 403, 403]
    assert all("Origin" in answer.json["detail"] for answer in answers)
    assert not (site.folder / "journal.db").exists()


@pytest.mark.parametrize(("method", "path"), [route for route in routes() if route[1] != "/live/stream"])
async def test_its_answer_lets_nothing_in_from_elsewhere_and_is_kept_nowhere(
    site: AdminSite, method: str, path: str
) -> None:
    answer = await site.ask(path, method=method)

    assert answer.headers["Content-Security-Policy"] == CONTENT_POLICY
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert "Server" not in answer.headers
