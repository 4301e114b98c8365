"""Acme and Rival share a server and never meet: every route is walked as Rival with what belongs to Acme."""

import re
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import httpx
import psycopg
import pytest
from fastapi.routing import iter_route_contexts

from afterword import accounts, paige, tokens
from afterword.db import Db
from afterword.db.embedded import EmbeddedServer
from tests.conftest import Api, Tenant
from tests.evidence import database, interviewed, refused, rows

EMAIL = "secret.person@example.com"
ASK = {"contact_email": "rivals.contact@example.com", "contact_name": "Somebody"}
GUIDE: dict[str, Any] = dict(paige.shipped_guides()[1][1])
SEQUENCE = {"name": "Mine", "steps": [{"subject": "Hello", "body": "Hello {first_name} {link}"}]}


@pytest.fixture(scope="module")
def database_url(postgres: EmbeddedServer) -> Generator[str]:
    """One database for all tests here: each has organizations of its own."""
    with database(postgres, "isolation") as url:
        yield url


@dataclass
class Owned:
    """What Acme has of everything: by the name that a path or a body calls it."""

    ids: dict[str, str]
    token: str


@pytest.fixture
async def owned(acme: Tenant, rival: Tenant, db: Db) -> Owned:
    """Something of everything in Acme, in a state that shows in every answer; it must not change."""
    body = {"contact_email": EMAIL, "contact_name": "Secret Person", "contact_context": "secret notes"}
    linked = (await acme.api.post("/interviews", {**body, "interview_type_id": acme.type_id})).json()
    await interviewed(db, linked["survey_token"], "A secret answer")
    mailed = (
        await acme.api.post("/interviews", {**body, "sequence_id": acme.sequence_id, "deal_id": acme.deal_id})
    ).json()
    return Owned(
        ids={
            "interview_id": str(linked["interview_request_id"]),
            "contact_id": mailed["contact_id"],
            "deal_id": acme.deal_id,
            "sequence_id": acme.sequence_id,
            "interview_type_id": acme.type_id,
            "copy_of": acme.type_id,
        },
        token=linked["survey_token"],
    )


MADE_UP = {
    "interview_id": "99999999",
    "contact_id": "contact_01k0z3qp8p84rzw0tr25n54yad",
    "deal_id": "deal_01k0z3qp8p84rzw0tr25n54yad",
    "sequence_id": "seq_01k0z3qp8p84rzw0tr25n54yad",
    "interview_type_id": "type_01k0z3qp8p84rzw0tr25n54yad",
    "copy_of": "type_01k0z3qp8p84rzw0tr25n54yad",
}

# Every route of the application. An id in a path is tried as it is; `bodies` are sent one after the other with the
# ids in angle brackets filled in. A route that is not here fails the test below: decide what Rival may see of it.
WALK: dict[str, list[dict[str, Any] | None]] = {
    "POST /api/v1/interviews": [
        {**ASK, "interview_type_id": "<interview_type_id>"},
        {**ASK, "sequence_id": "<sequence_id>"},
        {**ASK, "interview_type_id": "<own type>", "deal_id": "<deal_id>"},
        {**ASK, "sequence_id": "<own sequence>", "interview_type_id": "<interview_type_id>"},
        {**ASK, "sequence_id": "<own sequence>", "deal_id": "<deal_id>"},
    ],
    "GET /api/v1/interviews/{interview_id}": [None],
    "GET /api/v1/interviews/{interview_id}/prompts": [None],
    "PATCH /api/v1/interviews/{interview_id}": [
        {"objective": "Mine now"},
        {"contact_name": "Mine Now"},
        {"contact_context": ""},
        {"contact_name": ""},
        {},
    ],
    "GET /api/v1/contacts/{contact_id}": [None],
    "POST /api/v1/interview-types": [{"name": "Mine", "copy_of": "<copy_of>"}],
    "GET /api/v1/interview-types/{interview_type_id}": [None],
    "GET /api/v1/interview-types/{interview_type_id}/versions": [None],
    "PATCH /api/v1/interview-types/{interview_type_id}": [
        {"name": "Mine now"},
        {"guide": GUIDE},
        {"guide": GUIDE, "expected_version": 1},
        {"guide": GUIDE, "expected_version": 2},
        {"guide": {}},
        {},
    ],
    "POST /api/v1/sequences": [{**SEQUENCE, "interview_type_id": "<interview_type_id>"}],
}

