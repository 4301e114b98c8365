"""`/deals`: upserts by the ids of other systems, competitors, and who sees internal notes."""

import datetime
from collections.abc import Generator
from typing import Any

import httpx
import pytest

from afterword import accounts
from afterword.db import Db
from afterword.db.embedded import EmbeddedServer
from tests.conftest import Api, Tenant
from tests.evidence import count, database, refused

FULL: dict[str, Any] = {
    "name": "Initech: platform",
    "amount": 48000.5,
    "status": "lost",
    "status_id": "s-1",
    "close_date": "2026-11-02",
    "type": "new business",
    "region": "EMEA",
    "industry": "Software",
    "owner_id": "u-1",
    "client_name": "Initech",
    "website_url": "https://initech.example",
    "salesforce_id": "006A",
    "hubspot_id": "77",
    "external_id": "crm-1",
    "summary": "Lost on price.",
    "internal_notes": "Floor price 40k.",
    "custom": {"tier": "A", "tags": ["x", 1, None]},
}
COMPETITORS = [
    {"name": "Globex", "is_primary": True, "is_incumbent": False, "outcome": "won"},
    {"name": "Umbrella", "is_primary": False, "is_incumbent": True, "outcome": None},
]


@pytest.fixture(scope="module")
def database_url(postgres: EmbeddedServer) -> Generator[str]:
    """One database for all tests here: each has organizations of its own."""
    with database(postgres, "deals") as url:
        yield url


async def test_a_deal_keeps_every_field_it_is_given(api: Api) -> None:
    answer = await api.post("/deals", {**FULL, "competitors": COMPETITORS})

    assert answer.status_code == 201, answer.text
    deal = answer.json()
    assert {name: deal[name] for name in FULL} == FULL
    assert deal["competitors"] == COMPETITORS
    assert deal["proposal_due"] == deal["close_date"]
    assert (deal["drivers"], deal["contact_ids"], deal["previous_status_id"]) == ([], [], None)
    assert (deal["deal_analyzed"], deal["analysis_verified"]) == (False, False)
    assert deal["id"].startswith("deal_")
    assert deal["created_at"].endswith("Z")
    assert (await api.get("/deals")).json()[0] == deal


@pytest.mark.parametrize("name", ["salesforce_id", "hubspot_id", "external_id"])
async def test_a_known_id_updates_what_is_given_and_leaves_the_rest(acme: Tenant, database_url: str, name: str) -> None:
    first = (await acme.api.post("/deals", {**FULL, "competitors": COMPETITORS})).json()
    before = count(database_url, "deals", acme.org_id)

    second = (await acme.api.post("/deals", {name: FULL[name], "status_id": "s-2", "amount": None})).json()

    assert second["id"] == first["id"]
    assert (second["status_id"], second["previous_status_id"]) == ("s-2", "s-1")
    unchanged = set(first) - {"status_id", "previous_status_id", "updated_at"}
    assert {key: second[key] for key in unchanged} == {key: first[key] for key in unchanged}
    assert count(database_url, "deals", acme.org_id) == before


async def test_null_equals_absent_and_an_empty_list_clears_the_competitors(api: Api) -> None:
    first = (await api.post("/deals", {**FULL, "competitors": COMPETITORS})).json()
    nulls = {name: None for name in (*FULL, "competitors") if name != "external_id"}

    second = (await api.post("/deals", {"external_id": "crm-1", **nulls})).json()
    assert {**second, "updated_at": ""} == {**first, "updated_at": ""}

    third = (await api.post("/deals", {"external_id": "crm-1", "competitors": []})).json()
    assert third["competitors"] == []


