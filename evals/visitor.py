"""A contact's browser over HTTP: fills the page's first form and sends it, plainly or as the page's script does."""

import asyncio
import itertools
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser

import httpx

Answering = Callable[[str], str]  # what the respondent says to what Paige said

_MOST_STEPS = 120
_VOID = frozenset({"br", "hr", "img", "input", "link", "meta", "path", "circle", "wbr"})


class Stuck(Exception):
    """The page offers no way on, or refuses the one it offered."""


@dataclass(slots=True)
class Form:
    """One form of the page."""

    step: bool
    hidden: dict[str, str] = field(default_factory=dict)
    textarea: str = ""
    radios: list[tuple[str, str]] = field(default_factory=list)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class Page(HTMLParser):
    """The forms of a page, and what Paige says last on it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.forms: list[Form] = []
        self.question = ""
        self.waiting = False
        self._form: Form | None = None
        self._depth = 0  # inside of the question
        self.feed(html)
        self.question = " ".join(self.question.split())

    @property
    def step(self) -> Form | None:
        """The way on."""
        return next((form for form in self.forms if form.step), None)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if self._depth and tag not in _VOID:
            self._depth += 1
        elif given.get("id") == "question" and not self._depth:
            self._depth = 1
        if "data-waiting" in given:
            self.waiting = True
        if tag == "form":
            self._form = Form("data-step" in given)
            self.forms.append(self._form)
        if self._form is None:
            return
        name = given.get("name", "")
        if tag == "input" and given.get("type") == "hidden":
            self._form.hidden[name] = given.get("value", "")
        elif tag == "input" and given.get("type") == "radio":
            self._form.radios.append((name, given.get("value", "")))
        elif tag == "textarea":
            self._form.textarea = name
        elif tag == "button" and given.get("type", "submit") == "submit":
            self._form.buttons.append((name, given.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        if self._depth and tag not in _VOID:
            self._depth -= 1
        if tag == "form":
            self._form = None

    def handle_data(self, data: str) -> None:
        if self._depth:
            self.question += " " + data


def _notice(html: str) -> str:
    """What the page says went wrong."""
    found = re.search(r'id="notice".*?</div>', html, re.DOTALL)
    return " ".join(re.sub(r"<[^>]*>", " ", found[0] if found else html[-500:]).split())[:300]


@dataclass(slots=True)
class Visitor:
    """One contact with a link. `sent` is what was sent and taken, in order; `seen` every body the server answered."""

    http: httpx.AsyncClient
    token: str
    answering: Answering
    streamed: bool = True
    twice_every: int = 0  # every so many answers are sent twice at once, as an impatient finger does
    sent: list[tuple[str, str]] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    page: Page | None = None
    recap_shown: str = ""

    async def open(self) -> Page:
        """GET the page."""
        answer = await self.http.get("/survey", params={"token": self.token})
        return self._see(answer.text)

    async def finish(self, *, most: int = _MOST_STEPS) -> int:
        """Go on until no way on is left; the number of steps. Raises Stuck."""
        page = await self.open()
        for number in itertools.count():
            form = page.step
            if form is None:
                return number
            if number >= most:
                raise Stuck(f"no end after {most} steps: {page.question[:200]}")
            page = await self.press(page, form)
        raise AssertionError

    async def until(self, answers: int) -> Page:
        """Go on until so many answers have been given, or the end."""
        page = self.page or await self.open()
        while (form := page.step) and sum(action == "answer" for action, _ in self.sent) < answers:
            page = await self.press(page, form)
        return page

    async def press(self, page: Page, form: Form) -> Page:
        """Fill the form as this respondent would and press its first button."""
        action = form.buttons[0][1] if form.buttons else ""
        if action == "wait":
            await asyncio.sleep(0.05)
        fields = dict(form.hidden)
        text = ""
        if action == "answer":
            text = self._choice(form) or self.answering(page.question)
            fields["text"] = text
            self.heard.append(page.question)
        elif action == "experience":
            fields |= {"satisfaction": "6", "captured": "7", "recommend": "yes"}
        elif action == "confirm":
            self.recap_shown = page.question
        if form.buttons and form.buttons[0][0]:
            fields[form.buttons[0][0]] = action
        twice = self.twice_every and action == "answer" and len(self.sent) % self.twice_every == 0
        first, *_ = await asyncio.gather(*(self.send(fields) for _ in range(2 if twice else 1)))
        if action not in {"consent", "wait"}:
            self.sent.append((action, text))
        # of two at once, one may find the other's reply still on its way
        return first if not first.waiting else await self.open()

    async def send(self, fields: dict[str, str]) -> Page:
        """POST the fields once and read what follows. Raises Stuck when they are refused."""
        if self.streamed:
            headers = {"Accept": "application/x-ndjson", "X-Survey-Token": self.token}
            answer = await self.http.post("/survey", data=fields, headers=headers)
            lines = [json.loads(line) for line in answer.text.splitlines()]
            if not lines or "html" not in lines[-1] or lines[-1].get("error"):
                raise Stuck(f"{answer.status_code} {fields.get('action')}: {answer.text[-500:]}")
            return self._see(lines[-1]["html"])
        answer = await self.http.post("/survey", data=fields)
        if answer.status_code != 303:
            raise Stuck(f"{answer.status_code} {fields.get('action')}: {_notice(answer.text)}")
        return await self.open()

    def _choice(self, form: Form) -> str:
        """The middle of a scale; empty where there is a text box."""
        values = [value for name, value in form.radios if name == "text"]
        return values[len(values) // 2] if values and not form.textarea else ""

    def _see(self, html: str) -> Page:
        self.seen.append(html)
        self.page = Page(html)
        return self.page
