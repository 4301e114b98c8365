"""What the contact's page shows: one page per state of the interview, the page's headers, its style and its script."""

import hashlib
import html
import json
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from afterword import paige
from afterword.errors import AfterwordError
from afterword.interviews.conversation import LINK_DAYS, Visit
from afterword.settings import current

# Nothing foreign, nothing inline, no frame; what a contact types can at worst be shown.
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

_STATIC = Path(__file__).parent / "static"
_VERSIONS = {file.name: hashlib.sha256(file.read_bytes()).hexdigest()[:12] for file in _STATIC.iterdir()}

AsksFor = Literal["text", "scale", "recap", "experience", "paused", "waiting"]
Ending = Literal["completed", "stopped", "declined", "expired", "withdrawn"]

# How something the contact did without words reads in the conversation.
_UNSAID = {
    "skip": "Skipped",
    "stop": "Stopped the interview",
    "pause": "Paused",
    "resume": "Came back",
    "confirm": "Confirmed the summary",
    "undo": "Went on after all",
    "experience": "Closing questions",
}

# What a message asks is its last sentence; the page shows that large and what leads up to it smaller.
_LAST_SENTENCE = re.compile(r"(.*[.!?][”’\")]?)\s+([A-Z“‘\"(].*)", re.DOTALL)

_EXPERIENCE_SCALES = (
    ("satisfaction", "How satisfied are you with this conversation?", "not at all", "very"),
    ("captured", "How well did it capture what you think?", "not at all", "completely"),
)


def _asset(name: str) -> str:
    """A file's address; it changes with the content, so that it can be kept for ever."""
    return f"/survey/static/{name}?v={_VERSIONS[name]}"


