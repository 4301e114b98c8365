"""Interview types over the API: looking at a guide, changing it in versions, checking one before it is stored."""

import asyncio
import copy
import json
import re
from collections.abc import Generator
from importlib.resources import files
from typing import Any

import httpx
import psycopg
import pytest

from afterword import accounts, interview_types, paige, provision
from afterword.db import Db
from afterword.db.embedded import EmbeddedServer
from afterword.errors import Conflict
from afterword.interviews import conversation
from afterword.survey import render
from tests.conftest import Api, Tenant
from tests.evidence import count, database, refused, rows

SHIPPED = {slug: dict(guide) for slug, guide in paige.shipped_guides()}
LOST: dict[str, Any] = SHIPPED["lost-to-competitor"]
TEXT = (files("afterword.paige") / "guides" / "churn.yaml").read_text("utf-8")


@pytest.fixture(scope="module")
def database_url(postgres: EmbeddedServer) -> Generator[str]:
    """One database for all tests here: each has organizations of its own."""
    with database(postgres, "guide_versions") as url:
        yield url


def changed(**changes: Any) -> dict[str, Any]:
    """The first guide with something else at the top."""
    return {**copy.deepcopy(LOST), **changes}


async def test_a_type_is_shown_with_its_guide(acme: Tenant) -> None:
    shown = (await acme.api.get(f"/interview-types/{acme.type_id}")).json()
    [listed, *_] = (await acme.api.get("/interview-types")).json()["data"]

    assert shown.pop("guide") == LOST
    assert shown.pop("guide_version") == 1
    assert shown == listed


async def test_a_guide_comes_back_with_its_keys_in_the_order_in_which_they_were_sent(acme: Tenant) -> None:
    shown = (await acme.api.get(f"/interview-types/{acme.type_id}")).json()["guide"]

    assert list(shown) == list(LOST)
    assert json.dumps(shown) == json.dumps(LOST)


async def test_another_guide_is_the_next_version_and_the_earlier_ones_stay(acme: Tenant) -> None:
    path = f"/interview-types/{acme.type_id}"

    answer = await acme.api.patch(path, {"guide": changed(minutes=12, internal=True)})

    assert answer.status_code == 200, answer.text
    assert answer.json()["version"] == 2
    assert (answer.json()["minutes"], answer.json()["internal"]) == (12, True)
    assert answer.json()["warnings"] == []
    assert (await acme.api.get(path)).json()["guide"]["minutes"] == 12
    assert (await acme.api.get(path, params={"version": 1})).json()["guide"] == LOST
    listed = (await acme.api.get(f"{path}/versions")).json()["data"]
    assert [one["version"] for one in listed] == [2, 1]
    assert listed[0]["created_at"] >= listed[1]["created_at"]


async def test_a_guide_that_says_what_the_newest_says_is_no_new_version(acme: Tenant) -> None:
    path = f"/interview-types/{acme.type_id}"
    other_order = dict(reversed(copy.deepcopy(LOST).items()))

    for guide in (LOST, other_order, json.dumps(LOST)):
        assert (await acme.api.patch(path, {"guide": guide})).json()["version"] == 1


async def test_a_name_changes_without_a_new_version_and_the_slug_stays(acme: Tenant) -> None:
    answer = (await acme.api.patch(f"/interview-types/{acme.type_id}", {"name": "  Lost deals "})).json()

    assert (answer["name"], answer["slug"], answer["version"]) == ("Lost deals", "lost-to-competitor", 1)


async def test_a_change_on_top_of_an_old_version_is_a_conflict(acme: Tenant, database_url: str) -> None:
    path = f"/interview-types/{acme.type_id}"
    await acme.api.patch(path, {"guide": changed(minutes=11), "expected_version": 1})
    before = rows(database_url)

    error = refused(
        await acme.api.patch(path, {"name": "x", "guide": changed(minutes=12), "expected_version": 1}), 409, "conflict"
    )

    assert "version 2, not 1" in error["message"]
    assert rows(database_url) == before


async def test_changes_at_the_same_time_are_versions_one_after_the_other(acme: Tenant) -> None:
    path = f"/interview-types/{acme.type_id}"

    answers = await asyncio.gather(
        *(acme.api.patch(path, {"guide": changed(description=f"By caller {n}")}) for n in range(8))
    )

    assert sorted(answer.json()["version"] for answer in answers) == list(range(2, 10))
    for answer in answers:
        version = answer.json()["version"]
        assert (await acme.api.get(path, params={"version": version})).status_code == 200


