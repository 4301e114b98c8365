"""Calls that arrive together share one statement: one round trip and one commit, an answer for each.

Nobody waits in order to be joined. A call that comes while nothing is under way starts at once; those that come
meanwhile gather, and go together as soon as a lane is free. So batches form under load and only there.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
Params = Mapping[str, object]

_LANES = 2  # statements of one kind under way at once: while one waits for the disk, the next computes
_MOST = 64  # calls in one statement


class Batcher(Generic[T]):
    """Runs `together(calls)`, which answers by place; a call that it leaves out is run by `alone(call)`."""

    def __init__(
        self,
        together: Callable[[Sequence[Params]], Awaitable[Mapping[int, T]]],
        alone: Callable[[Params], Awaitable[T | None]],
    ) -> None:
        self._together = together
        self._alone = alone
        self._waiting: list[tuple[Params, asyncio.Future[T | None]]] = []
        self._lanes = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def __call__(self, call: Params) -> T | None:
        """The answer to one call. Raises what the statement raises."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T | None] = loop.create_future()
        self._waiting.append((call, answer))
        if self._lanes < _LANES:
            self._lanes += 1
            task = loop.create_task(self._work())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        if (found := await answer) is not None:
            return found
        return await self._alone(call)

    async def _work(self) -> None:
        try:
            while self._waiting:
                await asyncio.sleep(0)  # what has reached our sockets by now comes along
                batch, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
                if batch:  # else the other lane has taken them
                    await self._answer(batch)
        finally:
            self._lanes -= 1

    async def _answer(self, batch: Sequence[tuple[Params, asyncio.Future[T | None]]]) -> None:
        error = None
        answers: Mapping[int, T] = {}
        try:
            answers = await self._together([call for call, _ in batch])
        except Exception as raised:
            error = raised
        for place, (_, answer) in enumerate(batch):
            if answer.done():  # its caller has gone
                continue
            if error is not None:
                answer.set_exception(error)
            else:
                answer.set_result(answers.get(place))
