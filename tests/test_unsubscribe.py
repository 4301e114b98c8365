"""The way out of an organization's mails: reading changes nothing, a POST takes effect at once, and for ever."""

import asyncio
import email
import email.policy
import re
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx
import pytest

from afterword import contacts, mail
from afterword.db import Db, execute
from afterword.outreach import send_due
from tests.conftest import Tenant

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "outbox"


async def mailed(tenant: Tenant, db: Db, folder: Path, address: str = "jane@initech.example") -> str:
    """Have a mail sent; the path of its unsubscribe link."""
    body = {"contact_email": address, "contact_name": "Jane Smith", "sequence_id": tenant.sequence_id}
    answer = await tenant.api.post("/interviews", body)
    assert answer.status_code == 201
    await send_due(db, mail.CapturingMailer(folder), worker_id="test")
    newest = max(folder.glob("*.eml"), key=lambda file: file.stat().st_mtime_ns)
    message = email.message_from_bytes(newest.read_bytes(), _class=EmailMessage, policy=email.policy.SMTP)
    found = re.match(
        r"<http://127\.0\.0\.1:8321(/unsubscribe\?token=un_[\w-]{43})>, <mailto:", message["List-Unsubscribe"]
    )
    assert found is not None
    return found[1]


async def suppression(tenant: Tenant, db: Db, address: str = "jane@initech.example") -> contacts.Suppression | None:
    hashes = contacts.parse_address(address).hashes
    async with db.tx() as tx:
        return (await contacts.suppressions(tx, tenant.org_id, hashes)).get(hashes[0])


async def test_looking_at_the_link_changes_nothing(acme: Tenant, db: Db, web: httpx.AsyncClient, folder: Path) -> None:
    link = await mailed(acme, db, folder)
    looks: list[dict[str, Any]] = [
        {"method": "GET"},
        {"method": "HEAD"},
        {"method": "OPTIONS"},
        {"method": "GET", "headers": {"Sec-Purpose": "prefetch"}},
        {"method": "GET", "headers": {"User-Agent": "Link scanner"}, "params": None},
    ]
    await asyncio.gather(*(web.request(url=link, **look) for look in looks * 10))

    assert await suppression(acme, db) is None
    page = await web.get(link)
    assert page.status_code == 200
    assert "No more e-mails from Acme?" in page.text
    assert 'method="post"' in page.text
    assert "<script" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("how", "source"),
    [
        ({"data": ONE_CLICK}, "one_click"),
        ({"files": {"List-Unsubscribe": (None, "One-Click")}}, "one_click"),
        ({"data": ONE_CLICK, "headers": {"Origin": "https://mail.example"}}, "one_click"),
        ({"data": ONE_CLICK, "headers": {"Origin": "null", "Sec-Fetch-Site": "cross-site"}}, "one_click"),
        ({}, "one_click"),
        ({"content": b"\xff\x00 not a form"}, "one_click"),
        ({"content": b"{}", "headers": {"Content-Type": "application/json"}}, "one_click"),
        ({"content": b"x" * 300_000}, "one_click"),
        ({"content": b"--", "headers": {"Content-Type": "multipart/form-data; boundary="}}, "one_click"),
        ({"data": {"action": "unsubscribe"}}, "page"),
    ],
)
async def test_a_post_suppresses_whatever_it_brings(
    acme: Tenant, db: Db, web: httpx.AsyncClient, folder: Path, how: dict[str, Any], source: str
) -> None:
    link = await mailed(acme, db, folder)
    answer = await web.post(link, **how)

    assert answer.status_code == 200
    assert not {"location", "set-cookie"} & set(answer.headers)
    assert "Acme will not send you any more e-mails" in answer.text
    found = await suppression(acme, db)
    assert found is not None
    assert (found.reason, found.source) == ("unsubscribed", source)


async def test_it_holds_for_the_whole_organization_and_no_other(
    acme: Tenant, rival: Tenant, db: Db, web: httpx.AsyncClient, folder: Path
) -> None:
    link = await mailed(acme, db, folder)
    theirs = await mailed(rival, db, folder)
    assert link != theirs
    await web.post(link, data=ONE_CLICK)

    again = await acme.api.post(
        "/interviews", {"contact_email": "Jane@Initech.example", "sequence_id": acme.sequence_id}
    )
    assert again.json()["status"] == "created"
    assert again.json()["outreach"] == {"state": "suppressed", "next_send_at": None, "reason": "unsubscribed"}
    assert await suppression(rival, db) is None


