"""Whose language model an organization's interviews are asked with, and what that may cost.

An organization's own model overrides the server's. What it costs is counted by day (UTC): a call reserves the most it
can cost, is made only if that fits under the caps, and settles what it did cost. A process that dies in between leaves
its reservation behind, so that the caps err on the side of the purse.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, get_args

from afterword import llm, tokens
from afterword.db import Tx, execute, fetch_all
from afterword.errors import BadRequest, NotFound
from afterword.llm import Model
from afterword.net import addresses
from afterword.settings import Output, Provider, current

_log = logging.getLogger(__name__)

_MAX_PRICE = 1e6  # US dollars for a million tokens
_MAX_CAP = 1e9


@dataclass(frozen=True, slots=True)
class OwnModel:
    """An organization's own model as it is shown, without the key. Caps in US dollars; None: the server's, 0: none."""

    provider: Provider
    url: str
    name: str
    output: Output
    input_price: float
    output_price: float
    key_set: bool
    daily_cap: float | None
    monthly_cap: float | None


@dataclass(frozen=True, slots=True)
class _Row:
    id: str
    model: Mapping[str, Any] | None
    model_key: bytes | None
    model_daily_cap: Decimal | None
    model_monthly_cap: Decimal | None


async def model_of(tx: Tx, org_id: str) -> Model | None:
    """The model to ask: the organization's own, else the server's. None: there is none, Paige follows her script."""
    return _used(await _row(tx, org_id))


async def models_of(tx: Tx, org_ids: Sequence[str]) -> dict[str, Model]:
    """The same for many organizations at once; those that have no model are left out."""
    return {row.id: model for row in await _rows(tx, org_ids) if (model := _used(row)) is not None}


def _used(row: _Row) -> Model | None:
    if row.model is None:
        return llm.from_settings(current())
    return _whole(_shown(row, row.model), _unsealed(row.id, row))


async def _row(tx: Tx, org_id: str) -> _Row:
    found = await _rows(tx, [org_id])
    if not found:
        raise NotFound(f"organization {org_id} not found")
    return found[0]


async def _rows(tx: Tx, org_ids: Sequence[str]) -> Sequence[_Row]:
    return await fetch_all(
        tx,
        _Row,
        """
        select id, model, model_key, model_daily_cap, model_monthly_cap from organizations
        where id = any(%(org_ids)s)
        """,
        org_ids=list(org_ids),
    )


def _shown(row: _Row, model: Mapping[str, Any]) -> OwnModel:
    return OwnModel(
        provider=model["provider"],
        url=model["url"],
        name=model["name"],
        output=model["output"],
        input_price=model["input_price"],
        output_price=model["output_price"],
        key_set=row.model_key is not None,
        daily_cap=None if row.model_daily_cap is None else float(row.model_daily_cap),
        monthly_cap=None if row.model_monthly_cap is None else float(row.model_monthly_cap),
    )


def _whole(shown: OwnModel, key: str) -> Model:
    return Model(
        provider=shown.provider,
        url=shown.url,
        key=key,
        name=shown.name,
        input_price=shown.input_price,
        output_price=shown.output_price,
        output=shown.output,
        own=True,
    )


def _owner(org_id: str, provider: str, url: str) -> str:
    """What a key is sealed for: this organization, this host. Moved elsewhere, it does not open."""
    return f"model key of {org_id} for {provider} {url}"


def _unsealed(org_id: str, row: _Row) -> str:
    if row.model is None or row.model_key is None:
        return ""
    try:
        return tokens.unseal(row.model_key, _owner(org_id, row.model["provider"], row.model["url"])).decode()
    except ValueError:
        # an interview must go on: the model will say that it is unauthorized, and the script takes over
        _log.warning("the model key of %s was sealed with a secret that is not known here", org_id)
        return ""


async def own_model(tx: Tx, org_id: str) -> OwnModel | None:
    """The organization's own model as it may be shown, if it has one."""
    row = await _row(tx, org_id)
    return _shown(row, row.model) if row.model is not None else None


