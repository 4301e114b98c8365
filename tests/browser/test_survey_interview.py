"""The whole interview in a browser: by mouse, by keyboard, without scripts, narrow."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.async_api import expect

from tests.browsing import PRICE, Site, begin, fits, go_on, go_to


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
    for name in ("English", "Deutsch", "Start the interview"):
        await page.keyboard.press("Tab")
        await expect(focused).to_have_text(name)
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


async def test_the_short_version_is_begun_with_its_own_button(site: Site, visit: Callable[..., Any]):
    page = await visit(await site.link())
    await begin(page, "Short version, about 3 minutes")

    for number in range(40):
        if not await go_on(page, number):
            break

    await expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert (await site.latest())["status"] == "completed"


@pytest.mark.parametrize("scripts", [True, False])
async def test_the_wrong_person_says_so_before_anything_begins(site: Site, visit: Callable[..., Any], scripts: bool):
    page = await visit(await site.link(), java_script_enabled=scripts)
    await page.get_by_text("I'm not the right person").click()
    await page.get_by_label("Who was closest to this?").fill("Head of purchasing")
    await page.get_by_role("button", name="Let Acme know").click()

    await expect(page.get_by_role("heading", name="Thank you for telling us")).to_be_visible()
    await expect(page.get_by_text("Head of purchasing")).to_be_visible()
    assert (await site.latest())["turns"] == []


async def test_the_arrow_keys_move_along_a_scale(site: Site, visit: Callable[..., Any]):
    page = await visit(await site.link())
    await begin(page)
    await go_to(page, "[name=text][type=radio]")
    chips = page.locator("[name=text][type=radio]")

    await expect(page.locator("#question")).to_be_focused()
    await page.keyboard.press("Tab")
    while not await chips.first.evaluate("chip => chip === document.activeElement"):
        await page.keyboard.press("Tab")
    await page.keyboard.press("ArrowRight")
    await expect(chips.nth(1)).to_be_checked()
    await page.keyboard.press("ArrowDown")
    await expect(chips.nth(2)).to_be_checked()
    await page.keyboard.press("ArrowLeft")
    await expect(chips.nth(1)).to_be_checked()
    said = await chips.nth(1).get_attribute("value")
    await page.keyboard.press("Enter")

    await expect(page.locator(".line-contact").last).to_contain_text(said or "")
