"""The planner: in `planned` the background goes to it alone, soon after the request; an interview keeps its plan."""

import asyncio
import itertools
import json
import time
from collections.abc import AsyncGenerator, Callable
from typing import Any

import psycopg
import pytest

from afterword import llm, worker
from afterword.db import Db
from afterword.interviews import conversation, planner
from afterword.llm import breaker
from afterword.settings import Settings, current
from tests.conftest import Tenant
from tests.model_server import Fault, ModelServer, serving
from tests.test_generation import WORDS, Talk, asked_for, interview, kept, kinds_of_alerts, reply, rows, sql, until

NOTES = "Knows the CFO. Nervous about SECRET-MIGRATION."
OBJECTIVE = "Was it the SECRET-ROADMAP?"
PLAN = {"weights": [{"topic": "price", "weight": 7}, {"topic": "team", "weight": 2}], "extra": None}

Configure = Callable[..., Settings]


@pytest.fixture
async def model(configure: Configure) -> AsyncGenerator[ModelServer]:
    """A model that plans and words; deadlines are a tenth of the real ones."""
    breaker.reset()
    llm.prepare("openai")
    words = itertools.cycle(WORDS)
    async with serving() as one:
        one.text = lambda asked: reply(next(words)) if _is_turn(asked) else json.dumps(PLAN)
        configure(llm_url=one.url, llm_model="fake-model", llm_deadline_scale=0.1)
        yield one
        await llm.close()


def _is_turn(asked: Any) -> bool:
    return "if_probe" in str(asked["response_format"])


@pytest.fixture
async def planning(acme: Tenant, db: Db, model: ModelServer) -> Tenant:
    """Acme, whose notes go to the planner only."""
    assert model.port
    await set_mode(db, acme, "planned")
    return acme


async def set_mode(db: Db, tenant: Tenant, mode: str) -> None:
    await sql(db, "update organizations set context_mode = %(mode)s where id = %(id)s", mode=mode, id=tenant.org_id)


async def fresh(tenant: Tenant, number: int = 1, **more: str) -> dict[str, Any]:
    return await asked_for(tenant, number, contact_context=NOTES, objective=OBJECTIVE, deal_id=tenant.deal_id, **more)


async def stored(db: Db, asked: dict[str, Any]) -> dict[str, Any]:
    [row] = await rows(
        db, "select to_jsonb(i) as row from interviews i where id = %(id)s", id=asked["interview_request_id"]
    )
    return row


async def later(db: Db) -> None:
    """Let the time pass for which a failed try holds the next one off."""
    await sql(db, "update interviews set plan_due_at = clock_now() - interval '1 s' where plan_due_at is not null")


# What is planned ---------------------------------------------------------------------------------------------------


async def test_only_the_planner_reads_the_background(planning: Tenant, db: Db, model: ModelServer):
    asked = await fresh(planning)

    assert await planner.plan_due(db) == 1

    talk = await Talk.begin(db, asked)
    await talk.say()
    await talk.say()
    plan, *turns = (str(call["messages"]) for call in model.asked)
    assert not _is_turn(model.asked[0])
    for secret in ("SECRET-MIGRATION", "SECRET-ROADMAP", "Knows the CFO"):
        assert secret in plan
        assert not any(secret in turn for turn in turns)
    assert turns
    row = await interview(talk)
    assert row["plan"]["weights"]["price"] == 7
    assert "plan | price: 7" in turns[0]


async def test_the_planners_prompt_is_kept_as_turn_nought(planning: Tenant, db: Db, model: ModelServer):
    asked = await fresh(planning)
    await planner.plan_due(db)

    answer = await planning.api.get(f"/interviews/{asked['interview_request_id']}/prompts")

    [prompt] = answer.json()["prompts"]
    assert (prompt["turn"], prompt["purpose"], prompt["outcome"]) == (0, "plan", "planned")
    assert prompt["messages"] == model.asked[0]["messages"]


async def test_a_new_plans_prompt_is_kept_beside_what_the_purge_has_left(planning: Tenant, db: Db, model: ModelServer):
    asked = await fresh(planning)
    for notes in ("Price came up twice.", "Globex came up twice."):
        await planner.plan_due(db)
        await planning.api.patch(f"/interviews/{asked['interview_request_id']}", {"contact_context": notes})
        await later(db)
    await sql(db, "delete from prompts where attempt = 1")

    await planner.plan_due(db)

    kept = await rows(db, "select to_jsonb(p) as row from prompts p order by attempt")
    assert [one["attempt"] for one in kept] == [2, 3]
    assert "Globex came up twice." in json.dumps(kept[-1]["messages"])


async def test_in_direct_nothing_is_planned(acme: Tenant, db: Db, model: ModelServer):
    await fresh(acme)
    assert await planner.plan_due(db) == 0
    assert model.asked == []


