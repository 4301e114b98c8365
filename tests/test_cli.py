"""The `afterword` command, as a process of its own on the server's database."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import psycopg
import pytest

from afterword import paige, settings
from tests import model_server
from tests.conftest import Api

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(database_url: str, tmp_path: Path) -> Run:
    """Run `afterword …` against the test's database; the finished process."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AFTERWORD_")},
        "AFTERWORD_DATABASE_URL": database_url,
        "AFTERWORD_SECRET_KEY": "a secret for tests that is long enough",
        "AFTERWORD_DATA_DIR": str(tmp_path / "data"),
    }

    def command(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "afterword", *arguments],
            env={**environment, **more},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return command


async def test_a_new_organization_can_call_the_api_at_once(
    run: Run, web: httpx.AsyncClient, configure: Callable[..., settings.Settings]
):
    made = json.loads(run("orgs", "create", "Initech", "--plan", "growth", "--json").stdout)
    api = Api(web, made["api_key"])

    me = (await api.get("/me")).json()
    types = (await api.get("/interview-types")).json()["data"]
    sequences = (await api.get("/sequences")).json()["data"]

    assert me["organization"] == {"id": made["org_id"], "name": "Initech", "plan": "growth"}
    assert [one["slug"] for one in types] == [slug for slug, _ in paige.shipped_guides()]
    assert [one["id"] for one in types] == made["interview_type_ids"]
    assert [(one["name"], one["enabled"]) for one in sequences] == [("Win-loss buyer", False)]
    assert sequences[0]["window"]


async def test_a_key_has_the_scopes_it_was_given_and_ends_when_it_is_revoked(run: Run, web: httpx.AsyncClient):
    org = json.loads(run("orgs", "create", "Initech", "--plan", "essentials", "--json").stdout)["org_id"]
    key = json.loads(
        run("keys", "create", "--org", org, "--name", "Reader", "--scope", "interviews:read", "--json").stdout
    )
    api = Api(web, key["api_key"])

    assert key["scopes"] == ["interviews:read"]
    assert (await api.get("/interview-types")).status_code == 200
    assert (await api.get("/deals")).status_code == 403

    revoked = json.loads(run("keys", "revoke", key["key_id"], "--json").stdout)

    assert revoked["key_id"] == key["key_id"]
    assert revoked["revoked_at"].endswith("Z")
    assert (await api.get("/interview-types")).status_code == 401


def test_without_json_a_person_can_read_what_was_made(run: Run):
    made = run("orgs", "create", "Initech", "--plan", "growth")
    key = run("keys", "create", "--name", "Mine")

    assert made.returncode == 0
    assert "API key: aw_" in made.stdout
    assert "not shown again" in key.stdout


def test_migrating_again_applies_nothing(run: Run):
    assert json.loads(run("migrate", "--json").stdout) == {"applied": []}


def test_the_doctor_finds_an_installation_in_order(run: Run):
    told = json.loads(run("doctor", "--json").stdout)

    assert told["ok"]
    assert {one["check"] for one in told["checks"]} == {
        "data folder",
        "free space",
        "database",
        "public address",
        "mail",
        "language model",
    }


def test_the_doctor_says_what_to_mend(run: Run, superuser_url: str):
    as_superuser = run("doctor", AFTERWORD_DATABASE_URL=superuser_url)
    no_mail = run("doctor", AFTERWORD_SMTP_URL="smtp://127.0.0.1:9?tls=none")

    assert as_superuser.returncode == 1
    assert "FAIL database: connects as a superuser" in as_superuser.stdout
    assert no_mail.returncode == 1
    assert "FAIL mail: the mail server cannot be used" in no_mail.stdout


async def test_the_doctor_asks_the_language_model(run: Run):
    async with model_server.serving() as server:
        server.faults = [model_server.Fault(text='{"word": "ready"}'), model_server.Fault(status=401)]
        named = {"AFTERWORD_LLM_URL": server.url, "AFTERWORD_LLM_MODEL": "qwen3", "AFTERWORD_LLM_KEY": "sk-canary"}
        good = await asyncio.to_thread(run, "doctor", **named)
        bad = await asyncio.to_thread(run, "doctor", **named)
    none = await asyncio.to_thread(run, "doctor")

    assert good.returncode == 0
    assert "language model: qwen3 at 127.0.0.1 answered in" in good.stdout
    assert bad.returncode == 1
    assert "FAIL language model: qwen3 at 127.0.0.1 cannot be used: unauthorized" in bad.stdout
    assert "sk-canary" not in good.stdout + bad.stdout + bad.stderr
    assert "none is set, so Paige follows her script" in none.stdout


