"""The SQL function behind POST /interviews writes tables that modules own: here the two are held together."""

from collections.abc import Callable, Generator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from afterword import contacts, interviews, outreach, settings, tokens
from afterword.accounts import IdempotencyKey
from afterword.db import Db
from afterword.db.embedded import EmbeddedServer
from afterword.errors import BadRequest, IdempotencyMismatch
from afterword.interviews import Requested, Schedule
from tests.conftest import Tenant
from tests.evidence import count, database

EMAIL = "Jane.Smith+vip@Bücher.example"


@pytest.fixture(scope="module")
def database_url(postgres: EmbeddedServer) -> Generator[str]:
    """One database for all tests here: each has organizations of its own."""
    with database(postgres, "request_function") as url:
        yield url


@pytest.fixture
async def request_(acme: Tenant, db: Db) -> Callable[..., Any]:
    """interviews.request() for Acme; any date that it asks for is a mistake unless the test gives one."""

    def unasked(_: Schedule) -> datetime:
        raise AssertionError("no date was needed")

    async def call(**fields: Any) -> Requested:
        if "sequence_id" not in fields:
            fields.setdefault("interview_type_id", acme.type_id)
        return await interviews.request(db, acme.org_id, **{"email": EMAIL, "first_send": unasked, **fields})

    return call


def row(url: str, table: str, **where: Any) -> dict[str, Any]:
    """The only row of a table with these values."""
    query = f"select * from {table} where " + " and ".join(f"{name} = %({name})s" for name in where)
    with psycopg.connect(url, row_factory=dict_row) as conn:
        [found] = conn.execute(query.encode(), where).fetchall()
    return found


async def test_every_column_that_it_writes(request_: Callable[..., Any], acme: Tenant, database_url: str) -> None:
    before = datetime.now(UTC)
    key = IdempotencyKey("POST /interviews", "k-1", b"f" * 32)
    made: Requested = await request_(
        sequence_id=acme.sequence_id, name=" Jane ", notes="VP", deal_id=acme.deal_id, objective="Price?", key=key
    )
    org = {"org_id": acme.org_id}

    contact = row(database_url, "contacts", **org)
    assert contact["id"] == made.contact_id
    assert contact["email"] == "Jane.Smith+vip@xn--bcher-kva.example"
    assert contact["email_key"] == contacts.parse_address(EMAIL).key == "jane.smith+vip@xn--bcher-kva.example"
    assert (contact["name"], contact["notes"], contact["time_zone"], contact["language"]) == ("Jane", "VP", None, None)
    assert before <= contact["created_at"] == contact["updated_at"] <= datetime.now(UTC)

    interview = row(database_url, "interviews", **org)
    assert interview["id"] == made.interview_id
    assert interview["contact_id"] == made.contact_id
    assert (interview["deal_id"], interview["interview_type_id"]) == (acme.deal_id, acme.type_id)
    assert (interview["sequence_id"], interview["objective"]) == (acme.sequence_id, "Price?")
    assert (interview["status"], interview["phase"], interview["turn_no"]) == ("sent", "new", 0)
    assert tokens.survey_token(interview["seed"]) == made.token
    assert interview["token_hash"] == tokens.digest(made.token)
    assert interview["created_at"] == interview["updated_at"] == contact["created_at"]
    unset = (
        "outreach_stop_reason guide_version state reply_due_at consent_at consent_text email_sent_at started_at "
        "answered_at completed_at ended_by experience withdrawn_at language referral plan plan_inputs plan_due_at "
        "plan_checked_at bucket_left bucket_at generating_until"
    )
    assert {interview[name] for name in unset.split()} == {None}
    assert (interview["model_tokens"], interview["plan_attempts"], interview["model_agreed"]) == (0, 0, False)
    assert set(interview) == {
        *org, "id", "contact_id", "deal_id", "interview_type_id", "sequence_id", "objective", "status", "phase",
        "seed", "token_hash", "turn_no", "created_at", "updated_at", "model_tokens", "plan_attempts",
        "model_agreed", *unset.split(),
    }, "a new column: say here what a new request has in it"  # fmt: skip

    token = row(database_url, "directory_tokens", hash=tokens.digest(made.token))
    assert (token["purpose"], token["org_id"], token["id"]) == ("survey", acme.org_id, str(made.interview_id))

    enrollment = row(database_url, "enrollments", **org)
    assert (enrollment["sequence_id"], enrollment["contact_id"]) == (acme.sequence_id, made.contact_id)
    assert (enrollment["interview_id"], enrollment["state"], enrollment["step"]) == (made.interview_id, "live", 1)
    assert enrollment["next_send_at"] == enrollment["waits_since"] == interview["created_at"]
    assert made.outreach is not None
    assert made.outreach.next_send_at is not None
    assert abs(made.outreach.next_send_at - enrollment["next_send_at"]) < timedelta(milliseconds=1)
    assert (enrollment["approved_at"], enrollment["claimed_by"], enrollment["attempt"]) == (None, None, 0)

    event = row(database_url, "events", **org)
    assert event["type"] == "interview.created"
    assert (event["interview_id"], event["contact_id"]) == (made.interview_id, made.contact_id)
    assert event["payload"] == {
        "interview_request_id": made.interview_id,
        "contact_id": made.contact_id,
        "deal_id": acme.deal_id,
    }

    kept = row(database_url, "idempotency", **org)
    assert (kept["route"], kept["key"], kept["fingerprint"]) == (key.route, key.key, key.fingerprint)
    assert (kept["status"], kept["interview_id"]) == (201, made.interview_id)


