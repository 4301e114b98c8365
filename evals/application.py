"""The application under trial: embedded PostgreSQL, a web process, a worker where one is needed, and organizations."""

import asyncio
import contextlib
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx

from afterword import accounts, interview_types, tokens
from afterword.db import Db, fetch_all
from afterword.db.embedded import EmbeddedServer
from afterword.db.migrate import migrate
from afterword.settings import Settings

T = TypeVar("T")

SCALE = 0.05  # of the model's deadlines
_PATIENCE = 60.0  # seconds that a process may take to answer

# Nothing here shall meet a limit by accident: hundreds of interviews come from one address, and one organization asks
# for all of them. The limits of one interview (messages, characters, bucket, tokens) stay as they ship.
SETTINGS = {
    "AFTERWORD_PLAN_ENTERPRISE_PER_MINUTE": "1000000",
    "AFTERWORD_SURVEY_STARTS_PER_HOUR": "0",
    "AFTERWORD_LLM_DEADLINE_SCALE": str(SCALE),
    "AFTERWORD_LLM_ALLOW": "127.0.0.0/8",
    "AFTERWORD_LOG_LEVEL": "error",
    "AFTERWORD_DATABASE_POOL_SIZE": "16",
}


class Refused(Exception):
    """The API did not do what a trial needs; the message holds its answer."""


@dataclass(frozen=True, slots=True)
class Interview:
    """An interview that was asked for, and the token of its link."""

    id: int
    token: str
    key: str


