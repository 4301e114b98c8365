"""The `afterword` command. Errors go to stderr with a non-zero exit; `--json` prints one JSON object on stdout."""

import asyncio
import contextlib
import json
import sys
from collections.abc import Awaitable, Callable, Generator, Mapping
from datetime import UTC, datetime
from typing import Annotated, TypeVar

import psycopg
import typer

from afterword import __version__, accounts, app, clock, doctor, guide_commands, provision, serve, tokens, worker
from afterword.accounts import SCOPES
from afterword.db import Db, Tx
from afterword.db.embedded import borrow, running_url
from afterword.db.folder import EmbeddedError
from afterword.db.migrate import MigrationError, migrate
from afterword.errors import AfterwordError
from afterword.settings import Plan, Settings, SettingsError, current

T = TypeVar("T")

cli = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Afterword: win-loss and customer interviews, self-hosted.",
)
orgs = typer.Typer(no_args_is_help=True, help="Organizations.")
keys = typer.Typer(no_args_is_help=True, help="API keys.")
cli.add_typer(orgs, name="orgs")
cli.add_typer(keys, name="keys")

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def main() -> None:
    """The entry point: run the command, and say plainly what went wrong."""
    try:
        cli()
    except SettingsError as error:
        _fail(f"A setting cannot be used.\n{error}")
    except AfterwordError as error:
        _fail(error.message)
    except (EmbeddedError, MigrationError) as error:
        _fail(str(error))
    except psycopg.OperationalError as error:
        _fail(f"The database does not answer: {str(error).strip().splitlines()[0]}")
    except psycopg.Error as error:
        _fail(f"The database refused: {error.diag.message_primary or type(error).__name__}")


def _fail(message: str) -> None:
    print(message, file=sys.stderr, flush=True)
    sys.exit(1)


@cli.command("serve")
def serve_command(
    workers: Annotated[int, typer.Option(min=1, max=64, help="Worker processes.")] = 1,
    no_worker: Annotated[bool, typer.Option("--no-worker", help="No worker: mails wait until one runs.")] = False,
    reload: Annotated[bool, typer.Option("--reload", help="Restart when the code changes, for development.")] = False,
) -> None:
    """Start everything: embedded PostgreSQL (or AFTERWORD_DATABASE_URL), the web server, and a worker."""
    sys.exit(serve.run(current(), workers=workers, no_worker=no_worker, reload=reload))


@cli.command("worker")
def worker_command() -> None:
    """Run one more worker against the database, beside a server that runs."""
    serve.tie_to_parent("afterword worker")
    settings = current()
    url = _served_database(settings)
    tokens.load_secret(settings)
    asyncio.run(worker.run(settings, url))


@cli.command("web", hidden=True)
def web_command(fd: Annotated[int, typer.Option(help="The listening socket, inherited from `serve`.")]) -> None:
    """Run one web process on a socket that `serve` opened."""
    serve.tie_to_parent("afterword web")
    settings = current()
    url = _served_database(settings)
    tokens.load_secret(settings)
    app.run(settings, url, fd)


def _served_database(settings: Settings) -> str:
    """The database of the server that runs: a process beside it starts none of its own."""
    url = settings.database_url or running_url(settings.data_dir)
    if not url:
        raise EmbeddedError(f"No server is running on {settings.data_dir}; start one with `afterword serve`.")
    return url


@cli.command("migrate")
def migrate_command(as_json: AsJson = False) -> None:
    """Bring the database up to this release. `serve` does it at every start."""
    with _database() as url:
        applied = migrate(url)
        added = provision.complete(url)
    _print({"applied": applied}, as_json, "\n".join([*applied, *added]) or "Nothing to do: the database is up to date.")


@orgs.command("create")
def create_organization(
    name: Annotated[str, typer.Argument(help="The organization's name, as contacts will read it.")],
    plan: Annotated[Plan, typer.Option(help="Sets the rate limit.")],
    as_json: AsJson = False,
) -> None:
    """Make an organization with the shipped interview types, a sequence (switched off) and a first API key."""

    async def work(tx: Tx) -> provision.Provisioned:
        return await provision.new_organization(tx, name, plan)

    made = _run(work)
    answer = {
        "org_id": made.organization.id,
        "name": made.organization.name,
        "plan": made.organization.plan,
        "api_key": made.secret,
        "key_id": made.key.id,
        "interview_type_ids": made.interview_type_ids,
        "sequence_id": made.sequence_id,
    }
    _print(
        answer,
        as_json,
        f"Organization: {made.organization.id} ({made.organization.name}, {made.organization.plan})\n"
        f"API key: {made.secret}\n"
        "The key is not shown again.",
    )


