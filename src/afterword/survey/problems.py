"""What the page says when something could not be taken: a note beside the interview, or a page without one."""

from collections.abc import Mapping, Sequence

from starlette.requests import Request
from starlette.responses import Response

from afterword.errors import (
    AfterwordError,
    BadRequest,
    Conflict,
    RateLimited,
)
from afterword.interviews.conversation import Visit
from afterword.settings import current
from afterword.survey.render import Page, render
from afterword.survey.words import Words, speak_any

_HEADINGS = (403, 404, 405, 413, 415, 429, 500, 503)


class TermsChanged(Conflict):
    """The points that were agreed to are not the ones that hold now."""


def explain(error: AfterwordError, visit: Visit, text: str, words: Words) -> str:
    """Why an answer was not taken, in the page's language."""
    match error:
        case TermsChanged():
            says = words("terms_changed")
        case RateLimited() | Conflict() if visit.open and _is_full(visit):
            says = words("full")
        case RateLimited():
            says = words("slow_down")
        case Conflict() if visit.open or visit.awaiting_reply:
            says = f"{words('moved_on')} {words('still_here')}" if text else words("moved_on")
        case Conflict() if visit.phase != "new":
            says = words("closed")
        case BadRequest() if any(field == "text" for field, _ in error.fields):
            limit = current().survey_message_characters
            too_long = 0 < limit < len(text)
            says = (
                words("too_long", limit=words.number(limit), length=words.number(len(text)))
                if too_long
                else words("empty")
            )
        case _:
            says = words("bad_form")
    return says


def _is_full(visit: Visit) -> bool:
    limit = current().survey_messages
    return 0 < limit <= sum(turn.role == "contact" for turn in visit.turns)


def no_token_page(words: Words) -> Page:
    """The address without a token: the script opens what this tab had open, else one needs the link again."""
    return _problem(words, words("no_token"), words("no_token_text"), opens_stored=True)


def bad_link_page(words: Words) -> Page:
    """One and the same page for every token that opens nothing."""
    return _problem(words, words("bad_link"), words("bad_link_text"))


def retry_page(error: AfterwordError, fields: Mapping[str, str], words: Words) -> Page:
    """What could not be taken now, kept in a form that sends it again: the same answer, once."""
    kept = words("kept" if fields.get("text") else "nothing_lost")
    wait = words("slow_down") if error.status == 429 else words("in_a_moment")
    return _problem(words, _heading(error, words), f"{kept} {wait}", retry=[*fields.items()])


async def error_page(request: Request, error: AfterwordError) -> Response:
    """Any error as a page for people, in the headers of this page. For the application to call."""
    words = speak_any(request.headers.get("accept-language", ""))
    if error.status == 404 and request.url.path.rstrip("/") in {"/survey", "/unsubscribe"}:
        page = bad_link_page(words)
    else:
        page = _problem(words, _heading(error, words), said(error, words))
    return page.response(error.status, error.headers)


def said(error: AfterwordError, words: Words) -> str:
    """What an error that no interview belongs to says; what this face raises is in the reader's language already."""
    if error.status >= 500:
        return f"{words('nothing_lost')} {words('in_a_moment')}"
    return words("slow_down") if isinstance(error, RateLimited) else error.message


def _heading(error: AfterwordError, words: Words) -> str:
    status = error.status if error.status in _HEADINGS else 500 if error.status > 500 else None
    return words(f"problem_{status or 'other'}")


def _problem(
    words: Words, heading: str, text: str, *, retry: Sequence[tuple[str, str]] = (), opens_stored: bool = False
) -> Page:
    return render("problem.html", words, heading=heading, text=text, retry=retry, opens_stored=opens_stored)


def error_line(error: AfterwordError, message: str) -> dict[str, object]:
    """The error for the page's script."""
    return {"error": {"status": error.status, "code": error.code, "message": message}}
