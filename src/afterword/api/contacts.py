"""`/contacts`: read them, so that notes can be merged before they are overwritten."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import Field

from afterword import contacts
from afterword.api.gate import Database, ReadsContacts
from afterword.api.shapes import Cursor, Instant, Limit, Page, ResponseModel, page, read_cursor
from afterword.contacts import Contact

router = APIRouter(prefix="/contacts", tags=["Contacts"])


class SuppressionOut(ResponseModel):
    """Why the contact is not mailed."""

    reason: str = Field(examples=["unsubscribed"])
    source: str = Field(examples=["one_click"])
    at: Instant


class ContactOut(ResponseModel):
    """A person; `notes` is what `contact_context` set."""

    id: str = Field(examples=["contact_abc123"])
    email: str = Field(examples=["jane.smith@example.com"])
    name: str | None = Field(examples=["Jane Smith"])
    notes: str
    time_zone: str | None = Field(examples=["Europe/Berlin"])
    language: str | None = Field(examples=["en"])
    suppressed: SuppressionOut | None
    created_at: Instant
    updated_at: Instant


@router.get("", summary="List contacts")
async def index(
    caller: ReadsContacts,
    db: Database,
    email: Annotated[str | None, Query(description="Only the contact with this address.")] = None,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> Page[ContactOut]:
    """Contacts, newest first."""
    before = read_cursor(cursor)
    async with db.tx() as tx:
        found = await contacts.find(tx, caller.org_id, email=email, limit=limit + 1, before=before)
    return page([_out(contact) for contact in found], limit, found[limit - 1].id if len(found) >= limit else None)


@router.get("/{contact_id}", summary="Look at a contact")
async def read(
    contact_id: Annotated[str, Path(examples=["contact_abc123"])], caller: ReadsContacts, db: Database
) -> ContactOut:
    """One contact with the notes that Paige is given."""
    async with db.tx() as tx:
        return _out(await contacts.get(tx, caller.org_id, contact_id))


def _out(contact: Contact) -> ContactOut:
    suppressed = None
    if contact.suppressed_reason and contact.suppressed_source and contact.suppressed_at:
        suppressed = SuppressionOut(
            reason=contact.suppressed_reason, source=contact.suppressed_source, at=contact.suppressed_at
        )
    return ContactOut(
        id=contact.id,
        email=contact.email,
        name=contact.name,
        notes=contact.notes,
        time_zone=contact.time_zone,
        language=contact.language,
        suppressed=suppressed,
        created_at=contact.created_at,
        updated_at=contact.updated_at,
    )
