"""The pool, the transaction and the migrations."""

import asyncio
import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from afterword import clock, mail, provision, tokens
from afterword.db import Db, execute, fetch_one
from afterword.db.embedded import EmbeddedServer
from afterword.db.migrate import MigrationError, migrate
from afterword.errors import Unavailable
from afterword.settings import Settings, SettingsError, current
from tests.serving import children


@pytest.fixture
def empty_database(postgres: EmbeddedServer):
    """A database without a table."""
    with psycopg.connect(postgres.superuser_url, autocommit=True) as conn:
        conn.execute("create database still_empty owner afterword template template0")
        yield postgres.url.replace("/afterword?", "/still_empty?")
        conn.execute("drop database still_empty with (force)")


def test_of_many_that_start_at_once_one_migrates_and_all_find_it_done(empty_database: str):
    with ThreadPoolExecutor(8) as pool:
        applied = list(pool.map(migrate, [empty_database] * 8))

    assert sorted(map(len, applied))[:7] == [0] * 7
    assert len(max(applied, key=len)) >= 4
    assert migrate(empty_database) == []


def test_a_database_of_a_newer_release_is_left_alone(empty_database: str):
    migrate(empty_database)
    with psycopg.connect(empty_database, autocommit=True) as conn:
        conn.execute("insert into migrations (name, applied_at) values ('9999_from_the_future', now())")

    with pytest.raises(MigrationError, match="newer release"):
        migrate(empty_database)


class Row:
    def __init__(self, n: int) -> None:
        self.n = n


async def test_a_block_that_fails_leaves_nothing_behind(db: Db):
    async def fail() -> None:
        async with db.tx() as tx:
            await execute(tx, "insert into organizations (id, name, plan) values ('org_x', 'X', 'growth')")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    async with db.tx() as tx:
        assert await execute(tx, "select from organizations where id = 'org_x'") == 0


async def test_no_mail_is_sent_inside_a_transaction(db: Db):
    mailer = mail.from_settings(current())
    async with db.tx():
        with pytest.raises(RuntimeError, match="inside a transaction"):
            await mailer.begin("us@acme.example", "jane@initech.example", utf8=False)


async def test_who_waits_for_a_connection_is_told_so_after_two_seconds(database_url: str):
    async with Db.open(database_url, size=1) as small, small.tx():
        before = asyncio.get_running_loop().time()
        with pytest.raises(Unavailable):
            async with small.tx():
                pass
        assert 1.5 < asyncio.get_running_loop().time() - before < 4


async def test_the_two_clocks_agree(db: Db):
    row = await db.one(Row, "select abs(extract(epoch from clock_now() - %(now)s))::int as n", now=clock.now())
    assert row is not None
    assert row.n <= 2
    clock.move(timedelta(days=3))
    try:
        row = await db.one(
            Row, "select round(extract(epoch from %(now)s - clock_now()) / 3600)::int as n", now=clock.now()
        )
    finally:
        clock.move(timedelta(0))
    assert row is not None
    assert row.n == 72


async def test_a_statement_that_finds_nothing_returns_none(db: Db):
    async with db.tx() as tx:
        assert await fetch_one(tx, Row, "select 1 as n where false") is None


def test_of_two_servers_that_first_start_at_once_one_makes_the_demo(
    database_url: str, configure: Callable[..., Settings]
) -> None:
    settings = configure()
    with ThreadPoolExecutor(4) as pool:
        said = list(pool.map(lambda _: provision.prepare(database_url, settings), range(4)))

    assert sum(any(line.startswith("API key:") for line in lines) for lines in said) == 1


async def test_a_database_that_is_frozen_does_not_hold_its_callers_for_ever(tmp_path: Path):
    server = EmbeddedServer.start(tmp_path, durable=False)
    assert server.pid is not None
    async with Db.open(server.url, size=1) as db:
        assert await db.one(Row, "select 1 as n") is not None
        frozen = [server.pid, *children(server.pid)]
        try:
            for pid in frozen:
                os.kill(pid, signal.SIGSTOP)
            async with asyncio.timeout(30):
                with pytest.raises(Unavailable):
                    await db.one(Row, "select 1 as n")
        finally:
            for pid in frozen:
                os.kill(pid, signal.SIGCONT)
        assert await db.one(Row, "select 1 as n") is not None
    server.stop()


def test_a_database_is_not_served_with_another_secret_unless_the_old_one_is_given(
    empty_database: str, configure: Callable[..., Settings]
):
    migrate(empty_database)
    old = "the first secret of this installation"
    new = "the second secret of this installation"
    try:
        starts = [(old, [], True), (old, [], True), (new, [], False), (new, [old], True), (old, [], False)]
        for known, others, good in starts:
            tokens.use(known.encode(), [one.encode() for one in others])
            if good:
                assert provision.prepare(empty_database, configure())
            else:
                with pytest.raises(SettingsError, match="AFTERWORD_OLD_SECRET_KEYS"):
                    provision.prepare(empty_database, configure())
    finally:
        tokens.load_secret(configure())
