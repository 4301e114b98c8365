"""The contact's page over HTTP: reading it changes nothing, every step is one form, and each answer is taken once."""

import asyncio
import json
import logging
import re
from collections.abc import AsyncGenerator, Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse, StreamingResponse

from afterword import paige
from afterword.db import Db
from afterword.errors import (
    AfterwordError,
    BadRequest,
    Conflict,
    Forbidden,
    InternalError,
    NotFound,
    PayloadTooLarge,
    UnsupportedMediaType,
)
from afterword.interviews import conversation
from afterword.interviews.conversation import Visit
from afterword.settings import current
from afterword.survey import render
from afterword.survey.render import HEADERS, Notice, Page

router = APIRouter(include_in_schema=False)

_FORM = "application/x-www-form-urlencoded"
_STREAM = "application/x-ndjson"
_MAX_BODY = 256 * 1024
_DRAINED = 16 * _MAX_BODY  # read and dropped, so that a browser gets to see our answer
_MAX_FIELDS = 20
_READ_SECONDS = 30.0  # for the whole form to arrive
_CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_TURN = re.compile(r"\d{1,6}")

_log = logging.getLogger(__name__)


@router.api_route("/survey", methods=["GET", "HEAD"])
async def show(request: Request) -> Response:
    """The interview as it stands. Scanners open links too, so this records nothing."""
    token = request.headers.get("x-survey-token") or request.query_params.get("token")
    if not token:
        return render.no_token_page().response()
    visit = await conversation.enter(_db(request), token)
    # A page that follows a step of ours needs no welcome; browsers say which it is.
    from_elsewhere = request.headers.get("sec-fetch-site") != "same-origin"
    came_back = from_elsewhere and visit.open and visit.phase != "paused" and not visit.awaiting_reply
    notice = Notice("Welcome back.", "What you said is saved. Here is where we left off.", error=False)
    return render.visit_page(visit, token, notice=notice if came_back else None).response()


@router.post("/survey")
async def act(request: Request) -> Response:
    """Take one step: answered with 303 to the page, or, for the page's script, with a stream that ends in the page."""
    streamed = _STREAM in request.headers.get("accept", "")
    try:
        _refuse_foreign(request)
        form = await _form(request)
    except AfterwordError as error:
        if streamed:
            return Response(render.json_line(render.error_line(error)), error.status, HEADERS, media_type=_STREAM)
        raise
    if streamed:
        headers = {**HEADERS, "X-Accel-Buffering": "no"}
        return StreamingResponse(_stream(_db(request), form), headers=headers, media_type=_STREAM)
    try:
        await _step(_db(request), form)
    except Exception as error:
        return await _refused(_db(request), form, _ours(error))
    return RedirectResponse(f"/survey?{urlencode({'token': form['token']})}", 303, HEADERS)


async def _stream(db: Db, form: Mapping[str, str]) -> AsyncGenerator[bytes]:
    """A typing line at once; then the next page, or the error with the page as it stands."""
    yield render.json_line({"typing": True})
    try:
        visit = await _step(db, form)
        line = render.visit_page(visit, form["token"]).step()
    except Exception as caught:
        error = _ours(caught)
        line = render.error_line(error)
        if error.status < 500 and (page := await _page_with_notice(db, form, error)):
            line |= page.step()
    yield render.json_line(line)


