"""Captured mails, on disk and on the page: for this machine and for whoever has the printed link, and nobody else."""

import os
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from afterword import mail
from afterword.dashboard.outbox import new_key
from afterword.db import Db
from afterword.outreach import send_due
from afterword.settings import Settings, current
from tests.conftest import Tenant

Configure = Callable[..., Settings]


async def capture(tenant: Tenant, db: Db, **contact: Any) -> dict[str, Any]:
    """Ask for an interview and have its mail captured where the page looks."""
    body = {
        "contact_email": "jane@initech.example",
        "contact_name": "Jane",
        "sequence_id": tenant.sequence_id,
        **contact,
    }
    answer = await tenant.api.post("/interviews", body)
    assert answer.status_code == 201
    await send_due(db, mail.CapturingMailer(current().outbox_folder), worker_id="test")
    return answer.json()


@pytest.fixture
async def browser(web: httpx.AsyncClient) -> httpx.AsyncClient:
    """The browser that followed the printed link."""
    answer = await web.get(f"/outbox?key={new_key(current())}")
    assert answer.status_code == 200
    return web


def stranger(web: httpx.AsyncClient) -> httpx.AsyncClient:
    """The same server, another browser."""
    return httpx.AsyncClient(transport=web._transport, base_url=str(web.base_url))


async def test_the_printed_link_opens_the_outbox_once(acme: Tenant, web: httpx.AsyncClient) -> None:
    key = new_key(current())
    assert (await web.get("/outbox")).status_code == 403
    assert (await web.get("/outbox?key=wrong")).status_code == 403
    first = await web.get(f"/outbox?key={key}")
    assert first.status_code == 200
    cookie = first.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=strict", "Path=/outbox"} <= set(cookie.split("; "))

    assert (await web.get("/outbox")).status_code == 200  # this browser stays in
    assert (await web.get(f"/outbox?key={key}")).status_code == 200
    async with stranger(web) as other:
        assert (await other.get(f"/outbox?key={key}")).status_code == 403
        assert (await other.get("/outbox")).status_code == 403


async def test_a_prefetch_does_not_use_the_link_up(acme: Tenant, web: httpx.AsyncClient) -> None:
    key = new_key(current())
    assert (await web.get(f"/outbox?key={key}", headers={"Sec-Purpose": "prefetch"})).status_code == 403
    assert (await web.get(f"/outbox?key={key}")).status_code == 200


async def test_a_new_start_ends_the_old_sessions(browser: httpx.AsyncClient) -> None:
    new_key(current())
    assert (await browser.get("/outbox")).status_code == 403


async def test_only_digests_are_on_disk(acme: Tenant, web: httpx.AsyncClient) -> None:
    settings = current()
    key = new_key(settings)
    await web.get(f"/outbox?key={key}")
    files = [file for file in settings.data_dir.iterdir() if file.name.startswith("outbox-")]

    assert [file.name for file in files] == ["outbox-session"]
    assert all(file.stat().st_mode & 0o777 == 0o600 for file in files)
    assert all(re.fullmatch(r"[0-9a-f]{64}", file.read_text()) for file in files)


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "afterword.example.com"},
        {"Host": "127.0.0.1.example.com"},
        {"Host": "localhost.example.com:8321"},
        {"Host": "192.168.1.5:8321"},
        {"Host": "127.0.0.1:8321@evil.example"},
        {"Forwarded": "for=127.0.0.1"},
        {"X-Forwarded-For": "127.0.0.1"},
        {"X-Forwarded-Host": "localhost"},
        {"X-Forwarded-Anything": ""},
    ],
    ids=lambda headers: next(f"{name}: {value}" for name, value in headers.items()),
)
async def test_it_opens_only_on_the_machine_itself(browser: httpx.AsyncClient, headers: dict[str, str]) -> None:
    answer = await browser.get("/outbox", headers=headers)

    assert answer.status_code == 403
    assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("host", ["127.0.0.1:8321", "localhost", "LOCALHOST:80", "[::1]:8321"])
