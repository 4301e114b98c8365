"""`/me`: whose key this is, and what it may do."""

from fastapi import APIRouter
from pydantic import Field

from afterword import accounts
from afterword.api.gate import AnyCaller, Database
from afterword.api.shapes import OptionalInstant, ResponseModel

router = APIRouter(tags=["Account"])


class OrganizationOut(ResponseModel):
    """The organization that the key belongs to."""

    id: str = Field(examples=["org_abc123"])
    name: str = Field(examples=["Acme"])
    plan: str = Field(examples=["growth"], json_schema_extra={"enum": ["essentials", "growth", "enterprise"]})


class KeyOut(ResponseModel):
    """The key, without its secret."""

    id: str = Field(examples=["key_abc123"])
    name: str = Field(examples=["Production"])
    scopes: list[str]
    expires_at: OptionalInstant


class RateLimitOut(ResponseModel):
    """The plan's limit, as the X-RateLimit headers tell it too."""

    limit: int = Field(description="Calls a minute.", examples=[300])
    remaining: int = Field(examples=[299])
    reset: int = Field(description="Unix seconds at which the window resets.", examples=[1795473600])


class Me(ResponseModel):
    """Who is calling."""

    organization: OrganizationOut
    key: KeyOut
    rate_limit: RateLimitOut


@router.get("/me", summary="Who am I?")
async def me(caller: AnyCaller, db: Database) -> Me:
    """The key's organization, plan, scopes and rate limit. A good first call."""
    async with db.tx() as tx:
        organization = await accounts.organization(tx, caller.org_id)
        key = await accounts.key(tx, caller.org_id, caller.key_id)
    return Me(
        organization=OrganizationOut.model_validate(organization),
        key=KeyOut.model_validate(key),
        rate_limit=RateLimitOut(limit=caller.max_calls, remaining=caller.remaining, reset=caller.reset_at),
    )
