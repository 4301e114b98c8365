"""A guide in two languages in a browser: the choice, the whole way in German, and the change in the middle."""

from collections.abc import Callable
from typing import Any

import pytest
import yaml
from playwright.async_api import expect

from tests.browsing import SMALL, Site, barriers, begin, fits, go_on
from tests.paige_two_languages import TEXT

PREIS = "Der Preis war zu hoch, und Globex war besser an unser Lager angebunden, wie der Test im Mai gezeigt hat."


@pytest.fixture
async def link(site: Site) -> str:
    """An interview that can be held in English and German."""
    made = await site.acme.api.post("/interview-types", {"name": "Zwei", "guide": yaml.safe_load(TEXT)})
    assert made.status_code == 201, made.text
    return await site.link(interview_type_id=made.json()["id"])


@pytest.mark.parametrize("scripts", [True, False])
async def test_the_whole_interview_in_german(site: Site, visit: Callable[..., Any], link: str, scripts: bool):
    page = await visit(
        link, locale="de-DE", viewport={"width": 320, "height": 640}, java_script_enabled=scripts, color_scheme="dark"
    )
    await begin(page, "Interview beginnen")

    for number in range(40):
        assert await page.locator("html").get_attribute("lang") == "de"
        if scripts:
            assert await fits(page)
            assert await barriers(page) == []
            assert await page.evaluate(SMALL) == []
        if not await go_on(page, number, f"In Woche {number} haben wir {number + 3} Punkte verglichen. {PREIS}"):
            break

    await expect(page.get_by_role("heading", name="Vielen Dank")).to_be_visible()
    assert (await site.latest())["status"] == "completed"


async def test_the_choice_holds_over_a_reload_and_can_be_changed_with_something_half_typed(
    visit: Callable[..., Any], link: str
):
    page = await visit(link)
    await page.get_by_role("button", name="Deutsch").click()
    await expect(page.get_by_role("button", name="Interview beginnen")).to_be_visible()
    assert await page.locator("html").get_attribute("lang") == "de"
    await expect(page.locator(".skip-link")).to_have_text("Zum Inhalt springen")
    await expect(page.locator("#masthead")).to_contain_text("Interview-KI")
    await expect(page.get_by_role("button", name="Deutsch")).to_have_attribute("aria-current", "true")
    await page.reload()
    await begin(page, "Interview beginnen")
    await page.get_by_label("Ihre Antwort").fill("Halb gedacht")

    await page.get_by_text("Weitere Möglichkeiten").click()
    await page.get_by_role("button", name="English").click()

    await expect(page.get_by_label("Your answer")).to_have_value("Halb gedacht")
    assert await page.locator("html").get_attribute("lang") == "en"
    await expect(page.locator("#masthead")).to_contain_text("AI interviewer")
    await page.context.set_offline(True)
    await page.get_by_role("button", name="Send", exact=True).click()
    await expect(page.get_by_role("alert")).to_contain_text("The connection was lost")
    await page.context.set_offline(False)
    await expect(page.locator(".line-contact").last).to_contain_text("Halb gedacht")
