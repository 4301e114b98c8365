"""Deals: the opportunities that interviews are about, with their competitors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from psycopg.types.json import Jsonb

from afterword import ids
from afterword.db import Tx, execute, fetch_all, fetch_one
from afterword.errors import BadRequest, NotFound

# The columns that a caller may set, in the order in which they are written.
FIELDS = (
    "name",
    "amount",
    "status",
    "status_id",
    "close_date",
    "type",
    "region",
    "industry",
    "owner_id",
    "client_name",
    "website_url",
    "salesforce_id",
    "hubspot_id",
    "external_id",
    "summary",
    "internal_notes",
    "custom",
)
EXTERNAL_IDS = ("salesforce_id", "hubspot_id", "external_id")


@dataclass(frozen=True, slots=True)
class Competitor:
    """Somebody else the buyer looked at."""

    name: str
    is_primary: bool = False
    is_incumbent: bool = False
    outcome: str | None = None


@dataclass(frozen=True, slots=True)
class Deal:
    """One deal. `amount` is in the organization's currency; `internal_notes` reach no prompt and no mail."""

    id: str
    name: str
    amount: Decimal | None
    status: str | None
    status_id: str | None
    previous_status_id: str | None
    close_date: date | None
    type: str | None
    region: str | None
    industry: str | None
    owner_id: str | None
    client_name: str | None
    website_url: str | None
    salesforce_id: str | None
    hubspot_id: str | None
    external_id: str | None
    summary: str | None
    internal_notes: str
    deal_analyzed: bool
    analysis_verified: bool
    custom: Mapping[str, object]
    created_at: datetime
    updated_at: datetime
    competitors: Sequence[Mapping[str, object]]
    contact_ids: Sequence[str]


async def upsert(
    tx: Tx, org_id: str, values: Mapping[str, object], competitors: Sequence[Competitor] | None = None
) -> tuple[Deal, bool]:
    """Create a deal, or update the one that has the same salesforce_id, hubspot_id or external_id.

    Only what `values` holds is set; `competitors` replaces the list where given. Returns the deal, and whether it is
    new. Raises BadRequest when two of the ids point at two different deals, or a new deal has no name.
    """
    given = {name: values.get(name) for name in EXTERNAL_IDS}
    for external in sorted(f"{name}={value}" for name, value in given.items() if value is not None):
        # of two callers with the same id, the second finds what the first made
        await execute(
            tx,
            "select pg_advisory_xact_lock(hashtextextended(%(org_id)s || ' deal ' || %(external)s, 0))",
            org_id=org_id,
            external=external,
        )
    known = await fetch_all(
        tx,
        _Id,
        """
        select id from deals
        where org_id = %(org_id)s
          and (salesforce_id = %(salesforce_id)s or hubspot_id = %(hubspot_id)s or external_id = %(external_id)s)
        for no key update
        """,
        org_id=org_id,
        **given,
    )
    if len(known) > 1:
        raise BadRequest(
            "The ids belong to two different deals: " + " and ".join(row.id for row in known),
            fields=[(name, "belongs to another deal than the others") for name in EXTERNAL_IDS if given[name]],
        )
    if not known and not values.get("name"):
        raise BadRequest.field("name", "is required for a new deal")
    deal_id = known[0].id if known else ids.new("deal")
    await _write(tx, org_id, deal_id, values)
    if competitors is not None:
        await _replace_competitors(tx, org_id, deal_id, competitors)
    return await get(tx, org_id, deal_id), not known


@dataclass(frozen=True, slots=True)
class _Id:
    id: str


