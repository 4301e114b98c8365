"""`/outbox`: the mails that were captured while no mail server is configured, to be read on this machine.

The mails hold survey links, so the page opens only to the browser that first follows the link printed at the start, and
only under a loopback name without a proxy in between.
"""

import hashlib
import hmac
import os
import re
import secrets
from pathlib import Path

from fastapi import APIRouter, Request, Response
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse

from afterword import mail
from afterword.errors import Forbidden, NotFound
from afterword.settings import Settings, current

router = APIRouter(prefix="/outbox", include_in_schema=False)

_COOKIE = "afterword_outbox"
_LOOPBACK = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?", re.IGNORECASE)
_BY_ITS_LINK = (
    "Open the outbox by the link that the server printed when it started. It works once; a restart prints a new one."
)
_URL = re.compile(r"https?://[^\s<>\"']+")
_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# What a mail shows is framed without scripts, forms or foreign content; only its inline styles are let in.
_MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)

_templates = Environment(
    loader=PackageLoader("afterword.dashboard"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def new_key(settings: Settings) -> str:
    """A key that opens the outbox once, for `{base_url}/outbox?key=…`. Earlier keys and sessions end."""
    key = secrets.token_urlsafe(24)
    _session_file(settings).unlink(missing_ok=True)
    _store(_key_file(settings), key)
    return key


def _key_file(settings: Settings) -> Path:
    return settings.data_dir / "outbox-key"


def _session_file(settings: Settings) -> Path:
    return settings.data_dir / "outbox-session"


def _store(file: Path, secret: str) -> None:
    """The digest, readable for the server's user alone, whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = file.with_name(f".{file.name}-{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
        handle.write(hashlib.sha256(secret.encode()).hexdigest())
    draft.replace(file)


def _matches(file: Path, secret: str | None) -> bool:
    try:
        stored = file.read_text()
    except FileNotFoundError:
        return False
    return secret is not None and hmac.compare_digest(stored, hashlib.sha256(secret.encode()).hexdigest())


@router.get("")
def index(request: Request, key: str | None = None) -> Response:
    """The newest mails first. With the key of this start, once, a session begins."""
    settings = _local(request)
    session = None
    if not _matches(_session_file(settings), request.cookies.get(_COOKIE)):
        session = _begin_session(request, settings, key)
    found = mail.captured(settings.outbox_folder)
    response = _page("outbox.html", mails=found, folder=str(settings.outbox_folder))
    if session is not None:
        response.set_cookie(_COOKIE, session, httponly=True, samesite="strict", path="/outbox")
    return response


@router.get("/{name}")
def read(request: Request, name: str) -> Response:
    """One mail: headers, text, and its HTML in a frame."""
    found = _open(request, name)
    return _page("outbox_mail.html", name=name, mail=found, text=_with_links(found.text))


@router.get("/{name}/html")
def show_html(request: Request, name: str) -> Response:
    """The HTML part as the frame shows it; its links open in a new tab."""
    found = _open(request, name)
    page = '<base target="_blank">' + found.html
    return HTMLResponse(page, headers={**_HEADERS, "Content-Security-Policy": _MAIL_POLICY})


@router.get("/{name}/raw")
def download(request: Request, name: str) -> Response:
    """The very bytes, as an `.eml` file."""
    found = _open(request, name)
    headers = {**_HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(found.raw, headers=headers, media_type="message/rfc822")


def _local(request: Request) -> Settings:
    """Refuse whoever is not at this machine, as far as a request can tell. Raises NotFound, Forbidden."""
    settings = current()
    if settings.smtp_url:
        raise NotFound("Mails go out by the mail server that is configured; none are captured here.")
    if not _LOOPBACK.fullmatch(request.headers.get("host", "")):
        raise Forbidden("The outbox opens only on the machine itself, under 127.0.0.1 or localhost.")
    if any(name == "forwarded" or name.startswith("x-forwarded-") for name in request.headers):
        raise Forbidden("The outbox does not open through a proxy.")
    return settings


def _begin_session(request: Request, settings: Settings, key: str | None) -> str:
    """Trade the key for a session, once. Raises Forbidden."""
    refused = Forbidden(_BY_ITS_LINK)
    if "prefetch" in request.headers.get("sec-purpose", "") or not _matches(_key_file(settings), key):
        raise refused
    try:
        _key_file(settings).unlink()  # of two browsers, one
    except FileNotFoundError:
        raise refused from None
    session = secrets.token_urlsafe(24)
    _store(_session_file(settings), session)
    return session


def _open(request: Request, name: str) -> mail.CapturedMail:
    settings = _local(request)
    if not _matches(_session_file(settings), request.cookies.get(_COOKIE)):
        raise Forbidden(_BY_ITS_LINK)
    found = mail.read_captured(settings.outbox_folder, name)
    if found is None:
        raise NotFound("There is no such mail in the outbox.")
    return found


def _with_links(text: str) -> Markup:
    pieces: list[Markup] = []
    end = 0
    for found in _URL.finditer(text):
        pieces.append(escape(text[end : found.start()]))
        pieces.append(Markup('<a href="{0}" target="_blank" rel="noreferrer noopener">{0}</a>').format(found[0]))
        end = found.end()
    return Markup("").join([*pieces, escape(text[end:])])


def _page(template: str, **values: object) -> HTMLResponse:
    nonce = secrets.token_urlsafe(16)
    policy = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; frame-src 'self'; img-src data:; form-action 'none'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
    page = _templates.get_template(template).render(nonce=nonce, **values)
    return HTMLResponse(page, headers={**_HEADERS, "Content-Security-Policy": policy})
