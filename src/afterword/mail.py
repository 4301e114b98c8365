"""Handing a mail over: to a mail server by SMTP, or to a folder while no mail server is configured.

Both work in the two halves that sending without loss needs: `begin` names the sender and the recipient (MAIL, RCPT),
and nothing has been sent yet; `Envelope.data` hands over the mail. Between the two the caller notes that it begins.
What came of it is an `Outcome`, told apart by the stage and the codes, never by the words of an answer.
"""

import asyncio
import contextlib
import email
import email.policy
import ipaddress
import os
import re
import secrets
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Literal, Protocol
from urllib.parse import parse_qs, unquote, urlsplit

import aiosmtplib

from afterword import net
from afterword.settings import Settings

CONNECTIONS = 4  # kept open at the same time
_IDLE = (
    30.0  # seconds after which a kept connection is not trusted any more; relays close theirs after a minute or more
)
_MAILS = 100  # over one connection
_FINAL_DOT = 600.0  # seconds, RFC 5321 §4.5.3.2.6: giving up earlier is how duplicates are made
_TEXT = 500  # characters of an answer that are kept

Stage = Literal["connect", "mail", "rcpt", "data", "write"]
Kind = Literal["accepted", "captured", "temporary", "permanent", "unreachable", "unknown"]

# The address itself is wrong: never mail it again. Everything else in 5xx is about policy, size or content.
_ADDRESS_CODES = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"})
_NOT_LOGGED_IN = frozenset({530, 534, 535, 538})
_ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?!\d)")
_QUEUE_ID = re.compile(r"(?:queued as|queued mail|id[=: ])\s*<?([A-Za-z0-9._@-]{2,100})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one try.

    accepted: the mail server has it. captured: it is in the folder. temporary: try this mail again later.
    permanent: never try this mail again. unreachable: nothing to do with this mail, the server cannot be used now.
    unknown: the mail was handed over, and no answer came: it may or may not have been taken.
    """

    kind: Kind
    stage: Stage
    code: int | None = None
    enhanced_code: str | None = None
    text: str = ""
    queue_id: str | None = None

    @property
    def bad_address(self) -> bool:
        """Whether the recipient's address does not exist, so that it must not be mailed again."""
        return self.kind == "permanent" and self.enhanced_code in _ADDRESS_CODES


class Envelope(Protocol):
    """A mail whose sender and recipient the server has agreed to. Call one of the two, once."""

    async def data(self, raw: bytes) -> Outcome:
        """Hand the mail over."""
        ...

    async def abandon(self) -> None:
        """Do not send it after all."""
        ...


class Mailer(Protocol):
    """Where mails go."""

    async def begin(self, sender: str, recipient: str, *, utf8: bool) -> Envelope | Outcome:
        """Everything before DATA. `utf8`: an address or a header has letters outside of ASCII. Never raises."""
        ...

    async def close(self) -> None:
        """End the kept connections."""
        ...


def from_settings(settings: Settings) -> Mailer:
    """The mail server that is configured, else the folder."""
    if settings.smtp_url:
        return SmtpMailer(settings.smtp_url, timeout=settings.smtp_timeout_seconds, own_name=own_name(settings))
    return CapturingMailer(settings.outbox_folder)


def own_name(settings: Settings) -> str:
    """How we greet a mail server: the public address's host name, or an address literal."""
    host = urlsplit(settings.base_url).hostname or "127.0.0.1"
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host.encode("idna").decode()
    return f"[{host}]" if address.version == 4 else f"[IPv6:{host}]"


class SmtpMailer:
    """`smtp://user:password@host:587?tls=starttls|implicit|none`, or `smtps://…`. Certificates are verified.

    Without `tls`, smtps is implicit and smtp is STARTTLS, which is then required, except to this very machine.
    """

    def __init__(self, url: str, *, timeout: float, own_name: str = "localhost") -> None:
        parts = urlsplit(url)
        host = parts.hostname or "localhost"
        default = "implicit" if parts.scheme == "smtps" else "none" if _is_loopback(host) else "starttls"
        tls = parse_qs(parts.query).get("tls", [default])[0]
        if tls not in {"starttls", "implicit", "none"}:
            raise ValueError(f"AFTERWORD_SMTP_URL: tls must be starttls, implicit or none, not {tls!r}")
        self._host = host
        self._port = parts.port or (465 if tls == "implicit" else 587)
        self._tls = tls
        self._user = unquote(parts.username) if parts.username else None
        self._password = unquote(parts.password) if parts.password else None
        self._timeout = timeout
        self._own_name = own_name
        self._idle: list[_Connection] = []
        self._free = asyncio.Semaphore(CONNECTIONS)

    async def begin(self, sender: str, recipient: str, *, utf8: bool) -> Envelope | Outcome:
        """Connect or take a kept connection, MAIL, RCPT."""
        net.check("mail")
        await self._free.acquire()
        try:
            result = await self._begin(sender, recipient, utf8=utf8)
        except BaseException:
            self._free.release()
            raise
        if isinstance(result, Outcome):
            self._free.release()
        return result

    async def greet(self) -> Outcome | None:
        """Connect and log in, to see whether it works: None, or what the server or the network said."""
        net.check("mail")
        opened = await self._connect()
        if isinstance(opened, Outcome):
            return opened
        self._give_back(opened)
        return None

    async def _begin(self, sender: str, recipient: str, *, utf8: bool) -> "_SmtpEnvelope | Outcome":
        while True:
            kept = self._take()
            opened = kept or await self._connect()
            if isinstance(opened, Outcome):
                return opened
            connection, smtp = opened, opened.smtp
            if utf8 and not smtp.supports_extension("smtputf8"):
                self._give_back(connection)
                text = "The mail server does not take addresses with letters outside of ASCII (it lacks SMTPUTF8)."
                return Outcome("permanent", "mail", None, "5.6.7", text)
            stage: Stage = "mail"
            try:
                encoding = "utf-8" if utf8 else "ascii"
                await smtp.mail(sender, options=["SMTPUTF8"] if utf8 else None, encoding=encoding)
                stage = "rcpt"
                await smtp.rcpt(recipient, encoding=encoding)
            except aiosmtplib.SMTPResponseException as error:
                outcome = _refused(stage, error.code, error.message)
                await self._reset(connection)
                return outcome
            except (aiosmtplib.SMTPException, OSError, ValueError) as error:
                smtp.close()
                if kept is not None and not isinstance(error, ValueError):
                    continue  # the server had closed it in the meantime: nothing is lost but the connection
                if isinstance(error, ValueError):  # an address that cannot be written into a command
                    return Outcome("permanent", stage, None, None, _readable(str(error)))
                # it had greeted us a moment ago: what it hung up on is this mail, which must not hold up the others
                return Outcome("temporary", stage, None, None, _readable(str(error) or type(error).__name__))
            return _SmtpEnvelope(self, connection)

    async def _connect(self) -> "_Connection | Outcome":
        smtp = aiosmtplib.SMTP(
            hostname=self._host,
            port=self._port,
            local_hostname=self._own_name,
            timeout=self._timeout,
            use_tls=self._tls == "implicit",
            start_tls=self._tls == "starttls",
        )
        try:
            await smtp.connect()
            await smtp.ehlo()
            if self._user is not None:
                await smtp.login(self._user, self._password or "")
        except (aiosmtplib.SMTPException, OSError, ssl.SSLError, ValueError) as error:
            smtp.close()
            return _unreachable(error)
        return _Connection(smtp)

    def _take(self) -> "_Connection | None":
        while self._idle:
            connection = self._idle.pop()
            if connection.usable:
                return connection
            connection.close()
        return None

    def _give_back(self, connection: "_Connection") -> None:
        if connection.usable:
            connection.since = time.monotonic()
            self._idle.append(connection)
        else:
            connection.close()

    async def _reset(self, connection: "_Connection") -> None:
        """Forget the envelope that was begun, so that the connection can take another."""
        if connection.smtp.is_connected:
            try:
                await connection.smtp.rset()
            except (aiosmtplib.SMTPException, OSError):
                connection.close()
        self._give_back(connection)

    async def finish(self, connection: "_Connection", *, reset: bool) -> None:
        """An envelope is done with its connection."""
        try:
            if reset:
                await self._reset(connection)
            else:
                self._give_back(connection)
        finally:
            self._free.release()

    async def close(self) -> None:
        """Say goodbye on every kept connection."""
        while self._idle:
            connection = self._idle.pop()
            with contextlib.suppress(aiosmtplib.SMTPException, OSError):
                await connection.smtp.quit(timeout=2)
            connection.close()


@dataclass(slots=True)
class _Connection:
    """An open connection, how many mails went over it, and when it was last used."""

    smtp: aiosmtplib.SMTP
    mails: int = 0
    since: float = field(default_factory=time.monotonic)

    @property
    def usable(self) -> bool:
        return self.smtp.is_connected and self.mails < _MAILS and time.monotonic() - self.since < _IDLE

    def close(self) -> None:
        self.smtp.close()


class _SmtpEnvelope:
    def __init__(self, mailer: SmtpMailer, connection: _Connection) -> None:
        self._mailer = mailer
        self._connection = connection

    async def data(self, raw: bytes) -> Outcome:
        net.check("mail")
        self._connection.mails += 1
        reset = False
        try:
            code, text = await self._connection.smtp.data(raw, timeout=_FINAL_DOT)
            found = _QUEUE_ID.search(text)
            return Outcome("accepted", "data", code, _enhanced(text), _readable(text), found and found[1])
        except aiosmtplib.SMTPResponseException as error:
            reset = True
            return _refused("data", error.code, error.message)
        except (aiosmtplib.SMTPException, OSError) as error:
            self._connection.close()
            return Outcome("unknown", "data", None, None, _readable(str(error)))
        except BaseException:
            self._connection.close()
            raise
        finally:
            await self._mailer.finish(self._connection, reset=reset)

    async def abandon(self) -> None:
        await self._mailer.finish(self._connection, reset=True)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _enhanced(text: str) -> str | None:
    found = _ENHANCED.match(text.lstrip())
    return found[1] if found else None


def _readable(text: str) -> str:
    """A server's words, fit to be stored and shown."""
    text = text.encode("utf-8", "replace").decode()
    return "".join(char if char.isprintable() else " " for char in text)[:_TEXT].strip()


def _refused(stage: Stage, code: int, text: str) -> Outcome:
    enhanced = _enhanced(text)
    kind: Kind
    if code in _NOT_LOGGED_IN or enhanced == "5.7.8":
        kind = "unreachable"
    elif stage == "mail" or code < 500:
        # a sender that the server does not take is ours to mend; the recipient has nothing to do with it
        kind = "temporary"
    else:
        kind = "permanent"
    return Outcome(kind, stage, code, enhanced, _readable(text))


def _unreachable(error: Exception) -> Outcome:
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return Outcome("unreachable", "connect", error.code, _enhanced(error.message), _readable(error.message))
    return Outcome("unreachable", "connect", None, None, _readable(str(error) or type(error).__name__))


# Captured mail ---------------------------------------------------------------------------------------------------

_CAPTURED = re.compile(r"(\d{8}T\d{6}Z)-[A-Za-z0-9_.-]{1,100}\.eml")


class CapturingMailer:
    """Writes each mail as an `.eml` file that only the server's user can read. Nothing leaves the machine.

    The name follows from the mail's own Date and Message-ID: a mail that is written twice is there once.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def begin(self, sender: str, recipient: str, *, utf8: bool) -> Envelope | Outcome:
        """Whoever it is for, it can be written."""
        net.check("mail")
        return _FileEnvelope(self._folder)

    async def close(self) -> None:
        """Nothing is kept open."""


class _FileEnvelope:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def data(self, raw: bytes) -> Outcome:
        net.check("mail")
        try:
            await asyncio.to_thread(_write, self._folder, raw)
        except OSError as error:
            return Outcome("temporary", "write", None, None, f"{self._folder}: {error.strerror}")
        return Outcome("captured", "write")

    async def abandon(self) -> None:
        pass


def _write(folder: Path, raw: bytes) -> None:
    """Whole or not at all: written under another name, forced to disk, renamed."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    final = folder / _file_name(raw)
    draft = folder / f".{final.name}-{secrets.token_hex(4)}"
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as handle:
            handle.write(raw)
            handle.flush()
            os.fsync(handle.fileno())
        draft.replace(final)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    if os.name == "posix":
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def _file_name(raw: bytes) -> str:
    headers = email.message_from_bytes(raw.partition(b"\r\n\r\n")[0], policy=email.policy.SMTP)
    sent = parsedate_to_datetime(str(headers["Date"])).astimezone(UTC)
    local = str(headers["Message-ID"]).strip("<> ").partition("@")[0].rpartition(".")[2]
    return f"{sent:%Y%m%dT%H%M%SZ}-{re.sub(r'[^A-Za-z0-9_-]', '', local)[:80] or 'mail'}.eml"


@dataclass(frozen=True, slots=True)
class Captured:
    """One captured mail as a list shows it. `name` is the file's."""

    name: str
    recipient: str
    subject: str
    at: datetime


@dataclass(frozen=True, slots=True)
class CapturedMail:
    """One captured mail as a page shows it, and its bytes."""

    headers: Sequence[tuple[str, str]]
    subject: str
    text: str
    html: str
    raw: bytes


def captured(folder: Path, limit: int = 200) -> list[Captured]:
    """The newest captured mails, newest first."""
    try:
        names = sorted((entry.name for entry in folder.iterdir() if _CAPTURED.fullmatch(entry.name)), reverse=True)
    except FileNotFoundError:
        return []
    listed: list[Captured] = []
    for name in names[:limit]:
        with contextlib.suppress(FileNotFoundError):  # purged between the two
            with (folder / name).open("rb") as handle:
                head = handle.read(16 * 1024).partition(b"\r\n\r\n")[0]
            message = email.message_from_bytes(head, policy=email.policy.SMTP)
            at = datetime.strptime(name[:16], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            listed.append(Captured(name, str(message["To"] or ""), str(message["Subject"] or ""), at))
    return listed


def read_captured(folder: Path, name: str) -> CapturedMail | None:
    """One captured mail by its file's name; None where there is none."""
    if not _CAPTURED.fullmatch(name):
        return None
    try:
        raw = (folder / name).read_bytes()
    except FileNotFoundError:
        return None
    message = email.message_from_bytes(raw, _class=EmailMessage, policy=email.policy.SMTP)
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    return CapturedMail(
        headers=[(key, str(value)) for key, value in message.items()],
        subject=str(message["Subject"] or ""),
        text=str(text.get_content()) if text is not None else "",
        html=str(html.get_content()) if html is not None else "",
        raw=raw,
    )


def purge_captured(folder: Path, days: int) -> int:
    """Delete captured mails that are older than `days` days, and drafts that a crash left; how many."""
    border = time.time() - timedelta(days=days).total_seconds()
    gone = 0
    with contextlib.suppress(FileNotFoundError):
        for entry in folder.iterdir():
            with contextlib.suppress(FileNotFoundError):
                age = entry.stat().st_mtime
                draft = entry.name.startswith(".") and age < time.time() - 3600
                if draft or (_CAPTURED.fullmatch(entry.name) and age < border):
                    entry.unlink()
                    gone += 1
    return gone