async def test_of_those_who_expect_the_same_version_one_wins(acme: Tenant) -> None:
    path = f"/interview-types/{acme.type_id}"
    bodies = [{"guide": changed(description=f"By caller {n}"), "expected_version": 1} for n in range(8)]

    answers = await asyncio.gather(*(acme.api.patch(path, body) for body in bodies))

    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7
    assert (await acme.api.get(path)).json()["version"] == 2


async def test_an_interview_keeps_the_version_it_began_with(acme: Tenant, db: Db, database_url: str) -> None:
    made = (await acme.api.post("/interviews", {"contact_email": "a@b.com", "interview_type_id": acme.type_id})).json()
    token = made["survey_token"]
    visit = await conversation.consent(db, token, "I agree.")
    guide = changed()
    for words in guide["languages"]["en"]["topics"].values():
        words["main"] = [f"Nothing like before, number {n}: what of {words['label']}?" for n in range(3)]
    assert (await acme.api.patch(f"/interview-types/{acme.type_id}", {"guide": guide})).json()["version"] == 2

    answer = paige.Answer("The March audit gave us six weeks to replace a tool that could not export logs.")
    visit = await conversation.take_turn(db, token, turn_no=visit.turn_no, client_id="form-1", answer=answer)

    assert "Nothing like before" not in visit.turns[-1].text
    with psycopg.connect(database_url) as conn:
        assert conn.execute(
            "select guide_version from interviews where org_id = %s and id = %s",
            (acme.org_id, made["interview_request_id"]),
        ).fetchone() == (1,)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "guide"),
        ({"expected_version": 1}, "guide"),
        ({"name": ""}, "name"),
        ({"name": "x" * 121}, "name"),
        ({"guide": []}, "guide"),
        ({"guide": 7}, "guide"),
        ({"guide": ""}, "guide"),
        ({"guide": "a: b: c"}, "guide"),
        ({"guide": {}}, "guide.schema"),
        ({"guide": LOST, "expected_version": 0}, "expected_version"),
        ({"guide": LOST, "expected_version": 2**31}, "expected_version"),
        ({"guide": LOST, "expected_version": "1.5"}, "expected_version"),
        ({"guide": LOST, "slug": "x"}, "slug"),
    ],
)
async def test_bad_changes_are_named_and_change_nothing(
    acme: Tenant, database_url: str, body: dict[str, Any], field: str
) -> None:
    before = rows(database_url)

    error = refused(await acme.api.patch(f"/interview-types/{acme.type_id}", body), 400, "bad_request")

    assert field in [entry["field"] for entry in error["details"]["fields"]]
    assert rows(database_url) == before


@pytest.mark.parametrize("version", ["2", "2147483647"])
async def test_a_version_that_is_not_there_is_not_found(acme: Tenant, version: str) -> None:
    refused(await acme.api.get(f"/interview-types/{acme.type_id}", params={"version": version}), 404, "not_found")


@pytest.mark.parametrize("version", ["0", "-1", "x", "1.5", "2147483648", "99999999999999999999"])
async def test_a_version_that_is_no_number_is_refused(acme: Tenant, version: str) -> None:
    answer = await acme.api.get(f"/interview-types/{acme.type_id}", params={"version": version})
    refused(answer, 400, "bad_request", "version")


async def test_pages_of_versions_fit_together(acme: Tenant) -> None:
    path = f"/interview-types/{acme.type_id}"
    for n in range(4):
        await acme.api.patch(path, {"guide": changed(description=f"Number {n}")})
    for limit in (1, 2, 4, 5, 6):
        seen: list[int] = []
        cursor: str | None = None
        while True:
            query = {"limit": limit, **({"cursor": cursor} if cursor else {})}
            answer = (await acme.api.get(f"{path}/versions", params=query)).json()
            seen += [one["version"] for one in answer["data"]]
            cursor = answer["pagination"]["next_cursor"]
            if cursor is None:
                break
        assert seen == [5, 4, 3, 2, 1]
    types = (await acme.api.get("/interview-types", params={"limit": 1})).json()["pagination"]["next_cursor"]
    refused(await acme.api.get(f"{path}/versions", params={"cursor": types}), 400, "bad_request", "cursor")


@pytest.mark.parametrize("guide", [TEXT, json.dumps(SHIPPED["churn"]), json.dumps(SHIPPED["churn"], indent="\t")])
async def test_a_type_is_made_from_text(acme: Tenant, guide: str) -> None:
    answer = await acme.api.post("/interview-types", {"name": "As text", "guide": guide})

    assert answer.status_code == 201, answer.text
    shown = (await acme.api.get(f"/interview-types/{answer.json()['id']}")).json()
    assert shown["guide"] == SHIPPED["churn"]
    assert shown["minutes"] == 11


