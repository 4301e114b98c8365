"""The gate between transactions and the network, and (in `addresses`, `guard`) which addresses may be called.

Holding a row lock while waiting for somebody else's server is how one slow relay stops a whole database.
`db.tx()` closes this gate; everything that talks to the outside asks `check()` first.
"""

import contextlib
from collections.abc import Generator
from contextvars import ContextVar

_inside_transaction: ContextVar[bool] = ContextVar("inside_transaction", default=False)


@contextlib.contextmanager
def forbidden() -> Generator[None]:
    """No network call may start inside this block."""
    token = _inside_transaction.set(True)
    try:
        yield
    finally:
        _inside_transaction.reset(token)


def check(what: str) -> None:
    """Raise if a transaction is open in this context. `what` names the call that was about to start."""
    if _inside_transaction.get():
        raise RuntimeError(
            f"{what} was called inside a transaction; collect what it needs, end the transaction, call it after"
        )