@keys.command("create")
def create_key(
    org: Annotated[str | None, typer.Option(help="The organization's id; not needed while there is only one.")] = None,
    name: Annotated[str, typer.Option(help="What the key is for.")] = "Key",
    scope: Annotated[list[str] | None, typer.Option(help="May be repeated; without it the key may do all.")] = None,
    expires: Annotated[datetime | None, typer.Option(help="When the key ends, in UTC.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make another API key. It is shown once."""

    async def work(tx: Tx) -> tuple[accounts.ApiKey, str]:
        organization = await _organization(tx, org)
        scopes = scope or SCOPES
        expires_at = expires.replace(tzinfo=UTC) if expires else None
        if expires_at is not None and expires_at <= clock.now():
            raise AfterwordError("--expires lies in the past; the key would never work")
        return await accounts.create_key(tx, organization.id, name, scopes=scopes, expires_at=expires_at)

    key, secret = _run(work)
    answer: dict[str, object] = {
        "org_id": key.org_id,
        "key_id": key.id,
        "name": key.name,
        "scopes": list(key.scopes),
        "expires_at": clock.iso(key.expires_at) if key.expires_at else None,
        "api_key": secret,
    }
    _print(answer, as_json, f"API key: {secret}\nIts id is {key.id}. The key is not shown again.")


async def _organization(tx: Tx, org_id: str | None) -> accounts.Organization:
    if org_id is not None:
        return await accounts.organization(tx, org_id)
    every = await accounts.organizations(tx)
    if len(every) == 1:
        return every[0]
    if not every:
        raise AfterwordError("There is no organization yet; `afterword orgs create` makes one.")
    raise AfterwordError("Say which organization with --org: " + ", ".join(f"{one.id} ({one.name})" for one in every))


@keys.command("revoke")
def revoke_key(
    key_id: Annotated[str, typer.Argument(help="The key's id, `key_…`.")],
    as_json: AsJson = False,
) -> None:
    """End a key. Calls with it answer 401 from now on."""

    async def work(tx: Tx) -> accounts.ApiKey:
        return await accounts.revoke_key(tx, key_id)

    key = _run(work)
    revoked = clock.iso(key.revoked_at) if key.revoked_at else None
    _print({"key_id": key.id, "org_id": key.org_id, "revoked_at": revoked}, as_json, f"Revoked {key.id} ({key.name}).")


@cli.command("doctor")
def doctor_command(as_json: AsJson = False) -> None:
    """Check the settings, the data folder, the database and the mail server; say what to mend."""
    findings = doctor.examine(current())
    lines = [f"{'ok  ' if one.good else 'FAIL'} {one.what}: {one.finding}" for one in findings]
    _print(
        {
            "version": __version__,
            "ok": all(one.good for one in findings),
            "checks": [{"check": one.what, "ok": one.good, "finding": one.finding} for one in findings],
        },
        as_json,
        "\n".join(lines),
    )
    if not all(one.good for one in findings):
        sys.exit(1)


def _run(work: Callable[[Tx], Awaitable[T]]) -> T:
    """Do `work` in one transaction on the server's database, embedded or not, whether it runs or not."""

    async def inside(url: str) -> T:
        async with Db.open(url, size=1, name="afterword cli") as db, db.tx() as tx:
            return await work(tx)

    with _database() as url:
        migrate(url)
        return asyncio.run(inside(url))


@contextlib.contextmanager
def _database() -> Generator[str]:
    settings: Settings = current()
    if settings.database_url:
        tokens.load_secret(settings)
        yield settings.database_url
    else:
        with borrow(settings.data_dir) as url:
            tokens.load_secret(settings)
            yield url


cli.add_typer(guide_commands.guide_commands(_run, _organization), name="guides")


def _print(answer: Mapping[str, object], as_json: bool, text: str) -> None:
    print(json.dumps(answer) if as_json else text, flush=True)
