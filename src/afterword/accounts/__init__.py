"""Organizations, their plans and API keys, the rate limit, and what an Idempotency-Key remembers.

`profile` holds an organization's settings, `model` whose language model it uses and what that may cost.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from afterword import ids, tokens
from afterword.accounts.model import OwnModel, model_of, models_of, reserve_cost, settle_cost, try_model
from afterword.accounts.profile import ContextMode, Profile, change_profile, check_name, profile
from afterword.db import Db, Tx, execute, fetch_all, fetch_one
from afterword.errors import BadRequest, IdempotencyMismatch, NotFound, Unauthorized
from afterword.settings import Plan, current

__all__ = [
    "MISMATCH",
    "PLANS",
    "SCOPES",
    "ApiKey",
    "Caller",
    "ContextMode",
    "IdempotencyKey",
    "Organization",
    "OwnModel",
    "Profile",
    "Scope",
    "any_organization",
    "authenticate",
    "change_profile",
    "create_key",
    "create_organization",
    "forget_old_answers",
    "keep",
    "key",
    "model_of",
    "models_of",
    "organization",
    "organizations",
    "profile",
    "recall",
    "recognize_secret",
    "reserve_cost",
    "revoke_key",
    "settle_cost",
    "try_model",
]

PLANS: tuple[Plan, ...] = get_args(Plan)
Scope = Literal[
    "interviews:read", "interviews:write", "contacts:read", "contacts:write", "deals:read", "deals:write", "admin"
]
SCOPES: tuple[Scope, ...] = get_args(Scope)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, what they may do, and where their organization stands in its rate window."""

    org_id: str
    key_id: str
    scopes: Sequence[str]
    plan: Plan
    max_calls: int  # a minute
    remaining: int
    reset_at: int  # Unix seconds
    allowed: bool  # False: this call is over the limit

    def may(self, scope: str) -> bool:
        """Whether the key has the scope; `admin` has them all."""
        return scope in self.scopes or "admin" in self.scopes


