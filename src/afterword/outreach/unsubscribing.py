"""The way out that every mail carries: one token per organization and address, which never stops to work."""

from dataclasses import dataclass

from afterword import accounts, contacts, tokens
from afterword.db import Tx, fetch_one
from afterword.errors import NotFound
from afterword.outreach.claims import stop_for_address


@dataclass(frozen=True, slots=True)
class Subscription:
    """Whose mails an unsubscribe link is about, and whether they are off."""

    vendor: str
    off: bool


@dataclass(frozen=True, slots=True)
class _Place:
    org_id: str
    id: str


async def look(tx: Tx, token: str) -> Subscription:
    """What the link is about. Changes nothing. Raises NotFound."""
    place = await _place(tx, token)
    return await _subscription(tx, place)


async def unsubscribe(tx: Tx, token: str, source: str) -> Subscription:
    """No more mail to this address from this organization, from the moment this transaction commits. Raises NotFound.

    A mail that is claimed is not handed over any more; one that is being handed over right now is not called back.
    """
    place = await _place(tx, token)
    address = bytes.fromhex(place.id)
    await stop_for_address(tx, place.org_id, address, "unsubscribed")
    await contacts.suppress(tx, place.org_id, address, "unsubscribed", source)
    return await _subscription(tx, place)


async def resubscribe(tx: Tx, token: str) -> Subscription:
    """The contact takes it back. Enrollments that were stopped stay stopped. Raises NotFound."""
    place = await _place(tx, token)
    await contacts.lift_suppression(tx, place.org_id, bytes.fromhex(place.id))
    return await _subscription(tx, place)


async def _place(tx: Tx, token: str) -> _Place:
    place = await fetch_one(
        tx,
        _Place,
        "select org_id, id from directory_tokens where hash = %(hash)s and purpose = 'unsubscribe'",
        hash=tokens.digest(token),
    )
    if place is None:
        raise NotFound("This link is not valid. Please use the one at the end of the newest mail.")
    return place


async def _subscription(tx: Tx, place: _Place) -> Subscription:
    organization = await accounts.organization(tx, place.org_id)
    address = bytes.fromhex(place.id)
    off = await contacts.suppressions(tx, place.org_id, [address])
    return Subscription(organization.name, address in off)