async def test_a_loopback_name_is_let_in(browser: httpx.AsyncClient, host: str) -> None:
    cookie = {"Cookie": f"afterword_outbox={browser.cookies['afterword_outbox']}"}
    assert (await browser.get("/outbox", headers={"Host": host, **cookie})).status_code == 200


async def test_with_a_mail_server_there_is_no_outbox(browser: httpx.AsyncClient, configure: Configure) -> None:
    configure(smtp_url="smtp://127.0.0.1:25")
    assert (await browser.get("/outbox")).status_code == 404


async def test_the_mails_are_listed_and_can_be_read(acme: Tenant, db: Db, browser: httpx.AsyncClient) -> None:
    assert "There is no mail yet" in (await browser.get("/outbox")).text
    asked = await capture(acme, db, contact_name="Jane <b>Smith</b>")
    listing = await browser.get("/outbox")
    assert "None of these mails has left this machine" in listing.text
    assert "How did you decide?" in listing.text
    assert "<b>Smith" not in listing.text
    [path] = re.findall(r'href="(/outbox/[^"]+)"', listing.text)

    page = await browser.get(path)
    assert f'<a href="{asked["survey_url"]}"' in page.text
    assert "This mail has not left this machine" in page.text
    assert "<script" not in page.text
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page.text

    framed = await browser.get(f"{path}/html")
    assert asked["survey_url"] in framed.text
    assert "sandbox" in framed.headers["content-security-policy"]
    raw = await browser.get(f"{path}/raw")
    assert raw.headers["content-type"] == "message/rfc822"
    assert raw.headers["content-disposition"].startswith('attachment; filename="')
    assert raw.content == next(current().outbox_folder.glob("*.eml")).read_bytes()


async def test_without_the_session_no_mail_can_be_read(acme: Tenant, db: Db, browser: httpx.AsyncClient) -> None:
    await capture(acme, db)
    name = next(current().outbox_folder.glob("*.eml")).name
    async with stranger(browser) as other:
        for path in (name, f"{name}/html", f"{name}/raw"):
            assert (await other.get(f"/outbox/{path}")).status_code == 403


@pytest.mark.parametrize(
    "name", ["..", "..%2Fsecret", "%2e%2e%2fsecret", "nothing.eml", "20260101T000000Z-x.eml", ".hidden"]
)
async def test_no_other_file_can_be_read(browser: httpx.AsyncClient, name: str) -> None:
    (current().data_dir / "secret").write_text("a secret")
    answer = await browser.get(f"/outbox/{name}/raw")

    assert answer.status_code in {403, 404}
    assert "a secret" not in answer.text


def write(folder: Path, name: str, days: float) -> Path:
    file = folder / name
    file.write_bytes(b"Subject: x\r\n\r\n")
    os.utime(file, (time.time() - days * 86400,) * 2)
    return file


def test_captured_mails_are_deleted_after_their_time(tmp_path: Path) -> None:
    old = write(tmp_path, "20260101T000000Z-a.eml", 31)
    new = write(tmp_path, "20260131T000000Z-b.eml", 29)
    draft = write(tmp_path, ".20260131T000000Z-b.eml-1234", 1)
    fresh = write(tmp_path, ".20260131T000000Z-c.eml-1234", 0)
    other = write(tmp_path, "notes.txt", 99)

    assert mail.purge_captured(tmp_path, 30) == 2
    assert [file.exists() for file in (old, new, draft, fresh, other)] == [False, True, False, True, True]
    assert mail.purge_captured(tmp_path / "none", 30) == 0


async def test_a_mail_that_is_written_twice_is_there_once(tmp_path: Path) -> None:
    raw = b"Date: Tue, 24 Nov 2026 09:30:00 +0000\r\nMessage-ID: <enr_1.1.msg_1@acme.example>\r\n\r\nHello\r\n"
    for _ in range(2):
        envelope = await mail.CapturingMailer(tmp_path).begin("a@acme.example", "b@initech.example", utf8=False)
        assert not isinstance(envelope, mail.Outcome)
        assert (await envelope.data(raw)).kind == "captured"

    assert [file.name for file in tmp_path.iterdir()] == ["20261124T093000Z-msg_1.eml"]
    assert mail.captured(tmp_path)[0].at == datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