@dataclass(frozen=True, slots=True)
class Organization:
    """A tenant. `id` is the `org_id` of everything it owns."""

    id: str
    name: str
    plan: Plan
    interviewer_name: str
    consent_text: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key without its secret, which nobody has but whoever was shown it."""

    org_id: str
    id: str
    name: str
    scopes: Sequence[str]
    last_four: str
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """One `Idempotency-Key` as sent: for which route, and the SHA-256 of the body it came with."""

    route: str
    key: str
    fingerprint: bytes


async def authenticate(db: Db, key: str) -> Caller:
    """Whose key this is, with this call counted and committed whatever becomes of it. Raises Unauthorized."""
    if not tokens.is_api_key(key):
        raise Unauthorized
    essentials, growth, enterprise = current().plan_limits()
    caller = await db.together(
        Caller,
        "select * from api_gate(%(hash)s, %(essentials)s, %(growth)s, %(enterprise)s)",
        "select * from api_gate_many(%(items)s)",
        hash=tokens.digest(key),
        essentials=essentials,
        growth=growth,
        enterprise=enterprise,
    )
    if caller is None:
        raise Unauthorized
    return caller


async def create_organization(tx: Tx, name: str, plan: str) -> Organization:
    """A new, empty organization. Raises BadRequest."""
    name = check_name(name)
    if plan not in PLANS:
        raise BadRequest.field("plan", f"must be one of {', '.join(PLANS)}")
    organization = await fetch_one(
        tx,
        Organization,
        """
        insert into organizations (id, name, plan) values (%(id)s, %(name)s, %(plan)s)
        returning id, name, plan, interviewer_name, consent_text, created_at
        """,
        id=ids.new("org"),
        name=name,
        plan=plan,
    )
    assert organization is not None
    return organization


async def organization(tx: Tx, org_id: str) -> Organization:
    """One organization. Raises NotFound."""
    found = await fetch_one(
        tx,
        Organization,
        "select id, name, plan, interviewer_name, consent_text, created_at from organizations where id = %(id)s",
        id=org_id,
    )
    if found is None:
        raise NotFound(f"organization {org_id} not found")
    return found


async def recognize_secret(tx: Tx, fingerprints: Sequence[bytes]) -> bool:
    """Whether this database belongs to one of these secrets. If so, or if it is new, it belongs to the first now.

    Holds the installation's one row until the transaction ends, so servers that start at once prepare it in turn.
    """
    known = await execute(
        tx,
        """
        insert into installation as i (secret_fingerprint) values (%(current)s)
        on conflict (only_one) do update set secret_fingerprint = excluded.secret_fingerprint
        where i.secret_fingerprint = any(%(fingerprints)s)
        """,
        current=fingerprints[0],
        fingerprints=list(fingerprints),
    )
    return known > 0


async def any_organization(tx: Tx) -> bool:
    """Whether the database holds an organization yet."""
    return await execute(tx, "select from organizations limit 1") > 0


async def create_key(
    tx: Tx, org_id: str, name: str, *, scopes: Sequence[str] = SCOPES, expires_at: datetime | None = None
) -> tuple[ApiKey, str]:
    """A new key and its secret, which is not kept and cannot be shown again. Raises BadRequest."""
    name = name.strip()
    if not 1 <= len(name) <= 100 or not name.isprintable():
        raise BadRequest.field("name", "must be 1 to 100 printable characters")
    if unknown := [scope for scope in scopes if scope not in SCOPES]:
        raise BadRequest.field("scopes", f"has the unknown scope {unknown[0]}; the scopes are {', '.join(SCOPES)}")
    if not scopes:
        raise BadRequest.field("scopes", f"must name at least one of {', '.join(SCOPES)}")
    secret = tokens.new_api_key()
    key = await fetch_one(
        tx,
        ApiKey,
        """
        with key as (
            insert into api_keys (org_id, id, name, scopes, hash, last_four, expires_at)
            values (%(org_id)s, %(id)s, %(name)s, %(scopes)s, %(hash)s, %(last_four)s, %(expires_at)s)
            returning org_id, id, name, scopes, last_four, expires_at, revoked_at, last_used_at, created_at
        ), entry as (
            insert into directory_keys (hash, org_id, id) values (%(hash)s, %(org_id)s, %(id)s)
        )
        select * from key
        """,
        org_id=org_id,
        id=ids.new("key"),
        name=name,
        scopes=list(dict.fromkeys(scopes)),
        hash=tokens.digest(secret),
        last_four=secret[-4:],
        expires_at=expires_at,
    )
    assert key is not None
    return key, secret


async def key(tx: Tx, org_id: str, key_id: str) -> ApiKey:
    """One key of an organization. Raises NotFound."""
    found = await fetch_one(
        tx,
        ApiKey,
        """
        select org_id, id, name, scopes, last_four, expires_at, revoked_at, last_used_at, created_at
        from api_keys where org_id = %(org_id)s and id = %(id)s
        """,
        org_id=org_id,
        id=key_id,
    )
    if found is None:
        raise NotFound(f"key {key_id} not found")
    return found


async def revoke_key(tx: Tx, key_id: str) -> ApiKey:
    """End a key, for good, wherever it belongs: for the operator of the installation. Raises NotFound."""
    found = await fetch_one(
        tx,
        ApiKey,
        """
        update api_keys set revoked_at = coalesce(revoked_at, clock_now()) where id = %(id)s
        returning org_id, id, name, scopes, last_four, expires_at, revoked_at, last_used_at, created_at
        """,
        id=key_id,
    )
    if found is None:
        raise NotFound(f"key {key_id} not found")
    return found


async def organizations(tx: Tx) -> Sequence[Organization]:
    """Every organization, oldest first."""
    return await fetch_all(
        tx,
        Organization,
        "select id, name, plan, interviewer_name, consent_text, created_at from organizations order by id",
    )


@dataclass(frozen=True, slots=True)
class _Kept:
    fingerprint: bytes
    answer: str


async def recall(tx: Tx, org_id: str, key: IdempotencyKey) -> str | None:
    """The answer that this key got before, or None if this call is the first and has to be `keep`t.

    A second call waits here until the first has committed. Raises IdempotencyMismatch for another body.
    """
    await execute(
        tx,
        "select lock_idempotency_key(%(org_id)s, %(route)s, %(key)s)",
        org_id=org_id,
        route=key.route,
        key=key.key,
    )
    kept = await fetch_one(
        tx,
        _Kept,
        """
        select fingerprint, answer::text from idempotency
        where org_id = %(org_id)s and route = %(route)s and key = %(key)s
          and created_at > clock_now() - interval '24 hours'
        """,
        org_id=org_id,
        route=key.route,
        key=key.key,
    )
    if kept is None:
        return None
    if kept.fingerprint != key.fingerprint:
        raise IdempotencyMismatch(MISMATCH)
    return kept.answer


MISMATCH = "This Idempotency-Key was used before with another body. Use a new key for a new request."


async def keep(tx: Tx, org_id: str, key: IdempotencyKey, answer: str) -> None:
    """Remember the JSON answer of the call that `key` came with, in the transaction that does its work."""
    await execute(
        tx,
        """
        insert into idempotency (org_id, route, key, fingerprint, status, answer)
        values (%(org_id)s, %(route)s, %(key)s, %(fingerprint)s, 201, %(answer)s::json)
        on conflict (org_id, route, key) do update
        set fingerprint = excluded.fingerprint, status = excluded.status, answer = excluded.answer,
            interview_id = null, created_at = clock_now()
        """,
        org_id=org_id,
        route=key.route,
        key=key.key,
        fingerprint=key.fingerprint,
        answer=answer,
    )


async def forget_old_answers(db: Db) -> int:
    """Drop what Idempotency-Keys remembered more than 24 hours ago; how many."""
    async with db.tx() as tx:
        return await execute(tx, "delete from idempotency where created_at < clock_now() - interval '24 hours'")
