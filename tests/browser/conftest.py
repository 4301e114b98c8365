"""Fixtures for the tests that drive a browser. Without a Chromium they are skipped, except where CI must have one."""

import os
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from afterword import settings
from afterword.db import Db
from tests.browsing import CHROMIUM, QUIET, Running, Site
from tests.conftest import make_tenant

# Chromium itself notes each lost connection and each refusal: some tests are about them.
_NOTED = ("net::ERR_", "status of 503", "status of 413", "status of 429", "status of 404")


@pytest.fixture
def running(database_url: str, configure: Callable[..., settings.Settings]) -> Generator[Running]:
    """The application, answering on a free port."""
    running = Running(database_url)
    configure(port=running.port)
    running.start()
    yield running
    running.stop()


@pytest.fixture
async def site(running: Running, database_url: str) -> AsyncGenerator[Site]:
    """Acme with the application."""
    async with Db.open(database_url, size=2) as db, httpx.AsyncClient(base_url=running.url, timeout=30) as client:
        yield Site(running, await make_tenant(db, client, "Acme"))


@pytest.fixture(scope="session")
async def browser() -> AsyncGenerator[Browser]:
    """One Chromium for all tests."""
    if CHROMIUM is None and os.environ.get("CI") != "true":
        pytest.skip("no Chromium here: sudo apt-get install -y chromium")
    assert CHROMIUM, "CI must have a Chromium"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        await browser.close()


@pytest.fixture
async def visit(browser: Browser, site: Site) -> AsyncGenerator[Callable[..., Any]]:
    """`await visit(link, viewport=…)` opens the link in a window of its own; `before` is a script that runs first.

    Fails on anything in the console, on anything the content policy refuses, and on any foreign request.
    """
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def watch(page: Page) -> None:
        page.on(
            "console", lambda message: faults.append(message.text) if message.type in {"error", "warning"} else None
        )
        page.on("pageerror", lambda error: faults.append(str(error)))

    async def open_(link: str, *, before: str = "", **options: Any) -> Page:
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
        if before:
            await context.add_init_script(before)
        page = await context.new_page()
        await page.goto(link)
        return page

    yield open_
    for context in contexts:
        await context.close()
    assert [fault for fault in faults if not any(noted in fault for noted in _NOTED)] == []
