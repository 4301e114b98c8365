"""The contract of POST /api/v1/interviews as its reference page states it, sentence by sentence."""

import json
import re
import time
from collections.abc import Awaitable, Callable, Generator
from typing import Any

import httpx
import psycopg
import pytest

from afterword import contacts
from afterword.db import Db
from afterword.db.embedded import EmbeddedServer
from afterword.interviews import conversation
from tests.conftest import Api, Tenant, make_tenant
from tests.evidence import count, database, interviewed, refused

EMAIL = "jane.smith@example.com"
CONTEXT = {
    "title": "VP of Engineering",
    "use_case": "Evaluating us for CI/CD pipeline automation",
    "evaluation_stage": "POC completed",
}

Ask = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture(scope="module")
def database_url(postgres: EmbeddedServer) -> Generator[str]:
    """One database for all tests here: each has organizations of its own."""
    with database(postgres, "contract") as url:
        yield url


@pytest.fixture
def ask(acme: Tenant) -> Ask:
    """POST /interviews, link only unless told otherwise; the answer's body."""

    async def ask_(**fields: Any) -> dict[str, Any]:
        if "sequence_id" not in fields:
            fields.setdefault("interview_type_id", acme.type_id)
        answer = await acme.api.post("/interviews", {"contact_email": EMAIL, **fields})
        assert answer.status_code == 201, answer.text
        return answer.json()

    return ask_


async def contact(api: Api, made: dict[str, Any]) -> dict[str, Any]:
    return (await api.get(f"/contacts/{made['contact_id']}")).json()


async def shown(api: Api, made: dict[str, Any]) -> dict[str, Any]:
    answer = await api.get(f"/interviews/{made['interview_request_id']}")
    assert answer.status_code == 200, answer.text
    return answer.json()


# "Creates an interview request for a contact."


async def test_the_answer_is_201_with_exactly_the_documented_fields(acme: Tenant) -> None:
    answer = await acme.api.post("/interviews", {"contact_email": EMAIL, "interview_type_id": acme.type_id})

    assert answer.status_code == 201
    assert answer.headers["content-type"] == "application/json"
    assert list(answer.json()) == [
        "interview_request_id",
        "contact_id",
        "deal_id",
        "survey_url",
        "survey_token",
        "status",
        "outreach",
    ]


async def test_the_path_is_api_v1_interviews_and_the_key_is_a_bearer(web: httpx.AsyncClient, acme: Tenant) -> None:
    answer = await web.post(
        "/api/v1/interviews",
        headers={"Authorization": f"Bearer {acme.key}"},
        json={"contact_email": EMAIL, "interview_type_id": acme.type_id},
    )

    assert answer.status_code == 201
    assert answer.headers["api-version"] == "1"
    assert answer.headers["x-request-id"].startswith("req_")


async def test_interview_request_id_is_an_integer_that_is_never_given_twice(ask: Ask) -> None:
    numbers = [(await ask())["interview_request_id"] for _ in range(3)]

    assert all(type(number) is int for number in numbers)
    assert sorted(set(numbers)) == numbers


async def test_ids_are_strings_that_tell_their_kind(ask: Ask, acme: Tenant) -> None:
    made = await ask(deal_id=acme.deal_id)

    assert re.fullmatch(r"contact_[0-9a-z]+", made["contact_id"])
    assert re.fullmatch(r"deal_[0-9a-z]+", acme.deal_id)
    assert re.fullmatch(r"seq_[0-9a-z]+", acme.sequence_id)
    assert re.fullmatch(r"type_[0-9a-z]+", acme.type_id)


# "Upserts the contact by email if they don't exist yet."


async def test_a_contact_that_does_not_exist_is_created(ask: Ask, acme: Tenant) -> None:
    made = await ask(contact_name="Jane Smith")

    person = await contact(acme.api, made)
    assert (person["id"], person["email"], person["name"]) == (made["contact_id"], EMAIL, "Jane Smith")