# Lists and singletons: they show what is the caller's own.
OWN = {
    "GET /api/v1/contacts",
    "GET /api/v1/deals",
    "GET /api/v1/interview-types",
    "GET /api/v1/sequences",
    "GET /api/v1/me",
    "GET /api/v1/organization",
}

# Upserts that take no id of ours.
ELSEWHERE = {
    "POST /api/v1/deals": "test_the_same_external_id_is_two_deals",
    "PATCH /api/v1/organization": "test_each_organization_changes_and_asks_its_own",
    "POST /api/v1/organization/model/test": "test_each_organization_changes_and_asks_its_own",
}

# What says the same to everyone, and neither reads nor writes anything of anybody.
ALIKE: dict[str, dict[str, Any] | None] = {
    "GET /api/v1/interview-types/schema": None,
    "POST /api/v1/interview-types/validate": {"guide": GUIDE},
}

# Not the API: no key opens these.
BY_TOKEN = {"GET /survey", "HEAD /survey", "POST /survey", "GET /unsubscribe", "HEAD /unsubscribe", "POST /unsubscribe"}
OPERATOR = {"GET /outbox", "GET /outbox/{name}", "GET /outbox/{name}/html", "GET /outbox/{name}/raw"}
PUBLIC = {
    "GET /",
    "GET /api/v1/openapi.json",
    "GET /docs",
    "GET /healthz",
    "GET /readyz",
    "MOUNT /docs/assets",
    "MOUNT /survey/static",
}


def routes(web: httpx.AsyncClient) -> set[str]:
    found: set[str] = set()
    for route in iter_route_contexts(web.door.fastapi.routes):  # type: ignore[attr-defined]  # set in `web`
        found |= {f"{method} {route.path}" for method in route.methods or {"MOUNT"}}
    return found


async def test_every_route_has_an_entry_here(web: httpx.AsyncClient) -> None:
    assert routes(web) == set(WALK) | OWN | set(ELSEWHERE) | set(ALIKE) | BY_TOKEN | OPERATOR | PUBLIC


def fill(value: Any, ids: dict[str, str], rival: Tenant) -> Any:
    if isinstance(value, dict):
        return {key: fill(entry, ids, rival) for key, entry in value.items()}
    if value == "<own type>":
        return rival.type_id
    if value == "<own sequence>":
        return rival.sequence_id
    return ids[value[1:-1]] if isinstance(value, str) and value.startswith("<") else value


@pytest.mark.parametrize("route", sorted(WALK))
async def test_what_is_acmes_answers_like_what_does_not_exist(
    route: str, owned: Owned, rival: Tenant, database_url: str
) -> None:
    method, path = route.split(" ")
    before = rows(database_url)
    for body in WALK[route]:
        answers: list[tuple[int, str, dict[str, str]]] = []
        for ids in (owned.ids, MADE_UP):
            address = path.format(**ids).removeprefix("/api/v1")
            answer = await rival.api.call(method, address, json=fill(body, ids, rival) if body is not None else None)
            assert answer.status_code in {400, 404}, answer.text
            assert "secret" not in answer.text.lower()
            text = re.sub(r"req_\w+", "<request>", answer.text)
            for name in sorted(ids, key=lambda one: -len(ids[one])):
                text = text.replace(ids[name], "<id>")
            answers.append((answer.status_code, text, _lasting(answer)))
        assert answers[0] == answers[1]
    assert rows(database_url) == before


