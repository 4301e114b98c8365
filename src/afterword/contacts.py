"""People who are asked for an interview: one per organization and e-mail address, and whether we may mail them."""

import json
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import email_validator

from afterword import tokens
from afterword.db import Tx, execute, fetch_all
from afterword.errors import BadRequest, NotFound

MAX_NAME = 200  # characters
MAX_NOTES = 64 * 1024  # bytes of UTF-8

# The names that RFC 6761 sets aside for tests can neither be delivered to nor do harm: let them in. (The library's
# documented way to say so is its module-level list.)
for _name in {"invalid", "test"} & set(email_validator.SPECIAL_USE_DOMAIN_NAMES):
    email_validator.SPECIAL_USE_DOMAIN_NAMES.remove(_name)
# Mailboxes that machines answer for: mailing them starts loops, and no interview comes of it.
_MACHINE_MAILBOXES = (
    "mailer-daemon",
    "postmaster",
    "noreply",
    "no-reply",
    "donotreply",
    "do-not-reply",
    "bounce",
    "bounces",
)

Reason = Literal["unsubscribed", "hard_bounce", "complaint", "manual"]


@dataclass(frozen=True, slots=True)
class Address:
    """An e-mail address: as it is mailed to, and the form that says whether two are the same."""

    email: str
    key: str

    @property
    def read_by_machines(self) -> bool:
        """Whether this is a mailbox such as `noreply@`, which no person reads."""
        return self.key.partition("@")[0] in _MACHINE_MAILBOXES

    @property
    def hashes(self) -> list[bytes]:
        """What suppressions are looked up by: this address, and for a tagged one (`a+b@`) the plain one too."""
        local, _, domain = self.key.partition("@")
        forms = {self.key: None, f"{local.partition('+')[0] or local}@{domain}": None}
        return [digest for form in forms for digest in tokens.address_hashes(form)]


@dataclass(frozen=True, slots=True)
class Contact:
    """One person. `notes` is what the API calls contact_context."""

    id: str
    email: str
    name: str | None
    notes: str
    time_zone: str | None
    language: str | None
    created_at: datetime
    updated_at: datetime
    suppressed_reason: str | None
    suppressed_source: str | None
    suppressed_at: datetime | None


def parse_address(text: str, field: str = "contact_email") -> Address:
    """Read one bare address: trimmed, the domain in lower case and IDNA-encoded, the local part as it was written.

    Two addresses are the same when they differ in case only; plus tags and dots tell people apart. Raises BadRequest.
    """
    text = text.strip(" ")
    if not text:
        raise BadRequest.field(field, "must not be empty")
    if any(unicodedata.category(char) in {"Cc", "Cf", "Zl", "Zp"} for char in text):
        raise BadRequest.field(field, "must not contain line breaks, control characters or invisible characters")
    try:
        parsed = email_validator.validate_email(text, check_deliverability=False)
    except email_validator.EmailNotValidError as error:
        raise BadRequest.field(field, f"is not one plain e-mail address: {error}") from None
    domain = parsed.ascii_domain.lower()
    if len(parsed.local_part.encode()) > 64:  # octets, RFC 5321 §4.5.3.1.1
        raise BadRequest.field(field, "has more than 64 bytes before the @")
    if any(_mixes_scripts(label) for label in parsed.domain.split(".")):
        raise BadRequest.field(field, "mixes look-alike letters of several scripts in its domain")
    return Address(f"{parsed.local_part}@{domain}", f"{parsed.local_part.lower()}@{domain}")


def _mixes_scripts(label: str) -> bool:
    scripts = {unicodedata.name(char, "").split(" ")[0] for char in label if char.isalpha()}
    return len(scripts & {"LATIN", "CYRILLIC", "GREEK"}) > 1


def check_name(name: str, field: str = "contact_name") -> str:
    """A person's name on one line, invisible characters dropped. Raises BadRequest."""
    if any(unicodedata.category(char) in {"Cc", "Zl", "Zp"} for char in name):
        raise BadRequest.field(field, "must not contain line breaks or control characters")
    name = strip_invisible(name).strip()
    if not name:
        raise BadRequest.field(field, "must not be empty; leave it out to keep the stored name")
    if len(name) > MAX_NAME:
        raise BadRequest.field(field, f"must be at most {MAX_NAME} characters, this has {len(name)}")
    return name


def check_notes(notes: str, field: str = "contact_context") -> str:
    """Background on a person, invisible characters dropped. Raises BadRequest."""
    if len(notes.encode()) > MAX_NOTES:
        raise BadRequest.field(field, f"must be at most {MAX_NOTES // 1024} KiB, this has {len(notes.encode())} bytes")
    return strip_invisible(notes)


def strip_invisible(text: str) -> str:
    """Drop characters that a person cannot see but a language model reads: tag characters, zero-width marks, overrides.

    The joiners U+200C and U+200D stay, as do variation selectors: scripts and emoji need them.
    """
    if text.isascii():
        return text
    return "".join(c for c in text if c in "\u200c\u200d\n\t" or unicodedata.category(c) not in {"Cf", "Co", "Cn"})