templates = Environment(
    loader=PackageLoader("afterword.survey"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
templates.globals["asset"] = _asset  # pyright: ignore[reportArgumentType]  # jinja2 types its globals by the defaults


@dataclass(frozen=True, slots=True)
class Notice:
    """One line above the page's content: what went wrong, or a word of welcome."""

    title: str
    text: str
    error: bool = True


@dataclass(frozen=True, slots=True)
class Line:
    """One message of the conversation; `unsaid` for what was done without words."""

    role: str
    text: str
    unsaid: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """A rendered page."""

    html: str
    turn: int = 0

    def response(self, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
        """The whole page."""
        return HTMLResponse(self.html, status, {**HEADERS, **(headers or {})})

    def step(self) -> dict[str, object]:
        """What the page's script needs to show it in place: the inside of `<main>`, the title, the turn's number."""
        inside = self.html.partition('<main id="main" tabindex="-1">')[2].rpartition("</main>")[0]
        title = self.html.partition("<title>")[2].partition("</title>")[0]
        return {"html": inside.strip(), "title": html.unescape(title), "turn": self.turn}


def visit_page(visit: Visit, token: str, *, notice: Notice | None = None, unsent: str = "") -> Page:
    """The page of an interview as it stands. `unsent` is what was typed and could not be taken."""
    shared: dict[str, Any] = {
        "visit": visit,
        "who": f"{visit.interviewer_name}, AI interviewer for {visit.vendor}",
        "token": token,
        "client_id": secrets.token_urlsafe(12),
        "notice": notice,
        "unsent": unsent,
        "takes_text": False,
    }
    if visit.phase == "new" and not visit.expired:
        name, values = "consent.html", _consent(visit)
    elif visit.open or (visit.awaiting_reply and not visit.completed):
        name, values = "talk.html", _talk(visit)
    else:
        name, values = "closed.html", _closed(visit)
    return Page(templates.get_template(name).render({**shared, **values}), visit.turn_no)


def terms(visit: Visit) -> Sequence[tuple[str, str]]:
    """What the contact is told before the first question, as (term, text); what the consent is given to."""
    vendor, name = visit.vendor, visit.interviewer_name
    about = (
        "How you weighed your options and what led to your decision, in your own words."
        if visit.guide.consent == "buyer"
        else f"Your experience with {vendor}, in your own words."
    )
    told = [
        ("Who asks", f"{name} is an AI interviewer, not a person, and works for {vendor}."),
        ("What about", about),
        ("Not a sales call", "Nobody will try to sell you anything or to reopen your decision."),
        (
            "How long",
            f"About {visit.guide.minutes} minutes in writing. Skip any question, pause and come back with the same "
            "link, or stop at any point.",
        ),
        ("Who reads it", f"{visit.reader[:1].upper()}{visit.reader[1:]}. Your name stands with your answers."),
        (
            "Storage",
            f"{vendor} keeps your answers until it deletes them or you withdraw them, which you can do on this page. "
            f"An unfinished interview can be taken up again for {LINK_DAYS} days.",
        ),
    ]
    if visit.consent_text.strip():
        told.append((f"From {vendor}", visit.consent_text.strip()))
    return told


def terms_text(visit: Visit) -> str:
    """The same as plain text, to be recorded with the consent."""
    return "\n".join(f"{term}: {text}" for term, text in terms(visit))


def terms_version(visit: Visit) -> str:
    """Twelve hex digits that change with the text."""
    return hashlib.sha256(terms_text(visit).encode()).hexdigest()[:12]


def _consent(visit: Visit) -> dict[str, Any]:
    return {
        "heading": f"Tell {visit.vendor} how it went, in your own words",
        "lead": f"A short conversation in writing with {visit.interviewer_name}, an AI interviewer. "
        f"About {visit.guide.minutes} minutes, whenever it suits you.",
        "terms": terms(visit),
        "terms_version": terms_version(visit),
    }


def _talk(visit: Visit) -> dict[str, Any]:
    assert visit.state is not None
    asks_for = _asks_for(visit)
    lines = _lines(visit)
    question = None
    if asks_for not in {"waiting", "paused"}:
        said = [number for number, line in enumerate(lines) if line.role == "interviewer"]
        question = lines.pop(said[-1]).text if said else None
    intro, quotes = "", ()
    if asks_for == "recap" and question is not None and "\n" in question:
        # the lines read back stand between the first and the last line; the page sets them as quotes
        intro, question, quotes = question.split("\n")[0], question.rsplit("\n", 1)[1], visit.state.recap
    elif question is not None and (parts := _LAST_SENTENCE.fullmatch(question)):
        intro, question = parts[1], parts[2]
    progress = paige.progress(visit.guide, visit.state)
    return {
        "heading": f"Your interview for {visit.vendor}",
        "asks_for": asks_for,
        "takes_text": asks_for in {"text", "recap"},
        "lines": lines,
        "intro": intro,
        "quotes": quotes,
        "question": question,
        "progress": progress,
        "said_something": any(turn.role == "contact" for turn in visit.turns),
        "experience_scales": _EXPERIENCE_SCALES,
        "limit": current().survey_message_characters,
    }


def _asks_for(visit: Visit) -> AsksFor:
    assert visit.state is not None
    if visit.awaiting_reply:
        return "waiting"
    expects = visit.state.expects
    return "paused" if expects == "nothing" else expects


def _lines(visit: Visit) -> list[Line]:
    lines: list[Line] = []
    for turn in visit.turns:
        if turn.text and turn.action != "experience":
            lines.append(Line(turn.role, turn.text))
        elif turn.role == "contact":
            lines.append(Line(turn.role, _UNSAID.get(turn.action, turn.action), unsaid=True))
    return lines


def _closed(visit: Visit) -> dict[str, Any]:
    vendor = visit.vendor
    farewell = next((turn.text for turn in reversed(visit.turns) if turn.role == "interviewer" and turn.text), "")
    ending: Ending
    match visit.phase:
        case "withdrawn":
            ending, heading = "withdrawn", "Your answers are deleted"
            paragraphs = [f"Nothing that you said here is kept. {vendor} only sees that it had asked you."]
        case "declined":
            ending, heading = "declined", "That's fine, and thank you for telling us"
            mail = "no more e-mails asking for an interview" if visit.mail_stopped else "no reminders of this one"
            paragraphs = [f"{vendor} will send you {mail}."]
        case "stopped":
            ending, heading = "stopped", "We've stopped here"
            paragraphs = [farewell]
        case "done":
            ending, heading = "completed", "Thank you"
            paragraphs = [f"Your answers go to {visit.reader}. You can withdraw them on this page."]
        case _ if visit.completed:
            ending, heading = "completed", "This interview is closed"
            paragraphs = [
                f"Your last answer was a while ago, so we closed it. What you said has gone to {visit.reader}."
            ]
        case _:
            ending, heading = "expired", "This link has expired"
            paragraphs = [
                f"A link works for {LINK_DAYS} days. If you would still like to tell {vendor} how it went, "
                "please ask for a new one."
            ]
    return {
        "heading": heading,
        "ending": ending,
        "paragraphs": [paragraph for paragraph in paragraphs if paragraph],
        "can_undo": visit.can_undo,
        "lines": _lines(visit),
        "said_something": any(turn.role == "contact" for turn in visit.turns),
    }


# Pages without an interview -------------------------------------------------------------------------------------

_BAD_LINK = (
    "This link doesn't work",
    "Please open the link in your invitation again. If it was cut off, copy the whole of it into the address bar.",
)
_PROBLEMS = {
    403: "That was not accepted",
    404: "There is nothing here",
    405: "That is not possible here",
    413: "That is too long",
    415: "That was not accepted",
    429: "One moment, please",
    500: "Something went wrong on our side",
    503: "We can't be reached just now",
}


def no_token_page() -> Page:
    """The address without a token: the script opens what this tab had open, else one needs the link again."""
    return _problem(
        "Please open your link again",
        "For your privacy the link isn't kept in the address bar. Open it once more from your invitation "
        "and you will be where you left off.",
        opens_stored=True,
    )


def bad_link_page() -> Page:
    """One and the same page for every token that opens nothing."""
    return _problem(*_BAD_LINK)


def retry_page(error: AfterwordError, fields: Mapping[str, str]) -> Page:
    """What could not be taken for a reason of ours, kept in a form that sends it again: the same answer, once."""
    heading = _PROBLEMS.get(error.status, _PROBLEMS[500])
    kept = "What you wrote is kept below. " if fields.get("text") else "Nothing was lost. "
    return _problem(heading, f"{kept}Please try again in a moment.", retry=[*fields.items()])


async def error_page(request: Request, error: AfterwordError) -> Response:
    """Any error as a page for people, in the headers of this page. For the application to call."""
    if error.status == 404 and request.url.path.rstrip("/") == "/survey":
        page = bad_link_page()
    elif error.status >= 500:
        page = _problem(_PROBLEMS.get(error.status, _PROBLEMS[500]), "Nothing was lost. Please try again in a moment.")
    else:
        page = _problem(_PROBLEMS.get(error.status, "That could not be done"), error.message)
    return page.response(error.status, error.headers)


def _problem(heading: str, text: str, *, retry: Sequence[tuple[str, str]] = (), opens_stored: bool = False) -> Page:
    template = templates.get_template("problem.html")
    return Page(template.render(heading=heading, text=text, retry=retry, opens_stored=opens_stored))


def error_line(error: AfterwordError) -> dict[str, object]:
    """The error for the page's script."""
    return {"error": {"status": error.status, "code": error.code, "message": error.message}}


def json_line(data: Mapping[str, object]) -> bytes:
    """One line of a streamed answer."""
    return json.dumps(data).encode() + b"\n"


class _Static(StaticFiles):
    """Our style and script. Asked for by content they never change; asked for by name they are looked at again."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        asked = scope["query_string"].decode("latin-1")
        kept = asked == f"v={_VERSIONS.get(path)}"
        response.headers.update(
            {**HEADERS, "Cache-Control": "public, max-age=31536000, immutable" if kept else "no-cache"}
        )
        return response


def static_files() -> StaticFiles:
    """The style and the script, to be mounted under `/survey/static`."""
    return _Static(directory=_STATIC)
