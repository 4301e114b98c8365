"""`afterword doctor`: look at everything that has to work, and say in a sentence each what does not."""

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from afterword import llm, mail
from afterword.db.folder import running
from afterword.db.migrate import OLDEST_SERVER
from afterword.llm import ModelFailed, trial
from afterword.settings import Settings

_LITTLE_SPACE = 1 << 30  # bytes; below this PostgreSQL may soon stop


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what was looked at, whether it is good, and what was found."""

    what: str
    good: bool
    finding: str


def examine(settings: Settings) -> list[Finding]:
    """Every check, in the order in which a fault in one explains faults in the next."""
    checks: list[tuple[str, Callable[[Settings], str]]] = [
        ("data folder", _data_folder),
        ("free space", _free_space),
        ("database", _database),
        ("public address", _public_address),
        ("mail", _mail),
        ("language model", _model),
    ]
    return [_check(what, look, settings) for what, look in checks]


def _check(what: str, look: Callable[[Settings], str], settings: Settings) -> Finding:
    try:
        return Finding(what, True, look(settings))
    except (_Fault, OSError, psycopg.Error) as fault:
        return Finding(what, False, str(fault).strip().splitlines()[0])


class _Fault(Exception):
    """What a check found wrong."""


def _data_folder(settings: Settings) -> str:
    if not settings.data_dir.exists():
        return f"{settings.data_dir} does not exist yet; the first start makes it"
    probe = settings.data_dir / ".doctor"
    try:
        probe.write_text("")
        probe.unlink()
    except OSError as error:
        raise _Fault(f"{settings.data_dir} cannot be written to: {error.strerror}") from None
    return str(settings.data_dir)


def _free_space(settings: Settings) -> str:
    folder: Path = settings.data_dir
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if free < _LITTLE_SPACE:
        raise _Fault(f"only {free / (1 << 20):.0f} MiB are free at {folder}; make room")
    return f"{free / (1 << 30):.1f} GiB free at {folder}"


def _database(settings: Settings) -> str:
    if settings.embedded:
        found = running(settings.data_dir)
        if found is None:
            return "embedded, not running now; `afterword serve` starts it"
        url, kind = found.url, "embedded"
    else:
        url, kind = settings.database_url, "external"
        if not settings.secret_key:
            raise _Fault("AFTERWORD_SECRET_KEY is required with AFTERWORD_DATABASE_URL")
    with psycopg.connect(url, connect_timeout=5) as conn:
        version = conn.info.server_version
        if version < OLDEST_SERVER:
            raise _Fault(f"PostgreSQL 15 or newer is needed, this is {version // 10000}")
        superuser = conn.execute("select rolsuper from pg_roles where rolname = current_user").fetchone()
        if superuser and superuser[0]:
            raise _Fault("connects as a superuser; use an ordinary role that owns its database")
    return f"{kind}, PostgreSQL {version // 10000}.{version % 10000}"


def _public_address(settings: Settings) -> str:
    if not settings.public_url:
        return f"links start with {settings.base_url}, for this machine only; AFTERWORD_PUBLIC_URL serves others"
    return f"links start with {settings.base_url}"


def _mail(settings: Settings) -> str:
    if not settings.smtp_url:
        return f"captured in {settings.outbox_folder}; nothing leaves this machine until AFTERWORD_SMTP_URL is set"
    refusal = asyncio.run(_greet(settings))
    if refusal is not None:
        raise _Fault(f"the mail server cannot be used: {refusal.code or ''} {refusal.text}".replace("  ", " "))
    server = urlsplit(settings.smtp_url)
    return f"{server.hostname} accepts our login" if server.username else f"{server.hostname} answers; no login is set"


def _model(settings: Settings) -> str:
    model = llm.from_settings(settings)
    if model is None:
        return "none is set, so Paige follows her script; AFTERWORD_LLM_MODEL names one"
    where = urlsplit(model.url).hostname if model.url else model.provider
    try:
        answered = asyncio.run(_try_out(model))
    except ModelFailed as failed:
        raise _Fault(f"{model.name} at {where} cannot be used: {failed}") from None
    return f"{model.name} at {where} answered in {answered.seconds:.1f} s"


async def _try_out(model: llm.Model) -> llm.Answered:
    try:
        return await trial.ask(model)
    finally:
        await llm.close()


async def _greet(settings: Settings) -> mail.Outcome | None:
    mailer = mail.SmtpMailer(
        settings.smtp_url, timeout=min(settings.smtp_timeout_seconds, 10), own_name=mail.own_name(settings)
    )
    try:
        return await mailer.greet()
    finally:
        await mailer.close()
