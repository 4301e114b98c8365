"""`/interview-types`: the kinds of interview an organization holds, each with a guide."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field, field_validator

from afterword import interview_types, paige
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

_MAX_VERSION = 2**31 - 1
# More findings than this help nobody.
_TOLD = 500

_EXAMPLE: dict[str, Any] = {
    "schema": 1,
    "name": "Lost, in short",
    "slug": "lost-in-short",
    "language": "en",
    "minutes": 3,
    "topics": [
        {
            "id": "verdict",
            "intent": "How it came down to the choice.",
            "priority": 1,
            "order_group": 1,
            "must_have": True,
            "probe_types": ["episode", "echo"],
        }
    ],
    "languages": {
        "en": {
            "opening": ["Hello, I'm {interviewer}, an AI interviewer working for {vendor}."],
            "catch_all": ["What should I have asked that I didn't?"],
            "topics": {
                "verdict": {
                    "label": "How you decided",
                    "main": [
                        "Walk me through how it came down to the final choice.",
                        "How was the decision made in the end?",
                        "What decided it?",
                    ],
                    "simpler": ["In short, what tipped it?"],
                }
            },
        }
    },
}

GuideField = Annotated[
    dict[str, Any] | str | None,
    Field(
        description="A guide by `GET /interview-types/schema`: an object, or YAML or JSON as text, which gets faults "
        "and warnings with their lines.",
        examples=[_EXAMPLE],
    ),
]


def _check_guide(value: object) -> object:
    if value is not None and not isinstance(value, str | dict):
        raise ValueError("must be an object, or YAML or JSON as text")
    return value  # pyright: ignore[reportUnknownVariableType]  (the field's own type is checked next)


class InterviewTypeCreate(RequestModel):
    """A new type: with a guide of its own, or with the guide of another type."""

    name: str = Field(examples=["Lost to a competitor, enterprise"])
    guide: GuideField = None
    copy_of: str | None = Field(default=None, description="The type whose newest guide is taken.")
    org_id: IgnoredOrgId = None

    _guide = field_validator("guide", mode="before")(_check_guide)


class InterviewTypeUpdate(RequestModel):
    """What is left out stays. Another guide becomes the type's next version."""

    name: str | None = Field(default=None, examples=["Lost to a competitor, enterprise"])
    guide: GuideField = None
    expected_version: int | None = Field(
        default=None,
        ge=1,
        le=_MAX_VERSION,
        description="The version your change is based on; 409 if there is a newer one. Without it the last write wins.",
        examples=[3],
    )
    org_id: IgnoredOrgId = None

    _guide = field_validator("guide", mode="before")(_check_guide)


class GuideToValidate(RequestModel):
    """A guide that is looked at and not stored."""

    guide: GuideField
    org_id: IgnoredOrgId = None

    _guide = field_validator("guide", mode="before")(_check_guide)


class FaultOut(ResponseModel):
    """What makes a guide unusable. `line` is there where the guide was given as text."""

    where: str = Field(examples=["languages.en.topics.verdict.main[0]"])
    line: int | None = Field(examples=[41])
    message: str = Field(examples=["is empty"])


class WarningOut(FaultOut):
    """A wording that breaks a rule of the craft; the guide can be used all the same."""

    rule: str = Field(examples=["leading"])
    message: str = Field(examples=["suggests an answer"])


class ValidationOut(ResponseModel):
    """All that was found."""

    valid: bool
    faults: list[FaultOut]
    warnings: list[WarningOut]


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


class InterviewTypeSaved(InterviewTypeOut):
    """The type as it is stored now, and what the craft has to say of the guide that was sent."""

    warnings: list[WarningOut]


class InterviewTypeWithGuide(InterviewTypeOut):
    """A type with one version of its guide, as it was given."""

    guide_version: int = Field(description="The version that `guide` is.", examples=[1])
    guide: dict[str, Any] = Field(examples=[_EXAMPLE])


class VersionOut(ResponseModel):
    """One version of a guide. It never changes, and interviews that began with it keep it."""

    version: int = Field(examples=[3])
    created_at: Instant


TypeId = Annotated[str, Path(description="The type's `id`.", examples=["type_abc123"])]


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


