"""A bell between the processes: whoever enrolled a contact rings, and the worker looks for due mails at once.

It only makes mails quicker. A ring that is lost costs a second, after which the worker looks anyway.
"""

import asyncio
import contextlib
import logging
import weakref

import psycopg

from afterword.db import Db, execute
from afterword.errors import AfterwordError

_APART = 0.05  # seconds between two rings of one process: NOTIFY makes committing transactions queue up
_BACK_OFF = (0.5, 15.0)  # seconds

_log = logging.getLogger(__name__)
_ringing: "weakref.WeakKeyDictionary[Db, _Bell]" = weakref.WeakKeyDictionary()


class _Bell:
    def __init__(self) -> None:
        self.task: asyncio.Task[None] | None = None
        self.again = False


def wake(db: Db) -> None:
    """Tell the workers that something is due. Returns at once; many calls in a short time make one ring."""
    bell = _ringing.setdefault(db, _Bell())
    if bell.task is not None and not bell.task.done():
        bell.again = True
    else:
        bell.task = asyncio.get_running_loop().create_task(_ring(db, bell))


async def _ring(db: Db, bell: _Bell) -> None:
    while True:
        bell.again = False
        with contextlib.suppress(AfterwordError, psycopg.Error):
            async with db.tx() as tx:
                await execute(tx, "notify outreach")
        await asyncio.sleep(_APART)
        if not bell.again:
            return


async def listen(url: str, rung: asyncio.Event) -> None:
    """Set `rung` at every ring, for ever, over a connection of its own that is opened anew when it breaks."""
    delay = _BACK_OFF[0]
    while True:
        try:
            async with await psycopg.AsyncConnection.connect(
                url, autocommit=True, application_name="afterword worker (bell)", connect_timeout=10
            ) as conn:
                await conn.execute("listen outreach")
                delay = _BACK_OFF[0]
                rung.set()
                async for _ in conn.notifies():
                    rung.set()
        except psycopg.Error as error:
            _log.debug("the bell's connection broke: %s", error)
        await asyncio.sleep(delay)
        delay = min(delay * 2, _BACK_OFF[1])