async def test_a_contact_that_exists_is_updated(ask: Ask, acme: Tenant, database_url: str) -> None:
    first = await ask(contact_name="J. Smith")
    second = await ask(contact_name="Jane Smith")

    assert second["contact_id"] == first["contact_id"]
    assert second["interview_request_id"] != first["interview_request_id"]
    assert count(database_url, "contacts", acme.org_id) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Jane@X.com", "jane@x.com"),
        ("jane@X.COM", "jane@x.com"),
        ("jane@BÜCHER.example", "jane@xn--bcher-kva.example"),
        ("jane@ｂücher.example", "jane@bücher.example"),
        ("jane@bücher。example", "jane@bücher.example"),
        ("jose\u0301@x.com", "jos\u00e9@x.com"),
        (" jane@x.com ", "jane@x.com"),
    ],
)
async def test_two_spellings_of_one_address_are_one_contact(ask: Ask, one: str, other: str) -> None:
    assert (await ask(contact_email=one))["contact_id"] == (await ask(contact_email=other))["contact_id"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("jane+a@x.com", "jane@x.com"),
        ("jane+a@x.com", "jane+b@x.com"),
        ("j.ane@gmail.com", "jane@gmail.com"),
        ("\u0458ane@x.com", "jane@x.com"),
        ("\ufb01sh@x.com", "fish@x.com"),
        ("stra\u00dfe@x.com", "strasse@x.com"),
        ("jane@stra\u00dfe.example", "jane@strasse.example"),
        ("jane@x.com", "jane@y.com"),
    ],
)
async def test_two_addresses_that_only_look_alike_are_two_contacts(ask: Ask, one: str, other: str) -> None:
    assert (await ask(contact_email=one))["contact_id"] != (await ask(contact_email=other))["contact_id"]


async def test_the_address_is_kept_as_it_was_first_written_with_its_domain_canonical(ask: Ask, acme: Tenant) -> None:
    made = await ask(contact_email="Jane.Smith@BÜCHER.Example")

    assert (await contact(acme.api, made))["email"] == "Jane.Smith@xn--bcher-kva.example"


# "When a sequence_id is provided, the contact is enrolled in the sequence and the scheduling agent handles outreach
# automatically." "sent when enrolled in a sequence"


async def test_with_a_sequence_the_contact_is_enrolled_and_the_status_is_sent(
    ask: Ask, acme: Tenant, database_url: str
) -> None:
    made = await ask(sequence_id=acme.sequence_id)

    assert made["status"] == "sent"
    assert made["outreach"]["state"] == "scheduled"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", made["outreach"]["next_send_at"])
    assert count(database_url, "enrollments", acme.org_id) == 1
    now = await shown(acme.api, made)
    assert (now["status"], now["sequence_id"], now["outreach"]["state"]) == ("sent", acme.sequence_id, "scheduled")
    assert now["outreach"]["why"]


async def test_the_interview_type_is_inherited_from_the_sequence(ask: Ask, acme: Tenant) -> None:
    made = await ask(sequence_id=acme.sequence_id)

    assert (await shown(acme.api, made))["interview_type_id"] == acme.type_id


async def test_with_both_ids_the_sequence_decides(ask: Ask, acme: Tenant) -> None:
    made = await ask(sequence_id=acme.sequence_id, interview_type_id=acme.type_id)
    assert made["status"] == "sent"

    answer = await acme.api.post(
        "/interviews",
        {"contact_email": EMAIL, "sequence_id": acme.sequence_id, "interview_type_id": acme.won_type_id},
    )
    refused(answer, 400, "bad_request", "interview_type_id")


# "When only interview_type_id is provided, the request is created and the survey link is returned without any
# outreach." "No email is sent; you control delivery."


async def test_with_only_a_type_there_is_a_link_and_no_outreach(ask: Ask, acme: Tenant, database_url: str) -> None:
    made = await ask(interview_type_id=acme.won_type_id)

    assert (made["status"], made["outreach"]) == ("created", None)
    assert made["survey_url"]
    assert count(database_url, "enrollments", acme.org_id) == count(database_url, "messages", acme.org_id) == 0
    now = await shown(acme.api, made)
    assert (now["status"], now["sequence_id"], now["email_sent_at"]) == ("created", None, None)
    assert now["interview_type_id"] == acme.won_type_id