async def test_ids_of_two_deals_in_one_call_are_refused(api: Api) -> None:
    one = (await api.post("/deals", {"name": "One", "salesforce_id": "1"})).json()
    two = (await api.post("/deals", {"name": "Two", "hubspot_id": "2"})).json()

    error = refused(
        await api.post("/deals", {"name": "Both", "salesforce_id": "1", "hubspot_id": "2"}), 400, "bad_request"
    )

    assert one["id"] in error["message"]
    assert two["id"] in error["message"]
    assert {entry["field"] for entry in error["details"]["fields"]} == {"salesforce_id", "hubspot_id"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"external_id": "new"}, "name"),
        ({"name": ""}, "name"),
        ({"name": "x" * 501}, "name"),
        ({"name": "x", "amount": -1}, "amount"),
        ({"name": "x", "amount": 1e16}, "amount"),
        ({"name": "x", "amount": "much"}, "amount"),
        ({"name": "x", "close_date": "02.11.2026"}, "close_date"),
        ({"name": "x", "close_date": "2026-02-30"}, "close_date"),
        ({"name": "x", "salesforce_id": ""}, "salesforce_id"),
        ({"name": "x", "custom": [1]}, "custom"),
        ({"name": "x", "competitors": [{"name": "y"}, {}]}, "competitors[1].name"),
        ({"name": "x", "competitors": [{"name": "y", "nam": 1}]}, "competitors[0].nam"),
        ({"name": "x", "competitors": {"name": "y"}}, "competitors"),
        ({"name": "x", "internal_note": "y"}, "internal_note"),
    ],
)
async def test_bad_fields_are_named(acme: Tenant, database_url: str, body: dict[str, Any], field: str) -> None:
    before = count(database_url, "deals", acme.org_id)

    refused(await acme.api.post("/deals", body), 400, "bad_request", field)

    assert count(database_url, "deals", acme.org_id) == before


async def test_internal_notes_are_for_those_who_may_write_deals(acme: Tenant, db: Db, web: httpx.AsyncClient) -> None:
    async with db.tx() as tx:
        _, reader = await accounts.create_key(tx, acme.org_id, "Reader", scopes=["deals:read"])
    await acme.api.post("/deals", FULL)

    assert (await acme.api.get("/deals")).json()[0]["internal_notes"] == "Floor price 40k."
    seen = await Api(web, reader).get("/deals")
    assert seen.json()[0]["internal_notes"] is None
    assert "Floor price" not in seen.text


async def test_the_list_is_a_bare_array_newest_first_in_pages(acme: Tenant) -> None:
    names = ["Acme deal", *(f"Deal {number}" for number in range(5))]
    for name in names[1:]:
        await acme.api.post("/deals", {"name": name})

    async def page(query: str) -> list[str]:
        return [deal["name"] for deal in (await acme.api.get(f"/deals{query}")).json()]

    assert await page("") == names[::-1]
    assert await page("?page_size=4") == names[:1:-1]
    assert await page("?page_size=4&page_index=1") == names[1::-1]
    assert await page("?page_size=4&page_index=2") == []
    assert (await acme.api.get("/deals?count=true")).json() == 6
    assert (await acme.api.get("/deals?count=true&page_size=1")).json() == 6


async def test_a_deal_lists_the_contacts_who_were_asked_about_it(acme: Tenant) -> None:
    made = [
        (
            await acme.api.post(
                "/interviews",
                {"contact_email": email, "interview_type_id": acme.type_id, "deal_id": acme.deal_id},
            )
        ).json()["contact_id"]
        for email in ("b@x.com", "a@x.com", "b@x.com")
    ]

    assert (await acme.api.get("/deals")).json()[0]["contact_ids"] == sorted(set(made))


async def test_amounts_keep_their_cents(api: Api) -> None:
    for amount in (0, 0.1, 19.99, 999999999999.99):
        assert (await api.post("/deals", {"name": "x", "external_id": "a", "amount": amount})).json()[
            "amount"
        ] == pytest.approx(amount, abs=0.001)


async def test_dates_come_back_as_dates(api: Api) -> None:
    deal = (await api.post("/deals", {"name": "x", "close_date": "2026-02-28"})).json()

    assert datetime.date.fromisoformat(deal["close_date"]) == datetime.date(2026, 2, 28)


@pytest.mark.parametrize(
    ("body", "field"),
    [({"name": "D", "amount": "48000"}, "amount"), ({"name": "D", "amount": True}, "amount"), ({"name": "  "}, "name")],
    ids=["amount as text", "amount as a boolean", "blank name"],
)
async def test_a_deal_is_taken_at_its_word(api: Api, body: dict[str, object], field: str) -> None:
    answer = await api.post("/deals", body)

    assert answer.status_code == 400
    assert answer.json()["error"]["details"]["fields"][0]["field"] == field
