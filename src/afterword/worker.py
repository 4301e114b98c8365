"""The worker: sends due mails, and finishes what a process that died has left.

One process may run or eight; the database hands each mail to one of them. Jobs that were enqueued by name wait in
their queues: no task of this release runs them yet, so no job runner is started here.
"""

import asyncio
import contextlib
import logging
import os
import secrets
import signal
import socket
from collections.abc import Awaitable, Callable

import psycopg

from afterword import accounts, alerts, llm, mail, outreach
from afterword.db import Db
from afterword.errors import AfterwordError
from afterword.interviews import conversation, limits, planner, prompts
from afterword.settings import Settings

_POLL = 1.0  # seconds between two looks for due mails when nobody rings
_REPLIES = 5.0  # seconds between two looks for answers that nobody replied to
_PLANS = 3.0  # seconds between two looks for interviews that the planner should prepare
_ALERTS = 5.0  # seconds between two looks for alerts that nobody was mailed about
_HOUSEKEEPING = 600.0  # seconds
_BACK_OFF = (1.0, 60.0)  # seconds while the mail server or the database is away
_GRACE = 20.0  # seconds for the mails in flight after SIGTERM
_BATCH = 20  # enrollments in one claim

_log = logging.getLogger(__name__)


async def run(settings: Settings, url: str, *, stop: asyncio.Event | None = None) -> None:
    """Work until SIGTERM, SIGINT or `stop`; then finish the mails in flight and return.

    An outage of the database or the mail server is waited out. The secret must have been loaded.
    """
    stop = stop or asyncio.Event()
    loop = asyncio.get_running_loop()
    handled: list[signal.Signals] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        # not in a thread other than the main one, nor on Windows
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(number, stop.set)
            handled.append(number)
    mailer = mail.from_settings(settings)
    try:
        async with Db.open(url, size=mail.CONNECTIONS + 5, name="afterword worker") as db:
            await _work(db, mailer, settings, url, stop)
    finally:
        await mailer.close()
        await llm.close()
        for number in handled:
            loop.remove_signal_handler(number)


async def _work(db: Db, mailer: mail.Mailer, settings: Settings, url: str, stop: asyncio.Event) -> None:
    rung = asyncio.Event()
    sending = asyncio.create_task(_send(db, mailer, rung, stop))
    others = [
        asyncio.create_task(outreach.listen(url, rung)),
        asyncio.create_task(_every(_REPLIES, lambda: conversation.finish_replies(db))),
        asyncio.create_task(_every(_PLANS, planner.Planner(db).look)),
        asyncio.create_task(_every(_ALERTS, lambda: alerts.mail_new(db, mailer))),
        asyncio.create_task(_every(_HOUSEKEEPING, lambda: _keep_house(db, settings))),
    ]
    stopped = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait([sending, stopped], return_when=asyncio.FIRST_COMPLETED)
        rung.set()
        await asyncio.wait([sending], timeout=_GRACE)
    finally:
        for task in (sending, stopped, *others):
            task.cancel()
        await asyncio.wait([sending, stopped, *others])


async def _send(db: Db, mailer: mail.Mailer, rung: asyncio.Event, stop: asyncio.Event) -> None:
    """Send what is due at every ring and every second. While the mail server is down, one mail at a time is tried."""
    worker_id = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
    delay = 0.0
    while not stop.is_set():
        rung.clear()
        limit = 1 if delay else _BATCH
        try:
            looked_at = await outreach.send_due(db, mailer, worker_id=worker_id, limit=limit, stopping=stop.is_set)
        except outreach.MailServerDown as down:
            delay = min(max(delay * 2, _BACK_OFF[0]), _BACK_OFF[1])
            _log.warning("the mail server cannot be used, next try in %.0f s: %s", delay, down)
        except (AfterwordError, psycopg.Error) as error:
            _log.warning("mails wait for the database: %s", error)
            await _sleep(_BACK_OFF[0], stop)
            continue
        except Exception:
            _log.exception("sending failed in a way that nobody foresaw")
            await _sleep(_BACK_OFF[0], stop)
            continue
        else:
            delay = 0.0 if looked_at else delay
            if looked_at >= limit:
                continue
        if delay:
            await _sleep(delay, stop)
        else:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(rung.wait(), _POLL)


async def _sleep(seconds: float, stop: asyncio.Event) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


async def _every(seconds: float, work: Callable[[], Awaitable[object]]) -> None:
    """Do `work` now and again, whatever becomes of it."""
    while True:
        try:
            await work()
        except (AfterwordError, psycopg.Error) as error:
            _log.warning("a sweep waits for the database: %s", error)
        except Exception:
            _log.exception("a sweep failed in a way that nobody foresaw")
        await asyncio.sleep(seconds)


async def _keep_house(db: Db, settings: Settings) -> None:
    await conversation.complete_idle(db)
    await accounts.forget_old_answers(db)
    await limits.forget_old_counters(db)
    await prompts.forget_old(db)
    await asyncio.to_thread(mail.purge_captured, settings.outbox_folder, settings.captured_mail_days)