# "sequence_id or interview_type_id." "Required if interview_type_id is not provided."


async def test_one_of_the_two_ids_is_required(api: Api) -> None:
    answer = await api.post("/interviews", {"contact_email": EMAIL})

    refused(answer, 400, "bad_request", "sequence_id")
    refused(answer, 400, "bad_request", "interview_type_id")


# "contact_email: Required."


async def test_contact_email_is_required(acme: Tenant) -> None:
    answer = await acme.api.post("/interviews", {"interview_type_id": acme.type_id})

    refused(answer, 400, "bad_request", "contact_email")


# "contact_name: Full name of the contact. Used to create or update the contact record."


async def test_a_name_that_is_left_out_or_null_stays(ask: Ask, acme: Tenant) -> None:
    made = await ask(contact_name="Jane Smith")
    await ask()
    await ask(contact_name=None)

    assert (await contact(acme.api, made))["name"] == "Jane Smith"


async def test_a_contact_without_a_name_gets_one_later(ask: Ask, acme: Tenant) -> None:
    made = await ask()
    assert (await contact(acme.api, made))["name"] is None

    await ask(contact_name="Jane Smith")

    assert (await contact(acme.api, made))["name"] == "Jane Smith"


# "contact_context: Accepts a plain string or a JSON object (serialized automatically). Stored in the contact's notes"


async def test_a_context_that_is_text_becomes_the_contacts_notes(ask: Ask, acme: Tenant) -> None:
    made = await ask(contact_context="VP of Engineering.\nPOC completed.")

    assert (await contact(acme.api, made))["notes"] == "VP of Engineering.\nPOC completed."


async def test_a_context_that_is_an_object_is_serialized_with_its_keys_in_order(ask: Ask, acme: Tenant) -> None:
    given = {**CONTEXT, "a": [1, 2.5, None, True], "ä": {"z": "ü", "b": {}}}
    made = await ask(contact_context=given)

    notes = (await contact(acme.api, made))["notes"]
    assert json.loads(notes) == given
    assert [key for key, _ in json.loads(notes, object_pairs_hook=list)] == list(given)
    assert notes.startswith('{\n  "title": "VP of Engineering",\n')
    assert "ü" in notes


# "contact_context overwrites the existing notes. To preserve prior context, read the contact's current notes first"


async def test_a_new_context_overwrites_the_notes_and_the_old_ones_stay_in_the_history(
    ask: Ask, acme: Tenant, database_url: str
) -> None:
    made = await ask(contact_context="first")
    await ask(contact_context="second")
    await ask(contact_context=CONTEXT)

    assert "second" not in (await contact(acme.api, made))["notes"]
    with psycopg.connect(database_url) as conn:
        history = conn.execute(
            "select notes from contact_notes where org_id = %s order by id", [acme.org_id]
        ).fetchall()
    assert history == [("first",), ("second",)]


async def test_the_current_notes_can_be_read_and_merged(ask: Ask, acme: Tenant) -> None:
    made = await ask(contact_context={"title": "VP"})
    [known] = (await acme.api.get("/contacts", params={"email": EMAIL.upper()})).json()["data"]

    await ask(contact_context={**json.loads(known["notes"]), "stage": "POC"})

    assert json.loads((await contact(acme.api, made))["notes"]) == {"title": "VP", "stage": "POC"}


async def test_a_context_that_is_left_out_or_null_stays_and_an_empty_one_clears(ask: Ask, acme: Tenant) -> None:
    made = await ask(contact_context="notes")
    await ask()
    await ask(contact_context=None)
    assert (await contact(acme.api, made))["notes"] == "notes"

    await ask(contact_context="")
    assert (await contact(acme.api, made))["notes"] == ""


