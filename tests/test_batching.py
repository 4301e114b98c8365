"""Calls that arrive together share one statement; each keeps its own answer, none waits for or fails with another."""

import asyncio
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
import pytest

from afterword import tokens
from afterword.db.batching import Batcher, Params
from tests.conftest import Api, Tenant

DONE = 3.0  # seconds within which a call must be answered that has nothing to wait for


def ask(tenant: Tenant, number: int, **fields: Any) -> dict[str, Any]:
    return {"contact_email": f"person{number}@example.com", "interview_type_id": tenant.type_id, **fields}


async def test_each_of_many_calls_at_once_gets_its_own_answer(acme: Tenant, rival: Tenant) -> None:
    calls = {
        "made": [acme.api.post("/interviews", ask(acme, n, deal_id=acme.deal_id)) for n in range(20)],
        "enrolled": [
            acme.api.post("/interviews", {"contact_email": f"e{n}@example.com", "sequence_id": acme.sequence_id})
            for n in range(10)
        ],
        "another organization": [rival.api.post("/interviews", ask(rival, n)) for n in range(10)],
        "its type": [acme.api.post("/interviews", ask(acme, n, interview_type_id=rival.type_id)) for n in range(5)],
        "its deal": [acme.api.post("/interviews", ask(acme, n, deal_id=rival.deal_id)) for n in range(5)],
        "no key": [Api(acme.api.client, tokens.new_api_key()).post("/interviews", ask(acme, n)) for n in range(5)],
    }
    order = [(what, call) for what, some in calls.items() for call in some]
    random.Random(1).shuffle(order)

    answers = await asyncio.gather(*(call for _, call in order))

    seen = Counter((what, answer.status_code) for (what, _), answer in zip(order, answers, strict=True))
    assert seen == {
        ("made", 201): 20,
        ("enrolled", 201): 10,
        ("another organization", 201): 10,
        ("its type", 400): 5,
        ("its deal", 400): 5,
        ("no key", 401): 5,
    }
    created = [answer.json() for answer in answers if answer.status_code == 201]
    assert len({one["interview_request_id"] for one in created}) == 40
    assert len({one["survey_token"] for one in created}) == 40
    for (what, _), answer in zip(order, answers, strict=True):
        if what == "made":
            assert answer.json()["deal_id"] == acme.deal_id
            assert answer.json()["status"] == "created"
        if what == "enrolled":
            assert answer.json()["status"] == "sent"
    for number in range(20):
        contact = (await acme.api.get("/contacts", params={"email": f"person{number}@example.com"})).json()["data"][0]
        ids = {a.json()["contact_id"] for (w, _), a in zip(order, answers, strict=True) if w == "made"}
        assert contact["id"] in ids
        assert contact["email"] == f"person{number}@example.com"


async def test_an_idempotency_key_that_is_waited_for_holds_nobody_up(acme: Tenant, database_url: str) -> None:
    async with await psycopg.AsyncConnection.connect(database_url) as other:
        # as another process would that is in the middle of the first call with this key
        assert (await acme.api.post("/interviews", ask(acme, 0), idempotency_key="before")).status_code == 201
        await other.execute(
            """
            select pg_advisory_xact_lock(hashtextextended(org_id || ' ' || route || ' slow', 0))
            from idempotency where org_id = %s and key = 'before'
            """,
            [acme.org_id],
        )
        slow = asyncio.create_task(acme.api.post("/interviews", ask(acme, 0), idempotency_key="slow"))
        async with asyncio.timeout(DONE):
            quick = await asyncio.gather(
                *(acme.api.post("/interviews", ask(acme, n), idempotency_key=f"quick {n}") for n in range(1, 30))
            )
        assert {answer.status_code for answer in quick} == {201}
        assert not slow.done()
        await other.rollback()
    assert (await slow).status_code == 201


async def test_a_contact_whom_somebody_else_is_changing_holds_nobody_else_up(acme: Tenant, database_url: str) -> None:
    known = (await acme.api.post("/interviews", ask(acme, 0))).json()["contact_id"]
    async with await psycopg.AsyncConnection.connect(database_url) as other:
        await other.execute("select from contacts where org_id = %s and id = %s for update", [acme.org_id, known])
        slow = asyncio.create_task(acme.api.post("/interviews", ask(acme, 0, contact_name="Jane")))
        async with asyncio.timeout(DONE):
            quick = await asyncio.gather(*(acme.api.post("/interviews", ask(acme, n)) for n in range(1, 30)))
        assert {answer.status_code for answer in quick} == {201}
        assert not slow.done()
        await other.rollback()
    assert (await slow).json()["contact_id"] == known