async def test_a_fault_in_a_text_is_named_with_its_line(acme: Tenant) -> None:
    text = TEXT.replace("    priority: 1\n", "    priority: high\n", 1)
    line = text[: text.index("priority: high")].count("\n") + 1

    error = refused(await acme.api.post("/interview-types", {"name": "x", "guide": text}), 400, "bad_request")

    assert f"line {line}, topics[0].priority" in error["message"]
    assert error["details"]["fields"] == [
        {"field": "guide.topics[0].priority", "message": f"line {line}: must be integer"}
    ]


async def test_slips_of_the_craft_are_warnings_and_the_type_is_made(acme: Tenant) -> None:
    text = TEXT.replace("What finally settled it?", "Was it the price or was it the support?")
    line = text[: text.index("Was it the price")].count("\n") + 1

    made = await acme.api.post("/interview-types", {"name": "With slips", "guide": text})

    assert made.status_code == 201
    warnings = made.json()["warnings"]
    assert {warning["rule"] for warning in warnings} >= {"either/or"}
    assert {warning["where"] for warning in warnings} == {"languages.en.topics.last_straw.main[0]"}
    assert {warning["line"] for warning in warnings} == {line}
    assert all(warning["message"] for warning in warnings)


async def test_the_same_key_makes_one_type_and_the_same_warnings(acme: Tenant) -> None:
    body = {"name": "Once", "guide": TEXT.replace("What finally settled it?", "Did it hurt?")}

    first = await acme.api.post("/interview-types", body, idempotency_key="k-1")
    second = await acme.api.post("/interview-types", body, idempotency_key="k-1")

    assert first.json()["warnings"]
    assert first.content == second.content
    assert second.headers["idempotent-replayed"] == "true"


async def test_checking_a_guide_tells_everything_and_stores_nothing(acme: Tenant, database_url: str) -> None:
    before = rows(database_url)
    bad = TEXT.replace("minutes: 11", "minutes: eleven").replace("    priority: 1\n", "    priority: 7\n", 1)
    slip = TEXT.replace("What finally settled it?", "Great, what finally settled it?")

    good = (await acme.api.post("/interview-types/validate", {"guide": TEXT})).json()
    faulty = await acme.api.post("/interview-types/validate", {"guide": bad})
    slipped = (await acme.api.post("/interview-types/validate", {"guide": slip})).json()
    as_data = (await acme.api.post("/interview-types/validate", {"guide": {"schema": 1}})).json()
    empty = (await acme.api.post("/interview-types/validate", {"guide": ""})).json()

    assert good == {"valid": True, "faults": [], "warnings": []}
    assert faulty.status_code == 200
    assert not faulty.json()["valid"]
    assert {(one["where"], one["line"]) for one in faulty.json()["faults"]} == {
        ("minutes", bad[: bad.index("minutes: eleven")].count("\n") + 1),
        ("topics[0].priority", bad[: bad.index("priority: 7")].count("\n") + 1),
    }
    assert slipped["valid"]
    assert [one["rule"] for one in slipped["warnings"]] == ["praise"]
    assert {one["line"] for one in as_data["faults"]} == {None}
    assert not empty["valid"]
    assert empty["faults"]
    assert rows(database_url) == before


@pytest.mark.parametrize("body", [{}, {"guide": None}, {"guide": []}, {"guide": 1}, {"guide": TEXT, "name": "x"}])
async def test_checking_needs_a_guide_and_nothing_else(api: Api, body: dict[str, Any]) -> None:
    refused(await api.post("/interview-types/validate", body), 400, "bad_request")


async def test_the_schema_is_the_one_that_guides_are_checked_by(api: Api) -> None:
    schema = (await api.get("/interview-types/schema")).json()

    assert schema == paige.guide_schema()


async def test_reading_and_checking_need_a_key_that_reads_and_changing_one_that_administers(
    acme: Tenant, web: httpx.AsyncClient, db: Db
) -> None:
    async with db.tx() as tx:
        _, reads = await accounts.create_key(tx, acme.org_id, "Reads", scopes=["interviews:read"])
        _, writes = await accounts.create_key(tx, acme.org_id, "Writes", scopes=["interviews:write"])
    path = f"/interview-types/{acme.type_id}"

    for address in (path, f"{path}/versions", "/interview-types/schema"):
        assert (await Api(web, reads).get(address)).status_code == 200
        refused(await Api(web, writes).get(address), 403, "insufficient_scope")
    assert (await Api(web, reads).post("/interview-types/validate", {"guide": TEXT})).status_code == 200
    for key in (reads, writes):
        refused(await Api(web, key).patch(path, {"name": "x"}), 403, "insufficient_scope")


