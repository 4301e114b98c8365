"""Fixtures: a real PostgreSQL, the real application over it, and two organizations that must never meet."""

import contextlib
import itertools
import socket
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from psycopg import sql

from afterword import accounts, app, deals, interview_types, outreach, settings, tokens
from afterword.db import Db
from afterword.db.embedded import EmbeddedServer
from afterword.db.migrate import migrate

_numbers = itertools.count(1)
_LOOPBACK = ("127.", "::1", "localhost")


@pytest.fixture(scope="session", autouse=True)
def _loopback_only() -> Iterator[None]:
    """A test that talks to anything but this machine is a bug."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in {socket.AF_INET, socket.AF_INET6} and not str(address[0]).startswith(_LOOPBACK):
            raise AssertionError(f"a test tried to reach {address}")
        return connect(self, address)

    socket.socket.connect = guarded  # type: ignore[method-assign]  # the one way to see every connection
    yield
    socket.socket.connect = connect  # type: ignore[method-assign]  # as above


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Generator[EmbeddedServer]:
    """One embedded PostgreSQL for the whole run, with a migrated database to copy."""
    server = EmbeddedServer.start(tmp_path_factory.mktemp("pg"), durable=False)
    try:
        migrate(server.url)
        yield server
    finally:
        server.stop()


@pytest.fixture
def database_url(postgres: EmbeddedServer) -> Generator[str]:
    """A fresh, migrated database of this test's own."""
    name = f"test_{next(_numbers)}"
    with psycopg.connect(postgres.superuser_url, autocommit=True) as conn:
        conn.execute(sql.SQL("create database {} template afterword owner afterword").format(sql.Identifier(name)))
        yield postgres.url.replace("/afterword?", f"/{name}?")
        conn.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture
def superuser_url(postgres: EmbeddedServer, database_url: str) -> str:
    """The test's database as the superuser sees it, to break things on purpose."""
    name = database_url.partition("?")[0].rpartition("/")[2]
    base, _, query = postgres.superuser_url.partition("?")
    return f"{base.rpartition('/')[0]}/{name}?{query}"


@pytest.fixture
def configure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[..., settings.Settings]]:
    """Set settings for this test: `configure(plan_growth_per_minute=5)`."""

    def set_(**values: object) -> settings.Settings:
        for name, value in values.items():
            monkeypatch.setenv(f"AFTERWORD_{name.upper()}", str(value))
        settings.current.cache_clear()
        return settings.current()

    set_(data_dir=tmp_path / "data", secret_key="a secret for tests that is long enough")
    tokens.load_secret(settings.current())
    yield set_
    settings.current.cache_clear()


@dataclass
class Api:
    """A client of the REST API with one key."""

    client: httpx.AsyncClient
    key: str

    async def call(
        self, method: str, path: str, *, idempotency_key: str | None = None, headers: Any = None, **rest: Any
    ) -> httpx.Response:
        """One call. `path` is below /api/v1."""
        sent = {"Authorization": f"Bearer {self.key}", **(headers or {})}
        if idempotency_key is not None:
            sent["Idempotency-Key"] = idempotency_key
        return await self.client.request(method, f"/api/v1{path}", headers=sent, **rest)

    async def get(self, path: str, **rest: Any) -> httpx.Response:
        """GET below /api/v1."""
        return await self.call("GET", path, **rest)

    async def post(self, path: str, json: Any = None, **rest: Any) -> httpx.Response:
        """POST below /api/v1."""
        return await self.call("POST", path, **({"json": json} if json is not None else {}), **rest)

    async def patch(self, path: str, json: Any = None, **rest: Any) -> httpx.Response:
        """PATCH below /api/v1."""
        return await self.call("PATCH", path, json=json, **rest)


@dataclass
class Tenant:
    """An organization with something of everything."""

    org_id: str
    key: str
    api: Api
    type_id: str
    won_type_id: str
    sequence_id: str
    deal_id: str


@pytest.fixture
async def web(database_url: str, configure: Callable[..., settings.Settings]) -> AsyncGenerator[httpx.AsyncClient]:
    """The application, called in process; no key, no cookies kept from other tests."""
    door = app.create_app(configure(), database_url)
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(door.fastapi.router.lifespan_context(door.fastapi))
        transport = httpx.ASGITransport(app=door, raise_app_exceptions=False)
        client = await stack.enter_async_context(
            httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8321")
        )
        client.door = door  # type: ignore[attr-defined]  # for the fixture below
        yield client


@pytest.fixture
async def db(web: httpx.AsyncClient) -> Db:
    """The application's own pool."""
    return web.door.fastapi.state.db  # type: ignore[attr-defined]  # set in `web`


async def make_tenant(db: Db, web: httpx.AsyncClient, name: str, plan: str = "enterprise") -> Tenant:
    """An organization with the shipped types, the demo sequence, a deal and a key that may do all."""
    async with db.tx() as tx:
        organization = await accounts.create_organization(tx, name, plan)
        types = await interview_types.add_shipped(tx, organization.id)
        sequence = await outreach.add_demo(tx, organization.id, types[0].id)
        deal, _ = await deals.upsert(
            tx,
            organization.id,
            {"name": f"{name} deal", "client_name": "Initech", "external_id": "1"},
            [deals.Competitor("Globex", is_primary=True)],
        )
        _, secret = await accounts.create_key(tx, organization.id, "Test key")
    return Tenant(
        org_id=organization.id,
        key=secret,
        api=Api(web, secret),
        type_id=types[0].id,
        won_type_id=types[1].id,
        sequence_id=sequence.id,
        deal_id=deal.id,
    )


@pytest.fixture
async def acme(db: Db, web: httpx.AsyncClient) -> Tenant:
    """The organization that the tests act as."""
    return await make_tenant(db, web, "Acme")


@pytest.fixture
async def rival(db: Db, web: httpx.AsyncClient) -> Tenant:
    """The other one, which must never see or touch anything of Acme's."""
    return await make_tenant(db, web, "Rival")


@pytest.fixture
def api(acme: Tenant) -> Api:
    """Acme's client."""
    return acme.api