@pytest.mark.parametrize(
    ("arguments", "environment", "said"),
    [
        (["orgs", "create", "   ", "--plan", "growth"], {}, "name must be 1 to 200 printable characters"),
        (["orgs", "create", "Acme", "--plan", "gold"], {}, "'gold' is not one of"),
        (["keys", "create", "--org", "org_nobody"], {}, "organization org_nobody not found"),
        (["keys", "create"], {}, "There is no organization yet"),
        (["keys", "revoke", "key_nobody"], {}, "key key_nobody not found"),
        (["migrate"], {"AFTERWORD_DATABASE_URL": "mysql://x/y"}, "AFTERWORD_DATABASE_URL: give an address such as"),
        (["migrate"], {"AFTERWORD_DATABASE_URL": "postgresql://127.0.0.1:9/x"}, "The database does not answer"),
        (["migrate"], {"AFTERWORD_DATABASE_URL": "postgresql://me:50%zz@h/x"}, "give an address such as postgresql://"),
        (["doctor"], {"AFTERWORD_DATABASE_URL": "postgresql://me@h/x?port=a&colour=b"}, "give an address such as"),
        (["migrate"], {"AFTERWORD_SECRET_KEY": ""}, "AFTERWORD_SECRET_KEY: required with AFTERWORD_DATABASE_URL"),
        (["serve"], {"AFTERWORD_PORT": "eighty"}, "AFTERWORD_PORT:"),
        (["serve"], {"AFTERWORD_SMTP_URL": "mail.example.com"}, "AFTERWORD_SMTP_URL: give an address such as"),
        (["serve"], {"AFTERWORD_SMTP_URL": "smtp://127.0.0.1:99999"}, "AFTERWORD_SMTP_URL: give an address such as"),
        (["doctor"], {"AFTERWORD_SMTP_URL": "smtp://127.0.0.1?tls=ssl"}, "tls must be starttls, implicit or none"),
        (["serve"], {"AFTERWORD_PUBLIC_URL": "http://127.0.0.1:web"}, "AFTERWORD_PUBLIC_URL: give an address such as"),
        (["serve"], {"AFTERWORD_LLM_MODEL": "gpt"}, "AFTERWORD_LLM_KEY: needed for OpenAI's own models"),
        (["serve", "--workers", "many"], {}, "--workers"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_mistake_is_told_on_stderr_with_a_non_zero_exit(
    run: Run, arguments: list[str], environment: dict[str, str], said: str
):
    done = run(*arguments, **environment)

    assert done.returncode != 0
    assert said in " ".join(done.stderr.replace("│", " ").split())
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_key_that_has_ended_before_it_begins_is_refused(run: Run):
    run("orgs", "create", "Initech", "--plan", "growth")
    refused = run("keys", "create", "--expires", "2020-01-01")

    assert refused.returncode == 1
    assert refused.stderr == "--expires lies in the past; the key would never work\n"


def test_an_unknown_scope_is_refused_and_makes_no_key(run: Run, database_url: str):
    run("orgs", "create", "Initech", "--plan", "growth")

    refused = run("keys", "create", "--scope", "everything")

    assert refused.returncode == 1
    assert "unknown scope everything" in refused.stderr
    with psycopg.connect(database_url) as conn:
        assert conn.execute("select count(*) from api_keys").fetchone() == (1,)


def test_a_role_that_may_not_make_tables_is_told_so(run: Run, superuser_url: str):
    with psycopg.connect(superuser_url, autocommit=True) as conn:
        conn.execute("create role onlooker login")
        conn.execute("drop table migrations")
    try:
        done = run("migrate", AFTERWORD_DATABASE_URL=superuser_url.replace("postgres@", "onlooker@"))
    finally:
        with psycopg.connect(superuser_url, autocommit=True) as conn:
            conn.execute("drop role onlooker")

    assert done.returncode == 1
    assert done.stderr == "The database refused: permission denied for schema public\n"