async def test_a_guide_in_many_languages_fits_into_a_call(acme: Tenant) -> None:
    guide = changed()
    assert len(str(guide)) > 10_000
    for topic in guide["languages"]["en"]["topics"].values():
        for slot in topic.get("slots", {}).values():
            if "cues" in slot:
                slot["cues"] = [*slot["cues"], *(f"cue {n}" for n in range(80 - len(slot["cues"])))]

    assert (await acme.api.patch(f"/interview-types/{acme.type_id}", {"guide": guide})).status_code == 200


async def test_the_server_is_not_kept_waiting_by_a_long_guide(acme: Tenant) -> None:
    long = TEXT + "# " + "x" * 200_000

    answer, others = await asyncio.gather(
        acme.api.post("/interview-types/validate", {"guide": long}),
        asyncio.gather(*(acme.api.get("/me") for _ in range(5))),
    )

    assert answer.json()["valid"]
    assert {other.status_code for other in others} == {200}


async def test_an_answer_to_absurd_input_stays_short(acme: Tenant) -> None:
    absurd = {**changed(slug="S" * 50_000), "k" * 50_000: 1, **{f"key{n}": n for n in range(5000)}}

    refusal = await acme.api.post("/interview-types", {"name": "x", "guide": absurd})
    checked = await acme.api.post("/interview-types/validate", {"guide": absurd})

    assert refusal.status_code == 400
    assert len(refusal.json()["error"]["details"]["fields"]) == 100
    assert len(refusal.content) < 30_000
    assert len(checked.json()["faults"]) == 500
    assert len(checked.content) < 120_000


# What ships


async def test_an_organization_gets_the_shipped_types_it_lacks_and_keeps_what_it_has(
    acme: Tenant, rival: Tenant, db: Db, database_url: str
) -> None:
    async with db.tx() as tx:
        for slug in ("churn", "nps"):
            await tx.execute("delete from interview_types where org_id = %s and slug = %s", (acme.org_id, slug))
        await interview_types.create(tx, acme.org_id, "Our own churn", SHIPPED["won"], slug="churn")
    before = {one["id"]: one for one in (await acme.api.get("/interview-types")).json()["data"]}
    theirs = (await rival.api.get("/interview-types")).json()

    told = await asyncio.to_thread(provision.complete, database_url)
    again = await asyncio.to_thread(provision.complete, database_url)

    after = {one["id"]: one for one in (await acme.api.get("/interview-types")).json()["data"]}
    [added] = [after[one] for one in after.keys() - before.keys()]
    assert added["slug"] == "nps"
    assert {one: after[one] for one in before} == before
    assert (await rival.api.get("/interview-types")).json() == theirs
    assert told == ["New interview type in 1 organization(s): NPS follow-up"]
    assert again == []


async def test_two_servers_that_start_at_once_add_a_type_once(acme: Tenant, db: Db, database_url: str) -> None:
    async with db.tx() as tx:
        await tx.execute(
            "delete from interview_types where org_id = %s and slug not in ('won', 'lost-to-competitor')",
            (acme.org_id,),
        )

    await asyncio.gather(*(asyncio.to_thread(provision.complete, database_url) for _ in range(3)))

    assert count(database_url, "interview_types", acme.org_id) == len(SHIPPED)
    assert count(database_url, "guide_versions", acme.org_id) == len(SHIPPED)


async def test_a_slug_that_is_taken_is_a_conflict_and_leaves_the_transaction_usable(acme: Tenant, db: Db) -> None:
    async with db.tx() as tx:
        with pytest.raises(Conflict):
            await interview_types.create(tx, acme.org_id, "x", LOST, slug="won")
        assert (await interview_types.get(tx, acme.org_id, acme.won_type_id)).version == 1


async def test_the_page_offers_the_score_of_an_nps_interview_with_its_first_question(acme: Tenant, db: Db) -> None:
    types = (await acme.api.get("/interview-types")).json()["data"]
    [nps] = [one["id"] for one in types if one["slug"] == "nps"]
    made = (await acme.api.post("/interviews", {"contact_email": "a@b.com", "interview_type_id": nps})).json()

    visit = await conversation.consent(db, made["survey_token"], "I agree.")
    page = render.visit_page(visit, made["survey_token"])

    for score in range(11):
        assert re.search(rf">\s*{score}\s*<", page.html), score
