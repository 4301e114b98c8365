"""A language model that takes its time: the person sees a typing sign, and every window of theirs the same reply."""

import json
import time
from collections.abc import AsyncGenerator, Callable
from typing import Any

import pytest
from playwright.async_api import expect

from afterword import settings
from afterword.llm import breaker
from tests.browsing import PRICE, Site, begin, send
from tests.model_server import Fault, ModelServer, serving

ASKED = "What happened in that week?"
REPLY = {"quality": 1, "slots": [], "flags": [], "lang": "en", "if_probe": ASKED, "if_advance": ASKED}


@pytest.fixture
async def model(site: Site, configure: Callable[..., settings.Settings]) -> AsyncGenerator[ModelServer]:
    """The server's language model."""
    breaker.reset()
    async with serving() as one:
        one.text = lambda _: json.dumps(REPLY)
        configure(port=site.running.port, llm_url=one.url, llm_model="fake-model")
        yield one


async def test_while_the_model_thinks_every_window_waits_and_then_shows_its_words(
    site: Site, visit: Callable[..., Any], model: ModelServer
):
    link = await site.link()
    first = await visit(link)
    await expect(first.get_by_text("a language model service of Acme's choosing")).to_be_visible()
    await begin(first)
    model.faults.append(Fault(delay=3))

    await send(first, PRICE)
    await expect(first.get_by_text("One moment…").first).to_be_visible()
    second = await visit(link)
    await expect(second.get_by_text("Your answer is saved. Paige is replying…")).to_be_visible()

    for window in (first, second):
        await expect(window.locator("#question")).to_contain_text(ASKED)
        await expect(window.locator(".line-contact")).to_have_count(1)
        await expect(window.get_by_label("Your answer")).to_be_focused()
    assert await second.locator("#announce").inner_text() != ""
    assert len(model.asked) == 1


async def test_a_model_that_fails_is_nothing_that_the_person_notices(
    site: Site, visit: Callable[..., Any], model: ModelServer
):
    page = await visit(await site.link())
    await begin(page)
    model.faults += [Fault(status=500), Fault(garbage=True), Fault(hang_up=True)]

    for said in range(1, 4):
        await send(page, f"In week {said} we compared both. {PRICE}", said=said)
        await expect(page.get_by_role("alert")).to_have_count(0)

    assert len([turn for turn in (await site.latest())["turns"] if turn["role"] == "interviewer"]) == 4


@pytest.mark.parametrize("window", ["the same", "another"])
async def test_a_stop_does_not_wait_for_the_model(
    site: Site, visit: Callable[..., Any], model: ModelServer, window: str
):
    link = await site.link()
    first = await visit(link)
    await begin(first)
    model.faults.append(Fault(delay=4))
    await send(first, PRICE)
    await expect(first.get_by_text("One moment…").first).to_be_visible()
    page = first if window == "the same" else await visit(link)

    began = time.monotonic()
    await page.get_by_role("button", name="Stop", exact=True).click()

    await expect(page.get_by_role("heading", name="stopped")).to_be_visible()
    assert time.monotonic() - began < 3
    await expect(first.get_by_role("heading", name="stopped")).to_be_visible()
    assert [turn["action"] for turn in (await site.latest())["turns"]] == ["answer", "answer", "stop", "answer"]