async def test_without_a_model_nothing_is_planned(planning: Tenant, db: Db, model: ModelServer, configure: Configure):
    configure(llm_url="", llm_model="")
    await fresh(planning)
    assert await planner.plan_due(db) == 0
    assert model.asked == []


async def test_what_is_planned_is_not_planned_again(planning: Tenant, db: Db, model: ModelServer):
    await fresh(planning)
    assert [await planner.plan_due(db) for _ in range(4)] == [1, 0, 0, 0]
    assert len(model.asked) == 1


@pytest.mark.parametrize("changed", ["notes", "objective", "deal", "competitors", "guide"])
async def test_a_change_of_its_inputs_is_a_new_plan(planning: Tenant, db: Db, model: ModelServer, changed: str):
    asked = await fresh(planning)
    await planner.plan_due(db)
    before = (await stored(db, asked))["plan_inputs"]
    path = f"/interviews/{asked['interview_request_id']}"
    match changed:
        case "notes":
            await planning.api.patch(path, {"contact_context": "Other notes."})
        case "objective":
            await planning.api.patch(path, {"objective": "Another goal."})
        case "deal":
            await planning.api.post("/deals", {"external_id": "1", "name": "Renamed"})
        case "competitors":
            await planning.api.post("/deals", {"external_id": "1", "competitors": [{"name": "Umbrella"}]})
        case _:
            await sql(
                db,
                """
                with next as (
                    insert into guide_versions (org_id, interview_type_id, version, guide)
                    select org_id, interview_type_id, 2, guide from guide_versions
                    where interview_type_id = %(id)s and version = 1
                )
                update interview_types set version = 2 where id = %(id)s
                """,
                id=planning.type_id,
            )

    assert await planner.plan_due(db) == 1

    row = await stored(db, asked)
    assert row["plan"] is not None
    assert row["plan_inputs"] != before
    assert len(model.asked) == 2
    assert await planner.plan_due(db) == 0


async def test_internal_notes_and_whatever_else_does_not_go_in_change_nothing(
    planning: Tenant, db: Db, model: ModelServer
):
    asked = await fresh(planning)
    await planner.plan_due(db)

    await planning.api.post("/deals", {"external_id": "1", "internal_notes": "NEVER-TO-BE-SEEN"})
    await planning.api.patch(f"/interviews/{asked['interview_request_id']}", {"contact_name": "Jane Doe"})

    assert await planner.plan_due(db) == 0
    assert len(model.asked) == 1
    assert "NEVER-TO-BE-SEEN" not in str(model.asked)


async def test_an_interview_that_began_keeps_its_plan(planning: Tenant, db: Db, model: ModelServer):
    asked = await fresh(planning)
    await planner.plan_due(db)
    talk = await Talk.begin(db, asked)
    before = (await interview(talk))["plan"]

    await planning.api.patch(f"/interviews/{talk.id}", {"contact_context": "Other notes."})
    assert await planner.plan_due(db) == 0
    await talk.say()

    assert (await interview(talk))["plan"] == before
    assert len([call for call in model.asked if not _is_turn(call)]) == 1


async def test_a_plan_made_from_what_has_changed_since_does_not_hold(planning: Tenant, db: Db, model: ModelServer):
    asked = await fresh(planning)
    await planner.plan_due(db)
    await planning.api.patch(f"/interviews/{asked['interview_request_id']}", {"objective": "Another goal."})

    talk = await Talk.begin(db, asked)

    assert model.asked
    assert (await interview(talk))["plan"] is None


async def test_an_interview_that_begins_while_it_is_planned_goes_on_without(
    planning: Tenant, db: Db, model: ModelServer
):
    asked = await fresh(planning)
    model.faults = [Fault(delay=0.3)]
    planned = asyncio.create_task(planner.plan_due(db))
    await until(lambda: model.asked)
    talk = await Talk.begin(db, asked)

    assert await planned == 0
    assert (await interview(talk))["plan"] is None
    assert await kept(talk) == []


# When it fails -----------------------------------------------------------------------------------------------------


async def test_failed_tries_are_repeated_with_pauses_and_not_for_ever(planning: Tenant, db: Db, model: ModelServer):
    asked = await fresh(planning)
    outcomes: list[str] = []
    for fault in (Fault(text="{}"), Fault(text="[]"), Fault(text='{"weights": 3, "extra": "x"}')):
        model.faults = [fault]
        assert await planner.plan_due(db) == 0
        assert await planner.plan_due(db) == 0  # the pause holds
        await later(db)
    for _ in range(2):
        assert await planner.plan_due(db) == 0
        await later(db)

    assert len(model.asked) == 3
    found = await planning.api.get(f"/interviews/{asked['interview_request_id']}/prompts")
    outcomes = [prompt["outcome"] for prompt in found.json()["prompts"]]
    assert len(outcomes) == 3
    assert "planned" not in outcomes
    await planning.api.patch(f"/interviews/{asked['interview_request_id']}", {"objective": "Another goal."})
    assert await planner.plan_due(db) == 1


