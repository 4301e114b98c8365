"""`/interview-types` and `/sequences`: made, copied, listed in pages."""

import copy
from collections.abc import Generator
from typing import Any

import pytest

from afterword import paige
from afterword.db.embedded import EmbeddedServer
from tests.conftest import Api, Tenant
from tests.evidence import count, database, refused

_, LOST = paige.shipped_guides()[0]
FIELDS = {"id", "slug", "name", "version", "language", "internal", "minutes", "created_at"}


@pytest.fixture(scope="module")
def database_url(postgres: EmbeddedServer) -> Generator[str]:
    """One database for all tests here: each has organizations of its own."""
    with database(postgres, "interview_types") as url:
        yield url


async def test_the_shipped_types_are_listed_with_the_one_to_try_first_in_front(acme: Tenant) -> None:
    listed = (await acme.api.get("/interview-types")).json()

    assert [one["id"] for one in listed["data"]][:2] == [acme.type_id, acme.won_type_id]
    assert listed["pagination"] == {"has_more": False, "next_cursor": None}
    first = listed["data"][0]
    assert set(first) == FIELDS
    assert first["name"] == LOST["name"]
    assert (first["version"], first["language"], first["internal"]) == (1, "en", False)
    assert 1 <= first["minutes"] <= 60


async def test_names_in_other_scripts_do_not_take_each_others_slug(acme: Tenant) -> None:
    names = ("客户流失", "赢单", "客户流失")

    made = [await acme.api.post("/interview-types", {"name": name, "copy_of": acme.type_id}) for name in names]

    assert [answer.status_code for answer in made] == [201, 201, 409]
    assert made[0].json()["slug"].startswith("interview-type-")


async def test_a_type_is_made_from_a_guide(acme: Tenant) -> None:
    answer = await acme.api.post("/interview-types", {"name": "Lost: Enterprise & Öffentlich", "guide": dict(LOST)})

    assert answer.status_code == 201, answer.text
    assert set(answer.json()) == FIELDS | {"warnings"}
    assert answer.json()["warnings"] == []
    assert answer.json()["slug"] == "lost-enterprise-offentlich"
    asked = await acme.api.post("/interviews", {"contact_email": "a@b.com", "interview_type_id": answer.json()["id"]})
    assert asked.status_code == 201


async def test_a_type_is_copied(acme: Tenant) -> None:
    made = (await acme.api.post("/interview-types", {"name": "Ours", "copy_of": acme.won_type_id})).json()

    original = (await acme.api.get("/interview-types")).json()["data"][1]
    assert made["id"] not in {acme.type_id, acme.won_type_id}
    assert (made["minutes"], made["language"]) == (original["minutes"], original["language"])
    assert made.pop("warnings") == []
    assert (await acme.api.get("/interview-types")).json()["data"][-1] == made


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "x"}, "guide"),
        ({"name": "x", "guide": None, "copy_of": None}, "copy_of"),
        ({"name": "x", "guide": {}, "copy_of": "<type>"}, "copy_of"),
        ({"name": "x", "copy_of": "type_unknown"}, "copy_of"),
        ({"name": "x", "copy_of": ""}, "copy_of"),
        ({"copy_of": "<type>"}, "name"),
        ({"name": " ", "copy_of": "<type>"}, "name"),
        ({"name": "x" * 121, "copy_of": "<type>"}, "name"),
        ({"name": "a\nb", "copy_of": "<type>"}, "name"),
        ({"name": "x", "guide": []}, "guide"),
        ({"name": "x", "guide": "lost"}, "guide"),
        ({"name": "x", "guide": {}}, "guide"),
    ],
)
async def test_bad_fields_are_named(acme: Tenant, database_url: str, body: dict[str, Any], field: str) -> None:
    sent = {name: acme.type_id if value == "<type>" else value for name, value in body.items()}
    before = count(database_url, "interview_types", acme.org_id)

    error = refused(await acme.api.post("/interview-types", sent), 400, "bad_request")

    assert field in error["message"]
    assert [entry for entry in error["details"]["fields"] if entry["field"].startswith(field)]
    assert count(database_url, "interview_types", acme.org_id) == before


async def test_a_fault_in_a_guide_is_named_with_its_place(api: Api) -> None:
    guide: Any = copy.deepcopy(dict(LOST))
    guide["topics"][1]["must_have"] = "perhaps"

    error = refused(await api.post("/interview-types", {"name": "x", "guide": guide}), 400, "bad_request")

    assert "guide" in error["details"]["fields"][0]["field"]
    assert "topics" in error["details"]["fields"][0]["field"]


async def test_a_name_that_is_taken_is_a_conflict(acme: Tenant, rival: Tenant) -> None:
    assert (await acme.api.post("/interview-types", {"name": "Ours", "copy_of": acme.type_id})).status_code == 201

    refused(await acme.api.post("/interview-types", {"name": "ours!", "copy_of": acme.type_id}), 409, "conflict")
    assert (await rival.api.post("/interview-types", {"name": "Ours", "copy_of": rival.type_id})).status_code == 201


SEQUENCE = {"steps": [{"subject": "Hello", "body": "Hello {first_name} {link}"}]}


@pytest.mark.parametrize("path", ["/interview-types", "/sequences"])
async def test_pages_come_oldest_first_and_fit_together(acme: Tenant, path: str) -> None:
    for number in range(5):
        of = (
            {"copy_of": acme.type_id} if path == "/interview-types" else {"interview_type_id": acme.type_id, **SEQUENCE}
        )
        assert (await acme.api.post(path, {"name": f"Number {number}", **of})).status_code == 201
    everything = (await acme.api.get(path, params={"limit": 100})).json()["data"]
    assert [one["created_at"] for one in everything] == sorted(one["created_at"] for one in everything)

    for limit in (1, 3, len(everything) - 1, len(everything), len(everything) + 1):
        seen: list[Any] = []
        cursor = None
        while True:
            query = {"limit": limit, **({"cursor": cursor} if cursor else {})}
            page = (await acme.api.get(path, params=query)).json()
            assert 1 <= len(page["data"]) <= limit
            seen += page["data"]
            cursor = page["pagination"]["next_cursor"]
            assert page["pagination"]["has_more"] == (cursor is not None)
            if cursor is None:
                break
        assert seen == everything