def company(notes: str) -> str | None:
    """What a context that was given as an object says the contact's company is."""
    try:
        named: object = json.loads(notes)["company"]
    except (ValueError, KeyError, TypeError):
        return None
    return strip_invisible(named).strip() or None if isinstance(named, str) else None


async def get(tx: Tx, org_id: str, contact_id: str) -> Contact:
    """One contact of the organization. Raises NotFound."""
    found = await _matching(tx, org_id, contact_id=contact_id)
    if not found:
        raise NotFound(f"contact {contact_id} not found")
    return found[0]


async def find(tx: Tx, org_id: str, *, email: str | None, limit: int, before: str | None) -> Sequence[Contact]:
    """Contacts, newest first, from before a contact's id on; with `email`, the one who has that address."""
    key = parse_address(email, "email").key if email is not None else None
    return await _matching(tx, org_id, email_key=key, limit=limit, before=before)


@dataclass(frozen=True, slots=True)
class _Row:
    id: str
    email: str
    email_key: str
    name: str | None
    notes: str
    time_zone: str | None
    language: str | None
    created_at: datetime
    updated_at: datetime


async def _matching(
    tx: Tx,
    org_id: str,
    *,
    contact_id: str | None = None,
    email_key: str | None = None,
    limit: int = 1,
    before: str | None = None,
) -> list[Contact]:
    """Contacts by id, by address or by age, each with its suppression if there is one."""
    rows = await fetch_all(
        tx,
        _Row,
        """
        select id, email, email_key, name, notes, time_zone, language, created_at, updated_at
        from contacts
        where org_id = %(org_id)s
          and (%(id)s::text is null or id = %(id)s)
          and (%(email_key)s::text is null or email_key = %(email_key)s)
          and (%(before)s::text is null or id < %(before)s)
        order by id desc
        limit %(limit)s
        """,
        org_id=org_id,
        id=contact_id,
        email_key=email_key,
        before=before,
        limit=limit,
    )
    hashes = {row.id: Address(row.email, row.email_key).hashes for row in rows}
    found = await suppressions(tx, org_id, [digest for some in hashes.values() for digest in some])
    return [_with_suppression(row, next((found[h] for h in hashes[row.id] if h in found), None)) for row in rows]


def _with_suppression(row: _Row, entry: "Suppression | None") -> Contact:
    return Contact(
        id=row.id,
        email=row.email,
        name=row.name,
        notes=row.notes,
        time_zone=row.time_zone,
        language=row.language,
        created_at=row.created_at,
        updated_at=row.updated_at,
        suppressed_reason=entry.reason if entry else None,
        suppressed_source=entry.source if entry else None,
        suppressed_at=entry.at if entry else None,
    )


async def update(tx: Tx, org_id: str, contact_id: str, *, name: str | None = None, notes: str | None = None) -> None:
    """Set what is given, keep the rest, remember the old notes. Raises NotFound."""
    changed = await execute(
        tx,
        """
        with old as (
            select id, notes from contacts where org_id = %(org_id)s and id = %(id)s for no key update
        ), history as (
            insert into contact_notes (org_id, contact_id, notes)
            select %(org_id)s, id, notes from old
            where %(notes)s::text is not null and notes <> '' and notes <> %(notes)s
        )
        update contacts c
        set name = coalesce(%(name)s, c.name), notes = coalesce(%(notes)s, c.notes), updated_at = clock_now()
        from old where c.org_id = %(org_id)s and c.id = old.id
        """,
        org_id=org_id,
        id=contact_id,
        name=name,
        notes=notes,
    )
    if not changed:
        raise NotFound(f"contact {contact_id} not found")


@dataclass(frozen=True, slots=True)
class Suppression:
    """Why an address is not mailed, who or what said so, and when."""

    address: bytes
    reason: Reason
    source: str
    at: datetime


async def suppressions(tx: Tx, org_id: str, hashes: Sequence[bytes]) -> dict[bytes, Suppression]:
    """Those of the given address hashes that the organization does not mail."""
    rows = await fetch_all(
        tx,
        Suppression,
        """
        select address, reason, source, at from suppressions
        where org_id = %(org_id)s and address = any(%(hashes)s) and lifted_at is null
        """,
        org_id=org_id,
        hashes=list(hashes),
    )
    return {row.address: row for row in rows}


async def suppress(tx: Tx, org_id: str, address: bytes, reason: Reason, source: str) -> None:
    """Never mail this address (its hash) again for this organization. Doing it twice is the same as once."""
    await execute(
        tx,
        """
        insert into suppressions as s (org_id, address, reason, source)
        values (%(org_id)s, %(address)s, %(reason)s, %(source)s)
        on conflict (org_id, address) do update
        set reason = excluded.reason, source = excluded.source, at = clock_now(), lifted_at = null
        where s.lifted_at is not null
        """,
        org_id=org_id,
        address=address,
        reason=reason,
        source=source,
    )


async def lift_suppression(tx: Tx, org_id: str, address: bytes) -> None:
    """Mail this address again: only ever because the person themselves asked for it."""
    await execute(
        tx,
        """
        update suppressions set lifted_at = clock_now()
        where org_id = %(org_id)s and address = %(address)s and lifted_at is null and reason = 'unsubscribed'
        """,
        org_id=org_id,
        address=address,
    )
