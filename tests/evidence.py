"""What a test looks at after a call: the shape of an error, and what the database holds."""

import contextlib
from collections import Counter
from collections.abc import Generator
from typing import Any

import httpx
import psycopg
from psycopg import sql

from afterword import paige
from afterword.db import Db
from afterword.db.embedded import EmbeddedServer
from afterword.interviews import conversation


def refused(response: httpx.Response, status: int, code: str, field: str | None = None) -> dict[str, Any]:
    """Check that this is our error with everything an error carries; the `error` object.

    `field` has to be named in the message and in the details.
    """
    assert (response.status_code, _code(response)) == (status, code), response.text
    assert response.headers["content-type"] == "application/json"
    body = response.json()
    assert set(body) == {"error", "request_id"}
    assert body["request_id"] == response.headers["x-request-id"]
    assert response.headers["api-version"] == "1"
    error = body["error"]
    assert set(error) <= {"code", "message", "details", "required_scopes"}
    assert error["message"]
    for leak in ("Traceback", "psycopg", "pydantic", "select ", "insert ", "/src/", "aw_0"):
        assert leak not in response.text
    if field is not None:
        assert field in error["message"], error
        assert field in [entry["field"] for entry in error["details"]["fields"]], error
        assert all(entry["message"] for entry in error["details"]["fields"])
    return error


def _code(response: httpx.Response) -> str | None:
    try:
        return response.json()["error"]["code"]
    except (ValueError, KeyError, TypeError):
        return None


def rows(url: str) -> Counter[tuple[str, str]]:
    """Every row of every table as text; without keys and rate counters, which any call touches."""
    with psycopg.connect(url, autocommit=True) as conn:
        tables = conn.execute("select tablename from pg_tables where schemaname = 'public' order by 1").fetchall()
        every = sql.SQL(" union all ").join(
            sql.SQL("select {}, t::text from {} as t").format(sql.Literal(name), sql.Identifier(str(name)))
            for (name,) in tables
            if name not in {"rate_counters", "api_keys", "directory_keys"}
        )
        return Counter((str(table), str(row)) for table, row in conn.execute(every).fetchall())


def count(url: str, table: str, org_id: str = "") -> int:
    """How many rows a table has, of one organization or of all."""
    return sum(number for (name, row), number in rows(url).items() if name == table and org_id in row)


@contextlib.contextmanager
def database(postgres: EmbeddedServer, name: str) -> Generator[str]:
    """A fresh, migrated database for several tests; its address."""
    with psycopg.connect(postgres.superuser_url, autocommit=True) as conn:
        conn.execute(sql.SQL("create database {} template afterword owner afterword").format(sql.Identifier(name)))
        try:
            yield postgres.url.replace("/afterword?", f"/{name}?")
        finally:
            conn.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


def dump(url: str) -> str:
    """The whole database as one text, the way somebody would search a stolen backup."""
    with psycopg.connect(url, autocommit=True) as conn:
        keys = conn.execute("select t::text from api_keys as t").fetchall()
    return "\n".join([*(row for _, row in rows(url)), *(str(row) for (row,) in keys)])


async def interviewed(db: Db, token: str, answer: str = "The price, after the pilot in May.") -> None:
    """The contact opens the link, consents, answers one question and ends the interview."""
    visit = await conversation.consent(db, token, "I agree.")
    for number, said in enumerate((paige.Answer(text=answer, action="answer"), paige.Answer(text="", action="stop"))):
        visit = await conversation.take_turn(db, token, turn_no=visit.turn_no, client_id=f"form-{number}", answer=said)
    assert visit.completed
