"""A visitor without scripts: reads the forms of a page and sends them as a browser would."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import httpx


@dataclass
class Form:
    """One form of `<main>`. `step`: it is marked as the way on."""

    step: bool
    method: str
    action: str
    hidden: dict[str, str] = field(default_factory=dict)
    textareas: dict[str, str] = field(default_factory=dict)
    radios: list[tuple[str, str]] = field(default_factory=list)
    buttons: list[tuple[str | None, str | None]] = field(default_factory=list)


class Reader(HTMLParser):
    """Collects the forms inside `<main>` and the page's visible text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.text = ""
        self._in_main = False
        self._form: Form | None = None
        self._textarea = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "main":
            self._in_main = True
        if tag == "form" and self._in_main:
            self._form = Form("data-step" in given, given.get("method") or "get", given.get("action") or "")
            self.forms.append(self._form)
        if self._form is None:
            return
        name = given.get("name")
        if tag == "input" and given.get("type") == "hidden":
            self._form.hidden[name or ""] = given.get("value") or ""
        elif tag == "input" and given.get("type") == "radio":
            self._form.radios.append((name or "", given.get("value") or ""))
        elif tag == "textarea":
            self._textarea = name or ""
            self._form.textareas[self._textarea] = ""
        elif tag == "button" and given.get("type", "submit") == "submit":
            self._form.buttons.append((name, given.get("value")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "main":
            self._in_main = False
        elif tag == "form":
            self._form = None
        elif tag == "textarea":
            self._textarea = ""

    def handle_data(self, data: str) -> None:
        if self._textarea and self._form is not None:
            so_far = self._form.textareas[self._textarea]
            self._form.textareas[self._textarea] = so_far + data if so_far else data.removeprefix("\n")
        self.text += data


class Visitor:
    """Somebody with a link and a browser without scripts."""

    def __init__(self, web: httpx.AsyncClient, token: str) -> None:
        self.web = web
        self.token = token

    async def open(self) -> Reader:
        """The page as the link shows it."""
        answer = await self.web.get("/survey", params={"token": self.token})
        assert answer.status_code == 200, answer.text
        return Reader(answer.text)

    async def way_on(self) -> Form | None:
        """The first form of the page that is marked as the way on."""
        return next((form for form in (await self.open()).forms if form.step and form.method == "post"), None)

    async def fields(self, action: str, **fields: str) -> dict[str, str]:
        """What a form with a button for `action` would send now."""
        for form in (await self.open()).forms:
            if ("action", action) in form.buttons:
                return {**form.hidden, "action": action, **fields}
        raise AssertionError(f"no button for {action}")

    async def send(self, fields: dict[str, str], **rest: Any) -> httpx.Response:
        """POST the fields."""
        return await self.web.post("/survey", data=fields, **rest)

    async def do(self, action: str, **fields: str) -> httpx.Response:
        """Press the button for `action`; it must be taken."""
        answer = await self.send(await self.fields(action, **fields))
        assert answer.status_code == 303, answer.text
        return answer

    async def walk(self, text: str, *, until: str = "", most: int = 40, name_buttons: bool = True) -> list[str]:
        """Fill every text box with `text` and press the first button until the way ends or `until` is the button."""
        pressed: list[str] = []
        while form := await self.way_on():
            name, value = form.buttons[0]
            if until and value == until:
                break
            assert len(pressed) < most, pressed
            pressed.append(value or "")
            fields = {**form.hidden, **dict.fromkeys(form.textareas, text)}
            if name and value and name_buttons:
                fields[name] = value
            answer = await self.web.post(form.action, data=fields)
            assert answer.status_code == 303, answer.text
            assert answer.headers["location"] == f"/survey?token={self.token}"
        return pressed