# "used in every interview prompt for that contact", "Paige uses this as additional context"


async def test_context_deal_and_objective_reach_the_interview(ask: Ask, acme: Tenant, db: Db) -> None:
    by_context = await ask(contact_name="Jane Smith", contact_context={"company": "Zyxco"})
    by_deal = await ask(deal_id=acme.deal_id)

    opening = (await conversation.consent(db, by_context["survey_token"], "yes")).turns[0].text
    assert "Jane" in opening
    assert "Zyxco" in opening
    assert "Initech" in (await conversation.consent(db, by_deal["survey_token"], "yes")).turns[0].text


async def test_context_is_used_for_requests_that_were_made_before_it(ask: Ask, db: Db) -> None:
    made = await ask(contact_name="Jane Smith")
    await ask(contact_context={"company": "Zyxco"})

    assert "Zyxco" in (await conversation.consent(db, made["survey_token"], "yes")).turns[0].text


# "deal_id: Deal ID passed in the request, or null." "The deal must belong to your organization."


async def test_the_deal_is_the_one_that_was_passed_or_null(ask: Ask, acme: Tenant) -> None:
    with_deal, without, null = await ask(deal_id=acme.deal_id), await ask(), await ask(deal_id=None)

    assert (with_deal["deal_id"], without["deal_id"], null["deal_id"]) == (acme.deal_id, None, None)
    assert (await shown(acme.api, with_deal))["deal_id"] == acme.deal_id
    assert (await shown(acme.api, without))["deal_id"] is None
    [deal] = (await acme.api.get("/deals")).json()
    assert deal["contact_ids"] == [with_deal["contact_id"]]


# "objective: Custom goal for this specific interview."


async def test_the_objective_belongs_to_the_one_interview(ask: Ask, acme: Tenant) -> None:
    made = await ask(objective="Understand why we lost this deal to Competitor X")
    other = await ask()
    empty = await ask(objective="")

    assert (await shown(acme.api, made))["objective"] == "Understand why we lost this deal to Competitor X"
    assert (await shown(acme.api, other))["objective"] is None
    assert (await shown(acme.api, empty))["objective"] is None


# "survey_url: Direct link to the survey." "survey_token: Raw token used in the survey URL."


async def test_the_survey_url_holds_the_token_and_opens_the_survey(
    ask: Ask, web: httpx.AsyncClient, configure: Callable[..., object]
) -> None:
    configure(public_url="https://interviews.acme.example")
    made = await ask()

    assert re.fullmatch(r"tok_[A-Za-z0-9_-]{43}", made["survey_token"])
    assert made["survey_url"] == f"https://interviews.acme.example/survey?token={made['survey_token']}"
    page = await web.get(f"/survey?token={made['survey_token']}")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    wrong = await web.get(f"/survey?token={made['survey_token'][:-1]}")
    assert wrong.status_code == 404


async def test_every_request_has_a_token_of_its_own_and_get_shows_the_same_link(ask: Ask, acme: Tenant) -> None:
    first, second = await ask(), await ask(sequence_id=acme.sequence_id)

    assert first["survey_token"] != second["survey_token"]
    assert (await shown(acme.api, first))["survey_url"] == first["survey_url"]
    assert (await shown(acme.api, second))["survey_url"] == second["survey_url"]


# "Requests per Minute: Essentials 60, Growth 300, Enterprise 1,000", and the three headers


@pytest.mark.parametrize(("plan", "limit"), [("essentials", 60), ("growth", 300), ("enterprise", 1000)])
async def test_the_plan_sets_the_limit_and_the_headers_tell_it(
    db: Db, web: httpx.AsyncClient, plan: str, limit: int
) -> None:
    tenant = await make_tenant(db, web, "Acme", plan)

    first = await tenant.api.get("/me")
    second = await tenant.api.post("/interviews", {"contact_email": EMAIL, "interview_type_id": tenant.type_id})

    assert first.headers["x-ratelimit-limit"] == second.headers["x-ratelimit-limit"] == str(limit)
    assert int(first.headers["x-ratelimit-remaining"]) == limit - 1
    assert int(second.headers["x-ratelimit-remaining"]) == limit - 2
    assert 0 < int(first.headers["x-ratelimit-reset"]) - time.time() <= 61
    assert second.headers["x-ratelimit-reset"] == first.headers["x-ratelimit-reset"]
    assert first.json()["rate_limit"] == {
        "limit": limit,
        "remaining": limit - 1,
        "reset": int(first.headers["x-ratelimit-reset"]),
    }


