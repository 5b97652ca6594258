"""The doors of the page in a real browser: the one-time link, the token, logging out."""

from typing import TYPE_CHECKING

from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser, expect

from tests.support.chromium import NEEDS, Visit

if TYPE_CHECKING:
    from tests.web.conftest import AdminSite

pytestmark = NEEDS


async def test_the_link_logs_in_and_is_used_up(site: "AdminSite", opened: Visit) -> None:
    link = site.link
    async with opened(login=False) as page:
        await page.goto(link)
        await expect(page).to_have_url(f"{site.url}/live")
        await expect(page.locator("#link")).to_have_text("live")
    async with opened(login=False, expected="403") as stranger:
        await stranger.goto(link)
        await expect(stranger.get_by_role("alert")).to_contain_text("used already")


async def test_the_link_works_from_a_page_of_another_site(site: "AdminSite", browser: Browser) -> None:
    link = site.link

    async def elsewhere(_: web.Request) -> web.Response:
        return web.Response(
            text=f'<a id=in href="{link}">in</a> <a id=back href="{site.url}/live">back</a>', content_type="text/html"
        )

    app = web.Application()
    app.router.add_get("/", elsewhere)
    async with TestServer(app) as other, await browser.new_page() as page:
        for press in ("#in", "#back"):
            await page.goto(f"http://localhost:{other.port}/")  # for a cookie, localhost and 127.0.0.1 are two sites
            await page.click(press)
            await expect(page.locator("#link")).to_have_text("live")
            assert page.url == f"{site.url}/live"


async def test_typing_the_token_logs_in_and_the_button_out(opened: Visit, site: "AdminSite") -> None:
    async with opened(login=False, expected="403") as page:
        await page.goto(site.url)
        await page.get_by_label("Admin token").fill("wrong")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("alert")).to_have_text("That is not the token.")
        await page.get_by_label("Admin token").fill("the-admin-token-of-the-tests")
        await page.get_by_role("button", name="Log in").click()
        await expect(page.locator("#link")).to_have_text("live")
        await page.get_by_role("button", name="Log out").click()
        await expect(page.get_by_label("Admin token")).to_be_visible()
