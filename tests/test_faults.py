"""Faults of ours and of the database, as a caller sees them: our envelope, nothing half-written, no secrets."""

import asyncio
import contextlib
import logging
import time

import psycopg
import pytest

from afterword import settings
from afterword.db import Db
from tests.conftest import Tenant
from tests.evidence import count, refused


async def test_an_unexpected_fault_is_an_internal_error_in_our_words(
    acme: Tenant, superuser_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with psycopg.connect(superuser_url, autocommit=True) as conn:
        conn.execute("alter table deals rename to lost")

    with caplog.at_level(logging.ERROR):
        answer = await acme.api.get("/deals")

    refused(answer, 500, "internal_error")
    assert "x-ratelimit-remaining" in answer.headers
    assert answer.headers["x-request-id"] in caplog.text, "the log can be found by the request id"


async def test_a_write_that_fails_halfway_leaves_nothing(acme: Tenant, superuser_url: str, database_url: str) -> None:
    body = {"contact_email": "jane@example.com", "sequence_id": acme.sequence_id}
    for table in ("interviews", "enrollments", "events", "directory_tokens", "idempotency"):
        with psycopg.connect(superuser_url, autocommit=True) as conn:
            conn.execute(f"revoke insert on {table} from afterword")
            answer = await acme.api.post("/interviews", body, idempotency_key="k")
            conn.execute(f"grant insert on {table} to afterword")
        refused(answer, 500, "internal_error")
        for looked_at in ("contacts", "interviews", "enrollments", "events", "directory_tokens", "idempotency"):
            assert count(database_url, looked_at) == 0

    assert (await acme.api.post("/interviews", body, idempotency_key="k")).status_code == 201


async def test_when_every_connection_is_busy_a_call_waits_two_seconds_and_is_told_to_come_back(
    acme: Tenant, db: Db
) -> None:
    async with contextlib.AsyncExitStack() as held:
        for _ in range(settings.current().database_pool_size):
            await held.enter_async_context(db.tx())
        started = time.monotonic()
        answer = await acme.api.get("/me")
        waited = time.monotonic() - started

    refused(answer, 503, "unavailable")
    assert int(answer.headers["retry-after"]) >= 1
    assert waited < 2.5
    assert (await acme.api.get("/me")).status_code == 200


async def test_a_short_rush_for_connections_is_waited_out(acme: Tenant, db: Db) -> None:
    async with contextlib.AsyncExitStack() as held:
        for _ in range(settings.current().database_pool_size):
            await held.enter_async_context(db.tx())
        task = asyncio.create_task(acme.api.get("/me"))
        await asyncio.wait([task], timeout=0.2)
        assert not task.done()

    assert (await task).status_code == 200


async def test_a_terminated_connection_costs_at_most_one_answer_each(acme: Tenant, database_url: str) -> None:
    await asyncio.gather(*(acme.api.get("/me") for _ in range(5)))
    with psycopg.connect(database_url, autocommit=True) as conn:
        conn.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )

    answers = [await acme.api.get("/me") for _ in range(settings.current().database_pool_size + 1)]

    assert {answer.status_code for answer in answers} <= {200, 503}
    assert answers[-1].status_code == 200