@dataclass(frozen=True, slots=True)
class Organization:
    """An organization with the shipped interview types, and a client of the API that acts for it."""

    id: str
    name: str
    key: str
    types: Mapping[str, str]  # slug → id
    http: httpx.AsyncClient

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        """One call below /api/v1. Raises Refused."""
        answer = await self.http.request(
            method, f"/api/v1{path}", json=body, headers={"Authorization": f"Bearer {self.key}"}
        )
        if answer.status_code >= 300:
            raise Refused(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
        return answer.json()

    async def interview(
        self, number: int, *, slug: str = "lost-to-competitor", deal: Mapping[str, Any] | None = None, **fields: Any
    ) -> Interview:
        """Ask for an interview with contact `number`; `fields` are those of the request."""
        if deal is not None:
            fields["deal_id"] = (await self.call("POST", "/deals", dict(deal)))["id"]
        body = {
            "contact_email": f"contact{number}@northwind.example",
            "contact_name": "Jane Smith",
            "interview_type_id": self.types[slug],
            **fields,
        }
        made = await self.call("POST", "/interviews", body)
        return Interview(made["interview_request_id"], made["survey_token"], self.key)

    async def read(self, interview: Interview) -> dict[str, Any]:
        """The interview as the API shows it."""
        return await self.call("GET", f"/interviews/{interview.id}")


@dataclass(slots=True)
class Application:
    """A running application. `http` calls it without a key, as a contact's browser does."""

    base_url: str
    database_url: str
    http: httpx.AsyncClient
    db: Db
    log: Path

    async def organization(self, name: str, *, model: Mapping[str, Any] | None = None, **settings: Any) -> Organization:
        """A new organization; `model` and the other settings go through `PATCH /api/v1/organization`."""
        async with self.db.tx() as tx:
            made = await accounts.create_organization(tx, name, "enterprise")
            types = await interview_types.add_shipped(tx, made.id)
            _, key = await accounts.create_key(tx, made.id, "Trial key")
        organization = Organization(made.id, name, key, {one.slug: one.id for one in types}, self.http)
        given = {**settings, **({"model": dict(model)} if model else {})}
        if given:
            await organization.call("PATCH", "/organization", given)
        return organization

    def complaints(self) -> list[str]:
        """What the processes have written to their logs: nothing, when nothing unforeseen happened."""
        return self.log.read_text(errors="replace").splitlines()


def model(url: str, name: str, *, output: str = "native", key: str = "sk-evals") -> dict[str, Any]:
    """The settings of a model of the fake server; a price, so that caps have something to count."""
    return {
        "provider": "openai",
        "url": url,
        "name": name,
        "key": key,
        "output": output,
        "input_price": 1.0,
        "output_price": 4.0,
    }


@dataclass(frozen=True, slots=True)
class _Origin:
    origin: str | None


async def origins_of(db: Db, org_id: str, interview_id: int) -> list[str]:
    """Whose words each of Paige's turns were, in order."""
    async with db.tx() as tx:
        rows = await fetch_all(
            tx,
            _Origin,
            """
            select origin from turns
            where org_id = %(org_id)s and interview_id = %(id)s and role = 'interviewer' order by turn_no
            """,
            org_id=org_id,
            id=interview_id,
        )
    return [row.origin or "script" for row in rows]


@dataclass(frozen=True, slots=True)
class _Alert:
    org_id: str
    kind: str
    count: int


async def alerts_of(db: Db) -> dict[tuple[str, str], int]:
    """(organization, kind) → how many alerts were raised."""
    async with db.tx() as tx:
        rows = await fetch_all(tx, _Alert, "select org_id, kind, count(*) as count from alerts group by 1, 2")
    return {(row.org_id, row.kind): row.count for row in rows}


async def gathered(work: Sequence[Awaitable[T]], *, at_once: int) -> list[T]:
    """All results, in order; no more than `at_once` are under way at a time."""
    gate = asyncio.Semaphore(at_once)

    async def one(what: Awaitable[T]) -> T:
        async with gate:
            return await what

    return list(await asyncio.gather(*map(one, work)))


@contextlib.asynccontextmanager
async def running(*, worker: bool = False, **variables: str) -> AsyncGenerator[Application]:
    """The application until the end of the block, on a database of its own; `variables` are settings."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="afterword-evals-")))
        folder.chmod(0o755)  # noqa: ASYNC240  (nothing else runs yet)
        server = EmbeddedServer.start(folder / "pg", durable=False)  # ends with the thread that started it: this one
        stack.callback(server.stop)
        migrate(server.url)
        async with serving(server.url, folder, worker=worker, **variables) as application:
            yield application


@contextlib.asynccontextmanager
async def serving(
    database_url: str, folder: Path, *, worker: bool = False, **variables: str
) -> AsyncGenerator[Application]:
    """The application's processes over a migrated database, until the end of the block."""
    secret = secrets.token_hex(32)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AFTERWORD_")}
    environment = {
        **clean,
        **SETTINGS,
        "AFTERWORD_DATABASE_URL": database_url,
        "AFTERWORD_DATA_DIR": str(folder / "data"),
        "AFTERWORD_SECRET_KEY": secret,
        "AFTERWORD_PARENT_PID": str(os.getpid()),  # they end when we do
        **variables,
    }
    tokens.load_secret(Settings(secret_key=secret))
    log = folder / "log"
    with socket.socket() as listener, log.open("wb") as out, contextlib.ExitStack() as stack:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1024)
        fd = listener.fileno()
        commands = [["web", "--fd", str(fd)], *([["worker"]] if worker else [])]
        for command in commands:
            process = subprocess.Popen(  # noqa: ASYNC220  (as above)
                [sys.executable, "-P", "-m", "afterword", *command],
                env=environment, stdout=out, stderr=out, pass_fds=[fd],
            )  # fmt: skip
            stack.callback(_end, process)
        base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        limits = httpx.Limits(max_connections=256, max_keepalive_connections=64)
        async with (
            httpx.AsyncClient(base_url=base_url, timeout=_PATIENCE, limits=limits) as http,
            Db.open(database_url, size=4, name="afterword evals") as db,
        ):
            await _answers(http, log)
            yield Application(base_url, database_url, http, db, log)


async def _answers(http: httpx.AsyncClient, log: Path) -> None:
    # the port is open from the start, so that the first answer is the sign of life
    started = time.monotonic()
    try:
        await http.get("/healthz")
    except httpx.HTTPError as error:
        waited = time.monotonic() - started
        said = log.read_text(errors="replace")  # noqa: ASYNC240  (the end)
        raise RuntimeError(f"no answer after {waited:.0f} s:\n{said}") from error


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
