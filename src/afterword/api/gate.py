"""Who may call: key, rate limit and scope, in this order, before a route reads its fields."""

import hashlib
import json
import math
import re
import time
from typing import Annotated, cast

from fastapi import Depends, Request, Security
from fastapi.security import SecurityScopes

from afterword import accounts, clock
from afterword.accounts import Caller, IdempotencyKey
from afterword.api.body import PARSED
from afterword.api.shapes import unknown_field
from afterword.db import Db
from afterword.errors import BadRequest, InsufficientScope, RateLimited, Unauthorized
from afterword.settings import current

CALLER = "afterword.caller"  # where the scope keeps who called, for the rate headers of whatever is answered
_WINDOW = 60.0  # seconds
_MAX_ADDRESSES = 100_000  # failing addresses remembered at once; beyond that the oldest windows go

_IDEMPOTENCY_KEY = re.compile(
    r'"(?P<quoted>[\x20\x21\x23-\x7e]{1,255})"|(?P<bare>[\x21\x23-\x7e]([\x20-\x7e]{0,253}[\x21-\x7e])?)'
)


class FailedLogins:
    """Failed attempts to authenticate per client address, in this process: a guesser gets 60 a minute, then 429.

    Kept in memory so that a wrong key costs no query; each web process counts for itself.
    """

    def __init__(self) -> None:
        self._windows: dict[str, tuple[float, int]] = {}

    def count(self, address: str) -> None:
        """Note one failure. Raises RateLimited when the address is over its limit."""
        limit = current().failed_logins_per_minute
        now = time.monotonic()
        opened, failures = self._windows.pop(address, (now, 0))
        if now - opened >= _WINDOW:
            opened, failures = now, 0
        self._windows[address] = (opened, failures + 1)
        if len(self._windows) > _MAX_ADDRESSES:
            del self._windows[next(iter(self._windows))]
        if limit and failures >= limit:
            wait = max(1, round(opened + _WINDOW - now))
            raise RateLimited(
                f"Too many failed attempts from your address. Try again in {wait} seconds.",
                headers={"Retry-After": str(wait)},
            )


async def database(request: Request) -> Db:
    """The pool that the application was started with. Async, or FastAPI would ask a thread for it."""
    return cast("Db", request.app.state.db)


async def gate(request: Request, scopes: SecurityScopes) -> Caller:
    """The caller, known, counted and allowed. Raises Unauthorized, RateLimited, InsufficientScope."""
    try:
        caller = await accounts.authenticate(await database(request), _presented_key(request))
    except Unauthorized:
        failed_logins: FailedLogins = request.app.state.failed_logins
        failed_logins.count(request.client.host if request.client else "")
        raise
    request.scope[CALLER] = caller
    if not caller.allowed:
        wait = max(1, math.ceil(caller.reset_at - clock.now().timestamp()))
        raise RateLimited(
            f"Over the limit of {caller.max_calls} calls a minute for the plan {caller.plan.title()}. "
            f"Try again in {wait} seconds.",
            headers={"Retry-After": str(wait)},
        )
    if missing := [scope for scope in scopes.scopes if not caller.may(scope)]:
        raise InsufficientScope(missing)
    if "\x00" in request.scope["path"] or "\x00" in "".join(request.query_params.values()):
        raise BadRequest("The address contains the character U+0000, which no id or value has.")
    _refuse_unknown_parameters(request)
    return caller


def _refuse_unknown_parameters(request: Request) -> None:
    """A filter that is not known must not be ignored: the caller would take all for some. Raises BadRequest."""
    known = [field.alias for field in request.scope["route"].dependant.query_params]
    unknown = [name for name in dict.fromkeys(request.query_params) if name not in known and name != "org_id"]
    if unknown:
        fields = [(name[:200], unknown_field(name, known, "a parameter")) for name in unknown]
        raise BadRequest("; ".join(f"{name} {what}" for name, what in fields[:5]), fields=fields)


def _presented_key(request: Request) -> str:
    bearer = request.headers.getlist("authorization")
    plain = request.headers.getlist("x-api-key")
    if len(bearer) + len(plain) != 1:
        raise Unauthorized
    if plain:
        return plain[0].strip()
    scheme, _, key = bearer[0].partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthorized
    return key.strip()


async def idempotency_key(request: Request) -> IdempotencyKey | None:
    """The call's Idempotency-Key, if it has one, with what it stands for. Raises BadRequest."""
    given = set(request.headers.getlist("idempotency-key"))
    if not given:
        return None
    match = _IDEMPOTENCY_KEY.fullmatch(given.pop())
    if given or match is None:
        raise BadRequest.field(
            "Idempotency-Key", "must be one value of 1 to 255 printable ASCII characters, bare or quoted"
        )
    canonical = json.dumps(request.scope.get(PARSED, {}), sort_keys=True, separators=(",", ":"))
    route = cast("str", request.scope["route"].path)
    return IdempotencyKey(
        route=f"{request.method} {route}",
        key=match["quoted"] or match["bare"],
        fingerprint=hashlib.sha256(canonical.encode()).digest(),
    )


Database = Annotated[Db, Depends(database)]
OptionalKey = Annotated[IdempotencyKey | None, Depends(idempotency_key)]
AnyCaller = Annotated[Caller, Security(gate)]
ReadsInterviews = Annotated[Caller, Security(gate, scopes=["interviews:read"])]
WritesInterviews = Annotated[Caller, Security(gate, scopes=["interviews:write"])]
ReadsContacts = Annotated[Caller, Security(gate, scopes=["contacts:read"])]
ReadsDeals = Annotated[Caller, Security(gate, scopes=["deals:read"])]
WritesDeals = Annotated[Caller, Security(gate, scopes=["deals:write"])]
Administers = Annotated[Caller, Security(gate, scopes=["admin"])]
