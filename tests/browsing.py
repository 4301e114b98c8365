"""The contact's page in a real Chromium: the application behind a real socket, and what a person does there."""

import shutil
import socket
import threading
from dataclasses import dataclass
from typing import Any

import uvicorn
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from afterword import app, settings
from tests.conftest import Tenant

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


class Running:
    """The application on a port of its own, in a thread with a loop of its own; it can be stopped and started."""

    def __init__(self, database_url: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._database_url = database_url

    def start(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self.port))
        door = app.create_app(settings.current(), self._database_url)
        config = uvicorn.Config(door, log_level="critical", ws="none", lifespan="on", timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._listener],), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=30)
        self._listener.close()


@dataclass
class Site:
    """The application behind a real socket, and who uses it."""

    running: Running
    acme: Tenant

    @property
    def url(self) -> str:
        """Where it is."""
        return self.running.url

    async def link(self, **request: Any) -> str:
        """A fresh interview's survey_url."""
        asked = {
            "contact_email": "jane@x.example",
            "contact_name": "Jane Smith",
            "interview_type_id": self.acme.type_id,
        }
        answer = await self.acme.api.post("/interviews", {**asked, **request})
        assert answer.status_code == 201, answer.text
        return answer.json()["survey_url"]

    async def latest(self) -> dict[str, Any]:
        """The interview as the company sees it."""
        return (await self.acme.api.get("/interviews/1")).json()


async def begin(page: Page, button: str = "Start the interview") -> None:
    """Agree, and wait for the first question."""
    await page.get_by_role("button", name=button).click()
    await expect(page.locator("textarea#text")).to_be_visible()


async def send(page: Page, text: str, *, said: int | None = None) -> None:
    """Answer in words; with `said` wait until so many messages of the contact stand above."""
    await page.get_by_label("Your answer").fill(text)
    await page.get_by_role("button", name="Send", exact=True).click()
    if said is not None:
        await expect(page.locator(".line-contact")).to_have_count(said)


async def turn_of(page: Page) -> str:
    """The number of the turn that the page shows."""
    return await page.locator("input[name=turn]").first.get_attribute("value") or ""


async def go_on(page: Page, number: int, text: str = "") -> bool:
    """Whatever is asked, answer it with the mouse; False at the end. In whatever language: by places, not by names."""
    text = text or f"In week {number} we compared {number + 3} points of both offers. {PRICE}"
    step = page.locator("form[data-step]")
    if not await step.count():
        return False
    turn = await turn_of(page)
    if await step.locator("textarea").count() and not await page.locator(".answer-recap").count():
        await step.locator("textarea").fill(text)
    elif await step.locator("label.chip").count():
        await step.locator("label.chip").nth(1).click()
    await step.locator("button[type=submit]").first.click()
    await expect(page.locator("input[name=turn]").first).not_to_have_value(turn)
    return True


async def go_to(page: Page, selector: str, number: int = 0) -> None:
    """Answer until the page has such an element."""
    for step in range(number, number + 40):
        if await page.locator(selector).count():
            return
        assert await go_on(page, step), f"the interview ended without {selector}"
    raise AssertionError(f"no {selector} in forty steps")


async def fits(page: Page) -> bool:
    """Whether nothing sticks out sideways."""
    return await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def barriers(page: Page) -> list[str]:
    """What axe holds against the page as it is now, by WCAG 2.2 AA and as good practice."""
    found = await Axe().run(page)
    return [
        f"{fault['impact']}: {fault['id']}: {node['html'][:160]}"
        for fault in found.response["violations"]
        for node in fault["nodes"]
    ]


# What is smaller than a fingertip, or has no name. Small buttons stand alone in their line and may be 32 px high.
SMALL = """() => ["button", "summary", "textarea", "input[type=text]", ".chip"]
  .flatMap(kind => [...document.querySelectorAll(`main ${kind}`)])
  .filter(e => e.checkVisibility())
  .map(e => [e.getBoundingClientRect(), e.textContent.trim() || e.labels?.[0]?.textContent, e.matches(".button-small")])
  .filter(([box, name, small]) => box.height < (small ? 32 : 44) || box.width < 44 || !name)
  .map(([box, name]) => `${name}: ${box.width} x ${box.height}`)"""
