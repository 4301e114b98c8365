"""A real server process on a real socket: what only shows there."""

import asyncio
import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Generator
from dataclasses import dataclass
from typing import Any

import httpx
import psycopg
import pytest

from afterword import settings, tokens
from afterword.db import Db
from afterword.db.embedded import EmbeddedServer
from tests.conftest import Tenant, make_tenant
from tests.evidence import count, database, refused

SECRET = "a secret for tests that is long enough"
_SERVE = """
import sys
from afterword import app, settings, tokens
tokens.load_secret(settings.current())
app.run(settings.current(), sys.argv[1], int(sys.argv[2]))
"""


@pytest.fixture(scope="module")
def database_url(postgres: EmbeddedServer) -> Generator[str]:
    """One database for all tests here: each has organizations of its own."""
    with database(postgres, "over_the_wire") as url:
        yield url


@contextlib.contextmanager
def serving(database_url: str, **variables: str) -> Generator[str]:
    """A web process as `afterword serve` starts one; its base URL."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AFTERWORD_")}
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1024)
        process = subprocess.Popen(
            [sys.executable, "-c", _SERVE, database_url, str(listener.fileno())],
            env={**environment, "AFTERWORD_SECRET_KEY": SECRET, **variables},
            pass_fds=[listener.fileno()],
        )
        try:
            base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            # the port is open from the start, so the first answer is the sign of life
            assert httpx.get(f"{base_url}/healthz", timeout=60).text == "ok\n"
            yield base_url
        finally:
            process.terminate()
            process.wait(30)


@pytest.fixture(scope="module")
def server(database_url: str) -> Generator[str]:
    """One server for the tests that need no other settings."""
    with serving(database_url) as base_url:
        yield base_url


@pytest.fixture
async def web(server: str) -> AsyncGenerator[httpx.AsyncClient]:
    """A client of the process, in the place of the in-process application."""
    async with httpx.AsyncClient(base_url=server, timeout=60) as client:
        yield client


@pytest.fixture
async def db(database_url: str, configure: Callable[..., settings.Settings]) -> AsyncGenerator[Db]:
    """A pool of the test's own, to make organizations."""
    configure(secret_key=SECRET)
    tokens.load_secret(settings.current())
    async with Db.open(database_url, size=2) as db:
        yield db


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: Any