async def test_the_link_works_for_ever_even_when_the_person_is_erased(
    acme: Tenant, db: Db, web: httpx.AsyncClient, folder: Path
) -> None:
    link = await mailed(acme, db, folder)
    async with db.tx() as tx:
        await execute(tx, "delete from contacts")
    for _ in range(3):
        answer = await web.post(link, data=ONE_CLICK)
        assert answer.status_code == 200
    assert await suppression(acme, db) is not None
    reborn = await acme.api.post(
        "/interviews", {"contact_email": "jane@initech.example", "sequence_id": acme.sequence_id}
    )
    assert reborn.json()["outreach"]["state"] == "suppressed"


async def test_fifty_at_once_are_one(acme: Tenant, db: Db, web: httpx.AsyncClient, folder: Path) -> None:
    link = await mailed(acme, db, folder)
    answers = await asyncio.gather(*(web.post(link, data=ONE_CLICK) for _ in range(50)))

    assert {answer.status_code for answer in answers} == {200}
    async with db.tx() as tx:
        assert await execute(tx, "select from suppressions") == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("token", ["?token=un_" + "a" * 43, "?token=", "", "?token=%00", "?token=un_ü"])
async def test_a_made_up_token_is_not_found(
    acme: Tenant, db: Db, web: httpx.AsyncClient, folder: Path, method: str, token: str
) -> None:
    await mailed(acme, db, folder)
    answer = await web.request(method, f"/unsubscribe{token}")

    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")


async def test_a_tampered_token_is_not_found(acme: Tenant, db: Db, web: httpx.AsyncClient, folder: Path) -> None:
    link = await mailed(acme, db, folder)
    swapped = link[:-2] + ("A" if link[-2] != "A" else "B") + link[-1]

    assert (await web.post(swapped, data=ONE_CLICK)).status_code == 404
    assert await suppression(acme, db) is None


async def test_the_survey_link_is_no_way_to_unsubscribe(acme: Tenant, web: httpx.AsyncClient) -> None:
    asked = await acme.api.post(
        "/interviews", {"contact_email": "jane@initech.example", "interview_type_id": acme.type_id}
    )
    assert (await web.post(f"/unsubscribe?token={asked.json()['survey_token']}")).status_code == 404


async def test_the_contact_can_take_it_back(acme: Tenant, db: Db, web: httpx.AsyncClient, folder: Path) -> None:
    link = await mailed(acme, db, folder)
    page = await web.post(link, data={"action": "unsubscribe"})
    assert 'value="undo"' in page.text
    page = await web.post(link, data={"action": "undo"})
    assert "These e-mails are on again" in page.text
    assert await suppression(acme, db) is None

    await web.post(link, data=ONE_CLICK)
    assert await suppression(acme, db) is not None


async def test_undo_does_not_lift_what_somebody_else_said(
    acme: Tenant, db: Db, web: httpx.AsyncClient, folder: Path
) -> None:
    link = await mailed(acme, db, folder)
    async with db.tx() as tx:
        address = contacts.parse_address("jane@initech.example").hashes[0]
        await contacts.suppress(tx, acme.org_id, address, "complaint", "test")
    await web.post(link, data={"action": "undo"})

    found = await suppression(acme, db)
    assert found is not None
    assert found.reason == "complaint"


async def test_the_mails_that_were_planned_are_stopped(
    acme: Tenant, db: Db, web: httpx.AsyncClient, folder: Path
) -> None:
    link = await mailed(acme, db, folder)
    await web.post(link, data=ONE_CLICK)
    async with db.tx() as tx:
        stopped = await execute(
            tx,
            "select from enrollments where state = 'stopped' and stop_reason = 'unsubscribed' and claimed_by is null",
        )
        await execute(tx, "update enrollments set next_send_at = clock_now(), waits_since = now() - interval '9 d'")
    assert stopped == 1
    assert await send_due(db, mail.CapturingMailer(folder), worker_id="test") == 0
    assert len(list(folder.glob("*.eml"))) == 1


async def test_an_older_secret_still_reads_its_links(
    acme: Tenant, db: Db, web: httpx.AsyncClient, folder: Path
) -> None:
    from afterword import tokens

    link = await mailed(acme, db, folder)
    tokens.use(b"the newer secret of this installation", [b"a secret for tests that is long enough"])
    assert (await web.post(link, data=ONE_CLICK)).status_code == 200

    again = await acme.api.post(
        "/interviews", {"contact_email": "jane@initech.example", "sequence_id": acme.sequence_id}
    )
    assert again.json()["outreach"]["state"] == "suppressed"