# "rate_limit_exceeded: Too many requests. Check X-RateLimit-Reset and retry after."


async def test_the_call_over_the_limit_is_refused_and_told_when_to_come_back(
    db: Db, web: httpx.AsyncClient, configure: Callable[..., object], database_url: str
) -> None:
    configure(plan_essentials_per_minute=2)
    tenant = await make_tenant(db, web, "Acme", "essentials")
    body = {"contact_email": EMAIL, "interview_type_id": tenant.type_id}
    assert [(await tenant.api.post("/interviews", body)).status_code for _ in range(2)] == [201, 201]

    answer = await tenant.api.post("/interviews", body)

    refused(answer, 429, "rate_limit_exceeded")
    assert answer.headers["x-ratelimit-limit"] == "2"
    assert answer.headers["x-ratelimit-remaining"] == "0"
    wait = int(answer.headers["x-ratelimit-reset"]) - time.time()
    assert abs(int(answer.headers["retry-after"]) - wait) <= 1
    assert count(database_url, "interviews", tenant.org_id) == 2


# "bad_request: Missing required field, or sequence_id / interview_type_id / deal_id not found in your org."


@pytest.mark.parametrize("field", ["sequence_id", "interview_type_id", "deal_id"])
async def test_an_id_that_is_not_in_the_organization_is_not_found(acme: Tenant, rival: Tenant, field: str) -> None:
    body = {"contact_email": EMAIL, "interview_type_id": acme.type_id}
    theirs = {"sequence_id": rival.sequence_id, "interview_type_id": rival.type_id, "deal_id": rival.deal_id}[field]

    for value in (theirs, "made_up"):
        error = refused(await acme.api.post("/interviews", {**body, field: value}), 400, "bad_request", field)
        assert error["message"] == f"{field} not found"
        assert error["details"] == {"fields": [{"field": field, "message": "not found"}]}


# "unauthorized: Invalid or missing API key."


async def test_a_missing_or_invalid_key_is_unauthorized(web: httpx.AsyncClient, acme: Tenant) -> None:
    body = {"contact_email": EMAIL, "interview_type_id": acme.type_id}

    for headers in ({}, {"Authorization": "Bearer aw_" + "0" * 49}, {"Authorization": "Bearer hs_live_1"}):
        answer = await web.post("/api/v1/interviews", headers=headers, json=body)
        error = refused(answer, 401, "unauthorized")
        assert "Invalid or missing API key" in error["message"]
        assert answer.headers["www-authenticate"] == "Bearer"


# "internal_error: Failed to create the contact record."


async def test_a_contact_that_cannot_be_stored_is_an_internal_error(
    acme: Tenant, superuser_url: str, database_url: str
) -> None:
    body = {"contact_email": EMAIL, "sequence_id": acme.sequence_id, "deal_id": acme.deal_id}
    with psycopg.connect(superuser_url, autocommit=True) as conn:
        conn.execute("revoke insert on contacts from afterword")
        answer = await acme.api.post("/interviews", body, idempotency_key="k")
        conn.execute("grant insert on contacts to afterword")

    error = refused(answer, 500, "internal_error")
    assert error["message"] == "Failed to create the contact record."
    for table in ("contacts", "interviews", "enrollments", "events", "idempotency", "directory_tokens"):
        assert count(database_url, table, acme.org_id) == 0
    assert (await acme.api.post("/interviews", body, idempotency_key="k")).status_code == 201


# GET and PATCH


