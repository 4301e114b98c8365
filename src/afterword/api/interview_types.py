"""`/interview-types`: the kinds of interview an organization holds, each with a guide."""

from typing import Any

from fastapi import APIRouter, Response
from pydantic import Field

from afterword import interview_types
from afterword.api.gate import Administers, Database, OptionalKey, ReadsInterviews
from afterword.api.shapes import (
    Cursor,
    IgnoredOrgId,
    Instant,
    Limit,
    Page,
    RequestModel,
    ResponseModel,
    create_once,
    page,
    read_cursor,
)
from afterword.db import Tx
from afterword.errors import BadRequest

router = APIRouter(prefix="/interview-types", tags=["Interview types"])


class InterviewTypeCreate(RequestModel):
    """A new type: with a guide of its own, or with the guide of another type."""

    name: str = Field(examples=["Lost to a competitor, enterprise"])
    guide: dict[str, Any] | None = Field(default=None, description="A guide, by the JSON schema in the docs.")
    copy_of: str | None = Field(default=None, examples=["type_abc123"])
    org_id: IgnoredOrgId = None


class InterviewTypeOut(ResponseModel):
    """A kind of interview. `version` is the guide's newest, `minutes` what contacts are promised."""

    id: str = Field(examples=["type_abc123"])
    slug: str = Field(examples=["lost-to-a-competitor"])
    name: str = Field(examples=["Lost to a competitor"])
    version: int = Field(examples=[1])
    language: str = Field(examples=["en"])
    internal: bool
    minutes: int = Field(examples=[10])
    created_at: Instant


@router.get("", summary="List interview types")
async def index(
    caller: ReadsInterviews, db: Database, limit: Limit = 20, cursor: Cursor = None
) -> Page[InterviewTypeOut]:
    """Interview types, oldest first."""
    after = read_cursor(cursor)
    async with db.tx() as tx:
        found = await interview_types.find(tx, caller.org_id, limit=limit + 1, after=after)
    last = found[limit - 1].id if len(found) >= limit else None
    return page([InterviewTypeOut.model_validate(one) for one in found], limit, last)


@router.post("", status_code=201, responses={201: {"model": InterviewTypeOut}}, summary="Create an interview type")
async def create(caller: Administers, key: OptionalKey, body: InterviewTypeCreate, db: Database) -> Response:
    """From a guide, or as a copy of another type."""
    if (body.guide is None) == (body.copy_of is None):
        raise BadRequest(
            "Give either guide or copy_of.", fields=[(name, "give one of the two") for name in ("guide", "copy_of")]
        )

    async def work(tx: Tx) -> InterviewTypeOut:
        if body.guide is not None:
            made = await interview_types.create(tx, caller.org_id, body.name, body.guide)
        else:
            made = await interview_types.copy(tx, caller.org_id, body.name, body.copy_of or "")
        return InterviewTypeOut.model_validate(made)

    return await create_once(db, caller, key, work)
