"""The contact's page in a real Chromium: by keyboard, reloaded, offline, narrow, dark, and without scripts."""

import asyncio
import contextlib
import os
import re
import shutil
import socket
import threading
from collections.abc import AsyncGenerator, Callable, Generator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import uvicorn
from playwright.async_api import Browser, BrowserContext, Page, Route, async_playwright, expect

from afterword import app, settings
from afterword.db import Db
from afterword.interviews import conversation
from tests.conftest import Tenant, make_tenant

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
# Chromium must talk to nobody but the page under test.
QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PRICE = "The price was too high, and Globex had the better integration with our warehouse, as the pilot in May showed."

if CHROMIUM is None and os.environ.get("CI") != "true":
    pytest.skip("no Chromium here: sudo apt-get install -y chromium", allow_module_level=True)


@dataclass
class Site:
    """The application behind a real socket, and who uses it."""

    url: str
    acme: Tenant

    async def link(self) -> str:
        """A fresh interview's survey_url."""
        answer = await self.acme.api.post(
            "/interviews",
            {"contact_email": "jane@x.example", "contact_name": "Jane Smith", "interview_type_id": self.acme.type_id},
        )
        return answer.json()["survey_url"]

    async def latest(self) -> dict[str, Any]:
        """The interview as the company sees it."""
        return (await self.acme.api.get("/interviews/1")).json()


