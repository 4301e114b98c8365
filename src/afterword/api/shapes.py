"""What all resources share: models that refuse unknown fields, instants, lists with cursors, answers kept once."""

import base64
import binascii
import difflib
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar, cast

from fastapi import Query, Response
from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, model_validator
from pydantic_core import ErrorDetails

from afterword import accounts, clock
from afterword.accounts import Caller, IdempotencyKey
from afterword.db import Db, Tx
from afterword.errors import BadRequest

M = TypeVar("M", bound=BaseModel)

Instant = Annotated[datetime, PlainSerializer(clock.iso, return_type=str)]
OptionalInstant = Annotated[
    datetime | None, PlainSerializer(lambda at: clock.iso(at) if at else None, return_type=str | None)
]


IgnoredOrgId = Annotated[
    Any, Field(description="Accepted from clients that send it, and ignored: the key says whose call it is.")
]


class RequestModel(BaseModel):
    """A body as clients send it: unknown fields are refused, because dropping a mistyped one would lose data."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, given: Any) -> Any:
        if not isinstance(given, dict) or None not in given.values():  # pyright: ignore[reportUnknownMemberType]  (parsed JSON)
            return given  # pyright: ignore[reportUnknownVariableType]  (as above)
        body = cast("dict[str, Any]", given)
        known = {field.alias or name for name, field in cls.model_fields.items()}
        return {name: value for name, value in body.items() if value is not None or name not in known}


class ResponseModel(BaseModel):
    """A body as clients get it."""

    model_config = ConfigDict(from_attributes=True)


class Pagination(ResponseModel):
    """Whether there is more, and the `cursor` that brings it."""

    has_more: bool
    next_cursor: str | None = None


class Page(ResponseModel, Generic[M]):
    """One page of a list."""

    data: list[M]
    pagination: Pagination


Limit = Annotated[int, Query(ge=1, le=100, description="How many to return.")]
Cursor = Annotated[str | None, Query(max_length=200, description="`pagination.next_cursor` of the page before.")]


def read_cursor(cursor: str | None) -> str | None:
    """The id that a cursor stands for. Raises BadRequest."""
    if cursor is None:
        return None
    try:
        last_id = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        last_id = ""
    if not last_id.isprintable() or not last_id:
        raise BadRequest.field("cursor", "is not one that this API gave; leave it out for the first page")
    return last_id


def page(rows: Sequence[M], limit: int, last_id: str | None) -> Page[M]:
    """A page from `limit` + 1 fetched rows: the one too many tells that there is more. `last_id` is the last shown."""
    more = len(rows) > limit
    cursor = base64.urlsafe_b64encode(last_id.encode()).rstrip(b"=").decode() if more and last_id else None
    return Page(data=list(rows[:limit]), pagination=Pagination(has_more=more, next_cursor=cursor))


def json_response(body: BaseModel, status: int = 200) -> Response:
    """The model as JSON."""
    return Response(body.model_dump_json(by_alias=True), status, media_type="application/json")


async def create_once(
    db: Db, caller: Caller, key: IdempotencyKey | None, create: Callable[[Tx], Awaitable[BaseModel]]
) -> Response:
    """Do `create` in one transaction and answer 201; under an Idempotency-Key once, then the same bytes again."""
    async with db.tx() as tx:
        if key is not None and (kept := await accounts.recall(tx, caller.org_id, key)) is not None:
            return Response(kept, 201, {"Idempotent-Replayed": "true"}, media_type="application/json")
        answer = (await create(tx)).model_dump_json(by_alias=True)
        if key is not None:
            await accounts.keep(tx, caller.org_id, key, answer)
    return Response(answer, 201, media_type="application/json")


def validation_error(faults: Sequence[ErrorDetails], known_fields: Sequence[str]) -> BadRequest:
    """Pydantic's findings in our words: each names the field; an unknown one also names the nearest known."""
    fields: list[tuple[str, str]] = []
    for fault in faults:
        where = [part for part in fault["loc"] if part not in {"body", "query", "path", "header"}]
        name = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in where).removeprefix(".")[:200]
        fields.append((name or "body", _message(fault, known_fields)))
    message = "; ".join(f"{name} {what}" for name, what in fields[:5])
    return BadRequest(message or "The request is not valid.", fields=fields)


def _message(fault: ErrorDetails, known_fields: Sequence[str]) -> str:
    match fault["type"]:
        case "missing":
            return "is required"
        case "extra_forbidden":
            return unknown_field(str(fault["loc"][-1]), known_fields, "a field")
        case _:
            text = fault["msg"].removeprefix("Value error, ")
            return text[:1].lower() + text[1:]


def unknown_field(name: str, known: Sequence[str], kind: str) -> str:
    """What to say of a name that is not `known`, with the nearest one that is."""
    near = difflib.get_close_matches(name, known, 1, 0.5)
    return f"is not {kind} of this call; did you mean {near[0]}?" if near else f"is not {kind} of this call"


class ErrorField(BaseModel):
    """One field that is wrong."""

    field: str = Field(examples=["sequence_id"])
    message: str = Field(examples=["not found"])


class ErrorDetail(BaseModel):
    """The fields that are wrong, where fields are."""

    fields: list[ErrorField]


class ErrorObject(BaseModel):
    """What went wrong: `code` is stable, `message` is for people."""

    code: str = Field(examples=["bad_request"])
    message: str = Field(examples=["sequence_id not found"])
    details: ErrorDetail | None = None
    required_scopes: list[str] | None = Field(default=None, description="With `insufficient_scope`.")


class ErrorBody(BaseModel):
    """Every error of this API."""

    error: ErrorObject
    request_id: str = Field(examples=["req_01k9x3m5p7q8r9s0t1v2w3x4y5"])
