"""Migrations: forward-only numbered SQL files, run at every start under one advisory lock."""

import importlib.resources
from typing import LiteralString, cast

import psycopg
from procrastinate.schema import SchemaManager

_LOCK = 7_283_421_001  # any constant number will do: it only has to be ours
OLDEST_SERVER = 150000  # PostgreSQL 15


class MigrationError(Exception):
    """The database cannot be brought to this release: why, and what to do."""


def migrate(url: str) -> list[str]:
    """Bring the database up to this release; the names of what was applied. Of many callers one works, all wait."""
    applied: list[str] = []
    with psycopg.connect(url, autocommit=True) as conn:
        if conn.info.server_version < OLDEST_SERVER:
            raise MigrationError(
                f"PostgreSQL 15 or newer is needed, this server is {conn.info.server_version // 10000}"
            )
        conn.execute("select pg_advisory_lock(%s)", [_LOCK])
        conn.execute("set lock_timeout = '10s'")
        conn.execute("create table if not exists migrations (name text primary key, applied_at timestamptz not null)")
        done = {str(name) for (name,) in conn.execute("select name from migrations").fetchall()}
        steps = _steps()
        if unknown := sorted(done - {name for name, _ in steps}):
            raise MigrationError(
                f"the database was migrated by a newer release ({unknown[-1]}); start that release, or a newer one"
            )
        for name, sql in steps:
            if name in done:
                continue
            with conn.transaction():
                # the files are ours, read from the package: as literal as a literal in the code
                conn.execute(cast("LiteralString", sql))
                conn.execute("insert into migrations (name, applied_at) values (%s, now())", [name])
            applied.append(name)
    return applied


def _steps() -> list[tuple[str, str]]:
    """Name and text of every migration in order; the job queue's own schema comes from its library."""
    folder = importlib.resources.files("afterword.db") / "migrations"
    files = [
        (file.name.removesuffix(".sql"), file.read_text()) for file in folder.iterdir() if file.name.endswith(".sql")
    ]
    return sorted([*files, ("0000_procrastinate_3_10", SchemaManager.get_schema())])
