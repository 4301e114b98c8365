"""A mail server on loopback that answers what a test tells it to, and keeps what it was given."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

Hook = Callable[[str], Awaitable[None]]


@dataclass
class Taken:
    """One DATA: who it was for, its bytes, and what was answered (None: nothing, the connection was cut)."""

    sender: str
    recipient: str
    raw: bytes
    answer: str | None


@dataclass
class Sink:
    """`answers` by (recipient, stage) are given one after the other; where there is none left, the mail is taken."""

    answers: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    taken: list[Taken] = field(default_factory=list)
    on_rcpt: Hook | None = None
    on_data: Hook | None = None
    sessions: int = 0
    port: int = 0

    @property
    def url(self) -> str:
        """What AFTERWORD_SMTP_URL is set to."""
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def accepted(self) -> list[Taken]:
        """What was taken."""
        return [one for one in self.taken if (one.answer or "").startswith("250")]

    def _next(self, recipient: str, stage: str) -> str | None:
        queue = self.answers.get((recipient, stage), [])
        return queue.pop(0) if queue else None

    async def handle_MAIL(  # noqa: N802  (the library's name)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return self._next(address, "mail") or "250 OK"

    async def handle_RCPT(  # noqa: N802  (the library's name)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.on_rcpt is not None:
            await self.on_rcpt(address)
        answer = self._next(address, "rcpt") or "250 OK"
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer if answer != "cut" else _cut(server)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  (as above)
        recipient, raw = str(envelope.rcpt_tos[0]), envelope.original_content
        assert isinstance(raw, bytes)
        answer = self._next(recipient, "data") or f"250 2.0.0 OK queued as Q{len(self.taken)}"
        taken = Taken(str(envelope.mail_from), recipient, raw, None if answer == "cut" else answer)
        self.taken.append(taken)
        if self.on_data is not None:
            await self.on_data(recipient)
        return answer if answer != "cut" else _cut(server)


def _cut(server: SMTP) -> str:
    """Hang up in the middle of the conversation."""
    assert server.transport is not None
    server.transport.abort()
    return "421 gone"


@contextlib.asynccontextmanager
async def serving(**options: Any) -> AsyncGenerator[Sink]:
    """A sink that listens; `options` go to the SMTP class (`enable_SMTPUTF8=False`, …)."""
    sink = Sink()
    loop = asyncio.get_running_loop()

    def session() -> SMTP:
        sink.sessions += 1
        return SMTP(sink, hostname="sink.test", loop=loop, **{"enable_SMTPUTF8": True, **options})

    server = await loop.create_server(session, "127.0.0.1", 0)
    sink.port = server.sockets[0].getsockname()[1]
    try:
        yield sink
    finally:
        server.close()