@pytest.mark.parametrize("route", sorted(ALIKE))
async def test_what_belongs_to_nobody_is_the_same_for_everyone(
    route: str, owned: Owned, acme: Tenant, rival: Tenant, database_url: str
) -> None:
    assert owned
    method, path = route.split(" ")
    before = rows(database_url)

    answers = [
        await tenant.api.call(method, path.removeprefix("/api/v1"), json=ALIKE[route]) for tenant in (acme, rival)
    ]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].text == answers[1].text
    assert rows(database_url) == before


def _lasting(answer: httpx.Response) -> dict[str, str]:
    """The headers without those that differ between any two calls."""
    differing = {"x-request-id", "x-ratelimit-remaining", "content-length"}
    return {name: value for name, value in answer.headers.items() if name not in differing}


@pytest.mark.parametrize("route", sorted(OWN))
async def test_lists_show_what_is_ones_own(route: str, owned: Owned, acme: Tenant, rival: Tenant) -> None:
    path = route.removeprefix("GET /api/v1")

    theirs, ours = await rival.api.get(path), await acme.api.get(path)

    assert theirs.status_code == ours.status_code == 200
    for hidden in (*owned.ids.values(), acme.org_id, EMAIL, "secret", "Acme"):
        assert f'"{hidden}' not in theirs.text
    assert any(value in ours.text for value in (*owned.ids.values(), acme.org_id))


@pytest.mark.parametrize("path", ["/contacts", "/interview-types", "/sequences"])
async def test_a_cursor_of_acmes_shows_nothing_of_acmes(path: str, acme: Tenant, rival: Tenant) -> None:
    for number in range(2):
        for tenant in (acme, rival):
            body = {"contact_email": f"person{number}@{tenant.org_id.replace('_', '')}.com"}
            await tenant.api.post("/interviews", {**body, "interview_type_id": tenant.type_id})
            await tenant.api.post(
                "/sequences", {**SEQUENCE, "name": f"More {number}", "interview_type_id": tenant.type_id}
            )
    pages = (await acme.api.get(f"{path}?limit=1")).json()
    cursor = pages["pagination"]["next_cursor"]
    own = {one["id"] for one in (await rival.api.get(f"{path}?limit=100")).json()["data"]}

    answer = await rival.api.get(path, params={"cursor": cursor, "limit": 100})

    assert answer.status_code == 200
    assert {one["id"] for one in answer.json()["data"]} <= own


async def test_looking_for_acmes_contact_by_address_finds_nobody(owned: Owned, rival: Tenant) -> None:
    assert owned
    assert (await rival.api.get("/contacts", params={"email": EMAIL})).json()["data"] == []


async def test_one_address_in_two_organizations_is_two_contacts(owned: Owned, acme: Tenant, rival: Tenant) -> None:
    made = await rival.api.post(
        "/interviews",
        {"contact_email": EMAIL, "contact_name": "Other", "contact_context": "other", "sequence_id": rival.sequence_id},
    )

    assert made.status_code == 201
    assert made.json()["contact_id"] != owned.ids["contact_id"]
    ours = (await acme.api.get(f"/contacts/{owned.ids['contact_id']}")).json()
    assert (ours["name"], ours["notes"]) == ("Secret Person", "secret notes")


async def test_one_idempotency_key_in_two_organizations_is_two_keys(acme: Tenant, rival: Tenant) -> None:
    answers = [
        await tenant.api.post(
            "/interviews", {"contact_email": EMAIL, "interview_type_id": tenant.type_id}, idempotency_key="same"
        )
        for tenant in (acme, rival)
    ]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert "idempotent-replayed" not in answers[1].headers
    assert answers[0].json()["contact_id"] != answers[1].json()["contact_id"]
    assert answers[0].json()["survey_token"] != answers[1].json()["survey_token"]


async def test_the_same_external_id_is_two_deals(acme: Tenant, rival: Tenant) -> None:
    body = {"name": "Shared id", "external_id": "1", "salesforce_id": "006"}

    theirs = (await rival.api.post("/deals", body)).json()

    assert theirs["id"] == rival.deal_id
    [ours] = (await acme.api.get("/deals")).json()
    assert (ours["name"], ours["salesforce_id"]) == ("Acme deal", None)