async def test_the_modules_see_what_it_wrote(request_: Callable[..., Any], acme: Tenant, db: Db) -> None:
    made: Requested = await request_(sequence_id=acme.sequence_id, name="Jane", notes="VP", objective="Price?")

    async with db.tx() as tx:
        contact = await contacts.get(tx, acme.org_id, made.contact_id)
        [found] = await contacts.find(tx, acme.org_id, email=EMAIL.upper(), limit=9, before=None)
        interview = await interviews.get(tx, acme.org_id, made.interview_id)
        mailing = await outreach.explain(tx, acme.org_id, interview)

    assert contact == found
    assert (contact.name, contact.notes, contact.suppressed_reason) == ("Jane", "VP", None)
    assert (interview.contact_id, interview.token, interview.status) == (made.contact_id, made.token, made.status)
    assert mailing is not None
    assert made.outreach is not None
    assert (mailing.state, mailing.step) == (made.outreach.state, 1)


async def test_an_update_by_the_function_and_one_by_the_module_leave_the_same(
    request_: Callable[..., Any], acme: Tenant, db: Db, database_url: str
) -> None:
    by_function: Requested = await request_(email="a@x.com", name="Old", notes="old")
    by_module: Requested = await request_(email="b@x.com", name="Old", notes="old")

    for name, notes in ((None, None), ("New", None), (None, "new"), (None, "new"), ("Newer", ""), (None, "again")):
        await request_(email="A@X.com", name=name, notes=notes)
        async with db.tx() as tx:
            await interviews.update(tx, acme.org_id, by_module.interview_id, name=name, notes=notes)
        one, other = (row(database_url, "contacts", id=made.contact_id) for made in (by_function, by_module))
        assert (one["name"], one["notes"]) == (other["name"], other["notes"])
        with psycopg.connect(database_url) as conn:
            one, other = (
                conn.execute("select notes from contact_notes where contact_id = %s order by id", [made.contact_id])
                for made in (by_function, by_module)
            )
            assert one.fetchall() == other.fetchall()
    assert count(database_url, "contact_notes", by_module.contact_id) == 2