@router.post("", status_code=201, responses={201: {"model": InterviewTypeSaved}}, summary="Create an interview type")
async def create(caller: Administers, key: OptionalKey, body: InterviewTypeCreate, db: Database) -> Response:
    """From a guide, or as a copy of another type."""
    if (body.guide is None) == (body.copy_of is None):
        raise BadRequest(
            "Give either guide or copy_of.", fields=[(name, "give one of the two") for name in ("guide", "copy_of")]
        )
    checked = await _checked(body.guide)

    async def work(tx: Tx) -> InterviewTypeSaved:
        if checked is not None:
            made = await interview_types.create(tx, caller.org_id, body.name, checked)
        else:
            made = await interview_types.copy(tx, caller.org_id, body.name, body.copy_of or "")
        return _saved(made, checked)

    return await create_once(db, caller, key, work)


@router.get("/schema", summary="The guides' JSON schema")
async def schema(caller: ReadsInterviews) -> dict[str, Any]:
    """JSON Schema (Draft 2020-12) of a guide. `POST /interview-types/validate` also checks what a schema cannot say."""
    del caller
    return dict(paige.guide_schema())


@router.post("/validate", status_code=200, summary="Check a guide")
async def validate(caller: ReadsInterviews, key: OptionalKey, body: GuideToValidate) -> ValidationOut:
    """Every fault and every slip of the craft, without storing anything. A guide with faults is answered 200 too."""
    del caller, key
    checked = await asyncio.to_thread(paige.check_guide, body.guide or {})
    return ValidationOut(
        valid=not checked.faults,
        faults=[FaultOut(where=one.where[:200], line=one.line, message=one.message) for one in checked.faults[:_TOLD]],
        warnings=[WarningOut.model_validate(one) for one in checked.warnings[:_TOLD]],
    )


@router.get("/{interview_type_id}", summary="Look at an interview type")
async def read(
    interview_type_id: TypeId,
    caller: ReadsInterviews,
    db: Database,
    version: Annotated[
        int | None, Query(ge=1, le=_MAX_VERSION, description="An earlier version of the guide; without it the newest.")
    ] = None,
) -> InterviewTypeWithGuide:
    """The type and its guide."""
    async with db.tx() as tx:
        found = await interview_types.get(tx, caller.org_id, interview_type_id)
        shown = version or found.version
        guide = await interview_types.raw_guide(tx, caller.org_id, interview_type_id, shown)
    return InterviewTypeWithGuide(**_fields(found), guide_version=shown, guide=dict(guide))


@router.get("/{interview_type_id}/versions", summary="List a guide's versions")
async def versions(
    interview_type_id: TypeId, caller: ReadsInterviews, db: Database, limit: Limit = 20, cursor: Cursor = None
) -> Page[VersionOut]:
    """Newest first. `GET /interview-types/{id}?version=…` shows one."""
    before = _before(read_cursor(cursor))
    async with db.tx() as tx:
        found = await interview_types.versions(tx, caller.org_id, interview_type_id, limit=limit + 1, before=before)
    last = str(found[limit - 1].version) if len(found) >= limit else None
    return page([VersionOut.model_validate(one) for one in found], limit, last)


@router.patch("/{interview_type_id}", summary="Change an interview type")
async def change(
    interview_type_id: TypeId, caller: Administers, body: InterviewTypeUpdate, db: Database
) -> InterviewTypeSaved:
    """Rename it, or give it another guide, which becomes its next version unless nothing in it is new.

    Interviews that have begun keep the version they began with.
    """
    if body.name is None and body.guide is None:
        raise BadRequest(
            "Give at least one of name and guide.",
            fields=[(name, "one of these is required") for name in ("name", "guide")],
        )
    checked = await _checked(body.guide)
    async with db.tx() as tx:
        changed = await interview_types.update(
            tx,
            caller.org_id,
            interview_type_id,
            name=body.name,
            guide=checked,
            expected_version=body.expected_version,
        )
    return _saved(changed, checked)


async def _checked(guide: dict[str, Any] | str | None) -> paige.Checked | None:
    """The guide, checked beside the event loop: a long one takes a while. Raises BadRequest naming each place."""
    return None if guide is None else await asyncio.to_thread(interview_types.check, guide)


def _saved(one: interview_types.InterviewType, checked: paige.Checked | None) -> InterviewTypeSaved:
    warnings = checked.warnings[:_TOLD] if checked else ()
    return InterviewTypeSaved(**_fields(one), warnings=[WarningOut.model_validate(warning) for warning in warnings])


def _fields(one: interview_types.InterviewType) -> dict[str, Any]:
    return {name: getattr(one, name) for name in InterviewTypeOut.model_fields}


def _before(last: str | None) -> int | None:
    """The version that a cursor stands for. Raises BadRequest."""
    if last is None:
        return None
    if not (last.isascii() and last.isdigit() and len(last) < 10):
        raise BadRequest.field("cursor", "is not one that this API gave; leave it out for the first page")
    return int(last)
