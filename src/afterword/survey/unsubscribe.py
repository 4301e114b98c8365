"""`/unsubscribe?token=…`: the way out of an organization's mails. Looking changes nothing; a POST takes effect at once.

A POST needs nothing but its address: mail programs send it without a cookie, from anywhere (RFC 8058).
"""

import asyncio
import contextlib
from urllib.parse import parse_qs

from fastapi import APIRouter, Request, Response

from afterword import outreach
from afterword.db import Db
from afterword.errors import NotFound
from afterword.survey.render import render
from afterword.survey.words import Words, speak_any

router = APIRouter(include_in_schema=False)

_MAX_BODY = 64 * 1024  # bytes that are looked at; whatever is in a longer body, it is a POST to this address
_READ_SECONDS = 10.0  # the same for a body that comes slowly


@router.api_route("/unsubscribe", methods=["GET", "HEAD"])
async def show(request: Request) -> Response:
    """Where things stand, with a button. Scanners open links too, so this changes nothing."""
    words = _words(request)
    token = _token(request, words)
    db: Db = request.app.state.db
    async with db.tx() as tx:
        subscription = await outreach.look(tx, token)
    return _page(subscription, token, words, just_now=False)


@router.post("/unsubscribe")
async def act(request: Request) -> Response:
    """Off, whatever the body says; or on again where the page's Undo button asks for it."""
    words = _words(request)
    token = _token(request, words)
    body = await _body(request)
    form = parse_qs(body.decode("latin-1"))
    db: Db = request.app.state.db
    async with db.tx() as tx:
        if form.get("action") == ["undo"]:
            subscription = await outreach.resubscribe(tx, token)
        else:
            source = "page" if form.get("action") == ["unsubscribe"] else "one_click"
            subscription = await outreach.unsubscribe(tx, token, source)
    return _page(subscription, token, words, just_now=True)


def _words(request: Request) -> Words:
    return speak_any(request.headers.get("accept-language", ""))


def _token(request: Request, words: Words) -> str:
    token = request.query_params.get("token", "")
    if not token:
        raise NotFound(words("bad_link_text"))
    return token


async def _body(request: Request) -> bytes:
    """What came within a few seconds, or of its size: none of it is needed to take somebody off a list."""
    body = b""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_READ_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > _MAX_BODY:
                    break
    return body[:_MAX_BODY]


def _page(subscription: outreach.Subscription, token: str, words: Words, *, just_now: bool) -> Response:
    words = words.knowing(vendor=subscription.vendor)
    state = "off" if subscription.off else "on" if just_now else "question"
    return render("unsubscribe.html", words, vendor=subscription.vendor, state=state, token=token).response()
