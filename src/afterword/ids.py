"""Identifiers: opaque, URL-safe, in the order of their making, with the kind in front (`contact_…`)."""

import secrets
import time

# Crockford's alphabet, lower case: no i, l, o, u, so that an id read over the phone survives.
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]

_last = 0


def _base32(number: int, length: int) -> str:
    pairs: list[str] = []
    for _ in range(length // 2):
        number, pair = divmod(number, 32 * 32)
        pairs.append(_PAIRS[pair])
    return "".join(reversed(pairs))


def new(kind: str) -> str:
    """A new id such as `deal_01k…`: 60 bits of Unix microseconds, then 70 random bits.

    Within a process each id sorts after the one before it, however quickly they are made.
    """
    global _last  # noqa: PLW0603  (that one id follows another is what this remembers)
    _last = max(_last + 1, time.time_ns() // 1000)
    return f"{kind}_{_base32(_last, 12)}{_base32(secrets.randbits(70), 14)}"