async def try_model(tx: Tx, org_id: str, given: Mapping[str, Any]) -> Model:
    """The organization's model as it would be with what is `given`; nothing is stored. Raises BadRequest."""
    return _whole(*_merged(org_id, await _row(tx, org_id), given))


async def set_model(tx: Tx, org_id: str, given: Mapping[str, Any]) -> None:
    """Change what is given, keep the rest. A key is kept only while provider and url stay. Raises BadRequest."""
    await _lock(tx, org_id)
    wanted, key = _merged(org_id, await _row(tx, org_id), given)
    await execute(
        tx,
        """
        update organizations
        set model = json_build_object(
                'provider', %(provider)s::text, 'url', %(url)s::text, 'name', %(name)s::text,
                'output', %(output)s::text, 'input_price', %(input_price)s::float8,
                'output_price', %(output_price)s::float8
            ),
            model_key = %(key)s, model_daily_cap = %(daily_cap)s::numeric, model_monthly_cap = %(monthly_cap)s::numeric
        where id = %(org_id)s
        """,
        org_id=org_id,
        provider=wanted.provider,
        url=wanted.url,
        name=wanted.name,
        output=wanted.output,
        input_price=wanted.input_price,
        output_price=wanted.output_price,
        key=tokens.seal(key.encode(), _owner(org_id, wanted.provider, wanted.url)) if key else None,
        daily_cap=wanted.daily_cap,
        monthly_cap=wanted.monthly_cap,
    )


async def _lock(tx: Tx, org_id: str) -> None:
    """Let nobody else change the organization or count what it spends until the transaction ends."""
    await execute(tx, "select from organizations where id = %(org_id)s for no key update", org_id=org_id)


async def remove_model(tx: Tx, org_id: str) -> None:
    """Forget the organization's own model, its key and its caps: the server's holds again."""
    await execute(
        tx,
        """
        update organizations
        set model = null, model_key = null, model_daily_cap = null, model_monthly_cap = null
        where id = %(org_id)s
        """,
        org_id=org_id,
    )


_BLANK = OwnModel("openai", "", "", "native", 0.0, 0.0, key_set=False, daily_cap=None, monthly_cap=None)


def _merged(org_id: str, row: _Row, given: Mapping[str, Any]) -> tuple[OwnModel, str]:
    """What is stored with what is given over it, and the key. Raises BadRequest."""
    stored = _shown(row, row.model) if row.model is not None else _BLANK
    fields = {name: value for name, value in given.items() if name != "key"}
    if "url" in fields:
        fields["url"] = str(fields["url"]).strip().rstrip("/")
    wanted = replace(stored, **fields)
    moved = (wanted.provider, wanted.url) != (stored.provider, stored.url)
    key = str(given["key"]).strip() if "key" in given else "" if moved else _unsealed(org_id, row)
    _check(wanted, key, dropped=stored.key_set and not key and "key" not in given)
    return replace(wanted, key_set=bool(key)), key


