"""Interview types: a name with a guide behind it, in versions that never change once written."""

import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Json

from afterword import ids, paige
from afterword.db import Tx, execute, fetch_all, fetch_one
from afterword.errors import BadRequest, Conflict, NotFound

MAX_NAME = 120  # characters
# An error tells this many places in its message, and this many in its list.
_TOLD = 3
_LISTED = 100
# A place holds what somebody called a key.
_LONGEST_PLACE = 200


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


# A guide as data, as YAML or JSON text, or checked before.
GuideGiven = Mapping[str, Any] | str | paige.Checked


@dataclass(frozen=True, slots=True)
class GuideVersion:
    """One version of a type's guide, and since when there is one."""

    version: int
    created_at: datetime


def check(guide: Mapping[str, Any] | str, field: str = "guide") -> paige.Checked:
    """A guide as data or as text, checked. Raises BadRequest naming each place, with its line where it is text."""
    checked = paige.check_guide(guide)
    if not checked.faults:
        return checked
    told = [f"{one.place[:_LONGEST_PLACE]}: {one.message}" for one in checked.faults[:_TOLD]]
    if len(checked.faults) > _TOLD:
        told.append(f"and {len(checked.faults) - _TOLD} more")
    raise BadRequest(
        f"{field} is not a valid guide: " + "; ".join(told),
        fields=[
            (
                field if one.where == "guide" else f"{field}.{one.where[:_LONGEST_PLACE]}",
                one.message if one.line is None else f"line {one.line}: {one.message}",
            )
            for one in checked.faults[:_LISTED]
        ],
    )


async def create(
    tx: Tx, org_id: str, name: str, guide: GuideGiven, *, slug: str | None = None, field: str = "guide"
) -> InterviewType:
    """A new type from a guide. Raises BadRequest naming the place in the guide, Conflict for a slug that is taken."""
    name = _checked_name(name)
    checked = guide if isinstance(guide, paige.Checked) else check(guide, field)
    made = await _insert(tx, org_id, name, slug or _slug(name), checked)
    if made is None:
        raise Conflict("Another interview type has this slug; give it another name.")
    return made


async def copy(tx: Tx, org_id: str, name: str, source: str) -> InterviewType:
    """A new type with the newest guide of another. Raises BadRequest when there is none of that id."""
    original = await _find(tx, org_id, source)
    if original is None:
        raise BadRequest.field("copy_of", "not found")
    guide = await raw_guide(tx, org_id, source, original.version)
    return await create(tx, org_id, name, guide, field="copy_of")


async def update(
    tx: Tx,
    org_id: str,
    type_id: str,
    *,
    name: str | None = None,
    guide: GuideGiven | None = None,
    expected_version: int | None = None,
) -> InterviewType:
    """Rename a type, or give it another guide, which becomes its next version unless it says what the newest says.

    Interviews that have begun keep the version they began with. Raises NotFound, BadRequest naming the place in the
    guide, and Conflict when `expected_version` is given and is not the newest.
    """
    name = None if name is None else _checked_name(name)
    checked = check(guide) if isinstance(guide, Mapping | str) else guide
    # the lock puts those who change one type at once in order, so that each sees the version before its own
    present = await _find(tx, org_id, type_id, lock=True)
    if present is None:
        raise _unknown(type_id)
    if expected_version is not None and expected_version != present.version:
        raise Conflict(
            f"The interview type is at version {present.version}, not {expected_version}. "
            "Read it again, and send your change on top of that."
        )
    if name is not None:
        await execute(
            tx,
            "update interview_types set name = %(name)s where org_id = %(org_id)s and id = %(id)s",
            org_id=org_id,
            id=type_id,
            name=name,
        )
    if checked is not None and checked.data != await raw_guide(tx, org_id, type_id, present.version):
        await _add_version(tx, org_id, type_id, present.version + 1, checked)
    return await get(tx, org_id, type_id)


async def add_shipped(tx: Tx, org_id: str) -> list[InterviewType]:
    """Give an organization the types that ship with Afterword, in their order."""
    return [await create(tx, org_id, str(guide.data["name"]), guide, slug=slug) for slug, guide in _shipped()]


async def add_missing_shipped(tx: Tx, org_id: str) -> list[InterviewType]:
    """Give an organization those shipped types that it has none of by slug; what it has stays as it is."""
    rows = await fetch_all(tx, _Slug, "select slug from interview_types where org_id = %(org_id)s", org_id=org_id)
    held = {row.slug for row in rows}
    made = [
        await _insert(tx, org_id, str(guide.data["name"]), slug, guide)
        for slug, guide in _shipped()
        if slug not in held
    ]
    return [one for one in made if one is not None]


