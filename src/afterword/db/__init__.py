"""PostgreSQL: the pool, the transaction, and three ways to run a statement.

Queries are `LiteralString`s with named parameters, so a statement that was put together from data does not pass the
type checker. Rows come back as frozen dataclasses.
"""

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, LiteralString, TypeVar, cast

import psycopg
import psycopg_pool
from psycopg import errors as pg
from psycopg.rows import RowMaker, class_row

from afterword import net
from afterword.db.batching import Batcher, Params
from afterword.errors import AfterwordError, BadRequest, Conflict, InternalError, Unavailable

T = TypeVar("T")
Tx = psycopg.AsyncConnection[tuple[object, ...]]

# A caller that waits for a lock longer than this is told to come back (the Idempotency-Key's 5 seconds are the longest
# wait that we promise). An idle transaction would hold back vacuum and slow every claim.
_SESSION = "-c lock_timeout=5s -c statement_timeout=8s -c idle_in_transaction_session_timeout=10s -c timezone=UTC"
# A server that vanished without a word (a pulled plug, a firewall) is given up after half a minute.
_NOTICE_A_DEAD_SERVER = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "tcp_user_timeout": 30_000,
}
# Longer than any statement may take: whoever is still waiting then waits for a database that does not run.
_DEADLINE = 10.0  # seconds
_WAIT_FOR_CONNECTION = 2.0  # seconds; then 503 rather than a queue nobody sees

# What a broken constraint means to the caller. The one place where a constraint's name becomes an error.
_CONSTRAINTS: dict[str, Callable[[], AfterwordError]] = {
    "interviews_deal": lambda: BadRequest.field("deal_id", "not found"),
    "deals_salesforce_id": lambda: Conflict("Another deal has this salesforce_id."),
    "deals_hubspot_id": lambda: Conflict("Another deal has this hubspot_id."),
    "deals_external_id": lambda: Conflict("Another deal has this external_id."),
    "interview_types_slug": lambda: Conflict("Another interview type has this slug; give it another name."),
}

_log = logging.getLogger(__name__)


class Db:
    """A pool of connections to one database. `async with Db.open(url) as db`."""

    def __init__(self, pool: psycopg_pool.AsyncConnectionPool[Tx]) -> None:
        self._pool = pool
        self._checking: asyncio.Task[None] | None = None
        self._batchers: dict[LiteralString, Batcher[object]] = {}

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, url: str, *, size: int = 10, name: str = "afterword") -> AsyncGenerator["Db"]:
        """Open at most `size` connections. Succeeds even while the database is away: calls then answer 503."""
        pool = psycopg_pool.AsyncConnectionPool(
            url,
            connection_class=psycopg.AsyncConnection[tuple[object, ...]],
            kwargs={
                "autocommit": True,
                "prepare_threshold": 1,
                "options": _SESSION,
                "application_name": name,
                **_NOTICE_A_DEAD_SERVER,
            },
            min_size=min(2, size),
            max_size=size,
            timeout=_WAIT_FOR_CONNECTION,
            reconnect_timeout=5,
            open=False,
        )
        await pool.open()
        try:
            yield cls(pool)
        finally:
            await pool.close()

    @contextlib.asynccontextmanager
    async def tx(self) -> AsyncGenerator[Tx]:
        """One unit of work: commits at the end of the block, rolls back on any exception, keeps the network shut."""
        async with self._connection() as conn, conn.transaction():
            with net.forbidden():
                yield conn

    async def one(self, row: type[T], query: LiteralString, **params: object) -> T | None:
        """Run one statement in its own transaction, in one round trip, and return its only row or None."""
        async with self._connection() as conn:
            return await fetch_one(conn, row, query, **params)

    async def together(self, row: type[T], query: LiteralString, many: LiteralString, **params: object) -> T | None:
        """Like `one`, for the calls that come by the thousand: those that arrive together share `many` and its commit.

        `many` gets them as the JSON array `%(items)s`, each with its number as `item`, and gives back rows that begin
        with that number. A call that it leaves out, and every call of a batch that the database has refused and undone,
        runs `query` by itself: no call fails or waits because of another.
        """
        batcher = self._batchers.get(many)
        if batcher is None:
            batcher = self._batchers[many] = Batcher(
                lambda calls: self._together(row, many, calls), lambda call: self.one(row, query, **call)
            )
        return cast("T | None", await batcher(params))

    async def _together(self, row: type[T], many: LiteralString, calls: Sequence[Params]) -> Mapping[int, T]:
        items = json.dumps([{"item": number, **call} for number, call in enumerate(calls)], default=_to_json)
        async with self._connection() as conn, conn.cursor(row_factory=_numbered(row)) as cur:
            try:
                await cur.execute(many, {"items": items})
                return dict(await cur.fetchall())
            except psycopg.Error as error:
                if not _undone(error):
                    raise
                _log.debug("%d calls run by themselves: %s", len(calls), error)
                return {}

    @contextlib.asynccontextmanager
    async def _connection(self) -> AsyncGenerator[Tx]:
        try:
            async with asyncio.timeout(_DEADLINE), self._pool.connection() as conn:
                yield conn
        except (psycopg_pool.PoolTimeout, TimeoutError) as error:
            raise Unavailable from error
        except psycopg.Error as error:
            self._check_idle_connections(error)
            if ours := _translated(error):
                raise ours from error
            raise

    def _check_idle_connections(self, error: psycopg.Error) -> None:
        """After a lost connection the idle ones are likely dead too: weed them out before callers meet them."""
        if (
            isinstance(error, psycopg.OperationalError)
            and not error.sqlstate
            and (self._checking is None or self._checking.done())
        ):
            self._checking = asyncio.create_task(self._weed())

    async def _weed(self) -> None:
        with contextlib.suppress(psycopg.Error, psycopg_pool.PoolTimeout, psycopg_pool.PoolClosed):
            await self._pool.check()