def _check(wanted: OwnModel, key: str, *, dropped: bool) -> None:
    if wanted.provider not in get_args(Provider):
        raise BadRequest.field("model.provider", f"must be one of {', '.join(get_args(Provider))}")
    if wanted.output not in get_args(Output):
        raise BadRequest.field("model.output", f"must be one of {', '.join(get_args(Output))}")
    if not 1 <= len(wanted.name) <= 200 or not wanted.name.isprintable() or wanted.name != wanted.name.strip():
        raise BadRequest.field("model.name", "must be 1 to 200 printable characters, as the provider writes it")
    if len(wanted.url) > 500:
        raise BadRequest.field("model.url", "must be at most 500 characters")
    if wanted.url and (fault := addresses.fault(wanted.url, addresses.networks(current().llm_allow))):
        raise BadRequest.field("model.url", fault)
    if len(key) > 4000 or not key.isascii() or not key.isprintable() or " " in key:
        raise BadRequest.field("model.key", "must be at most 4000 printable ASCII characters without spaces")
    if not key and not (wanted.provider == "openai" and wanted.url):
        why = "the stored one belongs to another provider or address" if dropped else "this provider wants one"
        raise BadRequest.field("model.key", f"is required: {why}")
    for name in ("input_price", "output_price"):
        if not 0 <= getattr(wanted, name) <= _MAX_PRICE:
            raise BadRequest.field(f"model.{name}", "must be US dollars for a million tokens, 0 or more")
    for name in ("daily_cap", "monthly_cap"):
        cap: float | None = getattr(wanted, name)
        if cap is not None and not 0 <= cap <= _MAX_CAP:
            raise BadRequest.field(f"model.{name}", "must be US dollars, 0 for no cap")
        if cap and not (wanted.input_price or wanted.output_price):
            raise BadRequest.field(f"model.{name}", "would never be reached without input_price and output_price")


async def reserve_cost(tx: Tx, org_id: str, dollars: float) -> bool:
    """Set aside what a call may cost at the most. False: it does not fit under the caps, so do not call.

    Of calls that ask at once as many get their money as fit, and not one more.
    """
    settings = current()
    await _lock(tx, org_id)  # the statement reads the month's other days from a snapshot, which has to be the last
    return (
        await execute(
            tx,
            """
            with limits as (
                -- Who pays decides: for its own model an organization's cap replaces the server's, for the server's
                -- model it can only be lower.
                select
                    nullif(case when model is null then least(nullif(model_daily_cap, 0), nullif(%(daily)s::numeric, 0))
                        else coalesce(model_daily_cap, %(daily)s::numeric) end, 0) as daily,
                    nullif(case when model is null
                        then least(nullif(model_monthly_cap, 0), nullif(%(monthly)s::numeric, 0))
                        else coalesce(model_monthly_cap, %(monthly)s::numeric) end, 0) as monthly,
                    (clock_now() at time zone 'utc')::date as today
                from organizations where id = %(org_id)s
            ), earlier as (
                select coalesce(sum(u.cost), 0) as cost
                from limits left join model_usage as u
                    on u.org_id = %(org_id)s and u.day >= date_trunc('month', limits.today) and u.day < limits.today
            )
            insert into model_usage as u (org_id, day, calls, cost)
            select %(org_id)s, limits.today, 1, %(dollars)s::numeric
            from limits, earlier
            where (limits.daily is null or %(dollars)s::numeric <= limits.daily)
              and (limits.monthly is null or earlier.cost + %(dollars)s::numeric <= limits.monthly)
            on conflict (org_id, day) do update set calls = u.calls + 1, cost = u.cost + excluded.cost
            where u.cost + excluded.cost <= coalesce((select daily from limits), 'infinity')
              and u.cost + excluded.cost + (select cost from earlier)
                  <= coalesce((select monthly from limits), 'infinity')
            """,
            org_id=org_id,
            dollars=dollars,
            daily=settings.llm_daily_cap,
            monthly=settings.llm_monthly_cap,
        )
        > 0
    )


async def settle_cost(
    tx: Tx, org_id: str, *, reserved: float, cost: float, input_tokens: int, output_tokens: int
) -> None:
    """Put what a call did cost in the place of what it had reserved. Also for calls that failed."""
    await execute(
        tx,
        """
        update model_usage
        set cost = greatest(cost - %(reserved)s::numeric + %(cost)s::numeric, 0),
            input_tokens = input_tokens + %(input_tokens)s, output_tokens = output_tokens + %(output_tokens)s
        where org_id = %(org_id)s and day = (select max(day) from model_usage where org_id = %(org_id)s)
        """,
        org_id=org_id,
        reserved=reserved,
        cost=cost,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
    )
