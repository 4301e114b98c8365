"""Interview types: a name with a guide behind it, in versions that never change once written."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.types.json import Json

from afterword import ids, paige
from afterword.db import Tx, execute, fetch_all, fetch_one
from afterword.errors import BadRequest, NotFound

MAX_NAME = 120  # characters


@dataclass(frozen=True, slots=True)
class InterviewType:
    """A kind of interview. `version` is the guide's newest; `minutes` is the length that the contact is promised."""

    id: str
    slug: str
    name: str
    version: int
    language: str
    internal: bool
    minutes: int
    created_at: datetime


async def create(
    tx: Tx, org_id: str, name: str, guide: Mapping[str, object], *, slug: str | None = None, field: str = "guide"
) -> InterviewType:
    """A new type from a guide. Raises BadRequest naming the place in the guide, Conflict for a slug that is taken."""
    name = name.strip()
    if not 1 <= len(name) <= MAX_NAME or not name.isprintable():
        raise BadRequest.field("name", f"must be 1 to {MAX_NAME} printable characters")
    try:
        checked = paige.load_guide(guide)
    except paige.GuideError as error:
        raise BadRequest(
            f"{field} is not a valid guide: " + "; ".join(f"{where}: {what}" for where, what in error.places[:3]),
            fields=[(f"{field}.{where}" if where else field, what) for where, what in error.places],
        ) from None
    type_id = ids.new("type")
    await execute(
        tx,
        """
        insert into interview_types (org_id, id, slug, name, language, internal, minutes, version)
        values (%(org_id)s, %(id)s, %(slug)s, %(name)s, %(language)s, %(internal)s, %(minutes)s, 1)
        """,
        org_id=org_id,
        id=type_id,
        slug=slug or _slug(name),
        name=name,
        language=checked.language,
        internal=checked.internal,
        minutes=checked.minutes,
    )
    await execute(
        tx,
        """
        insert into guide_versions (org_id, interview_type_id, version, guide)
        values (%(org_id)s, %(id)s, 1, %(guide)s)
        """,
        org_id=org_id,
        id=type_id,
        guide=Json(dict(guide)),
    )
    return await get(tx, org_id, type_id)


async def copy(tx: Tx, org_id: str, name: str, source: str) -> InterviewType:
    """A new type with the newest guide of another. Raises BadRequest when there is none of that id."""
    original = await _find(tx, org_id, source)
    if original is None:
        raise BadRequest.field("copy_of", "not found")
    guide = await raw_guide(tx, org_id, source, original.version)
    return await create(tx, org_id, name, guide, field="copy_of")


async def add_shipped(tx: Tx, org_id: str) -> list[InterviewType]:
    """Give an organization the types that ship with Afterword, in their order."""
    return [await create(tx, org_id, str(guide["name"]), guide, slug=slug) for slug, guide in paige.shipped_guides()]


async def get(tx: Tx, org_id: str, type_id: str) -> InterviewType:
    """One type of the organization. Raises NotFound."""
    found = await _find(tx, org_id, type_id)
    if found is None:
        raise NotFound(f"interview type {type_id} not found")
    return found


async def _find(tx: Tx, org_id: str, type_id: str) -> InterviewType | None:
    return await fetch_one(
        tx,
        InterviewType,
        """
        select id, slug, name, version, language, internal, minutes, created_at
        from interview_types where org_id = %(org_id)s and id = %(id)s
        """,
        org_id=org_id,
        id=type_id,
    )


async def find(tx: Tx, org_id: str, *, limit: int, after: str | None) -> Sequence[InterviewType]:
    """Types, oldest first, from after a type's id on."""
    return await fetch_all(
        tx,
        InterviewType,
        """
        select id, slug, name, version, language, internal, minutes, created_at
        from interview_types
        where org_id = %(org_id)s and (%(after)s::text is null or id > %(after)s)
        order by id limit %(limit)s
        """,
        org_id=org_id,
        after=after,
        limit=limit,
    )


@dataclass(frozen=True, slots=True)
class _Guide:
    guide: Mapping[str, object]


async def raw_guide(tx: Tx, org_id: str, type_id: str, version: int) -> Mapping[str, object]:
    """One version of a guide, as it was given. Raises NotFound."""
    row = await fetch_one(
        tx,
        _Guide,
        """
        select guide from guide_versions
        where org_id = %(org_id)s and interview_type_id = %(id)s and version = %(version)s
        """,
        org_id=org_id,
        id=type_id,
        version=version,
    )
    if row is None:
        raise NotFound(f"interview type {type_id} has no version {version}")
    return row.guide


def _slug(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "interview-type"