async def test_a_call_that_the_database_refuses_takes_no_other_along(acme: Tenant, superuser_url: str) -> None:
    with psycopg.connect(superuser_url, autocommit=True) as conn:
        conn.execute("alter table contacts add constraint broken check (email_key <> 'person7@example.com')")

    answers = await asyncio.gather(
        *(acme.api.post("/interviews", ask(acme, n), idempotency_key=f"k{n}") for n in range(20))
    )

    assert [number for number, answer in enumerate(answers) if answer.status_code != 201] == [7]
    assert answers[7].json()["error"]["code"] == "internal_error"
    made = [answer.json()["interview_request_id"] for answer in answers if answer.status_code == 201]
    assert len(set(made)) == 19
    with psycopg.connect(superuser_url) as conn:
        row = conn.execute("select count(*) from interviews where org_id = %s", [acme.org_id]).fetchone()
        assert row == (19,)


async def test_one_idempotency_key_twice_in_one_batch_is_one_interview(acme: Tenant) -> None:
    answers = await asyncio.gather(
        *(acme.api.post("/interviews", ask(acme, n // 4), idempotency_key=f"k{n // 4}") for n in range(40))
    )

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 10
    assert Counter(answer.headers.get("idempotent-replayed") for answer in answers) == {None: 10, "true": 30}


async def test_under_one_limit_exactly_as_many_pass_as_the_plan_has(acme: Tenant, configure: Any) -> None:
    configure(plan_enterprise_per_minute=30)

    answers = await asyncio.gather(*(acme.api.get("/me") for _ in range(80)))

    assert Counter(answer.status_code for answer in answers) == {200: 30, 429: 50}
    remaining = [int(answer.headers["x-ratelimit-remaining"]) for answer in answers if answer.status_code == 200]
    assert sorted(remaining) == list(range(30))


# The batcher by itself


async def _never(call: Params) -> int | None:
    raise AssertionError(f"{call} was run by itself")


async def test_calls_gather_while_two_statements_are_under_way() -> None:
    sizes: list[int] = []
    proceed = asyncio.Event()

    async def together(calls: Sequence[Params]) -> Mapping[int, int]:
        sizes.append(len(calls))
        await proceed.wait()
        return {place: int(str(call["n"])) for place, call in enumerate(calls)}

    batcher = Batcher(together, _never)
    first = asyncio.create_task(batcher({"n": 0}))
    await _until(lambda: len(sizes) == 1)
    second = asyncio.create_task(batcher({"n": 1}))
    await _until(lambda: len(sizes) == 2)
    others = [asyncio.create_task(batcher({"n": n})) for n in range(2, 12)]
    await asyncio.sleep(0)
    proceed.set()

    assert [await task for task in (first, second, *others)] == list(range(12))
    assert sizes == [1, 1, 10]


async def test_a_call_without_an_answer_is_run_by_itself() -> None:
    async def together(calls: Sequence[Params]) -> Mapping[int, str]:
        return {place: "together" for place, call in enumerate(calls) if call["n"] != 3}

    async def alone(call: Params) -> str | None:
        return None

    batcher = Batcher(together, alone)

    assert await asyncio.gather(*(batcher({"n": n}) for n in range(5))) == [
        "together",
        "together",
        "together",
        None,
        "together",
    ]


async def test_an_error_reaches_its_own_batch_and_the_next_goes_on() -> None:
    async def together(calls: Sequence[Params]) -> Mapping[int, int]:
        if any(call["n"] == 0 for call in calls):
            raise ConnectionError("lost")
        return dict.fromkeys(range(len(calls)), 1)

    batcher = Batcher(together, _never)

    with pytest.raises(ConnectionError):
        await batcher({"n": 0})
    assert await batcher({"n": 1}) == 1


async def test_every_call_is_answered_however_they_come_and_go() -> None:
    chance = random.Random(2)

    async def together(calls: Sequence[Params]) -> Mapping[int, object]:
        for _ in range(chance.randint(0, 5)):
            await asyncio.sleep(0)
        return {place: call["n"] for place, call in enumerate(calls)}

    batcher: Batcher[object] = Batcher(together, _never)

    async def caller(number: int) -> None:
        for _ in range(chance.randint(0, 30)):
            await asyncio.sleep(0)
        task = asyncio.create_task(batcher({"n": number}))
        if chance.random() < 0.2:
            await asyncio.sleep(0)
            task.cancel()
        else:
            assert await task == number

    async with asyncio.timeout(DONE):
        await asyncio.gather(*(caller(number) for number in range(500)))


async def _until(condition: Any) -> None:
    async with asyncio.timeout(DONE):
        while not condition():  # noqa: ASYNC110  (what it waits for is the state of other tasks, which set no event)
            await asyncio.sleep(0)
