"""The contact's page over HTTP: reading it changes nothing, every step is one form, and each answer is taken once."""

import asyncio
import json
import logging
import re
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, urlencode, urlsplit

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse, StreamingResponse

from afterword import paige
from afterword.db import Db
from afterword.errors import (
    AfterwordError,
    BadRequest,
    Forbidden,
    InternalError,
    NotFound,
    PayloadTooLarge,
    UnsupportedMediaType,
)
from afterword.interviews import conversation
from afterword.interviews.conversation import Visit
from afterword.settings import current
from afterword.survey import problems, render
from afterword.survey.render import HEADERS, Notice, Page
from afterword.survey.terms import terms_text, terms_version
from afterword.survey.words import Words, preferred, speak_any

router = APIRouter(include_in_schema=False)

_FORM = "application/x-www-form-urlencoded"
_STREAM = "application/x-ndjson"
_MAX_BODY = 256 * 1024
_DRAINED = 16 * _MAX_BODY  # read and dropped, so that a browser gets to see our answer
_MAX_FIELDS = 20
_READ_SECONDS = 30.0  # for the whole form to arrive
_ALIVE_SECONDS = 4.0  # between two signs of life while a reply is on its way; proxies cut what is silent for long
_CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_TURN = re.compile(r"\d{1,6}")

_log = logging.getLogger(__name__)

# Steps whose reader has gone away are finished all the same; whoever comes back finds the reply.
_under_way: set[asyncio.Task[dict[str, object]]] = set()


@dataclass(frozen=True, slots=True)
class _Sent:
    """One form as it came, and what is known of the browser that sent it."""

    form: Mapping[str, str]
    token: str
    address: str
    accepted: str  # Accept-Language

    @property
    def text(self) -> str:
        """What was typed; a paused page holds it back under another name."""
        return (self.form.get("text") or self.form.get("kept", "")).replace("\x00", "").replace("\r\n", "\n")


@router.api_route("/survey", methods=["GET", "HEAD"])
async def show(request: Request) -> Response:
    """The interview as it stands. Scanners open links too, so this records nothing."""
    token = request.headers.get("x-survey-token") or request.query_params.get("token")
    accepted = request.headers.get("accept-language", "")
    if not token:
        return problems.no_token_page(speak_any(accepted)).response()
    visit = await conversation.enter(_db(request), token, address=_address(request))
    visit = _in_language(visit, request.query_params.get("language"), accepted)
    # A page that follows a step of ours needs no welcome; browsers say which it is.
    from_elsewhere = request.headers.get("sec-fetch-site") != "same-origin"
    came_back = from_elsewhere and visit.open and visit.phase != "paused" and not visit.awaiting_reply
    words = render.words_of(visit)
    notice = Notice(words("welcome_back"), words("welcome_back_text"), error=False)
    return render.visit_page(visit, token, notice=notice if came_back else None).response()


@router.post("/survey")
async def act(request: Request) -> Response:
    """Take one step: answered with 303 to the page, or, for the page's script, with a stream that ends in the page."""
    streamed = _STREAM in request.headers.get("accept", "")
    words = speak_any(request.headers.get("accept-language", ""))
    try:
        _refuse_foreign(request, words)
        sent = await _sent(request, words)
    except AfterwordError as error:
        if streamed:
            line = problems.error_line(error, error.message)
            return Response(render.json_line(line), error.status, HEADERS, media_type=_STREAM)
        raise
    if streamed:
        headers = {**HEADERS, "X-Accel-Buffering": "no"}
        return StreamingResponse(_stream(_db(request), sent), headers=headers, media_type=_STREAM)
    try:
        visit = await _step(_db(request), sent)
    except Exception as error:
        return await _refused(_db(request), sent, _ours(error))
    if unsent := _held_back(sent):
        # a half-typed answer is stored nowhere but in the page itself, so this page cannot be fetched by its address
        return render.visit_page(visit, sent.token, unsent=unsent).response()
    fields = {"token": sent.token}
    if visit.phase == "new" and sent.form.get("language"):
        fields["language"] = visit.language
    return RedirectResponse(f"/survey?{urlencode(fields)}", 303, HEADERS)