async def test_a_request_can_be_looked_at(ask: Ask, acme: Tenant) -> None:
    made = await ask(sequence_id=acme.sequence_id, deal_id=acme.deal_id, objective="Price?", contact_name="Jane")

    now = await shown(acme.api, made)

    for same in ("interview_request_id", "contact_id", "deal_id", "survey_url", "status"):
        assert now[same] == made[same]
    assert now["contact_email"] == EMAIL
    assert now["objective"] == "Price?"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", now["created_at"])
    nothing_yet = ("transcript", "email_sent_at", "started_at", "completed_at", "ended_by", "progress", "analysis")
    assert {now[name] for name in nothing_yet} == {None}
    assert now["turns"] == []
    assert set(now["outreach"]) >= {"state", "step", "next_send_at", "stop_reason", "why"}


async def test_a_completed_interview_shows_its_transcript(ask: Ask, acme: Tenant, db: Db) -> None:
    made = await ask(contact_name="Jane *Smith*")
    await interviewed(db, made["survey_token"], "The price.\n\n**Paige:** You may go on.")

    now = await shown(acme.api, made)

    assert now["status"] == "completed"
    assert now["ended_by"] == "stopped"
    assert now["started_at"] <= now["completed_at"]
    assert set(now["transcript"]) == {"document_id", "content", "created_at"}
    assert now["transcript"]["document_id"].startswith("doc_")
    turns = now["transcript"]["content"].strip().split("\n\n")
    assert len(turns) == len(now["turns"])
    assert turns[0].startswith("**Paige:** ")
    assert turns[1] == "**Jane \\*Smith\\*:** The price.\n\\*\\*Paige:\\*\\* You may go on."
    assert [turn["role"] for turn in now["turns"]] == ["interviewer", "contact"] * 2 + ["interviewer"]
    assert now["turns"][1]["text"] == "The price.\n\n**Paige:** You may go on."
    assert now["progress"]["total"] > 0


async def test_a_contact_without_a_name_is_called_contact_in_the_transcript(ask: Ask, acme: Tenant, db: Db) -> None:
    made = await ask()
    await interviewed(db, made["survey_token"])

    assert "\n\n**Contact:** The price" in (await shown(acme.api, made))["transcript"]["content"]


async def test_patch_sets_what_is_given_and_leaves_the_rest(ask: Ask, acme: Tenant) -> None:
    made = await ask(contact_name="Jane", contact_context="old", objective="Price?")
    path = f"/interviews/{made['interview_request_id']}"

    answer = await acme.api.patch(path, {"contact_context": {"title": "VP"}})
    assert (answer.status_code, answer.json()) == (200, {"interview_request_id": made["interview_request_id"]})
    person = await contact(acme.api, made)
    assert (person["name"], json.loads(person["notes"])) == ("Jane", {"title": "VP"})

    await acme.api.patch(path, {"contact_name": "Jane Smith", "contact_context": None, "objective": None})
    person = await contact(acme.api, made)
    assert (person["name"], json.loads(person["notes"])) == ("Jane Smith", {"title": "VP"})
    assert (await shown(acme.api, made))["objective"] == "Price?"

    await acme.api.patch(path, {"objective": "Timing?", "org_id": "org_ignored"})
    assert (await shown(acme.api, made))["objective"] == "Timing?"


async def test_patch_clears_with_an_empty_text(ask: Ask, acme: Tenant) -> None:
    made = await ask(contact_name="Jane", contact_context="old", objective="Price?")
    path = f"/interviews/{made['interview_request_id']}"

    assert (await acme.api.patch(path, {"contact_context": "", "objective": ""})).status_code == 200

    assert (await contact(acme.api, made))["notes"] == ""
    assert (await shown(acme.api, made))["objective"] is None
    refused(await acme.api.patch(path, {"contact_name": ""}), 400, "bad_request", "contact_name")


