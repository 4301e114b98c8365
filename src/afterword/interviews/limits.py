"""What one contact, one interview and one client address may use up. Each limit is a setting; 0 switches it off."""

import ipaddress
import math
import time
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from afterword import tokens
from afterword.db import Db, Tx, execute, fetch_one
from afterword.errors import BadRequest, RateLimited
from afterword.settings import current

_HOUR = 3600
_MINUTE = 60.0
_MAX_ADDRESSES = 100_000  # remembered at once for unknown tokens; beyond that the oldest windows go

# What an interview that is full still takes.
LEADING_OUT = ("skip", "stop", "confirm", "experience", "undo", "wrong_person")


def check_length(text: str) -> None:
    """Refuse a message that is too long to be one. Raises BadRequest."""
    limit = current().survey_message_characters
    if limit and len(text) > limit:
        raise BadRequest.field(
            "text",
            f"can have at most {limit:,} characters, yours has {len(text):,}. Please shorten it a little.",
        )


def check_number(said: int, action: str) -> None:
    """Refuse one more message in an interview that is full; the ways out of it stay open. Raises RateLimited."""
    limit = current().survey_messages
    if limit and said >= limit and action not in LEADING_OUT:
        raise RateLimited(f"This interview holds {said} messages and can hold no more. Please end it; all are stored.")


@dataclass(frozen=True, slots=True)
class _Seconds:
    seconds: float


async def count_start(tx: Tx, address: str) -> None:
    """Count one interview begun from this client address, in the transaction that begins it. Raises RateLimited.

    Exact under concurrency: who begins from the same address waits for the row. A start that fails is not counted.
    """
    limit = current().survey_starts_per_hour
    if not limit or not address:
        return
    counted = await execute(
        tx,
        """
        insert into address_counters as c (address, what, opened_at, count)
        values (%(address)s, 'start', clock_now(), 1)
        on conflict (address, what) do update set
            count = case when c.opened_at <= clock_now() - interval '1 hour' then 1 else c.count + 1 end,
            opened_at = case when c.opened_at <= clock_now() - interval '1 hour' then clock_now() else c.opened_at end
        where c.opened_at <= clock_now() - interval '1 hour' or c.count < %(limit)s
        """,
        address=hashed(address),
        limit=limit,
    )
    if not counted:
        left = await fetch_one(
            tx,
            _Seconds,
            """
            select least(3600, extract(epoch from opened_at + interval '1 hour' - clock_now()))::float8 as seconds
            from address_counters where address = %(address)s and what = 'start'
            """,
            address=hashed(address),
        )
        raise _later(
            "Many interviews have been started from your network.", min(left.seconds, _HOUR) if left else _HOUR
        )


async def forget_old_counters(db: Db) -> int:
    """Drop the windows that have ended; how many."""
    async with db.tx() as tx:
        return await execute(tx, "delete from address_counters where opened_at < clock_now() - interval '1 hour'")


def hashed(address: str) -> bytes:
    """A keyed hash of a client address; of an IPv6 address the network, for a household or host has all of a /64."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return tokens.address_hashes(f"client {address}")[0]
    ip = getattr(ip, "ipv4_mapped", None) or ip  # as a socket for both shows a client of IPv4
    width = 32 if ip.version == 4 else 64
    return tokens.address_hashes(f"client {ipaddress.ip_network((ip, width), strict=False)}")[0]


# Links that open nothing, per address, in this process: a guesser costs one look-up each and gets no further. Kept by
# the pool, so that they live as long as the server does.
_unknown: WeakKeyDictionary[Db, dict[bytes, tuple[float, int]]] = WeakKeyDictionary()


def count_unknown_token(db: Db, address: str) -> None:
    """Note one link that opened nothing. Raises RateLimited when the address had too many in a minute."""
    limit = current().survey_unknown_tokens_per_minute
    if not limit or not address:
        return
    windows, key, now = _unknown.setdefault(db, {}), hashed(address), time.monotonic()
    opened, count = windows.pop(key, (now, 0))
    if now - opened >= _MINUTE:
        opened, count = now, 0
    windows[key] = (opened, count + 1)
    if len(windows) > _MAX_ADDRESSES:
        del windows[next(iter(windows))]
    if count >= limit:
        raise _later("Too many links that are not valid were opened from your network.", opened + _MINUTE - now)


def _later(why: str, seconds: float) -> RateLimited:
    wait = max(1, math.ceil(seconds))
    words = f"{wait} seconds" if wait < 2 * _MINUTE else f"{math.ceil(wait / _MINUTE)} minutes"
    return RateLimited(f"{why} Please try again in {words}.", headers={"Retry-After": str(wait)})
