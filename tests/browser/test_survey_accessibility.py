"""The page for everybody: axe, contrast, targets, focus, what is announced."""

import re
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from afterword import mail
from afterword.db import Db
from afterword.outreach import send_due
from afterword.settings import Settings
from tests.browsing import PRICE, SMALL, Site, barriers, begin, fits, go_on, go_to, send


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
    page = await visit(await site.link(), viewport={"width": 320, "height": 640})
    assert await page.evaluate(SMALL) == []
    await begin(page)
    await page.get_by_text("More choices").click()
    for number in range(40):
        assert await page.evaluate(SMALL) == []
        if not await go_on(page, number):
            break
    for summary in await page.locator("summary").all():
        await summary.click()
    assert await page.evaluate(SMALL) == []
    assert await fits(page)


async def states(site: Site, page: Page, db: Db) -> AsyncGenerator[str]:
    """Lead the page through every state there is, and name each."""
    yield "consent"
    await page.get_by_text("I'm not the right person").click()
    yield "not me"
    await page.get_by_role("button", name="Let Acme know").click()
    await expect(page.get_by_role("heading", name="Thank you for telling us")).to_be_visible()
    yield "wrong person"
    await page.get_by_role("button", name="I've changed my mind").click()
    await begin(page)
    yield "text"
    await page.get_by_text("More choices").click()
    await page.get_by_text("What you were told at the start").click()
    yield "more choices"
    await page.get_by_label("Your answer").fill("x" * 4001)
    await page.get_by_role("button", name="Send", exact=True).click()
    await expect(page.get_by_role("alert")).to_be_visible()
    yield "too long"
    await send(
        page,
        f"{'Donaudampfschifffahrt' * 8} https://example.com/{'a' * 200} \u05de\u05d7\u05d9\u05e8 \U0001f389",
        said=1,
    )
    yield "a long word"
    await page.get_by_label("Your answer").fill("Half a thought")
    await page.get_by_role("button", name="Pause").click()
    await expect(page.locator("[value=resume]")).to_be_visible()
    yield "paused"
    await page.get_by_role("button", name="Continue").click()
    await expect(page.get_by_label("Your answer")).to_have_value("Half a thought")
    await go_to(page, "[name=text][type=radio]")
    yield "scale"
    await go_to(page, ".answer-recap")
    yield "recap"
    await go_to(page, "[name=satisfaction]")
    yield "experience"
    await page.get_by_role("button", name="Finish").click()
    await expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    for summary in await page.locator("summary").all():
        await summary.click()
    yield "done"
    await page.get_by_role("button", name="Delete my answers").click()
    await expect(page.get_by_role("heading", name="Your answers are deleted")).to_be_visible()
    yield "withdrawn"
    await page.goto(await site.link())
    await begin(page)
    await page.get_by_role("button", name="Stop").click()
    await expect(page.get_by_role("heading", name="We've stopped here")).to_be_visible()
    yield "stopped"
    await page.goto(await site.link())
    await page.get_by_role("button", name="No thanks").click()
    await expect(page.get_by_role("heading", name="That's fine")).to_be_visible()
    yield "declined"
    await page.goto(await site.link())
    await begin(page)
    await page.context.set_offline(True)
    await send(page, PRICE)
    await expect(page.get_by_role("alert")).to_be_visible()
    yield "offline"
    await page.context.set_offline(False)
    await expect(page.locator(".line-contact")).to_have_count(1)
    await unanswered(db)
    await page.reload()
    await expect(page.locator("[data-waiting]")).to_be_visible()
    yield "waiting"
    async with db.tx() as tx:
        await tx.execute("update interviews set updated_at = now() - interval '91 days'")
    await page.reload()
    await expect(page.get_by_role("heading", name="This link has expired")).to_be_visible()
    yield "expired"
    await page.goto(f"{site.url}/survey?token=tok_unknown")
    yield "bad link"


async def unanswered(db: Db) -> None:
    """Take Paige's last reply back, as after the death of a process between answer and reply."""
    async with db.tx() as tx:
        await tx.execute(
            """
            update interviews i set turn_no = turn_no - 1, reply_due_at = now() + interval '1 hour'
            where phase = 'asking' and turn_no = 3
            """
        )
        await tx.execute(
            """
            delete from turns t using interviews i
            where i.id = t.interview_id and i.org_id = t.org_id and t.turn_no = 3 and i.turn_no = 2
            """
        )


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("width", "scheme", "forced"), [(1280, "light", "none"), (320, "dark", "none"), (390, "light", "active")]
)
async def test_axe_finds_nothing_in_any_state(
    site: Site, visit: Callable[..., Any], database_url: str, width: int, scheme: str, forced: str
):
    page = await visit(
        await site.link(),
        viewport={"width": width, "height": 700},
        color_scheme=scheme,
        forced_colors=forced,
        reduced_motion="reduce",
    )
    found: dict[str, list[str]] = {}
    seen: list[str] = []
    async with Db.open(database_url, size=2) as db:
        async for state in states(site, page, db):
            seen.append(state)
            faults = await barriers(page)
            faults += [] if await fits(page) else ["sticks out sideways"]
            faults += await page.evaluate(SMALL)
            if faults:
                found[state] = faults

    assert found == {}
    assert len(seen) == 19


async def test_axe_finds_nothing_where_a_limit_is_reached_or_nothing_else_is_there(
    site: Site, visit: Callable[..., Any], configure: Callable[..., Settings]
):
    configure(port=site.running.port, survey_messages=1, survey_unknown_tokens_per_minute=1)
    page = await visit(f"{site.url}/survey?token=tok_1", viewport={"width": 320, "height": 640}, color_scheme="dark")
    await page.goto(await site.link())
    await begin(page)
    await send(page, PRICE, said=1)
    await send(page, "One message too many.")
    await expect(page.get_by_role("alert")).to_contain_text("as much as an interview can hold")
    await expect(page.get_by_label("Your answer")).to_have_value("One message too many.")
    found = {"full": await barriers(page)}

    # as a browser without scripts would send it, with a link of nobody's
    await page.evaluate("document.querySelectorAll('[name=token]').forEach(field => field.value = 'tok_2')")
    await page.evaluate("HTMLFormElement.prototype.submit.call(document.querySelector('form[data-step]'))")
    await expect(page.get_by_role("heading", name="One moment, please")).to_be_visible()
    await expect(page.get_by_label("What you wrote")).to_have_value("One message too many.")
    found["wait"] = await barriers(page)

    assert await fits(page)
    assert found == {"full": [], "wait": []}


async def test_axe_finds_nothing_on_the_way_out_of_the_mails(
    site: Site, visit: Callable[..., Any], database_url: str, tmp_path: Path
):
    await site.link(interview_type_id=None, sequence_id=site.acme.sequence_id)
    async with Db.open(database_url, size=2) as db:
        await send_due(db, mail.CapturingMailer(tmp_path), worker_id="test")
    [sent] = tmp_path.glob("*.eml")
    way_out = re.search(r"/unsubscribe\?token=un_[\w-]{43}", sent.read_text().replace("=\n", ""))
    assert way_out is not None

    page = await visit(f"{site.url}{way_out[0]}", viewport={"width": 320, "height": 640})
    found = await barriers(page)
    for button, then in (
        ("Stop these e-mails", "You get no more of these e-mails"),
        ("That was a mistake, undo it", "These e-mails are on again"),
    ):
        await page.get_by_role("button", name=button).click()
        await expect(page.get_by_role("heading", name=then)).to_be_visible()
        found += await barriers(page)

    assert found == []