@pytest.mark.parametrize("body", [{}, {"objective": None}, {"org_id": "org_1"}])
async def test_patch_needs_at_least_one_field(ask: Ask, acme: Tenant, body: dict[str, Any]) -> None:
    made = await ask()

    error = refused(await acme.api.patch(f"/interviews/{made['interview_request_id']}", body), 400, "bad_request")

    assert [entry["field"] for entry in error["details"]["fields"]] == ["contact_context", "contact_name", "objective"]


async def test_patch_keeps_the_notes_history_and_refuses_all_or_nothing(
    ask: Ask, acme: Tenant, database_url: str
) -> None:
    made = await ask(contact_context="first", objective="Price?")
    path = f"/interviews/{made['interview_request_id']}"
    await acme.api.patch(path, {"contact_context": "second"})

    answer = await acme.api.patch(path, {"objective": "Timing?", "contact_context": "third", "contact_name": "a\nb"})

    refused(answer, 400, "bad_request", "contact_name")
    assert (await shown(acme.api, made))["objective"] == "Price?"
    assert (await contact(acme.api, made))["notes"] == "second"
    with psycopg.connect(database_url) as conn:
        assert conn.execute("select notes from contact_notes where org_id = %s", [acme.org_id]).fetchall() == [
            ("first",)
        ]


async def test_prompts_after_a_patch_use_the_new_values(ask: Ask, acme: Tenant, db: Db) -> None:
    made = await ask(contact_name="Jane", contact_context={"company": "Oldco"})
    await acme.api.patch(
        f"/interviews/{made['interview_request_id']}", {"contact_name": "Joan", "contact_context": {"company": "Newco"}}
    )

    opening = (await conversation.consent(db, made["survey_token"], "yes")).turns[0].text
    assert "Joan" in opening
    assert "Newco" in opening
    assert "Oldco" not in opening


# Cases that the reference page leaves open


async def test_a_suppressed_contact_gets_a_link_and_no_mail(ask: Ask, acme: Tenant, rival: Tenant, db: Db) -> None:
    async with db.tx() as tx:
        address = contacts.parse_address(EMAIL).hashes[0]
        await contacts.suppress(tx, acme.org_id, address, "unsubscribed", "one_click")

    made = await ask(sequence_id=acme.sequence_id, contact_email="Jane.Smith+news@EXAMPLE.com")

    assert made["status"] == "created"
    assert made["outreach"] == {"state": "suppressed", "next_send_at": None, "reason": "unsubscribed"}
    assert made["survey_url"]
    assert (await shown(acme.api, made))["outreach"]["state"] == "suppressed"
    theirs = await rival.api.post("/interviews", {"contact_email": EMAIL, "sequence_id": rival.sequence_id})
    assert theirs.json()["status"] == "sent"


async def test_a_paused_sequence_takes_requests_and_waits(ask: Ask, acme: Tenant, database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as conn:
        conn.execute("update sequences set enabled = false where id = %s", [acme.sequence_id])

    made = await ask(sequence_id=acme.sequence_id)

    assert (made["status"], made["outreach"]["state"]) == ("sent", "paused")
    assert (await shown(acme.api, made))["outreach"]["state"] == "paused"


async def test_a_contact_who_is_active_in_the_sequence_is_taken_over_and_not_mailed_twice(
    ask: Ask, acme: Tenant, database_url: str
) -> None:
    first = await ask(sequence_id=acme.sequence_id)
    second = await ask(sequence_id=acme.sequence_id)

    assert second["status"] == "sent"
    assert second["outreach"] == first["outreach"]
    assert count(database_url, "enrollments", acme.org_id) == 1
    old = await shown(acme.api, first)
    assert (old["status"], old["outreach"]["stop_reason"]) == ("sent", "superseded")
    assert (await shown(acme.api, second))["outreach"]["state"] == "scheduled"


async def test_the_superseded_link_keeps_working(ask: Ask, acme: Tenant, db: Db) -> None:
    first = await ask(sequence_id=acme.sequence_id)
    await ask(sequence_id=acme.sequence_id)

    await interviewed(db, first["survey_token"])

    assert (await shown(acme.api, first))["status"] == "completed"
