"""Paige with a language model: one call for one answer, whoever asks how often; and by the script when it fails."""

import asyncio
import contextlib
import itertools
import json
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from afterword import llm, paige
from afterword.db import Db, execute, fetch_all
from afterword.errors import Conflict, NotFound
from afterword.interviews import conversation, prompts
from afterword.llm import breaker
from afterword.settings import Settings
from tests.conftest import Api, Tenant
from tests.model_server import Fault, ModelServer, serving
from tests.page_forms import Visitor

PRICE = "The price was too high, and Globex had the better integration with our warehouse, as the pilot in May showed."
SAID = (
    PRICE,
    "Our finance lead stopped it in June, because the second year cost twice as much as the first one.",
    "Three of us tried it for two weeks, and the reports took half a minute to open on our largest warehouse.",
    "The answers of your support came within a day, but Globex had an engineer with us on site every Tuesday.",
    "We compared five products in a sheet, and the import of our old orders decided it in the end.",
    "The contract had a notice period of a year, which our legal team did not want to sign in that form.",
)
WORDS = (
    "What happened in that week?",
    "How did the final decision come about?",
    "Who else took part in that conversation?",
    "What did your team do after that?",
    "When did that first come up?",
    "How did you find out about it?",
    "What went through your mind at that moment?",
    "Where did that show in your daily work?",
    "What would you tell a colleague about it?",
    "How did the others in your team see it?",
)


def reply(words: str) -> str:
    """What a model says that would ask this, whether it digs deeper or goes on."""
    told = {"quality": 1, "slots": [], "flags": [], "lang": "en"}
    return json.dumps({**told, "if_probe": words, "if_advance": words})


PRAISE = reply("What happened after that great point of yours?")

Configure = Callable[..., Settings]


@pytest.fixture
async def model(configure: Configure) -> AsyncGenerator[ModelServer]:
    """The server's language model; deadlines are a tenth of the real ones: 0.8 seconds for a turn."""
    breaker.reset()
    llm.prepare("openai")
    async with serving() as one:
        words = itertools.cycle(WORDS)
        one.text = lambda _: reply(next(words))
        configure(llm_url=one.url, llm_model="fake-model", llm_deadline_scale=0.1)
        yield one
        await llm.close()


async def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(0.01)