async def test_a_suppressed_address_is_suppressed_for_both(
    request_: Callable[..., Any], acme: Tenant, db: Db, database_url: str
) -> None:
    address = contacts.parse_address(EMAIL)
    for digest in address.hashes:
        async with db.tx() as tx:
            await contacts.suppress(tx, acme.org_id, digest, "hard_bounce", "smtp")
        made: Requested = await request_(sequence_id=acme.sequence_id)
        assert made.status == "created"
        assert made.outreach is not None
        assert (made.outreach.state, made.outreach.reason) == ("suppressed", "hard_bounce")
        async with db.tx() as tx:
            contact = await contacts.get(tx, acme.org_id, made.contact_id)
            interview = await interviews.get(tx, acme.org_id, made.interview_id)
            mailing = await outreach.explain(tx, acme.org_id, interview)
        assert contact.suppressed_reason == "hard_bounce"
        assert interview.outreach_stop_reason == "hard_bounce"
        assert mailing is not None
        assert mailing.state == "suppressed"
        with psycopg.connect(database_url, autocommit=True) as conn:
            conn.execute("delete from suppressions where org_id = %s", [acme.org_id])
    assert count(database_url, "enrollments", acme.org_id) == 0


async def test_old_secrets_still_find_suppressions_and_tokens(
    request_: Callable[..., Any], acme: Tenant, db: Db, configure: Callable[..., settings.Settings]
) -> None:
    made: Requested = await request_()
    async with db.tx() as tx:
        await contacts.suppress(tx, acme.org_id, contacts.parse_address(EMAIL).hashes[0], "complaint", "relay")
    old = settings.current().secret_key
    configure(secret_key="another secret that is long enough too", old_secret_keys=old)
    tokens.load_secret(settings.current())

    again: Requested = await request_(sequence_id=acme.sequence_id)

    assert again.outreach is not None
    assert again.outreach.reason == "complaint"
    async with db.tx() as tx:
        assert (await interviews.get(tx, acme.org_id, made.interview_id)).token == made.token


@pytest.fixture
def with_a_window(acme: Tenant, database_url: str) -> None:
    """Acme's sequence mails only within hours, so the first date has to be computed."""
    with psycopg.connect(database_url, autocommit=True) as conn:
        conn.execute(
            """
            update sequences set first_wait = null, time_zone = 'Europe/Berlin', revision = revision + 1,
                holidays = '{2026-12-25}', send_window = '[{"days": ["mon"], "from": "09:00", "to": "10:00"}]'
            where id = %s
            """,
            [acme.sequence_id],
        )


@pytest.mark.usefixtures("with_a_window")
async def test_a_sequence_with_a_window_is_dated_by_the_schedule(
    request_: Callable[..., Any], acme: Tenant, database_url: str
) -> None:
    asked: list[Schedule] = []
    when = datetime(2027, 1, 4, 8, 0, tzinfo=UTC)

    def first_send(schedule: Schedule) -> datetime:
        asked.append(schedule)
        return when

    made: Requested = await request_(sequence_id=acme.sequence_id, first_send=first_send)

    [schedule] = asked
    assert schedule.time_zone == "Europe/Berlin"
    assert list(schedule.holidays) == ["2026-12-25"]
    assert schedule.window == [{"days": ["mon"], "from": "09:00", "to": "10:00"}]
    assert abs(schedule.now - datetime.now(UTC)) < timedelta(seconds=30)
    assert (schedule.delay_unit, schedule.delay_count) == ("hours", 0)
    assert made.outreach is not None
    assert made.outreach.next_send_at == when
    assert row(database_url, "enrollments", org_id=acme.org_id)["next_send_at"] == when
    assert count(database_url, "interviews", acme.org_id) == 1


@pytest.mark.usefixtures("with_a_window")
async def test_a_sequence_that_changes_meanwhile_is_dated_again(
    request_: Callable[..., Any], acme: Tenant, database_url: str
) -> None:
    asked: list[Schedule] = []

    def first_send(schedule: Schedule) -> datetime:
        if not asked:
            with psycopg.connect(database_url, autocommit=True) as conn:
                conn.execute(
                    "update sequences set time_zone = 'Asia/Tokyo', revision = revision + 1 where id = %s",
                    [acme.sequence_id],
                )
        asked.append(schedule)
        return outreach.first_send(schedule)

    made: Requested = await request_(sequence_id=acme.sequence_id, first_send=first_send)

    assert [schedule.time_zone for schedule in asked] == ["Europe/Berlin", "Asia/Tokyo"]
    assert made.outreach is not None
    assert made.outreach.next_send_at == outreach.first_send(asked[1])
    assert count(database_url, "interviews", acme.org_id) == 1


