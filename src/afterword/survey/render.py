"""What the contact's page shows: one page per state of the interview, the page's headers, its style and its script."""

import hashlib
import html
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from afterword import paige
from afterword.interviews.conversation import LINK_DAYS, MAX_REFERRAL, Visit
from afterword.settings import current
from afterword.survey.terms import SHORT_MINUTES, offers_short, reader, terms, terms_version
from afterword.survey.words import Words, endonym, speak

# Nothing foreign, nothing inline, no frame; what a contact types can at worst be shown. The microphone is for
# dictation, which the contact switches on.
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=(), display-capture=()",
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

# What a message asks is its last sentence; the page shows that large and what leads up to it smaller.
_LAST_SENTENCE = re.compile(r"(.*[.!?][”’\")]?)\s+([^\Wa-z\d_].*|[“‘„\"(].*)", re.DOTALL)


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
templates.globals["endonym"] = endonym  # pyright: ignore[reportArgumentType]  # as above


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
    language: str
    turn: int = 0

    def response(self, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
        """The whole page."""
        return HTMLResponse(self.html, status, {**HEADERS, "Content-Language": self.language, **(headers or {})})

    def step(self) -> dict[str, object]:
        """What the page's script needs to show it in place: what is inside of its parts, and the turn's number."""
        return {
            "html": self._between('<main id="main" tabindex="-1">', "</main>").strip(),
            "masthead": self._between('<header class="masthead" id="masthead">', "</header>").strip(),
            "title": html.unescape(self._between("<title>", "</title>")),
            "language": self.language,
            "turn": self.turn,
        }

    def _between(self, start: str, end: str) -> str:
        return self.html.partition(start)[2].partition(end)[0]


def render(template: str, words: Words, *, turn: int = 0, **values: Any) -> Page:
    """One of our templates, in these words."""
    return Page(templates.get_template(template).render(t=words, **values), words.language, turn)


def words_of(visit: Visit) -> Words:
    """The page's words for this interview."""
    return speak(visit.language).knowing(vendor=visit.vendor, interviewer=visit.interviewer_name)


def visit_page(visit: Visit, token: str, *, notice: Notice | None = None, unsent: str = "") -> Page:
    """The page of an interview as it stands. `unsent` is what was typed and was not, or could not be, taken."""
    words = words_of(visit)
    shared: dict[str, Any] = {
        "visit": visit,
        "token": token,
        "client_id": secrets.token_urlsafe(16),
        "notice": notice,
        "unsent": unsent,
        "takes_text": False,
        "choices": visit.state.choices if visit.state else (),
        "longest_referral": MAX_REFERRAL,
    }
    if visit.phase == "new" and not visit.expired:
        name, values = "consent.html", _consent(visit, words)
    elif visit.open or (visit.awaiting_reply and not visit.completed):
        name, values = "talk.html", _talk(visit, words)
    else:
        name, values = "closed.html", _closed(visit, words)
    return render(name, words, turn=visit.turn_no, **{**shared, **values})


def _consent(visit: Visit, words: Words) -> dict[str, Any]:
    return {
        "heading": words("tell_heading"),
        "lead": words("tell_lead", minutes=visit.guide.minutes),
        "terms": terms(visit, words),
        "terms_version": terms_version(visit, words),
        "short_minutes": SHORT_MINUTES if offers_short(visit) else None,
    }


def _talk(visit: Visit, words: Words) -> dict[str, Any]:
    assert visit.state is not None
    asks_for = _asks_for(visit)
    lines = _lines(visit, words)
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
    return {
        "heading": words("your_interview"),
        "asks_for": asks_for,
        "takes_text": asks_for in {"text", "recap"},
        "lines": lines,
        "intro": intro,
        "quotes": quotes,
        "question": question,
        "progress": paige.progress(visit.guide, visit.state),
        "said_something": _said_something(visit),
        "limit": current().survey_message_characters,
    }


def _asks_for(visit: Visit) -> AsksFor:
    assert visit.state is not None
    if visit.awaiting_reply:
        return "waiting"
    expects = visit.state.expects
    return "paused" if expects == "nothing" else expects


def _said_something(visit: Visit) -> bool:
    return any(turn.role == "contact" for turn in visit.turns)


def _lines(visit: Visit, words: Words) -> list[Line]:
    lines: list[Line] = []
    for turn in visit.turns:
        if turn.role == "contact" and (not turn.text or turn.action in {"experience", "language"}):
            lines.append(Line(turn.role, words(f"did_{turn.action}"), unsaid=True))
        elif turn.text:
            lines.append(Line(turn.role, turn.text))
    return lines


def _closed(visit: Visit, words: Words) -> dict[str, Any]:
    farewell = next((turn.text for turn in reversed(visit.turns) if turn.role == "interviewer" and turn.text), "")
    ending: Ending
    match visit.phase:
        case "withdrawn":
            ending, heading, text = "withdrawn", "withdrawn", words("withdrawn_text")
        case "declined":
            ending, heading = "declined", "wrong_person" if visit.wrong_person else "declined"
            text = words("declined_mail_text" if visit.mail_stopped else f"{heading}_text")
        case "stopped":
            ending, heading, text = "stopped", "stopped", farewell
        case "done":
            ending, heading, text = "completed", "thanks", words("thanks_text", reader=reader(visit, words))
        case _ if visit.completed:
            ending, heading, text = "completed", "idle", words("idle_text", reader=reader(visit, words))
        case _:
            ending, heading, text = "expired", "expired", words("expired_text", days=LINK_DAYS)
    return {
        "heading": words(heading),
        "ending": ending,
        "text": text,
        "referral": visit.referral if ending == "declined" and visit.wrong_person else "",
        "can_undo": visit.can_undo,
        "lines": _lines(visit, words),
        "said_something": _said_something(visit),
    }


def json_line(data: Mapping[str, object]) -> bytes:
    """One line of a streamed answer."""
    return json.dumps(data).encode() + b"\n"


class _Static(StaticFiles):
    """Our style and scripts. Asked for by content they never change; asked for by name they are looked at again."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        asked = scope["query_string"].decode("latin-1")
        kept = asked == f"v={_VERSIONS.get(path)}"
        response.headers.update(
            {**HEADERS, "Cache-Control": "public, max-age=31536000, immutable" if kept else "no-cache"}
        )
        return response


def static_files() -> StaticFiles:
    """The style and the scripts, to be mounted under `/survey/static`."""
    return _Static(directory=_STATIC)
