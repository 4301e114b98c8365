"""The smaller things of the page in a browser: ways out, and what the page does not do."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

from playwright.async_api import expect

from afterword.settings import Settings
from tests.browsing import PRICE, Site, begin


async def test_pause_stop_undo_and_withdraw_work_in_place(site: Site, visit: Callable[..., Any]):
    page = await visit(await site.link())
    await begin(page)
    await page.get_by_label("Your answer").fill(PRICE)
    await page.get_by_role("button", name="Send", exact=True).click()
    await expect(page.locator(".line-contact")).to_have_count(1)

    await page.get_by_role("button", name="Pause").click()
    await expect(page.locator("#question")).to_have_text("Paused. What you said is saved.")
    await expect(page.locator("#question")).to_be_focused()
    await page.get_by_role("button", name="Continue").click()
    await page.get_by_role("button", name="Stop").click()
    await expect(page.get_by_role("heading", name="We've stopped here")).to_be_focused()
    assert (await site.latest())["status"] == "completed"
    await page.get_by_role("button", name="That was a slip, go on").click()
    await expect(page.get_by_label("Your answer")).to_be_focused()
    await page.get_by_role("button", name="Stop").click()
    await page.get_by_text("Withdraw my answers").click()
    await page.get_by_role("button", name="Delete my answers").click()

    await expect(page.get_by_role("heading", name="Your answers are deleted")).to_be_focused()
    assert (await site.latest())["transcript"] is None


async def test_without_a_limit_nothing_is_counted(
    site: Site, visit: Callable[..., Any], configure: Callable[..., Settings]
):
    configure(port=site.running.port, survey_message_characters=0)
    page = await visit(await site.link())
    await begin(page)
    await page.get_by_label("Your answer").fill(PRICE)

    await expect(page.locator("#left")).to_be_empty()


async def test_without_a_token_the_page_asks_for_the_link(site: Site, visit: Callable[..., Any]):
    page = await visit(f"{site.url}/survey")

    await expect(page.get_by_role("heading", name="Please open your link again")).to_be_visible()


async def test_a_scanner_that_runs_scripts_starts_nothing(site: Site, visit: Callable[..., Any]):
    page = await visit(await site.link())
    requests: list[str] = []
    page.on("request", lambda request: requests.append(f"{request.method} {request.url}"))
    await page.mouse.wheel(0, 2000)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asyncio.Event().wait(), 1.5)  # long enough for anything that the page does by itself

    assert requests == []
    assert (await site.latest())["turns"] == []