async def _stream(db: Db, sent: _Sent) -> AsyncGenerator[bytes]:
    """A typing line at once and every few seconds; then the next page, or the error with the page as it stands."""
    alive = render.json_line({"typing": True})
    yield alive
    step = asyncio.create_task(_streamed_step(db, sent))
    _under_way.add(step)
    step.add_done_callback(_under_way.discard)
    while not (await asyncio.wait({step}, timeout=_ALIVE_SECONDS))[0]:
        yield alive
    yield render.json_line(step.result())


async def _streamed_step(db: Db, sent: _Sent) -> dict[str, object]:
    try:
        visit = await _step(db, sent)
        return render.visit_page(visit, sent.token, unsent=_held_back(sent)).step()
    except Exception as caught:
        error = _ours(caught)
    found = await _as_it_stands(db, sent, error) if error.status < 500 else None
    if found is None:
        return problems.error_line(error, problems.said(error, speak_any(sent.accepted)))
    page, message = found
    return {**problems.error_line(error, message), **page.step()}


async def _step(db: Db, sent: _Sent) -> Visit:
    """Do what the form asks for; without an `action` what the page's first button does."""
    form, token, address = sent.form, sent.token, sent.address
    visit = await conversation.enter(db, token, address=address)
    visit = _in_language(visit, form.get("language"), sent.accepted)
    action = form.get("action") or _way_on(visit)
    match action:
        case "consent" | "consent_short":
            words = render.words_of(visit)
            version = terms_version(visit, words)
            if visit.phase == "new" and form.get("terms", version) != version:
                raise problems.TermsChanged("The terms have changed since the page was opened.")
            return await conversation.consent(
                db,
                token,
                terms_text(visit, words),
                address=address,
                language=visit.language,
                short=action == "consent_short",
                told_of_model=visit.uses_model,  # by the terms above; one may have been set up since
            )
        case "language" if form.get("language") not in visit.languages:
            raise BadRequest.field("language", "must be one that the page offers")
        case "language" if visit.phase in {"new", "declined"}:
            return visit  # only shown: nothing is recorded before the consent
        case "wrong_person" if visit.phase in {"new", "declined"}:
            return await conversation.decline(db, token, wrong_person=True, referral=sent.text)
        case "decline" | "opt_out":
            return await conversation.decline(db, token, no_more_mail=action == "opt_out")
        case "reconsider":
            return await conversation.reconsider(db, token)
        case "withdraw":
            return await conversation.withdraw(db, token)
        case "wait":
            await conversation.reply(db, visit.org_id, visit.interview_id)
            return await conversation.enter(db, token, address=address)
        case _:
            answer = _answer(visit, action, sent)
            return await conversation.take_turn(
                db, token, turn_no=_turn(form), client_id=_client_id(form), answer=answer, address=address
            )


def _way_on(visit: Visit) -> str:
    if visit.state is None:
        return "consent"
    if visit.awaiting_reply:
        return "wait"
    match visit.state.expects:
        case "text" | "scale":
            return "answer"
        case "recap":
            return "confirm"
        case "experience":
            return "experience"
        case "nothing":
            return "resume"


def _answer(visit: Visit, action: str, sent: _Sent) -> paige.Answer:
    form, text = sent.form, sent.form.get("text", "").replace("\r\n", "\n")
    scale = visit.state is not None and visit.state.expects == "scale"
    match action:
        case "answer" if scale and not text.strip():
            return paige.Answer(action="skip")  # browsers insist on a choice; whoever sends none shall not be stuck
        case "confirm" if text.strip():
            return paige.Answer(text, "correct")  # a correction is worth more than the button it was sent with
        case "answer" | "correct" | "wrong_person":
            return paige.Answer(text, action)
        case "language":
            return paige.Answer(form.get("language", ""), action)
        case "experience":
            given = {name: form[name] for name in ("satisfaction", "captured", "recommend") if form.get(name)}
            return paige.Answer(json.dumps(given) if given else "", action)
        case _:
            return paige.Answer(action=action)


def _held_back(sent: _Sent) -> str:
    """What was half typed before a break: the paused page carries it, and the page after it offers it again."""
    return sent.text if sent.form.get("action") in {"pause", "resume"} else ""


