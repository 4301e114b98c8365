"""Many callers at once, and the same call more than once: nothing is doubled, mixed or lost."""

import asyncio
import contextlib
import json
import random
import time
from collections.abc import Callable, Coroutine, Generator, Iterator
from datetime import timedelta
from typing import Any

import httpx
import psycopg
import pytest

from afterword import accounts, clock, tokens
from afterword.db import Db
from afterword.db.embedded import EmbeddedServer
from tests.conftest import Api, Tenant, make_tenant
from tests.evidence import count, database, dump, refused

SPELLINGS = [
    "jane.smith@bücher.example",
    "Jane.Smith@bücher.example",
    "JANE.SMITH@BÜCHER.EXAMPLE",
    "jane.smith@xn--bcher-kva.example",
    "jane.smith@XN--BCHER-KVA.example",
    "  jane.smith@bücher.example ",
    "jane.smith@ｂücher.example",
    "jane.smith@bücher。example",
]


@pytest.fixture(scope="module")
def database_url(postgres: EmbeddedServer) -> Generator[str]:
    """One database for all tests here: each has organizations of its own."""
    with database(postgres, "concurrency") as url:
        yield url


def ask(acme: Tenant, **fields: Any) -> dict[str, Any]:
    return {"contact_email": "jane@example.com", "interview_type_id": acme.type_id, **fields}


# Upserts


@pytest.mark.parametrize("way", ["interview_type_id", "sequence_id"])
async def test_a_hundred_callers_with_one_address_make_one_contact_and_a_hundred_requests(
    acme: Tenant, database_url: str, way: str
) -> None:
    body = {way: acme.type_id if way == "interview_type_id" else acme.sequence_id}
    people = [
        {**body, "contact_email": SPELLINGS[n % 8], "contact_name": f"Name {n}", "contact_context": f"Notes {n}"}
        for n in range(100)
    ]

    answers = await asyncio.gather(*(acme.api.post("/interviews", person) for person in people))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["contact_id"] for answer in answers}) == 1
    assert len({answer.json()["interview_request_id"] for answer in answers}) == 100
    assert len({answer.json()["survey_token"] for answer in answers}) == 100
    contact = (await acme.api.get(f"/contacts/{answers[0].json()['contact_id']}")).json()
    assert contact["notes"] == contact["name"].replace("Name", "Notes"), "one caller's values, not a mix of two"
    assert count(database_url, "contacts", acme.org_id) == 1
    assert count(database_url, "interviews", acme.org_id) == count(database_url, "events", acme.org_id) == 100
    assert count(database_url, "contact_notes", acme.org_id) == 99, "every text that was replaced is in the history"
    assert count(database_url, "enrollments", acme.org_id) == (1 if way == "sequence_id" else 0)
    if way == "sequence_id":
        shown = [
            (await acme.api.get(f"/interviews/{answer.json()['interview_request_id']}")).json()["outreach"]
            for answer in answers
        ]
        assert sorted(one["state"] for one in shown) == ["scheduled"] + ["stopped"] * 99


async def test_two_names_for_one_address_at_once_end_as_one_of_the_two(acme: Tenant, database_url: str) -> None:
    for _ in range(10):
        await asyncio.gather(
            *(
                acme.api.post("/interviews", ask(acme, contact_name=name, contact_context=name * 100))
                for name in ("Jane Smith", "Джейн Смит")
            )
        )
    [contact] = (await acme.api.get("/contacts")).json()["data"]

    assert contact["name"] in {"Jane Smith", "Джейн Смит"}
    assert contact["notes"] == contact["name"] * 100
    with psycopg.connect(database_url) as conn:
        found = conn.execute("select notes from contact_notes where org_id = %s", [acme.org_id]).fetchall()
        history = {str(notes) for (notes,) in found}
    assert history == {"Jane Smith" * 100, "Джейн Смит" * 100}


async def test_one_deal_posted_by_many_at_once_is_one_deal(acme: Tenant, database_url: str) -> None:
    before = count(database_url, "deals", acme.org_id)

    answers = await asyncio.gather(
        *(acme.api.post("/deals", {"name": f"Deal {n}", "salesforce_id": "006", "hubspot_id": "h"}) for n in range(20))
    )

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert count(database_url, "deals", acme.org_id) == before + 1


# Idempotency-Key