async def test_each_organization_changes_and_asks_its_own(acme: Tenant, rival: Tenant) -> None:
    own = {"url": "http://nowhere.invalid/v1", "name": "acmes secret model", "key": "acmes-secret-key"}
    await acme.api.patch("/organization", {"consent_text": "A secret consent", "model": own})
    ours = (await acme.api.get("/organization")).json()

    theirs = await rival.api.patch("/organization", {"name": "Rival II", "org_id": acme.org_id, "model": None})
    tried = await rival.api.post("/organization/model/test", {"org_id": acme.org_id})

    assert theirs.status_code == 200
    assert (theirs.json()["id"], theirs.json()["name"]) == (rival.org_id, "Rival II")
    assert tried.json()["error"]["reason"] == "none"
    for answer in (theirs, tried, await rival.api.get("/organization")):
        assert "secret" not in answer.text
    assert (await acme.api.get("/organization")).json() == ours


async def test_one_organizations_calls_do_not_use_up_anothers_limit(acme: Tenant, rival: Tenant) -> None:
    before = int((await acme.api.get("/me")).headers["x-ratelimit-remaining"])
    for _ in range(5):
        await rival.api.get("/me")

    assert int((await acme.api.get("/me")).headers["x-ratelimit-remaining"]) == before - 1


async def test_two_keys_of_one_organization_share_its_limit(acme: Tenant, web: httpx.AsyncClient, db: Db) -> None:
    async with db.tx() as tx:
        _, secret = await accounts.create_key(tx, acme.org_id, "Second", scopes=["interviews:read"])
    before = int((await acme.api.get("/me")).headers["x-ratelimit-remaining"])

    assert int((await Api(web, secret).get("/me")).headers["x-ratelimit-remaining"]) == before - 1


async def test_a_key_is_no_token_and_a_token_is_no_key(owned: Owned, acme: Tenant, web: httpx.AsyncClient) -> None:
    refused(await Api(web, owned.token).get("/me"), 401, "unauthorized")
    for token in (acme.key, owned.ids["interview_id"], owned.token + "x", tokens.survey_token(b"0" * 16)):
        for path in ("/survey", "/unsubscribe"):
            answer = await web.get(path, params={"token": token}, headers={"Authorization": f"Bearer {acme.key}"})
            assert answer.status_code == 404
            assert "secret" not in answer.text.lower()


@pytest.mark.parametrize("route", sorted(OPERATOR))
async def test_the_outbox_opens_for_no_api_key(
    route: str, owned: Owned, rival: Tenant, acme: Tenant, web: httpx.AsyncClient
) -> None:
    assert owned
    for headers in ({}, {"Authorization": f"Bearer {rival.key}"}, {"Authorization": f"Bearer {acme.key}"}):
        answer = await web.get(route.removeprefix("GET ").format(name="1.eml"), headers=headers)
        assert answer.status_code in {403, 404}
        assert "secret" not in answer.text.lower()


# The database refuses what the code would never ask for


TENANT_FREE = {"organizations", "installation", "migrations", "address_counters"}


def test_every_table_is_keyed_by_organization(database_url: str) -> None:
    with psycopg.connect(database_url) as conn:
        keys = conn.execute(
            """
            select t.relname, i.indisprimary,
                (select a.attname from pg_attribute a where a.attrelid = t.oid and a.attnum = i.indkey[0])
            from pg_index i
            join pg_class t on t.oid = i.indrelid
            join pg_namespace n on n.oid = t.relnamespace
            where n.nspname = 'public' and i.indisunique and t.relname not like 'procrastinate%%'
            """
        ).fetchall()
    assert len(keys) > 15
    for table, _, first in keys:
        if table in TENANT_FREE:
            continue
        assert first == ("hash" if str(table).startswith("directory_") else "org_id"), table