async def organizations_missing_shipped(tx: Tx) -> list[str]:
    """The organizations that lack a type which ships with this release."""
    rows = await fetch_all(
        tx,
        _OrgId,
        """
        select o.id from organizations o
        where exists (
            select from unnest(%(slugs)s::text[]) s (slug)
            where not exists (select from interview_types t where t.org_id = o.id and t.slug = s.slug))
        order by o.id
        """,
        slugs=[slug for slug, _ in paige.shipped_guides()],
    )
    return [row.id for row in rows]


async def organization_of(tx: Tx, type_id: str) -> str:
    """The organization that a type belongs to, for whoever runs the server. Raises NotFound."""
    row = await fetch_one(tx, _OrgId, "select org_id as id from interview_types where id = %(id)s", id=type_id)
    if row is None:
        raise _unknown(type_id)
    return row.id


async def get(tx: Tx, org_id: str, type_id: str) -> InterviewType:
    """One type of the organization. Raises NotFound."""
    found = await _find(tx, org_id, type_id)
    if found is None:
        raise _unknown(type_id)
    return found


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


async def versions(
    tx: Tx, org_id: str, type_id: str, *, limit: int = 100, before: int | None = None
) -> Sequence[GuideVersion]:
    """The versions of a type's guide, newest first, from below `before` on. Raises NotFound."""
    await get(tx, org_id, type_id)
    return await fetch_all(
        tx,
        GuideVersion,
        """
        select version, created_at from guide_versions
        where org_id = %(org_id)s and interview_type_id = %(id)s
            and (%(before)s::integer is null or version < %(before)s)
        order by version desc limit %(limit)s
        """,
        org_id=org_id,
        id=type_id,
        before=before,
        limit=limit,
    )


async def raw_guide(tx: Tx, org_id: str, type_id: str, version: int) -> Mapping[str, Any]:
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
        raise NotFound(f"interview type {type_id[:40]} has no version {version}")
    return row.guide


@dataclass(frozen=True, slots=True)
class _Guide:
    guide: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Slug:
    slug: str


@dataclass(frozen=True, slots=True)
class _OrgId:
    id: str


async def _find(tx: Tx, org_id: str, type_id: str, *, lock: bool = False) -> InterviewType | None:
    if lock:
        await execute(
            tx,
            "select from interview_types where org_id = %(org_id)s and id = %(id)s for no key update",
            org_id=org_id,
            id=type_id,
        )
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


async def _insert(tx: Tx, org_id: str, name: str, slug: str, checked: paige.Checked) -> InterviewType | None:
    """A type with the first version of its guide; None where the slug is taken."""
    type_id = ids.new("type")
    guide = _guide_of(checked)
    made = await execute(
        tx,
        """
        with made as (
            insert into interview_types (org_id, id, slug, name, language, internal, minutes, version)
            values (%(org_id)s, %(id)s, %(slug)s, %(name)s, %(language)s, %(internal)s, %(minutes)s, 1)
            on conflict (org_id, slug) do nothing
            returning org_id, id, version
        )
        insert into guide_versions (org_id, interview_type_id, version, guide)
        select org_id, id, version, %(guide)s from made
        """,
        org_id=org_id,
        id=type_id,
        slug=slug,
        name=name,
        language=guide.language,
        internal=guide.internal,
        minutes=guide.minutes,
        guide=Json(checked.data),
    )
    return await get(tx, org_id, type_id) if made else None


async def _add_version(tx: Tx, org_id: str, type_id: str, version: int, checked: paige.Checked) -> None:
    guide = _guide_of(checked)
    await execute(
        tx,
        """
        with changed as (
            update interview_types
            set version = %(version)s, language = %(language)s, internal = %(internal)s, minutes = %(minutes)s
            where org_id = %(org_id)s and id = %(id)s
            returning org_id, id, version
        )
        insert into guide_versions (org_id, interview_type_id, version, guide)
        select org_id, id, version, %(guide)s from changed
        """,
        org_id=org_id,
        id=type_id,
        version=version,
        language=guide.language,
        internal=guide.internal,
        minutes=guide.minutes,
        guide=Json(checked.data),
    )


def _shipped() -> list[tuple[str, paige.Checked]]:
    """The guides that ship, known to be sound."""
    return [(slug, paige.Checked(guide, paige.load_guide(guide), (), ())) for slug, guide in paige.shipped_guides()]


def _guide_of(checked: paige.Checked) -> paige.Guide:
    assert checked.guide is not None, "a guide without faults"
    return checked.guide


def _checked_name(name: str) -> str:
    name = name.strip()
    if not 1 <= len(name) <= MAX_NAME or not name.isprintable():
        raise BadRequest.field("name", f"must be 1 to {MAX_NAME} printable characters")
    return name


def _unknown(type_id: str) -> NotFound:
    return NotFound(f"interview type {type_id[:40]} not found")


def _slug(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    plain = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    # a name in another script leaves nothing, and two of those are not the same
    return plain or f"interview-type-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