async def _call(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> Answer:
    """One call on a kept connection: a client that costs next to nothing beside the server."""
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
    body = json.loads(await reader.readexactly(int(headers["content-length"])))
    return Answer(int(head[0].split(" ")[1]), headers, body)


async def test_of_five_thousand_calls_at_once_exactly_the_limit_passes(
    server: str, db: Db, web: httpx.AsyncClient, database_url: str
) -> None:
    growth = await make_tenant(db, web, "Growing", "growth")
    body = json.dumps({"contact_email": "jane@example.com", "interview_type_id": growth.type_id}).encode()
    request = (
        f"POST /api/v1/interviews HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {growth.key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body
    port = int(server.rpartition(":")[2])
    ready, go = asyncio.Semaphore(0), asyncio.Event()

    async def caller() -> list[Answer]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        ready.release()
        await go.wait()
        answers = [await _call(reader, writer, request) for _ in range(10)]
        writer.close()
        await writer.wait_closed()
        return answers

    callers = [asyncio.create_task(caller()) for _ in range(500)]
    for _ in callers:
        await ready.acquire()
    started = time.time()
    go.set()
    answers = [answer for answers in await asyncio.gather(*callers) for answer in answers]
    took = time.time() - started

    assert took < 60, "all of it in one window"
    assert Counter(answer.status for answer in answers) == {201: 300, 429: 4700}
    passed = [answer for answer in answers if answer.status == 201]
    assert sorted(int(answer.headers["x-ratelimit-remaining"]) for answer in passed) == list(range(300))
    assert {answer.headers["x-ratelimit-limit"] for answer in answers} == {"300"}
    [reset] = {int(answer.headers["x-ratelimit-reset"]) for answer in answers}
    assert started + 59 <= reset <= started + 61 + took
    for answer in answers:
        if answer.status == 429:
            assert answer.headers["x-ratelimit-remaining"] == "0"
            assert 1 <= int(answer.headers["retry-after"]) <= 61
            assert answer.body["error"]["code"] == "rate_limit_exceeded"
            assert answer.body["request_id"] == answer.headers["x-request-id"]
    assert len({answer.headers["x-request-id"] for answer in answers}) == 5000
    assert count(database_url, "interviews", growth.org_id) == 300


# Row 62: what two servers might read in two ways


def raw(server: str, request: bytes) -> bytes:
    """Everything the server says to these bytes until it closes the connection."""
    with socket.create_connection(("127.0.0.1", int(server.rpartition(":")[2])), timeout=30) as conn:
        conn.sendall(request)
        said = b""
        while chunk := conn.recv(65536):
            said += chunk
    return said


@pytest.mark.parametrize(
    ("head", "body"),
    [
        ("Content-Length: 2\r\nTransfer-Encoding: chunked", "0\r\n\r\n"),
        ("Transfer-Encoding: chunked\r\nContent-Length: 2", "0\r\n\r\n"),
        ("Content-Length: 2\r\nContent-Length: 30", "{}"),
        ("Content-Length: -2", "{}"),
        ("Content-Length: 2x", "{}"),
        ("Content-Length: 2\r\nX-A: b\r\n folded", "{}"),
        ("Content-Length: 2\r\nX-A: b\nX-B: c", "{}"),
        ("Content-Length: 2\r\nBad Header: b", "{}"),
        ("Transfer-Encoding: gzip, chunked\r\nTransfer-Encoding: identity", "0\r\n\r\n"),
    ],
    ids=[
        "both", "both-reversed", "two-lengths", "negative", "not-a-number", "obs-fold", "bare-lf", "space", "encodings",
    ],
)  # fmt: skip
async def test_row_62_requests_that_can_be_read_in_two_ways_are_refused(
    server: str, acme: Tenant, head: str, body: str, database_url: str
) -> None:
    request = (
        f"POST /api/v1/interviews HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {acme.key}\r\n{head}\r\n\r\n{body}"
        "GET /api/v1/me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    )

    said = (await asyncio.to_thread(raw, server, request.encode())).decode()

    assert said.startswith("HTTP/1.1 400 ")
    error = json.loads(said.partition("\r\n\r\n")[2])
    assert error["error"]["code"] == "bad_request"
    assert f"x-request-id: {error['request_id']}" in said
    assert said.count("HTTP/1.1 ") == 1, "what came after was not taken for a second request"
    assert count(database_url, "interviews", acme.org_id) == 0


async def test_row_18_a_body_in_chunks_is_cut_off(server: str, acme: Tenant) -> None:
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    head = f"POST /api/v1/interviews HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {acme.key}\r\n"
    request = head.encode() + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 5

    said = (await asyncio.to_thread(raw, server, request)).decode()

    assert said.startswith("HTTP/1.1 413 ")
    assert '"code":"payload_too_large"' in said
    assert re.search(r"(?i)^connection: close", said, re.MULTILINE)


async def test_no_answer_names_the_software(web: httpx.AsyncClient, acme: Tenant) -> None:
    for path in ("/api/v1/me", "/nowhere", "/survey?token=x"):
        answer = await web.get(path, headers={"Authorization": f"Bearer {acme.key}"})
        assert "server" not in answer.headers
        assert "x-powered-by" not in answer.headers


# Row 63: forwarded addresses


async def _wrong(web: httpx.AsyncClient, number: int, forwarded: str) -> httpx.Response:
    return await web.get(
        "/api/v1/me",
        headers={
            "Authorization": f"Bearer wrong{number}",
            "X-Forwarded-For": forwarded,
            "Forwarded": f"for={forwarded}",
            "X-Real-IP": forwarded,
        },
    )


async def test_row_63_a_made_up_forwarded_address_does_not_dodge_the_limit(
    web: httpx.AsyncClient, acme: Tenant
) -> None:
    for number in range(60):
        refused(await _wrong(web, number, f"203.0.113.{number}"), 401, "unauthorized")

    answer = await _wrong(web, 60, "203.0.113.61")

    refused(answer, 429, "rate_limit_exceeded")
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert (await acme.api.get("/me")).status_code == 200


async def test_row_63_a_trusted_proxy_tells_callers_apart(database_url: str) -> None:
    with serving(database_url, AFTERWORD_TRUSTED_PROXIES="127.0.0.1", AFTERWORD_FAILED_LOGINS_PER_MINUTE="1") as server:
        async with httpx.AsyncClient(base_url=server) as web:
            # the last address is the one that the proxy saw; what stands before it was written by the caller
            seen = [("1.1.1.1, 203.0.113.7", 401), ("2.2.2.2, 203.0.113.7", 429), ("1.1.1.1, 203.0.113.8", 401)]
            for number, (forwarded, status) in enumerate(seen):
                assert (await _wrong(web, number, forwarded)).status_code == status


# Row 65: the database goes away


async def test_row_65_without_a_database_calls_are_told_to_come_back(
    postgres: EmbeddedServer, superuser_url: str
) -> None:
    with database(postgres, "going_away") as url, serving(url) as server:
        headers = {"Authorization": f"Bearer {tokens.new_api_key()}"}
        async with httpx.AsyncClient(base_url=server, headers=headers) as web:
            assert (await web.get("/api/v1/me")).status_code == 401
            assert (await web.get("/readyz")).status_code == 200
            with psycopg.connect(superuser_url.replace("/over_the_wire?", "/postgres?"), autocommit=True) as conn:
                conn.execute("alter database going_away allow_connections false")
                conn.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = 'going_away'")
                for _ in range(3):
                    started = time.monotonic()
                    answer = await web.get("/api/v1/me")
                    refused(answer, 503, "unavailable")
                    assert int(answer.headers["retry-after"]) >= 1
                    assert time.monotonic() - started < 2.5
                assert (await web.get("/healthz")).status_code == 200
                conn.execute("alter database going_away allow_connections true")
            deadline = time.monotonic() + 20
            while (status := (await web.get("/api/v1/me")).status_code) != 401:
                assert status == 503
                assert time.monotonic() < deadline
