"""`/me` and `/contacts`: who calls, and whom they know."""

from collections.abc import Generator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from afterword import accounts, contacts
from afterword.db import Db
from afterword.db.embedded import EmbeddedServer
from tests.conftest import Api, Tenant
from tests.evidence import database, refused


@pytest.fixture(scope="module")
def database_url(postgres: EmbeddedServer) -> Generator[str]:
    """One database for all tests here: each has organizations of its own."""
    with database(postgres, "me_and_contacts") as url:
        yield url


async def test_me_tells_whose_key_this_is_and_what_it_may_do(acme: Tenant, db: Db, web: httpx.AsyncClient) -> None:
    expires = datetime.now(UTC) + timedelta(days=30)
    async with db.tx() as tx:
        key, secret = await accounts.create_key(
            tx, acme.org_id, "Reporting", scopes=["interviews:read", "deals:read"], expires_at=expires
        )

    answer = await Api(web, secret).get("/me")

    assert answer.status_code == 200
    assert answer.json() == {
        "organization": {"id": acme.org_id, "name": "Acme", "plan": "enterprise"},
        "key": {
            "id": key.id,
            "name": "Reporting",
            "scopes": ["interviews:read", "deals:read"],
            "expires_at": expires.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        },
        "rate_limit": {
            "limit": 1000,
            "remaining": int(answer.headers["x-ratelimit-remaining"]),
            "reset": int(answer.headers["x-ratelimit-reset"]),
        },
    }
    assert secret not in answer.text


async def test_a_key_remembers_when_it_was_last_used(acme: Tenant, db: Db) -> None:
    me = (await acme.api.get("/me")).json()

    async with db.tx() as tx:
        key = await accounts.key(tx, acme.org_id, me["key"]["id"])

    assert key.last_used_at is not None
    assert abs((datetime.now(UTC) - key.last_used_at).total_seconds()) < 30


async def ask(acme: Tenant, email: str, **fields: object) -> str:
    body = {"contact_email": email, "interview_type_id": acme.type_id, **fields}
    return (await acme.api.post("/interviews", body)).json()["contact_id"]


async def test_a_contact_has_exactly_the_documented_fields(acme: Tenant) -> None:
    contact_id = await ask(acme, "jane@example.com", contact_name="Jane", contact_context="VP")

    contact = (await acme.api.get(f"/contacts/{contact_id}")).json()

    assert list(contact) == [
        "id",
        "email",
        "name",
        "notes",
        "time_zone",
        "language",
        "suppressed",
        "created_at",
        "updated_at",
    ]
    assert (contact["id"], contact["email"], contact["name"], contact["notes"]) == (
        contact_id,
        "jane@example.com",
        "Jane",
        "VP",
    )
    assert (contact["time_zone"], contact["language"], contact["suppressed"]) == (None, None, None)
    assert contact["created_at"] == contact["updated_at"]


async def test_updated_at_moves_only_when_something_changes(acme: Tenant) -> None:
    contact_id = await ask(acme, "jane@example.com", contact_name="Jane")
    first = (await acme.api.get(f"/contacts/{contact_id}")).json()
    await ask(acme, "jane@example.com", contact_name="Jane")
    second = (await acme.api.get(f"/contacts/{contact_id}")).json()
    await ask(acme, "jane@example.com", contact_name="Joan")
    third = (await acme.api.get(f"/contacts/{contact_id}")).json()

    assert first["updated_at"] == second["updated_at"] < third["updated_at"]
    assert first["created_at"] == third["created_at"]


async def test_a_suppressed_contact_says_why_since_when_and_by_what(acme: Tenant, db: Db) -> None:
    contact_id = await ask(acme, "jane+vip@example.com")
    async with db.tx() as tx:
        plain = contacts.parse_address("jane@example.com").hashes[0]
        await contacts.suppress(tx, acme.org_id, plain, "unsubscribed", "one_click")

    for path in (f"/contacts/{contact_id}", "/contacts"):
        found = (await acme.api.get(path)).json()
        contact = found["data"][0] if "data" in found else found
        assert set(contact["suppressed"]) == {"reason", "source", "at"}
        assert (contact["suppressed"]["reason"], contact["suppressed"]["source"]) == ("unsubscribed", "one_click")
        assert contact["suppressed"]["at"].endswith("Z")

    async with db.tx() as tx:
        await contacts.lift_suppression(tx, acme.org_id, plain)
    assert (await acme.api.get(f"/contacts/{contact_id}")).json()["suppressed"] is None


async def test_contacts_come_newest_first_in_pages_that_fit_together(acme: Tenant) -> None:
    made = [await ask(acme, f"person{number}@example.com") for number in range(7)]

    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await acme.api.get("/contacts", params={"limit": 3, **cursor})).json()
        seen += [contact["id"] for contact in page["data"]]
        if not page["pagination"]["has_more"]:
            break
        cursor = {"cursor": page["pagination"]["next_cursor"]}
    assert seen == made[::-1]
    assert page["pagination"]["next_cursor"] is None


async def test_a_contact_is_found_by_any_spelling_of_the_address(acme: Tenant) -> None:
    contact_id = await ask(acme, "Jane@Bücher.example")

    for spelling in ("jane@bücher.example", "JANE@xn--bcher-kva.EXAMPLE", " jane@BÜCHER.example "):
        found = (await acme.api.get("/contacts", params={"email": spelling})).json()
        assert [contact["id"] for contact in found["data"]] == [contact_id]
        assert found["pagination"] == {"has_more": False, "next_cursor": None}
    assert (await acme.api.get("/contacts", params={"email": "other@example.com"})).json()["data"] == []
    refused(await acme.api.get("/contacts", params={"email": "no address"}), 400, "bad_request", "email")


async def test_a_contact_that_is_not_there_is_not_found(api: Api) -> None:
    refused(await api.get("/contacts/contact_none"), 404, "not_found")