async def test_a_sequence_with_approval_waits_for_a_person(
    request_: Callable[..., Any], acme: Tenant, db: Db, database_url: str
) -> None:
    with psycopg.connect(database_url, autocommit=True) as conn:
        conn.execute("update sequences set approval = true where id = %s", [acme.sequence_id])

    first: Requested = await request_(sequence_id=acme.sequence_id)
    assert first.status == "sent"
    assert first.outreach is not None
    assert first.outreach.state == "waiting_approval"

    with psycopg.connect(database_url, autocommit=True) as conn:
        conn.execute("update enrollments set approved_at = now() where org_id = %s", [acme.org_id])
    second: Requested = await request_(sequence_id=acme.sequence_id)
    assert second.outreach is not None
    async with db.tx() as tx:
        interview = await interviews.get(tx, acme.org_id, second.interview_id)
        mailing = await outreach.explain(tx, acme.org_id, interview)
    assert mailing is not None
    assert second.outreach.state == mailing.state == "scheduled"


async def test_taking_over_a_live_enrollment_keeps_its_step_and_date(
    request_: Callable[..., Any], acme: Tenant, database_url: str
) -> None:
    first: Requested = await request_(sequence_id=acme.sequence_id)
    with psycopg.connect(database_url, autocommit=True) as conn:
        conn.execute(
            "update enrollments set step = 2, next_send_at = '2027-01-01' where interview_id = %s",
            [first.interview_id],
        )

    second: Requested = await request_(sequence_id=acme.sequence_id)

    enrollment = row(database_url, "enrollments", org_id=acme.org_id)
    assert (enrollment["interview_id"], enrollment["step"]) == (second.interview_id, 2)
    assert enrollment["next_send_at"] == datetime(2027, 1, 1, tzinfo=UTC)
    assert second.outreach is not None
    assert second.outreach.next_send_at == enrollment["next_send_at"]
    assert row(database_url, "interviews", id=first.interview_id)["outreach_stop_reason"] == "superseded"


async def test_after_the_sequence_has_ended_a_new_request_enrolls_anew(
    request_: Callable[..., Any], acme: Tenant, database_url: str
) -> None:
    first: Requested = await request_(sequence_id=acme.sequence_id)
    for state in ("finished", "stopped"):
        with psycopg.connect(database_url, autocommit=True) as conn:
            conn.execute("update enrollments set state = %s where org_id = %s", [state, acme.org_id])
        await request_(sequence_id=acme.sequence_id)

    assert count(database_url, "enrollments", acme.org_id) == 3
    assert row(database_url, "interviews", id=first.interview_id)["outreach_stop_reason"] is None


@pytest.mark.parametrize("field", ["sequence_id", "interview_type_id", "deal_id"])
async def test_nothing_is_written_when_something_is_not_found(
    request_: Callable[..., Any], acme: Tenant, database_url: str, field: str
) -> None:
    key = IdempotencyKey("POST /interviews", "k-1", b"f" * 32)
    with pytest.raises(BadRequest, match=f"{field} not found"):
        await request_(**{field: "unknown", "key": key})

    for table in ("contacts", "interviews", "enrollments", "events", "idempotency", "directory_tokens"):
        assert count(database_url, table, acme.org_id) == 0


async def test_the_same_key_brings_back_the_same_and_another_body_is_refused(
    request_: Callable[..., Any], acme: Tenant
) -> None:
    key = IdempotencyKey("POST /interviews", "k-1", b"f" * 32)
    first: Requested = await request_(sequence_id=acme.sequence_id, key=key)
    second: Requested = await request_(sequence_id=acme.sequence_id, key=key)

    assert (first.replayed, second.replayed) == (False, True)
    assert (second.interview_id, second.token, second.outreach) == (first.interview_id, first.token, first.outreach)
    with pytest.raises(IdempotencyMismatch):
        await request_(key=IdempotencyKey("POST /interviews", "k-1", b"g" * 32))