async def test_twenty_requests_with_one_key_make_one_interview(acme: Tenant, database_url: str) -> None:
    body = ask(acme, sequence_id=acme.sequence_id, deal_id=acme.deal_id, contact_context={"title": "VP"})

    answers = await asyncio.gather(*(acme.api.post("/interviews", body, idempotency_key="k-1") for _ in range(20)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert sorted(answer.headers.get("idempotent-replayed", "") for answer in answers) == [""] + ["true"] * 19
    for table in ("contacts", "interviews", "enrollments", "events", "idempotency", "directory_tokens"):
        assert count(database_url, table, acme.org_id) == 1, table


@pytest.mark.parametrize("path", ["/deals", "/interview-types", "/sequences"])
async def test_every_other_post_takes_a_key_as_well(acme: Tenant, database_url: str, path: str) -> None:
    body = {
        "/deals": {"name": "Once", "amount": 12.5},
        "/interview-types": {"name": "Once", "copy_of": acme.type_id},
        "/sequences": {
            "name": "Once",
            "interview_type_id": acme.type_id,
            "steps": [{"subject": "a", "body": "{link}"}],
        },
    }[path]
    table = path[1:].replace("-", "_")
    before = count(database_url, table, acme.org_id)

    answers = await asyncio.gather(*(acme.api.post(path, body, idempotency_key="k-1") for _ in range(5)))

    assert {answer.status_code for answer in answers} == {201}, answers[0].text
    assert len({answer.content for answer in answers}) == 1
    assert sorted(answer.headers.get("idempotent-replayed", "") for answer in answers) == [""] + ["true"] * 4
    assert count(database_url, table, acme.org_id) == before + 1
    refused(await acme.api.post(path, {**body, "name": "Other"}, idempotency_key="k-1"), 422, "idempotency_mismatch")


async def test_a_replay_is_the_same_bytes_whatever_the_order_of_the_keys(acme: Tenant) -> None:
    body = ask(acme, contact_name="Jane", contact_context={"b": {"y": 1, "x": 2}, "a": [1, 2]}, objective="Ä?")
    shuffled = dict(random.Random(1).sample(list(body.items()), len(body)))
    shuffled["contact_context"] = {"a": [1, 2], "b": {"x": 2, "y": 1}}

    first = await acme.api.post("/interviews", body, idempotency_key="k-1")
    second = await acme.api.post("/interviews", shuffled, idempotency_key='"k-1"')
    third = await acme.api.call(
        "POST", "/interviews", content=json.dumps(body, indent=8).encode(), idempotency_key="k-1"
    )

    assert first.content == second.content == third.content
    assert second.headers["idempotent-replayed"] == third.headers["idempotent-replayed"] == "true"
    assert "survey_token" in first.json()


@pytest.mark.parametrize(
    "change",
    [
        {"contact_name": "Joan"},
        {"contact_context": {"n": "1"}},
        {"contact_context": {"n": 1.5}},
        {"contact_context": {"n": True}},
        {"contact_context": {"n": [1]}},
        {"contact_email": "jose\u0301@x.com"},
        {"deal_id": None},
    ],
    ids=str,
)
async def test_a_key_with_another_body_is_a_mismatch(acme: Tenant, database_url: str, change: dict[str, Any]) -> None:
    body = ask(acme, contact_email="jos\u00e9@x.com", contact_context={"n": 1})
    await acme.api.post("/interviews", body, idempotency_key="k-1")

    answer = await acme.api.post("/interviews", {**body, **change}, idempotency_key="k-1")

    refused(answer, 422, "idempotency_mismatch")
    assert count(database_url, "interviews", acme.org_id) == 1


async def test_a_key_belongs_to_one_route(acme: Tenant, database_url: str) -> None:
    body = {"name": "Same", "org_id": "x"}
    assert (await acme.api.post("/deals", body, idempotency_key="k-1")).status_code == 201
    assert (await acme.api.post("/interviews", ask(acme), idempotency_key="k-1")).status_code == 201
    with psycopg.connect(database_url) as conn:
        routes = conn.execute("select route from idempotency where org_id = %s", [acme.org_id]).fetchall()
    assert len(set(routes)) == 2


async def test_a_refused_call_can_be_corrected_under_its_key(acme: Tenant, database_url: str) -> None:
    for body in ({}, ask(acme, contact_email="jane"), ask(acme, deal_id="deal_unknown")):
        refused(await acme.api.post("/interviews", body, idempotency_key="k-1"), 400, "bad_request")
    assert count(database_url, "idempotency", acme.org_id) == 0

    answer = await acme.api.post("/interviews", ask(acme), idempotency_key="k-1")

    assert answer.status_code == 201
    assert "idempotent-replayed" not in answer.headers


async def test_a_replay_counts_against_the_limit_and_survives_a_new_api_key(
    acme: Tenant, db: Db, web: httpx.AsyncClient
) -> None:
    async with db.tx() as tx:
        _, rotated = await accounts.create_key(tx, acme.org_id, "Rotated")
    first = await acme.api.post("/interviews", ask(acme), idempotency_key="k-1")

    second = await Api(web, rotated).post("/interviews", ask(acme), idempotency_key="k-1")

    assert second.content == first.content
    before, after = (int(answer.headers["x-ratelimit-remaining"]) for answer in (first, second))
    assert after == before - 1


async def test_a_key_is_forgotten_after_a_day(acme: Tenant, db: Db, moved: Callable[[int], None]) -> None:
    first = await acme.api.post("/interviews", ask(acme), idempotency_key="k-1")
    moved(24 * 3600 - 60)
    await accounts.forget_old_answers(db)
    assert (await acme.api.post("/interviews", ask(acme), idempotency_key="k-1")).content == first.content

    moved(24 * 3600 + 60)
    assert await accounts.forget_old_answers(db) >= 1
    assert (await acme.api.post("/interviews", ask(acme), idempotency_key="k-1")).content != first.content


@pytest.fixture
def moved(database_url: str) -> Iterator[Callable[[int], None]]:
    """Let the clocks of the database and of this process run so many seconds ahead."""

    def move(seconds: int) -> None:
        with psycopg.connect(database_url, autocommit=True) as conn:
            conn.execute(
                "create or replace function clock_now() returns timestamptz language sql stable as "
                f"'select now() + interval ''{seconds} seconds'''"
            )
        clock.move(timedelta(seconds=seconds))

    yield move
    move(0)


@contextlib.contextmanager
def first_call(database_url: str, org_id: str, path: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection that holds the lock of the key `k-1`, as a first call to this path that is still running does."""
    with psycopg.connect(database_url) as conn:
        conn.execute("select lock_idempotency_key(%s, %s, 'k-1')", [org_id, f"POST {path}"])
        yield conn


async def _waiting(database_url: str, call: Coroutine[Any, Any, httpx.Response]) -> asyncio.Task[httpx.Response]:
    """The call, started, and waiting for a lock in the database."""
    task = asyncio.create_task(call)
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as conn:
        while True:
            waiting = await conn.execute(
                "select from pg_locks l join pg_database d on d.oid = l.database"
                " where d.datname = current_database() and l.locktype = 'advisory' and not l.granted"
            )
            if waiting.rowcount:
                return task
            assert not task.done(), task.result().text
            await asyncio.sleep(0.02)


BODIES = {"/interviews": ask, "/deals": lambda _: {"name": "Once"}}


@pytest.mark.parametrize("path", sorted(BODIES))
async def test_a_call_whose_first_is_still_running_is_told_to_come_back_after_five_seconds(
    acme: Tenant, database_url: str, path: str
) -> None:
    body = BODIES[path](acme)
    with first_call(database_url, acme.org_id, path):
        started = time.monotonic()
        answer = await acme.api.post(path, body, idempotency_key="k-1")
        waited = time.monotonic() - started

    refused(answer, 409, "conflict")
    assert int(answer.headers["retry-after"]) >= 1
    assert 4.5 < waited < 7
    assert (await acme.api.post(path, body, idempotency_key="k-1")).status_code == 201


@pytest.mark.parametrize("path", sorted(BODIES))
async def test_a_call_whose_first_ends_in_time_goes_on(acme: Tenant, database_url: str, path: str) -> None:
    body = BODIES[path](acme)
    with first_call(database_url, acme.org_id, path) as first:
        task = await _waiting(database_url, acme.api.post(path, body, idempotency_key="k-1"))
        first.rollback()

    assert (await task).status_code == 201


# What lies in the database


async def test_nothing_at_rest_holds_a_key_a_token_or_a_link(acme: Tenant, database_url: str) -> None:
    told = [
        await acme.api.post("/interviews", ask(acme), idempotency_key="k-1"),
        await acme.api.post("/interviews", ask(acme), idempotency_key="k-1"),
        await acme.api.post("/interviews", {"contact_email": "a@b.com", "sequence_id": acme.sequence_id}),
    ]

    everything = dump(database_url)

    assert "jane@example.com" in everything, "the dump is a dump"
    for secret in (acme.key, *(answer.json()["survey_token"] for answer in told)):
        assert tokens.digest(secret).hex() in everything
        for part in (secret, secret[3:], secret[10:30]):
            assert part not in everything
            assert part.encode().hex() not in everything
    assert "/survey?token" not in everything


# The window of the rate limit


async def test_the_window_is_fixed_and_opens_again_after_a_minute(
    db: Db, web: httpx.AsyncClient, configure: Callable[..., object], moved: Callable[[int], None]
) -> None:
    configure(plan_growth_per_minute=3)
    tenant = await make_tenant(db, web, "Growing", "growth")

    first = await tenant.api.get("/me")
    moved(59)
    late = [await tenant.api.get("/me") for _ in range(3)]

    assert [answer.status_code for answer in late] == [200, 200, 429]
    assert {answer.headers["x-ratelimit-reset"] for answer in late} == {first.headers["x-ratelimit-reset"]}
    assert int(late[2].headers["retry-after"]) <= 2

    moved(61)
    again = await tenant.api.get("/me")
    assert (again.status_code, again.headers["x-ratelimit-remaining"]) == (200, "2")
    reset = int(again.headers["x-ratelimit-reset"])
    assert 58 <= reset - clock.now().timestamp() <= 61
    assert reset > int(first.headers["x-ratelimit-reset"])


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/me", 200), ("POST", "/interviews", 400), ("GET", "/interviews/9", 404), ("POST", "/deals", 403)],
)
async def test_every_authenticated_answer_tells_where_the_limit_stands(
    acme: Tenant, db: Db, web: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    async with db.tx() as tx:
        _, secret = await accounts.create_key(
            tx, acme.org_id, "Some", scopes=["interviews:read", "interviews:write", "deals:read"]
        )
    for remaining in (999, 998):
        answer = await Api(web, secret).call(method, path, json={} if method == "POST" else None)
        assert answer.status_code == status
        assert answer.headers["x-ratelimit-limit"] == "1000"
        assert answer.headers["x-ratelimit-remaining"] == str(remaining)
        assert 0 < int(answer.headers["x-ratelimit-reset"]) - time.time() <= 61


# Who guesses keys


async def test_the_61st_failure_from_one_address_has_to_wait_and_a_good_key_does_not(
    web: httpx.AsyncClient, acme: Tenant
) -> None:
    for number in range(60):
        answer = await web.get("/api/v1/me", headers={"Authorization": f"Bearer wrong{number}"})
        refused(answer, 401, "unauthorized")

    answer = await web.get("/api/v1/me", headers={"Authorization": "Bearer wrong"})

    refused(answer, 429, "rate_limit_exceeded")
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert (await acme.api.get("/me")).status_code == 200
    elsewhere = httpx.ASGITransport(app=web.door, client=("127.0.0.2", 1))  # type: ignore[attr-defined]  # set in `web`
    async with httpx.AsyncClient(transport=elsewhere, base_url="http://127.0.0.1:8321") as other:
        refused(await other.get("/api/v1/me"), 401, "unauthorized")


async def test_an_idempotency_key_is_free_again_after_a_day(api: Api, db: Db, acme: Tenant) -> None:
    ask = {"contact_email": "jane@example.com", "interview_type_id": acme.type_id}
    first = await api.post("/interviews", ask, idempotency_key="daily")
    deal = await api.post("/deals", {"name": "One"}, idempotency_key="daily")
    async with db.tx() as tx:
        await tx.execute("update idempotency set created_at = created_at - interval '25 hours'")

    second = await api.post("/interviews", {**ask, "objective": "another"}, idempotency_key="daily")
    other = await api.post("/deals", {"name": "Two"}, idempotency_key="daily")
    again = await api.post("/interviews", {**ask, "objective": "another"}, idempotency_key="daily")

    assert [answer.status_code for answer in (first, deal, second, other, again)] == [201] * 5
    assert second.json()["interview_request_id"] != first.json()["interview_request_id"]
    assert other.json()["id"] != deal.json()["id"]
    assert again.content == second.content