def test_every_foreign_key_between_tenants_tables_carries_the_organization(database_url: str) -> None:
    with psycopg.connect(database_url) as conn:
        keys = conn.execute(
            """
            select c.conrelid::regclass::text, c.confrelid::regclass::text,
                (select array_agg(a.attname::text order by k.n) from unnest(c.conkey) with ordinality as k (attnum, n)
                 join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.attnum)
            from pg_constraint c join pg_namespace n on n.oid = c.connamespace
            where c.contype = 'f' and n.nspname = 'public' and c.conrelid::regclass::text not like 'procrastinate%'
            """
        ).fetchall()
    assert len(keys) > 15
    for table, referenced, columns in keys:
        assert columns[0] == "org_id", (table, referenced, columns)
        assert len(columns) == (1 if referenced == "organizations" else 2), (table, referenced, columns)


@pytest.mark.parametrize(
    "statement",
    [
        "insert into interviews (org_id, contact_id, interview_type_id, status, seed, token_hash)"
        " values (%(rival)s, %(contact_id)s, 'type_1', 'created', '', '')",
        "update interviews set deal_id = %(deal_id)s where org_id = %(rival)s",
        "insert into contact_notes (org_id, contact_id, notes) values (%(rival)s, %(contact_id)s, '')",
        "insert into deal_competitors (org_id, deal_id, position, name) values (%(rival)s, %(deal_id)s, 1, 'x')",
        "insert into sequences (org_id, id, name, enabled, interview_type_id)"
        " values (%(rival)s, 'seq_1', 'x', true, %(interview_type_id)s)",
        "insert into steps (org_id, sequence_id, position, delay_unit, delay_count, subject, body)"
        " values (%(rival)s, %(sequence_id)s, 9, 'hours', 0, '', '')",
        "insert into turns (org_id, interview_id, turn_no, role, action, text)"
        " values (%(rival)s, %(interview_id)s, 9, 'contact', 'answer', 'x')",
        "insert into documents (org_id, id, interview_id, content) values (%(rival)s, 'doc_1', %(interview_id)s, 'x')",
        "insert into prompts (org_id, interview_id, turn_no, attempt, purpose, model, messages, outcome)"
        " values (%(rival)s, %(interview_id)s, 3, 1, 'turn', 'x', '[]', 'shown')",
        "insert into alerts (org_id, id, kind, key, interview_id)"
        " values (%(rival)s, 'alert_1', 'distress', 'x', %(interview_id)s)",
        "insert into guide_versions (org_id, interview_type_id, version, guide)"
        " values (%(rival)s, %(interview_type_id)s, 2, '{}')",
        "insert into enrollments (org_id, id, sequence_id, contact_id, interview_id, next_send_at)"
        " values (%(rival)s, 'enr_1', %(sequence_id)s, 'contact_1', %(own)s, now())",
        "update enrollments set interview_id = %(interview_id)s where org_id = %(rival)s",
        "insert into events (org_id, id, type, payload, interview_id)"
        " values (%(rival)s, 'evt_1', 'x', '{}', %(interview_id)s)",
        "insert into events (org_id, id, type, payload, contact_id)"
        " values (%(rival)s, 'evt_1', 'x', '{}', %(contact_id)s)",
        "insert into idempotency (org_id, route, key, fingerprint, status, answer, interview_id)"
        " values (%(rival)s, 'x', 'x', '', 201, '{}', %(interview_id)s)",
        "insert into directory_keys (hash, org_id, id) select 'x', %(rival)s, id from api_keys where org_id = %(acme)s",
    ],
    ids=lambda statement: " ".join(statement.split()[:3]),
)
async def test_a_row_of_one_organization_cannot_point_at_anothers(
    statement: str, owned: Owned, acme: Tenant, rival: Tenant, database_url: str
) -> None:
    made = await rival.api.post("/interviews", {**ASK, "sequence_id": rival.sequence_id})
    ids = {**owned.ids, "rival": rival.org_id, "acme": acme.org_id, "own": made.json()["interview_request_id"]}
    with psycopg.connect(database_url) as conn, pytest.raises(psycopg.errors.ForeignKeyViolation):
        conn.execute(statement, ids)
