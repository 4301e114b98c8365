"""`/deals`: what interviews are about."""

import math
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import Field, Strict, StringConstraints, field_validator

from afterword import deals
from afterword.api.gate import Database, OptionalKey, ReadsDeals, WritesDeals
from afterword.api.shapes import IgnoredOrgId, Instant, RequestModel, ResponseModel, create_once
from afterword.db import Tx
from afterword.deals import Competitor, Deal

router = APIRouter(prefix="/deals", tags=["Deals"])

ShortText = Annotated[str | None, Field(max_length=500)]


class CompetitorModel(RequestModel):
    """Somebody else the buyer looked at."""

    name: str = Field(min_length=1, max_length=200, examples=["Globex"])
    is_primary: bool = False
    is_incumbent: bool = False
    outcome: ShortText = Field(default=None, examples=["won"])


class DealUpsert(RequestModel):
    """A deal. One with the same salesforce_id, hubspot_id or external_id is updated: what is left out stays."""

    name: Annotated[str | None, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)] = Field(
        default=None, examples=["Initech: platform"]
    )
    amount: Annotated[float | None, Strict()] = Field(default=None, ge=0, le=1e15, examples=[48000])
    status: ShortText = Field(default=None, examples=["lost"])
    status_id: ShortText = None
    close_date: date | None = Field(default=None, examples=["2026-11-02"])
    type: ShortText = Field(default=None, examples=["new business"])
    region: ShortText = Field(default=None, examples=["EMEA"])
    industry: ShortText = Field(default=None, examples=["Software"])
    owner_id: ShortText = None
    client_name: ShortText = Field(default=None, description="The buyer's company.", examples=["Initech"])
    website_url: ShortText = None
    salesforce_id: Annotated[str | None, Field(min_length=1, max_length=200)] = None
    hubspot_id: Annotated[str | None, Field(min_length=1, max_length=200)] = None
    external_id: Annotated[str | None, Field(min_length=1, max_length=200)] = None
    competitors: list[CompetitorModel] | None = Field(default=None, max_length=50)
    summary: Annotated[str | None, Field(max_length=20_000)] = None
    internal_notes: Annotated[str | None, Field(max_length=64_000)] = Field(
        default=None, description="For your own people: in no prompt, no mail and no webhook."
    )
    custom: dict[str, Any] | None = None
    org_id: IgnoredOrgId = None

    @field_validator("amount")
    @classmethod
    def _finite(cls, value: float | None) -> float | None:
        if value is not None and not math.isfinite(value):
            raise ValueError("must be a finite number")
        return value


class CompetitorOut(ResponseModel):
    """Somebody else the buyer looked at."""

    name: str
    is_primary: bool
    is_incumbent: bool
    outcome: str | None


class DealOut(ResponseModel):
    """One deal. `proposal_due` is `close_date` under its older name; `internal_notes` only with `deals:write`."""

    id: str = Field(examples=["deal_xyz789"])
    name: str
    amount: float | None
    status: str | None
    status_id: str | None
    previous_status_id: str | None
    close_date: date | None
    proposal_due: date | None
    type: str | None
    region: str | None
    industry: str | None
    owner_id: str | None
    client_name: str | None
    website_url: str | None
    salesforce_id: str | None
    hubspot_id: str | None
    external_id: str | None
    competitors: list[CompetitorOut]
    drivers: list[dict[str, Any]]
    summary: str | None
    contact_ids: list[str]
    deal_analyzed: bool
    analysis_verified: bool
    custom: dict[str, Any]
    internal_notes: str | None = None
    created_at: Instant
    updated_at: Instant


@router.get("", summary="List deals")
async def index(
    caller: ReadsDeals,
    db: Database,
    page_size: Annotated[int, Query(ge=1, le=100)] = 50,
    page_index: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    count: Annotated[bool, Query(description="Answer with the number of deals alone.")] = False,
) -> list[DealOut] | int:
    """Deals, newest first, as a bare array; with `count=true` their number as a bare integer."""
    async with db.tx() as tx:
        if count:
            return await deals.count(tx, caller.org_id)
        found = await deals.page(tx, caller.org_id, size=page_size, index=page_index)
    return [_out(deal, with_notes=caller.may("deals:write")) for deal in found]


@router.post("", status_code=201, responses={201: {"model": DealOut}}, summary="Create or update a deal")
async def upsert(caller: WritesDeals, key: OptionalKey, body: DealUpsert, db: Database) -> Response:
    """Create a deal, or update the one that has the same `salesforce_id`, `hubspot_id` or `external_id`."""
    given = body.model_dump(exclude_none=True, exclude={"competitors", "org_id"})
    if body.amount is not None:
        given["amount"] = Decimal(str(body.amount))
    competitors = [Competitor(**one.model_dump()) for one in body.competitors] if body.competitors is not None else None

    async def work(tx: Tx) -> DealOut:
        deal, _ = await deals.upsert(tx, caller.org_id, given, competitors)
        return _out(deal, with_notes=True)

    return await create_once(db, caller, key, work)


def _out(deal: Deal, *, with_notes: bool) -> DealOut:
    fields = {
        name: getattr(deal, name) for name in Deal.__slots__ if name not in {"amount", "competitors", "internal_notes"}
    }
    return DealOut(
        **fields,
        amount=float(deal.amount) if deal.amount is not None else None,
        proposal_due=deal.close_date,
        competitors=[CompetitorOut.model_validate(one) for one in deal.competitors],
        drivers=[],
        internal_notes=deal.internal_notes if with_notes else None,
    )