async def asked_for(tenant: Tenant, number: int = 1, **fields: str) -> dict[str, Any]:
    body = {"contact_email": f"jane{number}@initech.example", "contact_name": "Jane Smith"}
    answer = await tenant.api.post("/interviews", {**body, "interview_type_id": tenant.type_id, **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()


@dataclass
class Talk:
    """One interview from its contact's side, without a page."""

    db: Db
    id: int
    token: str
    visit: conversation.Visit

    @classmethod
    async def begin(cls, db: Db, asked: dict[str, Any]) -> "Talk":
        visit = await conversation.consent(db, asked["survey_token"], "I agree.")
        return cls(db, asked["interview_request_id"], asked["survey_token"], visit)

    async def say(self, text: str | None = None, *, action: str = "answer") -> conversation.Visit:
        """Answer, and see what stands there then."""
        text = SAID[self.visit.turn_no // 2 % len(SAID)] if text is None else text
        self.visit = await conversation.take_turn(
            self.db,
            self.token,
            turn_no=self.visit.turn_no,
            client_id=f"form-{self.visit.turn_no}",
            answer=paige.Answer(text, action),
        )
        return self.visit

    async def see(self) -> conversation.Visit:
        self.visit = await conversation.enter(self.db, self.token)
        return self.visit


@pytest.fixture
async def talk(acme: Tenant, db: Db, model: ModelServer) -> Talk:
    """An interview that has just begun, with a model."""
    assert model.port
    return await Talk.begin(db, await asked_for(acme))


class Row:
    """Any row, as JSON."""

    def __init__(self, row: dict[str, Any]) -> None:
        self.row = row


async def rows(db: Db, query: Any, **params: object) -> list[dict[str, Any]]:
    async with db.tx() as tx:
        return [one.row for one in await fetch_all(tx, Row, query, **params)]


async def sql(db: Db, query: Any, **params: object) -> None:
    async with db.tx() as tx:
        await execute(tx, query, **params)


async def origins(talk: Talk) -> list[str]:
    found = await rows(
        talk.db,
        """
        select to_jsonb(t) as row from turns t where interview_id = %(id)s and role = 'interviewer' order by turn_no
        """,
        id=talk.id,
    )
    return [row["origin"] for row in found]


async def kept(talk: Talk) -> list[dict[str, Any]]:
    return await rows(
        talk.db,
        "select to_jsonb(p) as row from prompts p where interview_id = %(id)s order by turn_no, attempt",
        id=talk.id,
    )


async def interview(talk: Talk) -> dict[str, Any]:
    [row] = await rows(talk.db, "select to_jsonb(i) as row from interviews i where id = %(id)s", id=talk.id)
    return row


async def kinds_of_alerts(db: Db) -> list[str]:
    return [row["kind"] for row in await rows(db, "select to_jsonb(a) as row from alerts a order by created_at")]


# One turn ----------------------------------------------------------------------------------------------------------


async def test_the_models_words_are_shown_and_its_exact_prompt_is_kept(
    acme: Tenant, rival: Tenant, talk: Talk, model: ModelServer
):
    visit = await talk.say()

    assert not visit.awaiting_reply
    assert WORDS[0] in visit.turns[-1].text
    assert await origins(talk) == ["script", "model"]
    [call] = model.asked
    answer = await acme.api.get(f"/interviews/{talk.id}/prompts")
    assert answer.status_code == 200, answer.text
    [prompt] = answer.json()["prompts"]
    assert prompt["messages"] == call["messages"]
    assert PRICE in str(prompt["messages"])
    assert prompt["reply"] == reply(WORDS[0])
    assert (prompt["turn"], prompt["attempt"], prompt["purpose"], prompt["outcome"]) == (3, 1, "turn", "shown")
    assert (prompt["model"], prompt["input_tokens"], prompt["output_tokens"]) == ("fake-model", 1200, 90)
    assert prompt["milliseconds"] > 0
    assert (await acme.api.get(f"/interviews/{talk.id}/prompts?turn=5")).json()["prompts"] == []
    assert (await rival.api.get(f"/interviews/{talk.id}/prompts")).status_code == 404


async def test_only_administrators_read_prompts(acme: Tenant, talk: Talk, web: httpx.AsyncClient):
    from afterword import accounts

    async with talk.db.tx() as tx:
        _, secret = await accounts.create_key(tx, acme.org_id, "Reader", scopes=["interviews:read"])

    assert (await Api(web, secret).get(f"/interviews/{talk.id}/prompts")).status_code == 403


async def test_what_the_company_knows_is_in_each_prompt_and_internal_notes_in_none(
    acme: Tenant, db: Db, model: ModelServer
):
    await acme.api.post(
        "/deals",
        {
            "external_id": "1",
            "name": "The Initech deal",
            "region": "Nordics",
            "industry": "Aerospace",
            "summary": "Lost in the last round.",
            "internal_notes": "NEVER-TO-BE-SEEN",
            "competitors": [{"name": "Globex"}, {"name": "Umbrella", "is_incumbent": True}],
        },
    )
    talk = await Talk.begin(
        db,
        await asked_for(acme, deal_id=acme.deal_id, contact_context="Knows the CFO well.", objective="Was it support?"),
    )
    await talk.say()
    changed = await acme.api.patch(
        f"/interviews/{talk.id}", {"contact_context": "Left in March.", "objective": "Was it speed?"}
    )
    assert changed.status_code == 200
    await talk.say()

    first, second = (str(call["messages"]) for call in model.asked)
    for fact in ("Nordics", "Aerospace", "Lost in the last round.", "Umbrella", "Globex"):
        assert fact in first
        assert fact in second
    assert "Knows the CFO well." in first
    assert "Was it support?" in first
    assert "Knows the CFO well." not in second
    assert "Left in March." in second
    assert "Was it speed?" in second
    assert talk.visit.turns[0].text in second
    assert PRICE in second
    assert "NEVER-TO-BE-SEEN" not in first + second + str(await kept(talk))


async def test_a_contact_whose_terms_named_no_model_is_never_read_by_one(acme: Tenant, db: Db, model: ModelServer):
    asked = await asked_for(acme)
    visit = await conversation.consent(db, asked["survey_token"], "I agree.", told_of_model=False)

    await Talk(db, asked["interview_request_id"], asked["survey_token"], visit).say()

    assert model.asked == []


async def test_without_a_model_the_script_asks_and_no_prompt_is_kept(acme: Tenant, db: Db):
    talk = await Talk.begin(db, await asked_for(acme))
    await talk.say()

    assert await origins(talk) == ["script", "script"]
    assert await kept(talk) == []


@pytest.mark.parametrize(
    ("said", "action"), [("stop", "answer"), ("I don't know", "answer"), ("", "skip"), ("", "pause"), ("", "stop")]
)
async def test_what_the_rules_can_answer_is_asked_of_no_model(talk: Talk, model: ModelServer, said: str, action: str):
    await talk.say(said, action=action)

    assert model.asked == []
    assert await origins(talk) == ["script", "script"]
    assert (await interview(talk))["bucket_left"] is None


async def test_a_whole_interview_with_a_model_completes(
    acme: Tenant, model: ModelServer, web: httpx.AsyncClient, db: Db
):
    asked = await asked_for(acme)
    await Visitor(web, asked["survey_token"]).walk(PRICE)

    seen = (await acme.api.get(f"/interviews/{asked['interview_request_id']}")).json()
    assert seen["status"] == "completed"
    assert model.asked
    assert seen["language"] == "en"


async def test_words_that_are_not_fit_to_be_shown_are_asked_for_once_more(talk: Talk, model: ModelServer):
    model.faults = [Fault(text=PRAISE)]
    visit = await talk.say()

    assert WORDS[0] in visit.turns[-1].text
    assert [(one["attempt"], one["outcome"].partition(":")[0]) for one in await kept(talk)] == [
        (1, "guard"),
        (2, "shown"),
    ]
    assert len(model.asked) == 2


async def test_words_that_are_never_fit_to_be_shown_are_the_scripts(talk: Talk, model: ModelServer):
    model.text = lambda _: PRAISE
    visit = await talk.say()

    assert "great point" not in visit.turns[-1].text
    assert [one["outcome"].partition(":")[0] for one in await kept(talk)] == ["guard", "guard"]
    [_, origin] = await origins(talk)
    assert origin.startswith("fallback:")


# When it fails -----------------------------------------------------------------------------------------------------

STRANGE = [
    "",
    "[]",
    "null",
    '"no"',
    "{}",
    '{"quality": {"a": 1}, "slots": 7, "flags": "stop", "lang": [], "if_probe": {}, "if_advance": 3}',
    json.dumps({"quality": 2, "slots": [{"id": "x.y", "quote": "\ud800"}], "if_probe": "\x00", "if_advance": "\ud800"}),
    "x" * 300_000,
]


@pytest.mark.parametrize(
    ("fault", "origin"),
    [
        (Fault(delay=3), "fallback:timeout"),
        (Fault(stall=3), "fallback:timeout"),
        (Fault(status=500), "fallback:server"),
        (Fault(status=401), "fallback:unauthorized"),
        (Fault(status=429), "fallback:rate_limited"),
        (Fault(finish=None), "fallback:cut"),
        (Fault(hang_up=True), "fallback:"),
        (Fault(refusal="I cannot help with that."), "fallback:refused"),
        *((Fault(text=text), "") for text in STRANGE),
    ],
)
async def test_whatever_goes_wrong_the_script_answers_in_time(
    talk: Talk, model: ModelServer, fault: Fault, origin: str
):
    model.faults = [fault]
    began = time.monotonic()
    visit = await talk.say()

    assert time.monotonic() - began < 1.5
    assert [turn.role for turn in visit.turns] == ["interviewer", "contact", "interviewer"]
    assert visit.turns[-1].text
    assert (await origins(talk))[1].startswith(origin)
    assert (await kept(talk))[0]["outcome"] not in {"", "shown"} or not origin
    row = await interview(talk)
    assert (row["reply_due_at"], row["generating_until"]) == (None, None)


async def test_a_model_that_is_down_is_told_of_once_and_left_alone(talk: Talk, model: ModelServer):
    model.faults = [Fault(status=500) for _ in range(20)]
    for _ in range(5):
        await talk.say()

    assert await origins(talk) == ["script", *["fallback:server"] * 3, *["fallback:breaker"] * 2]
    assert len(model.asked) == 3
    assert await kinds_of_alerts(talk.db) == ["model_down"]


# One at a time -----------------------------------------------------------------------------------------------------


async def test_twenty_simultaneous_answers_are_one_turn_and_one_call(talk: Talk, model: ModelServer):
    model.faults = [Fault(delay=0.3)]
    start = talk.visit.turn_no

    async def same() -> conversation.Visit:
        return await conversation.take_turn(
            talk.db, talk.token, turn_no=start, client_id="the-same", answer=paige.Answer(PRICE)
        )

    visits = await asyncio.gather(*(same() for _ in range(20)))

    assert len(model.asked) == 1
    assert sum(visit.awaiting_reply for visit in visits) == 19
    assert [turn.role for turn in (await talk.see()).turns] == ["interviewer", "contact", "interviewer"]
    assert len(await kept(talk)) == 1


async def test_while_a_reply_is_made_the_page_waits_and_nobody_asks_again(
    acme: Tenant, talk: Talk, model: ModelServer, database_url: str
):
    model.faults = [Fault(delay=0.5)]
    saying = asyncio.create_task(talk.say())
    await until(lambda: model.asked)

    async with Db.open(database_url, size=2) as another_process:
        assert not await conversation.reply(another_process, acme.org_id, talk.id)
        assert await conversation.finish_replies(another_process) == 0
        waiting = await conversation.enter(another_process, talk.token)
    assert waiting.awaiting_reply
    with pytest.raises(Conflict):
        await conversation.take_turn(
            talk.db, talk.token, turn_no=waiting.turn_no, client_id="other", answer=paige.Answer("And another thing.")
        )

    assert (await saying).turns[-1].role == "interviewer"
    assert len(model.asked) == 1
    assert await conversation.reply(talk.db, acme.org_id, talk.id) is False


@pytest.mark.parametrize(
    ("back", "client_id"), [(0, "another-tab"), (0, "form-1"), (1, "waiting-page")], ids=["tab", "form", "waiting"]
)
async def test_a_stop_waits_for_no_model_and_the_answer_before_it_counts(
    acme: Tenant, talk: Talk, model: ModelServer, back: int, client_id: str
):
    model.faults = [Fault(delay=0.4)]
    start = talk.visit.turn_no
    saying = asyncio.create_task(talk.say(PRICE))
    await until(lambda: model.asked)

    async def stop() -> conversation.Visit:
        return await conversation.take_turn(
            talk.db, talk.token, turn_no=start + back, client_id=client_id, answer=paige.Answer(action="stop")
        )

    visits = await asyncio.gather(*(stop() for _ in range(3)))

    assert not saying.done()
    assert {(visit.phase, visit.awaiting_reply) for visit in visits} == {("stopped", False)}
    assert (await saying).phase == "stopped"
    assert [turn.action for turn in (await talk.see()).turns] == ["answer", "answer", "stop", "answer"]
    assert await origins(talk) == ["script", "script"]
    assert [one["outcome"] for one in await kept(talk)] == ["late"]
    found = (await acme.api.get(f"/interviews/{talk.id}")).json()
    assert (found["status"], found["ended_by"]) == ("completed", "stopped")
    assert PRICE in found["transcript"]["content"]
    assert (await interview(talk))["state"]["heard"] == 1

    assert (await talk.say("", action="undo")).phase == "asking"
    assert (await talk.say(SAID[1])).turns[-1].role == "interviewer"


async def test_a_stop_before_any_reply_is_honoured_by_the_sweep_too(talk: Talk, model: ModelServer):
    model.faults = [Fault(delay=0.4)]
    saying = asyncio.create_task(talk.say("Please delete all of my data."))
    await saying
    assert talk.visit.phase == "stopped"
    await sql(
        talk.db,
        """
        update interviews set generating_until = null, reply_due_at = clock_now() - interval '1 s', turn_no = 3,
            phase = 'asking', state = %(state)s, completed_at = null
        """,
        state=json.dumps((await interview(talk))["state"] | {"phase": "asking", "ended_by": None, "undone": 0}),
    )
    await sql(talk.db, "update turns set role = 'contact', action = 'stop', text = '' where turn_no = 3")

    assert await conversation.finish_replies(talk.db) == 1

    visit = await talk.see()
    assert visit.phase == "stopped"
    assert visit.turns[-1].text
    assert await kinds_of_alerts(talk.db) == ["delete_request"]


async def test_a_contact_whose_connection_breaks_finds_the_reply_when_coming_back(talk: Talk, model: ModelServer):
    model.faults = [Fault(delay=0.3)]
    saying = asyncio.create_task(talk.say())
    await until(lambda: model.asked)
    saying.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await saying

    for _ in range(100):
        if not (await talk.see()).awaiting_reply:
            break
        await asyncio.sleep(0.02)
    assert await origins(talk) == ["script", "model"]


async def died(talk: Talk, *, lease_over: bool) -> None:
    """As if the process that asked the model for the last reply had died before it stored it."""
    await sql(
        talk.db, "delete from turns where interview_id = %(id)s and role = 'interviewer' and turn_no > 1", id=talk.id
    )
    await sql(
        talk.db,
        """
        update interviews set turn_no = 2,
            generating_until = clock_now() + make_interval(secs => %(seconds)s),
            reply_due_at = clock_now() + make_interval(secs => %(seconds)s)
        where id = %(id)s
        """,
        id=talk.id,
        seconds=-1 if lease_over else 10,
    )


async def test_after_a_crash_the_sweep_answers_when_the_lease_is_over_and_not_before(
    acme: Tenant, talk: Talk, model: ModelServer
):
    state = (await interview(talk))["state"]
    await talk.say()
    await sql(talk.db, "update interviews set state = %(state)s where id = %(id)s", id=talk.id, state=json.dumps(state))

    await died(talk, lease_over=False)
    assert await conversation.finish_replies(talk.db) == 0
    assert not await conversation.reply(talk.db, acme.org_id, talk.id)
    await died(talk, lease_over=True)
    assert await conversation.finish_replies(talk.db) == 1
    assert await conversation.finish_replies(talk.db) == 0

    assert [turn.role for turn in (await talk.see()).turns] == ["interviewer", "contact", "interviewer"]
    assert len(model.asked) == 1


async def test_a_reply_that_comes_after_another_is_dropped_and_paid_for(acme: Tenant, talk: Talk, model: ModelServer):
    model.faults = [Fault(delay=0.4)]
    saying = asyncio.create_task(talk.say())
    await until(lambda: model.asked)
    await sql(talk.db, "update interviews set generating_until = null, reply_due_at = clock_now() - interval '1 s'")
    assert await conversation.finish_replies(talk.db) == 1
    await saying

    assert await origins(talk) == ["script", "script"]
    assert [one["outcome"] for one in await kept(talk)] == ["late"]
    assert (await interview(talk))["model_tokens"] > 0


async def test_a_contact_who_withdraws_meanwhile_gets_no_reply_and_nothing_of_it_is_kept(
    talk: Talk, model: ModelServer
):
    model.faults = [Fault(delay=0.4)]
    saying = asyncio.create_task(talk.say())
    await until(lambda: model.asked)
    await conversation.withdraw(talk.db, talk.token)
    visit = await saying

    assert (visit.phase, visit.turns) == ("withdrawn", [])
    assert await kept(talk) == []


async def test_withdrawing_erases_the_prompts(talk: Talk):
    await talk.say()
    assert await kept(talk)
    await conversation.withdraw(talk.db, talk.token)
    assert await kept(talk) == []


@pytest.mark.parametrize(("days", "left"), [(90, ["5"]), (0, ["3", "5"]), (91, ["3", "5"])])
async def test_prompts_are_forgotten_after_the_days_of_the_setting(
    talk: Talk, configure: Configure, monkeypatch: pytest.MonkeyPatch, days: int, left: list[str]
):
    await talk.say()
    await talk.say()
    await sql(talk.db, "update prompts set created_at = clock_now() - interval '90 days 1 minute' where turn_no = 3")
    configure(prompt_days=days)
    monkeypatch.setattr(prompts, "_BATCH", 1)

    assert await prompts.forget_old(talk.db) == 2 - len(left)

    assert [str(one["turn_no"]) for one in await kept(talk)] == left


async def test_links_that_are_closed_or_nobodys_reach_no_model(talk: Talk, model: ModelServer):
    await conversation.withdraw(talk.db, talk.token)
    with pytest.raises(Conflict):
        await talk.say()
    with pytest.raises(NotFound):
        await conversation.take_turn(talk.db, "tok_nobody", turn_no=1, client_id="x", answer=paige.Answer("Let me in."))

    assert model.asked == []


async def test_fifty_interviews_at_once_never_hear_of_each_other(acme: Tenant, db: Db, model: ModelServer):
    def secret(number: int) -> str:
        return f"SECRET{number:02}Q"

    talks = [
        await Talk.begin(
            db,
            await asked_for(
                acme, number, contact_context=f"Notes: {secret(number)}-n", objective=f"{secret(number)}-o"
            ),
        )
        for number in range(50)
    ]

    async def whole(number: int, talk: Talk) -> None:
        for turn in range(2):
            await talk.say(f"It was about {secret(number)}-a{turn}, because {PRICE}")
            assert not talk.visit.awaiting_reply

    model.faults = [Fault(delay=0.01 * (number % 7)) for number in range(100)]
    await asyncio.gather(*(whole(number, talk) for number, talk in enumerate(talks)))

    for number, talk in enumerate(talks):
        seen = json.dumps([turn.text for turn in talk.visit.turns]) + json.dumps(await kept(talk))
        assert f"{secret(number)}-n" in seen
        assert not [other for other in range(50) if other != number and secret(other) in seen]
    for call in model.asked:
        assert sum(secret(number) in str(call) for number in range(50)) == 1


# What it may cost --------------------------------------------------------------------------------------------------


async def test_the_bucket_runs_empty_and_fills_again_by_the_databases_clock(
    talk: Talk, model: ModelServer, configure: Configure
):
    configure(survey_bucket_turns=2, survey_bucket_refill_per_minute=12)
    for _ in range(3):
        await talk.say()
    assert await origins(talk) == ["script", "model", "model", "fallback:bucket"]
    assert len(model.asked) == 2

    await sql(talk.db, "update interviews set bucket_at = bucket_at - interval '5 s'")
    await talk.say()
    await talk.say()
    assert (await origins(talk))[4:] == ["model", "fallback:bucket"]


async def test_a_bucket_never_holds_more_than_it_is_large(db: Db, configure: Configure):
    assert configure()
    [row] = await rows(
        db,
        """
        select jsonb_build_array(
            bucket_level(null, null, 30, 12), bucket_level(0, clock_now(), 30, 12),
            bucket_level(0, clock_now() - interval '1 min', 30, 12),
            bucket_level(5, clock_now() - interval '1 day', 30, 12),
            bucket_level(5, clock_now() + interval '1 day', 30, 12)) as row
        """,
    )
    assert row == pytest.approx([30, 0, 12, 30, 5])


async def test_a_bucket_of_no_size_is_no_limit(talk: Talk, model: ModelServer, configure: Configure):
    configure(survey_bucket_turns=0)
    for _ in range(3):
        await talk.say()
    assert len(model.asked) == 3


async def test_an_interview_that_has_used_up_its_tokens_goes_on_by_the_script(
    talk: Talk, model: ModelServer, configure: Configure
):
    await talk.say()
    [call] = model.asked
    fixed = sum(len(message["content"]) for message in call["messages"][:2]) // 4
    used = (await interview(talk))["model_tokens"]
    assert used == max(0, 1200 - fixed) + 90

    configure(llm_tokens_per_interview=used + 100)
    await talk.say()
    assert await origins(talk) == ["script", "model", "fallback:token_cap"]
    assert len(model.asked) == 1
    configure(llm_tokens_per_interview=0)
    await talk.say()
    assert len(model.asked) == 2


async def test_a_cost_cap_is_never_passed_and_told_of_once(talk: Talk, model: ModelServer, configure: Configure):
    configure(llm_input_price=1_000, llm_output_price=1_000, llm_daily_cap=1)
    for _ in range(3):
        await talk.say()

    assert await origins(talk) == ["script", *["fallback:cost_cap"] * 3]
    assert model.asked == []
    assert await kinds_of_alerts(talk.db) == ["cost_cap"]