def _undone(error: psycopg.Error) -> bool:
    """Whether the database has refused a statement, so that it can be tried again without doing anything twice.

    A connection that broke (08) or was ended (57) may have been lost after the commit.
    """
    return error.sqlstate is not None and error.sqlstate[:2] not in {"08", "57"}


def _to_json(value: object) -> str:
    """What JSON lacks, written as PostgreSQL reads it."""
    match value:
        case bytes():
            return "\\x" + value.hex()
        case datetime():
            return value.isoformat()
        case _:
            raise TypeError(f"{type(value).__name__} cannot be a parameter of a statement for many calls")


def _numbered(row: type[T]) -> Callable[[psycopg.AsyncCursor[object]], RowMaker[tuple[int, T]]]:
    """Rows as pairs of their first column, a number, and the others as a `row`."""

    def factory(cursor: psycopg.AsyncCursor[object]) -> RowMaker[tuple[int, T]]:
        names = [column.name for column in (cursor.description or ())][1:]

        def make(values: Sequence[Any]) -> tuple[int, T]:
            return values[0], row(**dict(zip(names, values[1:], strict=True)))

        return make

    return factory


def _translated(error: psycopg.Error) -> AfterwordError | None:
    """Our error for one of the database's; None where only a fault of ours explains it."""
    if error.diag.constraint_name in _CONSTRAINTS:
        return _CONSTRAINTS[error.diag.constraint_name]()
    match error:
        case pg.LockNotAvailable() if "pg_advisory_xact_lock" in (error.diag.context or ""):
            conflict = Conflict(
                "The first call with this Idempotency-Key is still running. Repeat the call in a moment."
            )
            conflict.headers["Retry-After"] = "1"
            return conflict
        case pg.LockNotAvailable() | pg.QueryCanceled() | pg.DiskFull() | pg.TooManyConnections():
            return Unavailable()
        case pg.DeadlockDetected() | pg.SerializationFailure():
            return Unavailable()
        case psycopg.OperationalError() if not error.sqlstate or error.sqlstate[:2] in {"08", "57"}:
            return Unavailable()
        case pg.InsufficientPrivilege() if "contacts" in str(error):
            return InternalError("Failed to create the contact record.")
        case _:
            return None


async def fetch_one(tx: Tx, row: type[T], query: LiteralString, **params: object) -> T | None:
    """The statement's first row as a `row`, or None."""
    async with tx.cursor(row_factory=class_row(row)) as cur:
        await cur.execute(query, params)
        return await cur.fetchone()


async def fetch_all(tx: Tx, row: type[T], query: LiteralString, **params: object) -> Sequence[T]:
    """All rows as `row`s."""
    async with tx.cursor(row_factory=class_row(row)) as cur:
        await cur.execute(query, params)
        return await cur.fetchall()


async def execute(tx: Tx, query: LiteralString, **params: object) -> int:
    """Run a statement; the number of rows it touched."""
    async with tx.cursor() as cur:
        await cur.execute(query, params)
        return cur.rowcount