async def _step(db: Db, form: Mapping[str, str]) -> Visit:
    """Do what the form asks for; without an `action` what the page's first button does."""
    token = form["token"]
    visit = await conversation.enter(db, token)
    action = form.get("action") or _way_on(visit)
    match action:
        case "consent":
            if visit.phase == "new" and form.get("terms", render.terms_version(visit)) != render.terms_version(visit):
                raise Conflict("The points above have changed since you opened this page. Please read them once more.")
            return await conversation.consent(db, token, render.terms_text(visit))
        case "decline" | "opt_out":
            return await conversation.decline(db, token, no_more_mail=action == "opt_out")
        case "reconsider":
            return await conversation.reconsider(db, token)
        case "withdraw":
            return await conversation.withdraw(db, token)
        case "wait":
            await conversation.reply(db, visit.org_id, visit.interview_id)
            return await conversation.enter(db, token)
        case _:
            return await conversation.take_turn(
                db, token, turn_no=_turn(form), client_id=_client_id(form), answer=_answer(visit, action, form)
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


def _answer(visit: Visit, action: str, form: Mapping[str, str]) -> paige.Answer:
    text = form.get("text", "").replace("\r\n", "\n")
    scale = visit.state is not None and visit.state.expects == "scale"
    match action:
        case "answer" if scale and not text.strip():
            return paige.Answer(action="skip")  # browsers insist on a choice; whoever sends none shall not be stuck
        case "confirm" if text.strip():
            return paige.Answer(text, "correct")  # a correction is worth more than the button it was sent with
        case "answer" | "correct":
            return paige.Answer(text, action)
        case "experience":
            given = {name: form[name] for name in ("satisfaction", "captured", "recommend") if form.get(name)}
            return paige.Answer(json.dumps(given) if given else "", action)
        case _:
            return paige.Answer(action=action)


def _turn(form: Mapping[str, str]) -> int:
    if not _TURN.fullmatch(form.get("turn", "")):
        raise BadRequest.field("turn", "must be the number that came with the page; reload it")
    return int(form["turn"])


def _client_id(form: Mapping[str, str]) -> str:
    if not _CLIENT_ID.fullmatch(form.get("client_id", "")):
        raise BadRequest.field("client_id", "must be the one that came with the page; reload it")
    return form["client_id"]


async def _refused(db: Db, form: Mapping[str, str], error: AfterwordError) -> Response:
    """The page as it stands with what went wrong, or where there is none, a page that keeps the text."""
    if error.status < 500:
        page = await _page_with_notice(db, form, error)
        return (page or render.bad_link_page()).response(error.status, error.headers)
    return render.retry_page(error, form).response(error.status, error.headers)


async def _page_with_notice(db: Db, form: Mapping[str, str], error: AfterwordError) -> Page | None:
    """The page as it stands; None for a token that opens nothing, or while the database is away."""
    try:
        visit = await conversation.enter(db, form["token"])
    except AfterwordError:
        return None
    text = form.get("text", "").replace("\x00", "")
    message = error.message
    if error.fields and error.fields[0][0] == "text":
        message = f"Your answer {error.fields[0][1]}"
    elif isinstance(error, Conflict) and visit.open and text:
        message += " What you typed is still here."
    return render.visit_page(visit, form["token"], notice=Notice("Not sent.", message), unsent=text)


def _ours(error: Exception) -> AfterwordError:
    if isinstance(error, AfterwordError):
        return error
    _log.error("unexpected error in a step of an interview", exc_info=error)
    return InternalError("Something went wrong on our side.")


# The request ------------------------------------------------------------------------------------------------------


def _db(request: Request) -> Db:
    return request.app.state.db


def _refuse_foreign(request: Request) -> None:
    """Only our own page posts here. It sends no referrer, so that its Origin may read `null`."""
    site = request.headers.get("sec-fetch-site", "none")
    origin = request.headers.get("origin", "null")
    ours = {urlsplit(current().base_url).netloc, request.headers.get("host", "")}
    if site not in {"same-origin", "none"} or (origin != "null" and origin.partition("://")[2] not in ours):
        raise Forbidden("This form was sent from another site. Please open the link in your invitation.")


async def _form(request: Request) -> dict[str, str]:
    """The form's fields and the token, from the form or the header. Raises BadRequest, PayloadTooLarge, NotFound."""
    if request.headers.get("content-type", _FORM).partition(";")[0].strip().lower() != _FORM:
        raise UnsupportedMediaType(f"Forms are read as {_FORM} only.")
    body = await _body(request)
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS)
    except ValueError as error:
        raise BadRequest("The form is not valid: it must be URL-encoded UTF-8 with at most 20 fields.") from error
    form = dict(pairs)
    form["token"] = request.headers.get("x-survey-token") or form.get("token", "")
    if not form["token"]:
        raise NotFound("No token was sent.")
    return form


async def _body(request: Request) -> bytes:
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
        raise BadRequest(f"The form did not arrive within {_READ_SECONDS:.0f} seconds. Please send it again.") from None
    if size > _MAX_BODY:
        raise PayloadTooLarge(f"A form can have at most {_MAX_BODY // 1024} KiB. Please shorten what you wrote.")
    return bytes(body)