def _in_language(visit: Visit, chosen: str | None, accepted: str) -> Visit:
    """Before the consent the page is in the language that is asked for, else in one that the browser prefers."""
    if visit.phase not in {"new", "declined"}:
        return visit
    language = chosen if chosen in visit.languages else preferred(accepted, visit.languages)
    return replace(visit, language=language or visit.language)


def _turn(form: Mapping[str, str]) -> int:
    if not _TURN.fullmatch(form.get("turn", "")):
        raise BadRequest.field("turn", "must be the number that came with the page; reload it")
    return int(form["turn"])


def _client_id(form: Mapping[str, str]) -> str:
    if not _CLIENT_ID.fullmatch(form.get("client_id", "")):
        raise BadRequest.field("client_id", "must be the one that came with the page; reload it")
    return form["client_id"]


async def _refused(db: Db, sent: _Sent, error: AfterwordError) -> Response:
    """The page as it stands with what went wrong, or where there is none, a page that keeps the text."""
    words = speak_any(sent.accepted)
    found = await _as_it_stands(db, sent, error) if error.status < 500 else None
    if found is not None:
        page = found[0]
    elif error.status == 429 or error.status >= 500:
        page = problems.retry_page(error, {**sent.form, "token": sent.token}, words)
    else:
        page = problems.bad_link_page(words)
    return page.response(error.status, error.headers)


async def _as_it_stands(db: Db, sent: _Sent, error: AfterwordError) -> tuple[Page, str] | None:
    """The page with what went wrong; None for a token that opens nothing, or while the database is away."""
    try:
        visit = await conversation.enter(db, sent.token)  # one that opens nothing has been counted by now
    except AfterwordError:
        return None
    visit = _in_language(visit, sent.form.get("language"), sent.accepted)
    words = render.words_of(visit)
    message = problems.explain(error, visit, sent.text, words)
    return render.visit_page(visit, sent.token, notice=Notice(words("not_sent"), message), unsent=sent.text), message


def _ours(error: Exception) -> AfterwordError:
    if isinstance(error, AfterwordError):
        return error
    _log.error("unexpected error in a step of an interview", exc_info=error)
    return InternalError("Something went wrong on our side.")


# The request ------------------------------------------------------------------------------------------------------


def _db(request: Request) -> Db:
    return request.app.state.db


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _refuse_foreign(request: Request, words: Words) -> None:
    """Only our own page posts here. It sends no referrer, so that its Origin may read `null`."""
    site = request.headers.get("sec-fetch-site", "none")
    origin = request.headers.get("origin", "null")
    ours = {urlsplit(current().base_url).netloc, request.headers.get("host", "")}
    if site not in {"same-origin", "none"} or (origin != "null" and origin.partition("://")[2] not in ours):
        raise Forbidden(words("foreign"))


async def _sent(request: Request, words: Words) -> _Sent:
    """The form's fields and the token, from the form or the header. Raises BadRequest, PayloadTooLarge, NotFound."""
    if request.headers.get("content-type", _FORM).partition(";")[0].strip().lower() != _FORM:
        raise UnsupportedMediaType(words("wrong_type", type=_FORM))
    body = await _body(request, words)
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS)
    except ValueError as error:
        raise BadRequest(words("bad_encoding", fields=_MAX_FIELDS)) from error
    form = dict(pairs)
    token = request.headers.get("x-survey-token") or form.get("token", "")
    if not token:
        raise NotFound(words("bad_link_text"))
    return _Sent(form, token, _address(request), request.headers.get("accept-language", ""))


async def _body(request: Request, words: Words) -> bytes:
    body, size = bytearray(), 0
    try:
        async with asyncio.timeout(_READ_SECONDS):
            async for chunk in request.stream():
                size += len(chunk)
                if size <= _MAX_BODY:
                    body += chunk
                elif size > _DRAINED:
                    break
    except TimeoutError:
        raise BadRequest(words("too_slow", seconds=f"{_READ_SECONDS:.0f}")) from None
    if size > _MAX_BODY:
        raise PayloadTooLarge(words("too_large", kib=_MAX_BODY // 1024))
    return bytes(body)