async def test_a_failed_try_is_made_good_by_the_next(planning: Tenant, db: Db, model: ModelServer):
    asked = await fresh(planning)
    model.faults = [Fault(status=500)]
    assert await planner.plan_due(db) == 0
    await later(db)

    assert await planner.plan_due(db) == 1
    assert (await stored(db, asked))["plan"]["weights"]["price"] == 7


async def test_a_worker_that_died_while_planning_has_tried_once(planning: Tenant, db: Db, model: ModelServer):
    await fresh(planning)
    model.faults = [Fault(delay=5)]
    dying = asyncio.create_task(planner.plan_due(db))
    await until(lambda: model.asked)
    dying.cancel()
    await asyncio.wait([dying])

    assert await planner.plan_due(db) == 0
    await later(db)
    assert await planner.plan_due(db) == 1


async def test_two_workers_do_not_plan_the_same(planning: Tenant, db: Db, model: ModelServer, database_url: str):
    for number in range(6):
        await fresh(planning, number)
    model.faults = [Fault(delay=0.1) for _ in range(12)]

    async with Db.open(database_url, size=4) as other:
        planned = await asyncio.gather(*(planner.plan_due(one) for one in (db, other, db, other)))

    assert sum(planned) == len(model.asked) == 6


async def test_a_cost_cap_holds_the_planner_off_and_is_told_of_once(
    planning: Tenant, db: Db, model: ModelServer, configure: Configure
):
    configure(llm_input_price=1_000, llm_output_price=1_000, llm_daily_cap=0.5)
    await fresh(planning)
    assert await planner.plan_due(db) == 0
    await later(db)
    assert await planner.plan_due(db) == 0
    assert model.asked == []
    assert await kinds_of_alerts(db) == ["cost_cap"]

    configure(llm_daily_cap=0)
    await later(db)
    assert await planner.plan_due(db) == 1


async def test_withdrawing_erases_the_plan_and_its_prompt(planning: Tenant, db: Db, model: ModelServer):
    asked = await fresh(planning)
    await planner.plan_due(db)
    talk = await Talk.begin(db, asked)
    assert await kept(talk)
    await conversation.withdraw(db, talk.token)

    row = await interview(talk)
    assert (row["plan"], row["plan_inputs"], await kept(talk)) == (None, None, [])
    assert model.asked


# The sweep ---------------------------------------------------------------------------------------------------------


async def test_the_worker_plans_within_five_seconds(planning: Tenant, db: Db, model: ModelServer, database_url: str):
    stop = asyncio.Event()
    working = asyncio.create_task(worker.run(current(), database_url, stop=stop))
    await asyncio.sleep(0.5)  # it has looked once, and found nothing
    asked = await fresh(planning)
    began = time.monotonic()
    try:
        while (await stored(db, asked))["plan"] is None:
            assert time.monotonic() - began < 5
            await asyncio.sleep(0.1)
    finally:
        stop.set()
        await working
    assert len(model.asked) == 1


async def test_a_look_takes_as_many_statements_for_two_organizations_as_for_one(
    planning: Tenant, rival: Tenant, db: Db, model: ModelServer, monkeypatch: pytest.MonkeyPatch
):
    execute, statements = psycopg.AsyncCursor.execute, list[str]()

    async def counted(cursor: Any, query: Any, *given: Any, **rest: Any) -> Any:
        statements.append(str(query))
        return await execute(cursor, query, *given, **rest)

    monkeypatch.setattr(psycopg.AsyncCursor, "execute", counted)
    await planner.Planner(db).look()
    for_one = len(statements)
    await set_mode(db, rival, "planned")
    statements.clear()
    await planner.Planner(db).look()

    assert len(statements) == for_one


async def test_a_hundred_thousand_interviews_of_others_cost_the_sweep_nothing(
    planning: Tenant, rival: Tenant, db: Db, database_url: str
):
    made = await asked_for(rival)
    with psycopg.connect(database_url, autocommit=True) as conn:
        conn.execute(
            """
            insert into interviews (org_id, contact_id, interview_type_id, status, seed, token_hash)
            select org_id, contact_id, interview_type_id, status, seed, token_hash
            from interviews, generate_series(1, 100000) where id = %s
            """,
            [made["interview_request_id"]],
        )
        conn.execute("analyze interviews")
    asked = await fresh(planning)

    async with db.tx() as tx:
        due = [*await planner._new(tx, [planning.org_id]), *await planner._changed(tx, [planning.org_id])]
        read = await tx.execute(
            "select seq_tup_read, idx_tup_fetch from pg_stat_xact_user_tables where relname = 'interviews'"
        )
        rows_read = await read.fetchone()

    assert [place.interview_id for place in due] == [asked["interview_request_id"]]
    assert rows_read is not None
    assert rows_read[0] == 0
    assert rows_read[1] < 10
