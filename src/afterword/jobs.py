"""Background jobs, on Procrastinate: a job's row commits together with the change that asks for it.

Jobs are named, not imported: a lower room may enqueue work that a higher one does. Each kind of work has a queue of its
own, and a worker reads only the queues whose tasks it knows, so that nothing is taken and thrown away.
"""

from procrastinate import App, PsycopgConnector

from afterword.db import Tx

_app = App(connector=PsycopgConnector())


async def enqueue(tx: Tx, task: str, *, queue: str, **arguments: str | int) -> int:
    """Ask for `task` once this transaction has committed. Arguments are ids only: a job is no place for content."""
    return await _app.configure_task(task, queue=queue, connection=tx).defer_async(**arguments)