@pytest.fixture
def server(database_url: str, configure: Callable[..., settings.Settings]) -> Generator[str]:
    """The application on a free port, in a thread with an event loop of its own."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    door = app.create_app(configure(port=port), database_url)
    server = uvicorn.Server(uvicorn.Config(door, log_level="warning", ws="none", lifespan="on"))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(timeout=30)
    listener.close()


@pytest.fixture
async def site(server: str, database_url: str) -> AsyncGenerator[Site]:
    """Acme with the application."""
    async with Db.open(database_url, size=2) as db, httpx.AsyncClient(base_url=server, timeout=30) as client:
        yield Site(server, await make_tenant(db, client, "Acme"))


@pytest.fixture(scope="session")
async def browser() -> AsyncGenerator[Browser]:
    """One Chromium for all tests."""
    assert CHROMIUM, "CI must have a Chromium"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        await browser.close()


@pytest.fixture
async def visit(browser: Browser, site: Site) -> AsyncGenerator[Callable[..., Any]]:
    """`await visit(link, viewport=…)` opens the link in a window of its own.

    Fails on anything in the console and on any foreign request.
    """
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def watch(page: Page) -> None:
        page.on(
            "console", lambda message: faults.append(message.text) if message.type in {"error", "warning"} else None
        )
        page.on("pageerror", lambda error: faults.append(str(error)))

    async def open_(link: str, **options: Any) -> Page:
        context = await browser.new_context(**options)
        context.set_default_timeout(15_000)
        contexts.append(context)
        context.on("page", watch)
        context.on(
            "request",
            lambda request: (
                None
                if request.url.startswith((site.url, "data:"))
                else faults.append(f"foreign request: {request.url}")
            ),
        )
        page = await context.new_page()
        await page.goto(link)
        return page

    yield open_
    for context in contexts:
        await context.close()
    # Chromium itself notes each lost connection and each refusal: some of these tests are about them
    assert [
        fault for fault in faults if "net::ERR_" not in fault and "status of 503" not in fault and "413" not in fault
    ] == []


async def begin(page: Page) -> None:
    """Agree, and wait for the first question."""
    await page.get_by_role("button", name="Start the interview").click()
    await expect(page.get_by_label("Your answer")).to_be_visible()


async def go_on(page: Page, number: int) -> bool:
    """Whatever is asked, answer it with the mouse; False at the end."""
    answer, chips = page.get_by_label("Your answer"), page.get_by_role("group", name="Choose one")
    turn = await page.locator("input[name=turn]").first.get_attribute("value")
    if await page.get_by_role("heading", name="Thank you").count():
        return False
    if await answer.count():
        await answer.fill(f"In week {number} we compared {number + 3} points of both offers. {PRICE}")
        await page.get_by_role("button", name="Send", exact=True).click()
    elif await chips.count():
        await page.locator("label.chip").nth(1).click()
        await page.get_by_role("button", name="Send", exact=True).click()
    elif await page.get_by_role("button", name="That's right").count():
        await page.get_by_role("button", name="That's right").click()
    else:
        await page.locator("label.chip").nth(5).click()
        await page.get_by_role("button", name="Finish").click()
    await expect(page.locator("input[name=turn]").first).not_to_have_value(turn or "")
    return True


async def fits(page: Page) -> bool:
    """Whether nothing sticks out sideways."""
    return await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("scripts", [True, False])
async def test_the_whole_interview_by_mouse_at_320_pixels(site: Site, visit: Callable[..., Any], scripts: bool):
    link = await site.link()
    page = await visit(link, viewport={"width": 320, "height": 640}, java_script_enabled=scripts)
    assert await page.title() == "Tell Acme how it went, in your own words – Paige, AI interviewer for Acme"
    await begin(page)

    for number in range(40):
        # without scripts the page itself cannot be asked; its layout is the same
        assert not scripts or await fits(page)
        if not await go_on(page, number):
            break

    await expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert page.url == (f"{site.url}/survey" if scripts else link)
    done = await site.latest()
    assert done["status"] == "completed"
    assert done["transcript"]["content"].count("**Jane Smith:** In week 0 ") == 1


async def test_the_whole_interview_by_keyboard(site: Site, visit: Callable[..., Any]):
    page = await visit(await site.link())
    focused = page.locator("*:focus")
    await page.keyboard.press("Tab")
    await expect(focused).to_have_text("Skip to the content")
    await page.keyboard.press("Tab")
    await expect(focused).to_have_text("Start the interview")
    await page.keyboard.press("Enter")

    for number in range(40):
        await expect(page.locator("form[aria-busy=true]")).to_have_count(0)
        if await page.get_by_role("heading", name="Thank you").count():
            break
        turn = await page.locator("input[name=turn]").first.get_attribute("value")
        if await page.get_by_label("Your answer").count():
            await expect(page.get_by_label("Your answer")).to_be_focused()
            await page.keyboard.type(f"In week {number} we compared {number + 3} points. {PRICE}")
            await page.keyboard.press("Control+Enter")
        elif await page.get_by_role("button", name="That's right").count():
            await page.keyboard.press("Tab")
            await page.keyboard.press("Enter")
        else:
            await expect(page.locator("#question")).to_be_focused()
            await page.keyboard.press("Tab")
            await page.keyboard.press("Space")
            await expect(focused).to_be_checked()
            await page.keyboard.press("Enter")
        if number == 0:
            await expect(page.locator("#question")).to_be_visible()
        await expect(page.locator("input[name=turn]").first).not_to_have_value(turn or "")

    await expect(page.get_by_role("heading", name="Thank you")).to_be_focused()
    assert (await site.latest())["status"] == "completed"


async def test_the_token_leaves_the_address_bar_and_a_reload_goes_on(site: Site, visit: Callable[..., Any]):
    page = await visit(await site.link())
    assert page.url == f"{site.url}/survey"
    await begin(page)
    await page.get_by_label("Your answer").fill("Half a thou")

    await page.reload()

    await expect(page.get_by_label("Your answer")).to_have_value("Half a thou")
    assert await page.title() == "Your interview for Acme – Paige, AI interviewer for Acme"
    assert await page.context.cookies() == []
    await page.get_by_label("Your answer").fill(PRICE)
    await page.get_by_role("button", name="Send", exact=True).click()
    await expect(page.locator(".line-contact")).to_have_count(1)
    await expect(page.get_by_label("Your answer")).to_have_value("")
    await page.reload()
    await expect(page.locator(".line-contact")).to_have_text(re.compile("The price was too high"))
    await expect(page.get_by_label("Your answer")).to_have_value("")


async def test_a_break_keeps_what_was_half_typed(site: Site, visit: Callable[..., Any]):
    page = await visit(await site.link())
    await begin(page)
    await page.get_by_label("Your answer").fill("Half a thou")
    await page.get_by_role("button", name="Pause", exact=True).click()
    await page.get_by_role("button", name="Continue", exact=True).click()

    await expect(page.get_by_label("Your answer")).to_have_value("Half a thou")
    await page.get_by_label("Your answer").fill(PRICE)
    await page.get_by_role("button", name="Send", exact=True).click()
    await expect(page.get_by_label("Your answer")).to_have_value("")


async def test_without_a_token_the_page_asks_for_the_link(site: Site, visit: Callable[..., Any]):
    page = await visit(f"{site.url}/survey")

    await expect(page.get_by_role("heading", name="Please open your link again")).to_be_visible()


async def test_a_new_question_is_announced_and_the_text_box_has_the_focus(site: Site, visit: Callable[..., Any]):
    page = await visit(await site.link())
    await begin(page)
    await page.get_by_label("Your answer").fill(PRICE)
    await page.get_by_role("button", name="Send", exact=True).click()
    await expect(page.locator(".line-contact")).to_have_count(1)

    question = (await page.locator("#question").inner_text()).split()
    assert (await page.locator("#announce").inner_text()).split() == question
    await expect(page.get_by_label("Your answer")).to_be_focused()
    await expect(page.locator("#question")).to_be_in_viewport()


async def test_a_second_tab_is_told_and_keeps_its_text(site: Site, visit: Callable[..., Any]):
    link = await site.link()
    first = await visit(link)
    await begin(first)
    second = await visit(link)
    await second.get_by_label("Your answer").fill("Typed in the second tab.")
    await first.get_by_label("Your answer").fill(PRICE)
    await first.get_by_role("button", name="Send", exact=True).click()
    await expect(first.locator(".line-contact")).to_have_count(1)

    await second.get_by_role("button", name="Send", exact=True).click()

    await expect(second.get_by_role("alert")).to_contain_text("moved on")
    await expect(second.get_by_role("alert")).to_be_focused()
    await expect(second.locator(".line-contact")).to_have_count(1)
    await expect(second.get_by_label("Your answer")).to_have_value("Typed in the second tab.")
    await second.get_by_role("button", name="Send", exact=True).click()
    await expect(second.locator(".line-contact")).to_have_count(2)


async def test_a_double_click_sends_once(site: Site, visit: Callable[..., Any]):
    page = await visit(await site.link())
    await begin(page)
    await page.get_by_label("Your answer").fill(PRICE)

    await page.get_by_role("button", name="Send", exact=True).dblclick()

    await expect(page.locator("input[name=turn]").first).to_have_value("3")
    assert len((await site.latest())["turns"]) == 3


async def test_an_answer_typed_offline_goes_out_when_the_connection_is_back(site: Site, visit: Callable[..., Any]):
    page = await visit(await site.link())
    await begin(page)
    await page.context.set_offline(True)
    await page.get_by_label("Your answer").fill(PRICE)
    await page.get_by_role("button", name="Send", exact=True).click()
    await expect(page.get_by_role("alert")).to_contain_text("What you wrote is kept here")
    await expect(page.get_by_role("button", name="Try again")).to_be_visible()
    await expect(page.get_by_label("Your answer")).to_have_value(PRICE)

    await page.context.set_offline(False)

    await expect(page.locator(".line-contact")).to_have_count(1)
    await expect(page.get_by_role("alert")).to_have_count(0)


@pytest.mark.parametrize("cut", ["lost", "half", "unavailable"])
async def test_a_reply_that_is_lost_is_fetched_again_and_the_answer_is_stored_once(
    site: Site, visit: Callable[..., Any], cut: str
):
    page = await visit(await site.link())
    await begin(page)
    tries = 0

    async def lose_the_first(route: Route) -> None:
        nonlocal tries
        tries += 1
        if tries > 1 or route.request.method != "POST":
            await route.continue_()
        elif cut == "unavailable":
            await route.fulfill(status=503, content_type="text/html", body="<h1>away</h1>")
        else:
            answer = await route.fetch()
            if cut == "lost":
                await route.abort("connectionreset")
            else:
                await route.fulfill(response=answer, body='{"typing": true}\n{"html": "')

    await page.route("**/survey", lose_the_first)
    await page.get_by_label("Your answer").fill(PRICE)
    await page.get_by_role("button", name="Send", exact=True).click()

    await expect(page.locator(".line-contact")).to_have_count(1)
    await expect(page.get_by_label("Your answer")).to_have_value("")
    said = [turn for turn in (await site.latest())["turns"] if turn["role"] == "contact"]
    assert [turn["text"] for turn in said] == [PRICE]
    assert tries > 1


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


async def test_a_reply_that_somebody_else_finishes_appears_by_itself(
    site: Site, visit: Callable[..., Any], database_url: str
):
    link = await site.link()
    page = await visit(link)
    await begin(page)
    async with Db.open(database_url, size=2) as db:
        async with db.tx() as tx:  # as after the death of the process between answer and reply
            await tx.execute(
                """
                insert into turns (org_id, interview_id, turn_no, role, action, text, client_id)
                select org_id, id, 2, 'contact', 'answer', %s, 'c' from interviews
                """,
                [PRICE],
            )
            await tx.execute("update interviews set turn_no = 2, reply_due_at = now()")
        await page.reload()
        await expect(page.get_by_text("Your answer is saved. Paige is replying…")).to_be_visible()

        assert await conversation.finish_replies(db) == 1

    await expect(page.get_by_label("Your answer")).to_be_visible()
    await expect(page.locator(".line-contact")).to_have_count(1)


async def test_a_refusal_without_a_page_is_shown_in_place_and_not_repeated(site: Site, visit: Callable[..., Any]):
    page = await visit(await site.link())
    await begin(page)
    posts: list[str] = []
    page.on("request", lambda request: posts.append(request.method))
    await page.get_by_label("Your answer").fill("x" * 300_000)
    await page.get_by_role("button", name="Send", exact=True).click()

    await expect(page.get_by_role("alert")).to_contain_text("at most 256 KiB")
    await page.get_by_label("Your answer").fill(PRICE)
    await page.get_by_role("button", name="Send", exact=True).click()
    await expect(page.locator(".line-contact")).to_have_count(1)
    assert posts == ["POST", "POST"]


async def test_the_page_follows_the_dark_mode_with_readable_contrast(site: Site, visit: Callable[..., Any]):
    contrast = """() => {
      const channel = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
      const light = c => { const [r, g, b] = c.match(/[\\d.]+/g).map(Number);
        return 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b); };
      const behind = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
        if (!/, 0\\)$/.test(c) && c !== "transparent") return c; } };
      const worst = [];
      for (const e of document.querySelectorAll("body *")) {
        if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
        if (e.tagName === "SCRIPT" || e.closest(".visually-hidden, .skip-link") || !e.checkVisibility()) continue;
        const [a, b] = [light(getComputedStyle(e).color), light(behind(e))].sort((x, y) => y - x);
        worst.push([(a + 0.05) / (b + 0.05), e.className + ": " + e.textContent.trim().slice(0, 40)]);
      }
      return worst.filter(([ratio]) => ratio < 4.5);
    }"""
    backgrounds = set()
    for scheme in ("light", "dark"):
        page = await visit(await site.link(), color_scheme=scheme, reduced_motion="reduce")
        assert await page.evaluate(contrast) == []
        await begin(page)
        assert await page.evaluate(contrast) == []
        await page.get_by_label("Your answer").fill(" ")
        await page.get_by_role("button", name="Send", exact=True).click()
        await expect(page.get_by_role("alert")).to_contain_text("empty")
        assert await page.evaluate(contrast) == []
        backgrounds.add(await page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert len(backgrounds) == 2


async def test_everything_one_can_press_is_large_enough_and_has_a_name(site: Site, visit: Callable[..., Any]):
    small = """() => [...document.querySelectorAll("main button, main summary, main textarea, main .chip")]
      .filter(e => e.checkVisibility())
      .map(e => [e.getBoundingClientRect(), e.textContent.trim() || e.labels?.[0]?.textContent])
      .filter(([box, name]) => box.height < 44 || box.width < 44 || !name)
      .map(([box, name]) => `${name}: ${box.width} x ${box.height}`)"""
    page = await visit(await site.link(), viewport={"width": 320, "height": 640})
    assert await page.evaluate(small) == []
    await begin(page)
    await page.get_by_text("More choices").click()
    for number in range(40):
        assert await page.evaluate(small) == []
        if not await go_on(page, number):
            break
    for summary in await page.locator("summary").all():
        await summary.click()
    assert await page.evaluate(small) == []
    assert await fits(page)


async def test_a_scanner_that_runs_scripts_starts_nothing(site: Site, visit: Callable[..., Any]):
    page = await visit(await site.link())
    requests: list[str] = []
    page.on("request", lambda request: requests.append(f"{request.method} {request.url}"))
    await page.mouse.wheel(0, 2000)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asyncio.Event().wait(), 1.5)  # long enough for anything that the page does by itself

    assert requests == []
    assert (await site.latest())["turns"] == []
