"""What a careless or hostile client sends to POST /interviews: each row of one table, refused and nothing written."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest

from afterword import accounts, app, settings, tokens
from afterword.api import body as json_body
from afterword.db import Db
from afterword.db.embedded import EmbeddedServer
from tests.conftest import Api, Tenant, make_tenant
from tests.evidence import count, database, refused, rows


@dataclass
class World:
    """One database and application for the whole table: what is refused leaves no trace for the next row."""

    url: str
    client: httpx.AsyncClient
    db: Db
    acme: Tenant
    rival: Tenant

    def fill(self, value: Any) -> Any:
        """Put real ids in the place of `<type>`, `<sequence>` and so on."""
        match value:
            case str():
                for name, tenant in (("", self.acme), ("rival ", self.rival)):
                    value = value.replace(f"<{name}type>", tenant.type_id).replace(f"<{name}deal>", tenant.deal_id)
                    value = value.replace(f"<{name}sequence>", tenant.sequence_id)
                    value = value.replace(f"<{name}won type>", tenant.won_type_id)
                return value
            case dict():
                return {self.fill(key): self.fill(entry) for key, entry in value.items()}
            case _:
                return value


@pytest.fixture(scope="module")
async def world(postgres: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[World]:
    """An application over a database that all rows share."""
    with pytest.MonkeyPatch.context() as patch, contextlib.ExitStack() as undo:
        patch.setenv("AFTERWORD_DATA_DIR", str(tmp_path_factory.mktemp("data")))
        patch.setenv("AFTERWORD_SECRET_KEY", "a secret for tests that is long enough")
        patch.setenv("AFTERWORD_PLAN_ENTERPRISE_PER_MINUTE", "100000")
        patch.setenv("AFTERWORD_FAILED_LOGINS_PER_MINUTE", "100000")
        settings.current.cache_clear()
        undo.callback(settings.current.cache_clear)
        tokens.load_secret(settings.current())
        url = undo.enter_context(database(postgres, "bad_input"))
        door = app.create_app(settings.current(), url)
        async with (
            door.fastapi.router.lifespan_context(door.fastapi),
            httpx.AsyncClient(
                transport=httpx.ASGITransport(app=door, raise_app_exceptions=False), base_url="http://127.0.0.1:8321"
            ) as client,
        ):
            db = door.fastapi.state.db
            yield World(url, client, db, await make_tenant(db, client, "Acme"), await make_tenant(db, client, "Rival"))


@pytest.fixture
async def untouched(world: World) -> AsyncGenerator[None]:
    """Nothing of the database may have changed when the test ends."""
    before = rows(world.url)
    yield
    after = rows(world.url)
    assert after == before, (after - before, before - after)


@dataclass
class Row:
    """One bad call. `change` goes over a good body (None takes a field out); `raw` replaces the body."""

    id: str
    change: dict[str, Any] = field(default_factory=dict)
    names: str | None = None
    raw: bytes | None = None
    headers: list[tuple[str, str]] = field(default_factory=list)
    status: int = 400
    code: str = "bad_request"
    says: str = ""


class Absent:
    """Takes a field out of the good body."""


GOOD = {"contact_email": "jane@example.com", "contact_name": "Jane Smith", "interview_type_id": "<type>"}
EMAIL, NAME, CONTEXT = "contact_email", "contact_name", "contact_context"
DEEP = b'{"contact_email":"a@example.com","interview_type_id":"t","contact_context":{"a":'


def raw(context: str) -> bytes:
    return b'{"contact_email":"jane@example.com","interview_type_id":"type_1","contact_context":%s}' % context.encode()


ROWS = [
    Row("row-3-sequence-of-another-organization", {"sequence_id": "<rival sequence>"}, "sequence_id"),
    Row("row-4-type-of-another-organization", {"interview_type_id": "<rival type>"}, "interview_type_id"),
    Row("row-4-deal-of-another-organization", {"deal_id": "<rival deal>"}, "deal_id"),
    Row("row-11-crlf-in-email", {EMAIL: "a@b.com\r\nBcc: x@y.com"}, EMAIL),
    Row("row-12-crlf-in-name", {NAME: "Eve\r\nBcc: x@y.com"}, NAME),
    Row("row-12-line-separator-in-name", {NAME: "Eve\u2028Bcc: x@y.com"}, NAME),
    Row("row-12-escape-character-in-name", {NAME: "Eve\x1b[31m"}, NAME),
    Row("row-13-two-addresses", {EMAIL: "a@b.com, c@d.com"}, EMAIL),
    Row("row-13-two-addresses-semicolon", {EMAIL: "a@b.com;c@d.com"}, EMAIL),
    Row("row-14-display-name", {EMAIL: "Jane <jane@x.com>"}, EMAIL),
    Row("row-14-comment", {EMAIL: "jane(work)@x.com"}, EMAIL),
    Row("row-15-nul-in-email", {EMAIL: "jane\0@example.com"}, EMAIL),
    Row("row-15-nul-in-name", {NAME: "Ja\0ne"}, NAME),
    Row("row-15-nul-in-context", {CONTEXT: "no\0tes"}, CONTEXT),
    Row("row-15-nul-in-nested-value", {CONTEXT: {"a": [1, {"b": "\0"}]}}, "contact_context.a[1].b"),
    Row("row-15-nul-in-nested-key", {CONTEXT: {"a": {"b\0": 1}}}, "contact_context.a"),
    Row("row-15-nul-in-objective", {"objective": "\0"}, "objective"),
    Row("row-15-nul-in-type", {"interview_type_id": "type_\0"}, "interview_type_id"),
    Row("row-16-lone-surrogate", raw=raw('"\\ud800"'), names=CONTEXT),
    Row("row-16-lone-surrogate-in-key", raw=raw('{"\\udfff": 1}'), names=CONTEXT),
    Row("row-16-surrogates-in-wrong-order", raw=raw('{"a": ["\\ude00\\ud83d"]}'), names="contact_context.a[0]"),
    Row("row-17-depth-33", raw=raw("[" * 32 + "]" * 32), says="32 levels"),
    Row("row-17-depth-100000", raw=DEEP + b"[" * 100_000 + b"]" * 100_000 + b"}}", says="32 levels"),
    Row("row-17-depth-43000-objects", raw=DEEP + b'{"a":' * 43_000 + b"1" + b"}" * 43_000 + b"}}", says="32 levels"),
    Row("row-18-300-kib", {CONTEXT: "x" * 300_000}, status=413, code="payload_too_large", says="256 KiB"),
    Row("row-18-context-over-64-kib", {CONTEXT: "x" * 65_537}, CONTEXT),
    Row("row-18-context-over-64-kib-in-bytes", {CONTEXT: "é" * 32_769}, CONTEXT),
    Row("row-18-context-object-over-64-kib", {CONTEXT: {"a": "x" * 65_530}}, CONTEXT),
    Row("row-19-neither-id", {"interview_type_id": Absent}, "interview_type_id"),
    Row("row-19-neither-id-names-both", {"interview_type_id": Absent}, "sequence_id"),
    Row("row-19-both-null", {"interview_type_id": None, "sequence_id": None}, "sequence_id"),
    Row(
        "row-20-type-is-not-the-sequences",
        {"sequence_id": "<sequence>", "interview_type_id": "<won type>"},
        "interview_type_id",
    ),
    Row("row-21-missing-email", {EMAIL: Absent}, EMAIL, says="is required"),
    Row("row-21-null-email", {EMAIL: None}, EMAIL, says="is required"),
    Row("row-21-empty-email", {EMAIL: ""}, EMAIL),
    Row("row-21-blank-email", {EMAIL: "   "}, EMAIL),
    Row("row-21-number-email", {EMAIL: 7}, EMAIL),
    Row("row-35-mixed-scripts-in-a-label", {EMAIL: "jane@ex\u0430mple.com"}, EMAIL),
    Row("row-36-local-part-of-65-octets", {EMAIL: "j" * 65 + "@x.com"}, EMAIL),
    Row("row-36-local-part-of-65-octets-in-40-letters", {EMAIL: "é" * 33 + "@x.com"}, EMAIL),
    Row("row-36-label-of-64-octets", {EMAIL: f"jane@{'x' * 64}.com"}, EMAIL),
    Row("row-36-long-domain", {EMAIL: f"jane@{'x' * 60}.{'x' * 60}.{'x' * 60}.{'x' * 60}.{'x' * 20}.com"}, EMAIL),
    Row("row-37-localhost", {EMAIL: "jane@localhost"}, EMAIL),
    Row("row-37-localhost-name", {EMAIL: "jane@app.localhost"}, EMAIL),
    Row("row-37-address-literal", {EMAIL: "jane@[127.0.0.1]"}, EMAIL),
    Row("row-37-bare-address", {EMAIL: "jane@127.0.0.1"}, EMAIL),
    Row("row-37-quoted-local-part", {EMAIL: '"ja ne"@x.com'}, EMAIL),
    Row("row-37-two-dots", {EMAIL: "jane@x..com"}, EMAIL),
    Row("row-37-leading-dot", {EMAIL: ".jane@x.com"}, EMAIL),
    Row("row-37-no-at", {EMAIL: "jane.x.com"}, EMAIL),
    Row("row-37-two-ats", {EMAIL: "jane@x@x.com"}, EMAIL),
    Row("row-38-trailing-newline", {EMAIL: "jane@x.com\n"}, EMAIL),
    Row("row-38-leading-tab", {EMAIL: "\tjane@x.com"}, EMAIL),
    Row("row-39-zero-width-space", {EMAIL: "ja\u200bne@x.com"}, EMAIL),
    Row("row-39-rtl-override", {EMAIL: "ja\u202ene@x.com"}, EMAIL),
    Row("row-39-soft-hyphen", {EMAIL: "ja\u00adne@x.com"}, EMAIL),
    Row("row-39-byte-order-mark", {EMAIL: "\ufeffjane@x.com"}, EMAIL),
    *(
        Row(f"row-41-{name}-in-a-sequence", {EMAIL: f"{name}@x.com", "sequence_id": "<sequence>"}, EMAIL)
        for name in ("mailer-daemon", "noreply", "NoReply", "postmaster", "do-not-reply")
    ),
    Row("row-42-context-number", {CONTEXT: 7}, CONTEXT, says="string or an object"),
    Row("row-42-context-boolean", {CONTEXT: True}, CONTEXT),
    Row("row-42-context-array", {CONTEXT: ["a"]}, CONTEXT),
    Row("row-43-nan", raw=raw('{"a": NaN}'), names="contact_context.a"),
    Row("row-43-infinity", raw=raw('{"a": [0, -Infinity]}'), names="contact_context.a[1]"),
    Row("row-43-1e999", raw=raw('{"a": 1e999}'), names="contact_context.a"),
    Row("row-43-2-to-the-53", raw=raw('{"a": 9007199254740992}'), names="contact_context.a"),
    Row("row-43-2-to-the-64", raw=raw('{"a": -18446744073709551616}'), names="contact_context.a"),
    Row("row-43-4301-digits", raw=raw('{"a": %s}' % ("9" * 4301)), names="contact_context.a"),
    Row("row-44-duplicate-field", raw=b'{"contact_email":"a@x.com","contact_email":"b@x.com"}', names=EMAIL),
    Row("row-44-duplicate-key-nested", raw=raw('{"a": [{"b": 1, "b": 1}]}'), names="contact_context.a[0].b"),
    Row("row-44-duplicate-key-escaped", raw=raw('{"ab": 1, "a\\u0062": 2}'), names="contact_context.ab"),
    Row("row-45-array", raw=b"[]", says="must be a JSON object"),
    Row("row-45-string", raw=b'"x"', says="must be a JSON object"),
    Row("row-45-null", raw=b"null", says="must be a JSON object"),
    Row("row-45-number", raw=b"NaN", says="must be a JSON object"),
    Row("row-45-empty", raw=b"", says="empty"),
    Row("row-45-blank", raw=b" \n", says="empty"),
    Row("row-45-half", raw=b"{", says="not valid JSON"),
    Row("row-45-trailing", raw=b"{} {}", says="not valid JSON"),
    Row("row-45-single-quotes", raw=b"{'contact_email': 'a@x.com'}", says="line 1, column 2"),
    Row("row-46-utf-16", raw='{"contact_email":"a@x.com"}'.encode("utf-16"), says="not UTF-8"),
    Row("row-46-utf-16-without-mark", raw='{"contact_email":"a@x.com"}'.encode("utf-16-le"), says="not valid JSON"),
    Row("row-46-byte-order-mark", raw=b'\xef\xbb\xbf{"contact_email":"a@x.com"}', says="byte order mark"),
    Row("row-46-latin-1", raw='{"contact_name":"José"}'.encode("latin-1"), says="not UTF-8: byte 20"),
    Row("row-46-surrogate-bytes", raw=b'{"contact_name":"\xed\xa0\x80"}', says="not UTF-8"),
    *(
        Row(f"row-47-content-type-{kind}", headers=[("Content-Type", kind)], status=415, code="unsupported_media_type")
        for kind in (
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/json; charset=utf-16",
            "application/jsonx",
            "multipart/form-data; boundary=x",
            "text/json",
        )
    ),
    Row("row-48-gzip", headers=[("Content-Encoding", "gzip")], status=415, code="unsupported_media_type", says="uncom"),
    Row("row-49-status", {"status": "completed"}, "status"),
    Row("row-49-interview-request-id", {"interview_request_id": 1}, "interview_request_id"),
    Row("row-49-survey-token", {"survey_token": "tok_mine"}, "survey_token"),
    Row("row-49-proto", {"__proto__": {"admin": True}}, "__proto__"),
    Row("row-49-contact-id", {"contact_id": "contact_1"}, "contact_id"),
    Row("row-49-unknown-null", {"contact_contxt": None}, "contact_contxt", says="did you mean contact_context?"),
    Row("row-49-mistyped", {"contact_contxt": "VP"}, "contact_contxt", says="did you mean contact_context?"),
    Row("row-49-mistyped-camel-case", {"dealId": "<deal>"}, "dealId", says="did you mean deal_id?"),
    *(
        Row(f"row-50-{name}-{kind}", {name: value}, name)
        for name in ("sequence_id", "interview_type_id", "deal_id")
        for kind, value in (("number", 123), ("true", True), ("list", ["seq"]), ("object", {"$ne": None}))
    ),
    *(
        Row(f"row-51-{name}-{kind}", {name: value}, name, says="not found")
        for name in ("sequence_id", "interview_type_id", "deal_id")
        for kind, value in (
            ("sql", "seq_' OR 1=1--"),
            ("path", "../../etc/passwd"),
            ("10-kb", "x" * 10_000),
            ("percent-nul", "%00"),
            ("empty", ""),
            ("another-kind", "<deal>" if name != "deal_id" else "<type>"),
        )
    ),
    Row("row-52-objective-100-kb", {"objective": "x" * 100_000}, "objective"),
    Row("row-52-objective-4001", {"objective": "x" * 4001}, "objective", says="4000"),
    Row("row-52-objective-object", {"objective": {"a": 1}}, "objective"),
    Row("row-54-name-of-10000", {NAME: "J" * 10_000}, NAME),
    Row("row-54-name-of-201", {NAME: "J" * 201}, NAME, says="at most 200"),
    Row("row-54-name-empty", {NAME: ""}, NAME),
    Row("row-54-name-blank", {NAME: "  "}, NAME),
    Row("row-54-name-invisible", {NAME: "\u200b\U000e0041"}, NAME),
    Row("row-54-name-object", {NAME: {"first": "Jane"}}, NAME),
    *(
        Row(f"row-58-idempotency-key-{kind}", headers=[("Idempotency-Key", value)], names="Idempotency-Key")
        for kind, value in (
            ("256", "k" * 256),
            ("quoted-256", f'"{"k" * 256}"'),
            ("empty", ""),
            ("quoted-empty", '""'),
            ("newline", "a\tb"),
            ("non-ascii", "caf\u00e9"),
            ("half-quoted", '"abc'),
        )
    ),
    Row(
        "row-59-two-idempotency-keys",
        headers=[("Idempotency-Key", "a"), ("Idempotency-Key", "b")],
        names="Idempotency-Key",
    ),
    Row("more-than-1000-values", {CONTEXT: {str(n): n for n in range(1000)}}, says="1000"),
    Row("more-than-1000-empty-lists", {CONTEXT: {"a": [[]] * 1000}}, says="1000"),
]


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
async def test_refused_and_nothing_written(world: World, row: Row) -> None:
    body = {name: value for name, value in {**GOOD, **row.change}.items() if value is not Absent}
    content = row.raw if row.raw is not None else json.dumps(world.fill(body)).encode()
    if "sequence_id" in row.change and "interview_type_id" not in row.change:
        del body["interview_type_id"]
        content = json.dumps(world.fill(body)).encode()

    answer = await world.client.post(
        "/api/v1/interviews",
        content=content,
        headers=[("Authorization", f"Bearer {world.acme.key}"), *((n, v.encode()) for n, v in _typed(row.headers))],
    )

    error = refused(answer, row.status, row.code, row.names)
    assert row.says in error["message"]


def _typed(headers: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    if "Content-Type" not in dict(headers):
        yield "Content-Type", "application/json"
    yield from headers


def send(world: World, **change: Any) -> Any:
    return world.acme.api.post("/interviews", world.fill({**GOOD, **change}))


@pytest.mark.parametrize(
    ("number", "change", "key"),
    [
        (31, {EMAIL: "jörg@example.com"}, "jörg@example.com"),
        (32, {EMAIL: "row32@BÜCHER.example"}, "row32@xn--bcher-kva.example"),
        (34, {EMAIL: "row34+a@x.com"}, "row34+a@x.com"),
        (35, {EMAIL: "\u0458ane@x.com"}, "\u0458ane@x.com"),
        (38, {EMAIL: "  row38@x.com "}, "row38@x.com"),
        (41, {EMAIL: "noreply@x.com"}, "noreply@x.com"),
        (49, {EMAIL: "row49@x.com", "org_id": "<rival deal>"}, "row49@x.com"),
        (49, {EMAIL: "row49@x.com", "org_id": {"any": "thing"}}, "row49@x.com"),
        (55, {EMAIL: "row55@x.com", NAME: '=HYPERLINK("http://x")'}, "row55@x.com"),
        (36, {EMAIL: "j" * 64 + "@x.com"}, "j" * 64 + "@x.com"),
    ],
)
async def test_unusual_but_good(world: World, number: int, change: dict[str, Any], key: str) -> None:
    answer = await send(world, **change)

    assert answer.status_code == 201, (number, answer.text)
    contact = (await world.acme.api.get(f"/contacts/{answer.json()['contact_id']}")).json()
    assert contact["email"] == key


async def test_row_5_to_57_text_is_kept_to_the_letter_and_only_the_invisible_goes(world: World) -> None:
    name = "زينب 👩\u200d💻 <script>alert(1)</script>"
    context = "{{7*7}} {% raw %} ${x} \U000e0041\U000e0042\u200bplain\u202e, 7 < 8 & \"quotes\" 'too'"

    answer = await send(
        world, contact_email="row52@x.com", contact_name=name, contact_context=context, objective="{{1}}"
    )

    contact = (await world.acme.api.get(f"/contacts/{answer.json()['contact_id']}")).json()
    assert contact["name"] == name
    assert contact["notes"] == "{{7*7}} {% raw %} ${x} plain, 7 < 8 & \"quotes\" 'too'"
    shown = (await world.acme.api.get(f"/interviews/{answer.json()['interview_request_id']}")).json()
    assert shown["objective"] == "{{1}}"


@pytest.mark.parametrize(
    "kind", ["application/json", "application/json; charset=utf-8", 'Application/JSON;charset="UTF-8"', None]
)
async def test_row_47_good_content_types(world: World, kind: str | None) -> None:
    answer = await world.client.post(
        "/api/v1/interviews",
        content=json.dumps(world.fill(GOOD)).encode(),
        headers={"Authorization": f"Bearer {world.acme.key}", **({"Content-Type": kind} if kind else {})},
    )

    assert answer.status_code == 201, answer.text


@pytest.mark.usefixtures("untouched")
async def test_row_71_a_deal_that_was_deleted(world: World) -> None:
    with psycopg.connect(world.url, autocommit=True) as conn:
        made = await world.acme.api.post("/deals", {"name": "Short-lived"})
        conn.execute("delete from deals where id = %s", [made.json()["id"]])

    refused(await send(world, deal_id=made.json()["id"]), 400, "bad_request", "deal_id")


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("value", ['"\\ud800"', "NaN", "{", '{"a":1,"a":2}'])
@pytest.mark.parametrize(
    "path",
    ["/interviews", "/deals", "/interview-types", "/sequences", "/interviews/1", "/organization", "/nowhere"],
)
async def test_every_route_with_a_body_refuses_what_is_not_json(world: World, path: str, value: str) -> None:
    method = "PATCH" if path in {"/interviews/1", "/organization"} else "POST"

    answer = await world.acme.api.call(method, path, content=b'{"name": %s}' % value.encode())

    refused(answer, 400, "bad_request")


def test_row_17_depth_costs_next_to_nothing() -> None:
    bodies = [
        b"[" * 131_072 + b"]" * 131_072,
        b'{"a":' * 43_000 + b"1" + b"}" * 43_000,
        b"[" * 33 + b'"' + b'\\"' * 131_000,  # a string without an end, full of what could be one
        b"[" * 33 + b"\\" * 262_000,
        b'{"a":"' + b"[" * 262_000 + b'"}',
    ]
    for body in bodies:
        started = time.process_time()
        with contextlib.suppress(Exception):
            json_body.parse(body)
        assert time.process_time() - started < 0.05, body[:40]


# Size: declared, in pieces, and slow


@pytest.mark.usefixtures("untouched")
async def test_row_18_a_body_in_pieces_is_cut_off_while_it_is_read(world: World) -> None:
    taken = 0

    async def endless() -> AsyncGenerator[bytes]:
        nonlocal taken
        yield b'{"contact_context":"'
        while True:
            taken += 65_536
            yield b"x" * 65_536

    answer = await world.acme.api.call("POST", "/interviews", content=endless())

    refused(answer, 413, "payload_too_large")
    assert taken <= 5 * 65_536
    assert answer.headers["connection"] == "close"


@pytest.mark.usefixtures("untouched")
async def test_row_18_a_declared_size_over_the_limit_is_refused_unread(world: World) -> None:
    async def unread() -> AsyncGenerator[bytes]:
        raise AssertionError("the body was read")
        yield b""

    answer = await world.acme.api.call("POST", "/interviews", content=unread(), headers={"Content-Length": "10485760"})

    refused(answer, 413, "payload_too_large")


@pytest.mark.usefixtures("untouched")
async def test_row_74_a_body_that_does_not_arrive_is_given_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_body, "READ_SECONDS", 0.1)

    async def slow() -> AsyncGenerator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    answer = await world.acme.api.call("POST", "/interviews", content=slow())

    refused(answer, 400, "bad_request")
    assert answer.headers["connection"] == "close"


async def test_row_18_just_under_the_limits_is_good(world: World) -> None:
    answer = await send(world, contact_email="row18@x.com", contact_context="x" * 65_536, objective="y" * 4000)
    assert answer.status_code == 201

    deep: Any = 1
    for _ in range(30):
        deep = [deep]
    assert (await send(world, contact_context={"a": deep})).status_code == 201
    assert (await send(world, contact_context={"n": [2**53 - 1, -(2**53) + 1, 0.1]})).status_code == 201


# Rows 22 to 25: keys


async def make_key(world: World, **options: Any) -> str:
    async with world.db.tx() as tx:
        _, secret = await accounts.create_key(tx, world.acme.org_id, "Another", **options)
    return secret


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("Authorization", "")],
        [("Authorization", "Bearer")],
        [("Authorization", "Bearer ")],
        [("Authorization", "<key>")],
        [("Authorization", "Basic <key>")],
        [("Authorization", "Bearer <key> <key>")],
        [("Authorization", "Bearer <key>"), ("Authorization", "Bearer <key>")],
        [("Authorization", "Bearer <key>"), ("X-API-Key", "<key>")],
        [("X-API-Key", "")],
        [("X-API-Key", "Bearer <key>")],
        [("Authorization", "Bearer aw_short")],
        [("Authorization", "Bearer tok_abcdefghijklmnopqrstuvwxyz")],
        [("Authorization", b"Bearer aw_\xff\xfe")],
        [("Cookie", "key=<key>")],
    ],
    ids=str,
)
@pytest.mark.usefixtures("untouched")
async def test_row_22_no_usable_key(world: World, headers: list[tuple[str, str | bytes]]) -> None:
    sent = [
        (name, value.replace("<key>", world.acme.key) if isinstance(value, str) else value) for name, value in headers
    ]
    answer = await world.client.post("/api/v1/interviews", json=world.fill(GOOD), headers=sent)

    error = refused(answer, 401, "unauthorized")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert error["message"].startswith("Invalid or missing API key")
    assert "x-ratelimit-limit" not in answer.headers


@pytest.mark.usefixtures("untouched")
async def test_row_23_a_wrong_checksum_costs_no_query(world: World) -> None:
    mistyped = world.acme.key[:-1] + ("a" if world.acme.key[-1] != "a" else "b")
    async with contextlib.AsyncExitStack() as held:
        # with every connection taken, a query could only wait
        for _ in range(settings.current().database_pool_size):
            await held.enter_async_context(world.db.tx())
        answer = await asyncio.wait_for(Api(world.client, mistyped).get("/me"), 1.0)

    refused(answer, 401, "unauthorized")


async def test_row_24_revoked_expired_and_unknown_keys_get_one_and_the_same_answer(world: World) -> None:
    revoked, expired = await make_key(world), await make_key(world, expires_at=datetime.now(UTC) - timedelta(seconds=1))
    with psycopg.connect(world.url, autocommit=True) as conn:
        conn.execute("update api_keys set revoked_at = now() where hash = %s", [tokens.digest(revoked)])

    answers = [await Api(world.client, key).get("/me") for key in (revoked, expired, tokens.new_api_key(), "nonsense")]

    for answer in answers:
        refused(answer, 401, "unauthorized")
    assert len({json.dumps(answer.json()["error"]) for answer in answers}) == 1


async def test_row_24_a_revoked_key_ends_at_once_and_the_other_key_lives_on(world: World) -> None:
    first = await make_key(world)
    assert (await Api(world.client, first).get("/me")).status_code == 200
    async with world.db.tx() as tx:
        caller = (await Api(world.client, first).get("/me")).json()["key"]["id"]
        await accounts.revoke_key(tx, caller)

    refused(await Api(world.client, first).get("/me"), 401, "unauthorized")
    assert (await world.acme.api.get("/me")).status_code == 200


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("POST", "/interviews", "interviews:write"),
        ("GET", "/interviews/1", "interviews:read"),
        ("PATCH", "/interviews/1", "interviews:write"),
        ("GET", "/contacts", "contacts:read"),
        ("GET", "/contacts/contact_1", "contacts:read"),
        ("GET", "/deals", "deals:read"),
        ("POST", "/deals", "deals:write"),
        ("GET", "/interview-types", "interviews:read"),
        ("POST", "/interview-types", "admin"),
        ("GET", "/sequences", "interviews:read"),
        ("POST", "/sequences", "admin"),
        ("GET", "/organization", "admin"),
        ("PATCH", "/organization", "admin"),
        ("POST", "/organization/model/test", "admin"),
    ],
)
async def test_row_24_a_key_without_the_scope_is_told_which(world: World, method: str, path: str, scope: str) -> None:
    key = await make_key(world, scopes=[one for one in accounts.SCOPES if one not in {scope, "admin"}])

    answer = await Api(world.client, key).call(method, path, json={} if method != "GET" else None)

    error = refused(answer, 403, "insufficient_scope")
    assert error["required_scopes"] == [scope]
    assert scope in error["message"]
    assert "x-ratelimit-remaining" in answer.headers


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("name", ["api_key", "key", "access_token", "X-API-Key"])
async def test_row_25_a_key_in_the_address_is_no_key(world: World, name: str) -> None:
    answer = await world.client.post("/api/v1/interviews", params={name: world.acme.key}, json=world.fill(GOOD))

    refused(answer, 401, "unauthorized")
    assert world.acme.key not in answer.text


async def test_the_key_is_taken_from_x_api_key_as_well(world: World) -> None:
    answer = await world.client.get("/api/v1/me", headers={"X-API-Key": world.acme.key})

    assert answer.status_code == 200
    assert answer.json()["organization"]["id"] == world.acme.org_id
    assert (await world.client.get("/api/v1/me", headers={"Authorization": f"bearer {world.acme.key}"})).is_success


# Rows 60, 64, 68, 72, 73: methods, paths, headers


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "TRACE", "HEAD", "OPTIONS", "PROPFIND"])
async def test_row_60_other_methods(world: World, method: str) -> None:
    answer = await world.acme.api.call(method, "/interviews", headers={"X-HTTP-Method-Override": "POST"})

    if method != "HEAD":
        refused(answer, 405, "method_not_allowed")
    assert answer.status_code == 405
    assert "POST" in answer.headers["allow"].split(", ")
    assert method not in answer.headers["allow"]
    both = await world.acme.api.call("PUT", "/interview-types")
    assert {"GET", "POST"} <= set(both.headers["allow"].split(", "))


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/interviews/",
        "//api/v1/interviews",
        "/api/v1//interviews",
        "/API/V1/interviews",
        "/api/v1/Interviews",
        "/api/v1/interviews;x=y",
        "/api/v1%2finterviews/",
        "/api/v1/interviews/1/2",
        "/api/v2/interviews",
        "/api/v1/me/../interviewz",
        "/api",
        "/.env",
        "/<script>",
    ],
)
async def test_row_72_other_paths_lead_nowhere(world: World, path: str) -> None:
    answer = await world.client.post(path, json=world.fill(GOOD), headers={"Authorization": f"Bearer {world.acme.key}"})

    refused(answer, 404, "not_found")


async def test_rows_64_68_73_foreign_origin_clock_and_accept_change_nothing(world: World) -> None:
    answer = await world.acme.api.get(
        "/me",
        headers={
            "Origin": "https://evil.example",
            "Date": "Mon, 01 Jan 1990 00:00:00 GMT",
            "Accept": "application/xml",
            "X-HTTP-Method-Override": "DELETE",
            "X-Forwarded-Host": "evil.example",
        },
    )

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert "evil" not in answer.text


async def test_links_never_take_their_host_from_the_request(world: World) -> None:
    answer = await world.acme.api.post("/interviews", world.fill(GOOD), headers={"Host": "evil.example"})

    assert answer.json()["survey_url"].startswith("http://127.0.0.1:8321/survey?token=tok_")


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(
    "path",
    [
        "/contacts/%00",
        "/contacts?email=%00",
        "/contacts?email=nobody",
        "/contacts?cursor=AAAA",
        "/contacts?cursor=%00",
        "/contacts?cursor=***",
        "/contacts?cursor=w6k",
        "/contacts?limit=0",
        "/contacts?limit=101",
        "/contacts?limit=x",
        "/deals?page_size=101",
        "/deals?page_index=-1",
        "/deals?page_index=99999999999999999999",
        "/deals?count=perhaps",
        "/interview-types?cursor=" + "x" * 300,
    ],
)
async def test_bad_paths_and_queries_are_the_clients_fault(world: World, path: str) -> None:
    refused(await world.acme.api.get(path), 400, "bad_request")


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(
    "number",
    ["0", "-1", "1.5", "1e3", "x", "9" * 18, "9" * 19, "9" * 400, "0" * 5000, "%31%00", "１", "../1", "1'--"],
)
@pytest.mark.parametrize("method", ["GET", "PATCH"])
async def test_an_interview_id_that_is_none_names_nothing(world: World, method: str, number: str) -> None:
    answer = await world.acme.api.call(
        method, f"/interviews/{number}", json={"objective": "x"} if method == "PATCH" else None
    )

    assert answer.status_code in {404, 400} if "%00" in number else answer.status_code == 404
    refused(answer, answer.status_code, answer.json()["error"]["code"])


# The request id


@pytest.mark.parametrize("given", ["abc-123", "0af7651916cd43dd8448eb211c80319c", "a.b:c_d"])
async def test_a_sane_request_id_is_echoed(world: World, given: str) -> None:
    for path in ("/me", "/nowhere", "/contacts/none"):
        answer = await world.acme.api.get(path, headers={"X-Request-Id": given})
        assert answer.headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["", " ", "a" * 129, "<script>", "a b", "caf\u00e9", "../x"])
async def test_any_other_request_id_is_replaced(world: World, given: str) -> None:
    answer = await world.acme.api.get("/me", headers={"X-Request-Id": given.encode()})

    assert answer.headers["x-request-id"].startswith("req_")


@pytest.mark.usefixtures("untouched")
async def test_a_refused_call_counts_against_the_limit(world: World) -> None:
    async def remaining(answer: httpx.Response) -> int:
        return int(answer.headers["x-ratelimit-remaining"])

    before = await remaining(await world.acme.api.get("/me"))
    assert await remaining(await world.acme.api.post("/interviews", {})) == before - 1
    assert await remaining(await world.acme.api.get("/contacts/none")) == before - 2
    assert await remaining(await world.acme.api.get("/interviews/1?x=1")) == before - 3


async def test_the_table_wrote_one_contact_per_address_and_no_more(world: World) -> None:
    made = count(world.url, "interviews")
    await send(world, contact_email="JANE@example.COM")
    contacts = count(world.url, "contacts")
    await send(world, contact_email="jane@EXAMPLE.com")

    assert count(world.url, "interviews") == made + 2
    assert count(world.url, "contacts") == contacts


async def test_a_parameter_that_is_not_known_is_refused_and_not_ignored(api: Api) -> None:
    answer = await api.get("/contacts?emial=jane@example.com")

    assert (
        refused(answer, 400, "bad_request")["message"] == "emial is not a parameter of this call; did you mean email?"
    )
    assert (await api.get("/contacts?org_id=org_of_an_older_client")).status_code == 200
