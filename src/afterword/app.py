"""The web application: all faces behind one door that names requests, renders errors and sets common headers."""

import contextlib
import gc
import json
import logging
import re
from collections.abc import AsyncGenerator
from typing import Any, cast

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from afterword import __version__, api, dashboard, ids, llm, survey
from afterword.accounts import Caller
from afterword.api.body import JsonBody
from afterword.api.gate import CALLER, FailedLogins
from afterword.api.shapes import validation_error
from afterword.db import Db, fetch_one
from afterword.errors import AfterwordError, BadRequest, InternalError, MethodNotAllowed, NotFound, Unavailable
from afterword.settings import Settings

_log = logging.getLogger(__name__)
_SANE_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")
_REQUEST_ID = "afterword.request_id"
_PEOPLE = ("/survey", "/unsubscribe", "/outbox")  # paths whose errors are pages, not JSON


def create_app(settings: Settings, database_url: str) -> "Door":
    """The ASGI application over one database."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        async with Db.open(database_url, size=settings.database_pool_size, name="afterword web") as db:
            app.state.db = db
            try:
                yield
            finally:
                await llm.close()

    app = FastAPI(
        title="Afterword",
        version=__version__,
        lifespan=lifespan,
        redirect_slashes=False,
        strict_content_type=False,  # the body was checked before; a missing type is JSON
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
    )
    app.state.settings = settings
    app.state.failed_logins = FailedLogins()
    app.include_router(api.router)
    app.include_router(survey.router)
    app.include_router(dashboard.router)
    app.mount("/survey/static", survey.static_files())
    api.mount_docs(app)
    app.add_api_route("/", _front_door, include_in_schema=False)
    app.add_api_route("/healthz", _healthz, include_in_schema=False)
    app.add_api_route("/readyz", _readyz, include_in_schema=False)
    app.add_exception_handler(AfterwordError, _on_our_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(Exception, _on_unexpected)
    return Door(JsonBody(app), app)


def run(settings: Settings, database_url: str, fd: int) -> None:
    """Serve on a listening socket that somebody else opened, until SIGTERM; then finish what is under way."""
    door = create_app(settings, database_url)
    if settings.llm_model:
        llm.prepare(settings.llm_provider)
    # What exists by now stays; looking through it again and again for garbage takes 6 % of the CPU and doubles the p99.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    uvicorn.run(
        door,
        fd=fd,
        log_level="debug" if settings.log_level == "debug" else "warning",
        access_log=False,  # a request line holds the survey token
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=25,
        lifespan="on",
        http=_HttpProtocol,
    )


class _HttpProtocol(HttpToolsProtocol):
    def send_400_response(self, msg: str) -> None:
        """Answer what is not HTTP, and so never gets as far as the door, like any other error."""
        request_id = ids.new("req")
        error = BadRequest("The request is not valid HTTP, or can be read in two ways.")
        body = json.dumps({"error": error.body(), "request_id": request_id}).encode()
        head = (
            f"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
            f"x-request-id: {request_id}\r\napi-version: 1\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()


async def _front_door() -> Response:
    """Whoever opens the printed address finds the documentation."""
    return RedirectResponse("/docs", 307)


async def _healthz() -> Response:
    """Alive. Asks nobody: a probe that needs the database turns one outage into two."""
    return PlainTextResponse("ok\n")


async def _readyz(request: Request) -> Response:
    """Ready for work: the database answers."""
    async with cast("Db", request.app.state.db).tx() as tx:
        await fetch_one(tx, _One, "select 1 as one")
    return PlainTextResponse("ready\n")


class _One:
    def __init__(self, one: int) -> None:
        self.one = one


class Door:
    """Pure ASGI middleware around everything: request id, API version, rate headers, and the last-resort error."""

    def __init__(self, app: ASGIApp, fastapi: FastAPI) -> None:
        self._app = app
        self.fastapi = fastapi

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; whatever happens, the answer carries the common headers."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # an error that is raised before routing has to be rendered as well, and for that a request knows its app
        scope["app"] = self.fastapi
        scope[_REQUEST_ID] = _request_id(scope)
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                _add_headers(scope, MutableHeaders(scope=message))
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except Exception as error:
            if started:
                raise
            if not isinstance(error, AfterwordError):
                _log.exception("unexpected error, request %s", scope[_REQUEST_ID])
            response = await _render(Request(scope, receive), error)
            await response(scope, receive, send_with_headers)


def _request_id(scope: Scope) -> str:
    given = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-request-id"]
    return given[0] if len(given) == 1 and _SANE_REQUEST_ID.fullmatch(given[0]) else ids.new("req")


def _add_headers(scope: Scope, headers: MutableHeaders) -> None:
    headers["X-Request-Id"] = scope[_REQUEST_ID]
    headers["API-Version"] = "1"
    headers["X-Content-Type-Options"] = "nosniff"
    caller: Caller | None = scope.get(CALLER)
    if caller is not None:
        headers["X-RateLimit-Limit"] = str(caller.max_calls)
        headers["X-RateLimit-Remaining"] = str(caller.remaining)
        headers["X-RateLimit-Reset"] = str(caller.reset_at)
        headers["Cache-Control"] = "no-store"


async def _render(request: Request, error: Exception) -> Response:
    """The one place that turns an error into an answer: JSON for programs, a page for people."""
    ours = error if isinstance(error, AfterwordError) else InternalError("Something went wrong on our side.")
    if request.url.path.startswith(_PEOPLE):
        return await survey.error_page(request, ours)
    body = {"error": ours.body(), "request_id": request.scope[_REQUEST_ID]}
    return JSONResponse(body, ours.status, ours.headers)


async def _on_our_error(request: Request, error: Exception) -> Response:
    return await _render(request, error)


async def _on_unexpected(_: Request, error: Exception) -> Response:
    raise error  # the door logs and renders it; the framework would answer in plain text


async def _on_validation_error(request: Request, error: Exception) -> Response:
    faults = cast("RequestValidationError", error).errors()
    return await _render(request, validation_error(faults, _known_fields(request)))


def _known_fields(request: Request) -> list[str]:
    """The body fields of the route that was called, for 'did you mean'."""
    body_field: Any = getattr(request.scope.get("route"), "body_field", None)
    annotation = getattr(getattr(body_field, "field_info", None), "annotation", None)
    return list(getattr(annotation, "model_fields", {}))


async def _on_http_error(request: Request, error: Exception) -> Response:
    http = cast("HTTPException", error)
    match http.status_code:
        case 404:
            for_people = request.url.path.startswith(_PEOPLE)
            way = "Please open the link in your e-mail again." if for_people else "The API is under /api/v1; see /docs."
            ours: AfterwordError = NotFound(f"Nothing is at {request.url.path[:200]}. {way}")
        case 405:
            ours = MethodNotAllowed(
                f"{request.method[:20]} is not possible here.", headers={"Allow": _allowed_methods(request)}
            )
        case 503:
            ours = Unavailable()
        case _:
            ours = AfterwordError(str(http.detail), headers=http.headers)
            ours.status, ours.code = http.status_code, "bad_request"
    return await _render(request, ours)


def _allowed_methods(request: Request) -> str:
    """What the path does answer to, over all its routes: each method has one of its own."""
    allowed: set[str] = set()
    for route in iter_route_contexts(request.app.routes):
        if route.methods and route.path_regex.match(request.scope["path"]):
            allowed |= route.methods
    return ", ".join(sorted(allowed))