async def _write(tx: Tx, org_id: str, deal_id: str, values: Mapping[str, object]) -> None:
    """Insert or update in one statement; `given` names the columns to set, so that null can be told from absent."""
    row: dict[str, object] = {name: values.get(name) for name in FIELDS}
    row["custom"] = Jsonb(row["custom"] or {})
    row["internal_notes"] = row["internal_notes"] or ""
    await execute(
        tx,
        """
        insert into deals as d (
            org_id, id, name, amount, status, status_id, close_date, type, region, industry, owner_id, client_name,
            website_url, salesforce_id, hubspot_id, external_id, summary, internal_notes, custom)
        values (
            %(org_id)s, %(id)s, coalesce(%(name)s, ''), %(amount)s, %(status)s, %(status_id)s, %(close_date)s, %(type)s,
            %(region)s, %(industry)s, %(owner_id)s, %(client_name)s, %(website_url)s, %(salesforce_id)s, %(hubspot_id)s,
            %(external_id)s, %(summary)s, %(internal_notes)s, %(custom)s)
        on conflict (org_id, id) do update set
            name = case when 'name' = any(%(given)s) then excluded.name else d.name end,
            amount = case when 'amount' = any(%(given)s) then excluded.amount else d.amount end,
            status = case when 'status' = any(%(given)s) then excluded.status else d.status end,
            previous_status_id = case
                when 'status_id' = any(%(given)s) and excluded.status_id is distinct from d.status_id then d.status_id
                else d.previous_status_id end,
            status_id = case when 'status_id' = any(%(given)s) then excluded.status_id else d.status_id end,
            close_date = case when 'close_date' = any(%(given)s) then excluded.close_date else d.close_date end,
            type = case when 'type' = any(%(given)s) then excluded.type else d.type end,
            region = case when 'region' = any(%(given)s) then excluded.region else d.region end,
            industry = case when 'industry' = any(%(given)s) then excluded.industry else d.industry end,
            owner_id = case when 'owner_id' = any(%(given)s) then excluded.owner_id else d.owner_id end,
            client_name = case when 'client_name' = any(%(given)s) then excluded.client_name else d.client_name end,
            website_url = case when 'website_url' = any(%(given)s) then excluded.website_url else d.website_url end,
            salesforce_id = case
                when 'salesforce_id' = any(%(given)s) then excluded.salesforce_id else d.salesforce_id end,
            hubspot_id = case when 'hubspot_id' = any(%(given)s) then excluded.hubspot_id else d.hubspot_id end,
            external_id = case when 'external_id' = any(%(given)s) then excluded.external_id else d.external_id end,
            summary = case when 'summary' = any(%(given)s) then excluded.summary else d.summary end,
            internal_notes = case
                when 'internal_notes' = any(%(given)s) then excluded.internal_notes else d.internal_notes end,
            custom = case when 'custom' = any(%(given)s) then excluded.custom else d.custom end,
            updated_at = clock_now()
        """,
        org_id=org_id,
        id=deal_id,
        given=[name for name in FIELDS if name in values],
        **row,
    )


async def _replace_competitors(tx: Tx, org_id: str, deal_id: str, competitors: Sequence[Competitor]) -> None:
    await execute(
        tx,
        "delete from deal_competitors where org_id = %(org_id)s and deal_id = %(deal_id)s",
        org_id=org_id,
        deal_id=deal_id,
    )
    await execute(
        tx,
        """
        insert into deal_competitors (org_id, deal_id, position, name, is_primary, is_incumbent, outcome)
        select %(org_id)s, %(deal_id)s, c.position, c.name, c.is_primary, c.is_incumbent, c.outcome
        from unnest(%(names)s::text[], %(primaries)s::boolean[], %(incumbents)s::boolean[], %(outcomes)s::text[])
            with ordinality as c (name, is_primary, is_incumbent, outcome, position)
        """,
        org_id=org_id,
        deal_id=deal_id,
        names=[competitor.name for competitor in competitors],
        primaries=[competitor.is_primary for competitor in competitors],
        incumbents=[competitor.is_incumbent for competitor in competitors],
        outcomes=[competitor.outcome for competitor in competitors],
    )


async def get(tx: Tx, org_id: str, deal_id: str) -> Deal:
    """One deal of the organization. Raises NotFound."""
    found = await _select(tx, org_id, ids=[deal_id], limit=1)
    if not found:
        raise NotFound(f"deal {deal_id} not found")
    return found[0]


async def page(tx: Tx, org_id: str, *, size: int, index: int) -> Sequence[Deal]:
    """Page `index` (from 0) of the deals, newest first."""
    return await _select(tx, org_id, ids=None, limit=size, offset=size * index)


async def count(tx: Tx, org_id: str) -> int:
    """How many deals the organization has."""
    row = await fetch_one(tx, _Count, "select count(*) as count from deals where org_id = %(org_id)s", org_id=org_id)
    return row.count if row else 0


@dataclass(frozen=True, slots=True)
class _Count:
    count: int


async def _select(tx: Tx, org_id: str, *, ids: Sequence[str] | None, limit: int, offset: int = 0) -> Sequence[Deal]:
    return await fetch_all(
        tx,
        Deal,
        """
        select d.id, d.name, d.amount, d.status, d.status_id, d.previous_status_id, d.close_date, d.type, d.region,
            d.industry, d.owner_id, d.client_name, d.website_url, d.salesforce_id, d.hubspot_id, d.external_id,
            d.summary, d.internal_notes, d.deal_analyzed, d.analysis_verified, d.custom, d.created_at, d.updated_at,
            coalesce((
                select jsonb_agg(jsonb_build_object(
                    'name', c.name, 'is_primary', c.is_primary, 'is_incumbent', c.is_incumbent, 'outcome', c.outcome)
                    order by c.position)
                from deal_competitors c where c.org_id = d.org_id and c.deal_id = d.id), '[]') as competitors,
            array(
                select distinct i.contact_id from interviews i
                where i.org_id = d.org_id and i.deal_id = d.id order by 1) as contact_ids
        from deals d
        where d.org_id = %(org_id)s and (%(ids)s::text[] is null or d.id = any(%(ids)s))
        order by d.created_at desc, d.id desc
        limit %(limit)s offset %(offset)s
        """,
        org_id=org_id,
        ids=list(ids) if ids is not None else None,
        limit=limit,
        offset=offset,
    )
