"""A cheap HTTP/1.1 load generator: raw bytes on kept connections, one call in flight on each.

It shares the machine with what it measures, so it does next to nothing: the requests are made before the clock starts,
and of an answer it reads the status and the length.
"""

import asyncio
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import cast

import psutil
import uvloop

_HEAD_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_HELLO = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
_BALANCING = 400  # connections opened at most for each that is wanted, until every process has its share

Meter = Callable[[], Mapping[str, float]]


class LoadError(Exception):
    """The server answered with something else than 201, or hung up."""


@dataclass(frozen=True, slots=True)
class Window:
    """What was seen in one measured window. `cpu` is seconds of CPU by group, `own_cpu` the load generator's."""

    seconds: float
    latencies: list[float]  # milliseconds, sorted
    cpu: Mapping[str, float]
    own_cpu: float


def run(
    port: int,
    processes: list[int],
    connections: int,
    requests: Iterator[bytes],
    *,
    ramp: float,
    seconds: float,
    meter: Meter,
) -> Window:
    """Call for `ramp` + `seconds` seconds and report on the latter. Raises LoadError.

    The connections are spread evenly over the web `processes` (their ids), as a load balancer would: which of several
    processes on one listening socket accepts a connection is otherwise luck, and with few connections it decides.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_run(port, processes, connections, requests, ramp=ramp, seconds=seconds, meter=meter))


async def _run(
    port: int,
    processes: list[int],
    connections: int,
    requests: Iterator[bytes],
    *,
    ramp: float,
    seconds: float,
    meter: Meter,
) -> Window:
    callers = await _balanced(port, processes, connections)
    done: list[tuple[float, float]] = []
    for caller in callers:
        caller.begin(requests, done)
    await asyncio.sleep(ramp)
    before, own_before, opened = meter(), time.process_time(), time.perf_counter()
    await asyncio.sleep(seconds)
    closed, own_after, after = time.perf_counter(), time.process_time(), meter()
    ends = await asyncio.gather(*(caller.finish() for caller in callers), return_exceptions=True)
    for error in ends:
        if isinstance(error, BaseException):
            raise error
    return Window(
        seconds=closed - opened,
        latencies=sorted((end - start) * 1000 for start, end in done if opened <= end < closed),
        cpu={group: after[group] - before[group] for group in after},
        own_cpu=own_after - own_before,
    )


async def _balanced(port: int, processes: list[int], connections: int) -> list["_Caller"]:
    """`connections` open connections, as many on each process as on the next."""
    loop = asyncio.get_running_loop()
    share = {pid: connections // len(processes) for pid in processes}
    kept: list[_Caller] = []
    for _ in range(_BALANCING):
        opened: list[_Caller] = []
        for _ in range(sum(share.values())):
            _, caller = await loop.create_connection(_Caller, "127.0.0.1", port)
            await caller.hello()
            opened.append(caller)
        owners = _owners(processes)
        for caller in opened:
            pid = owners.get(caller.local_port, 0)
            if share.get(pid, 0) > 0:
                share[pid] -= 1
                kept.append(caller)
            else:
                await caller.finish()
        if not any(share.values()):
            return kept
    raise LoadError(f"the processes {processes} do not share their connections evenly: {share} are missing")


def _owners(processes: list[int]) -> dict[int, int]:
    """The client's port of each established connection -> the process that accepted it."""
    return {
        connection.raddr.port: pid
        for pid in processes
        for connection in psutil.Process(pid).net_connections("tcp")
        if connection.raddr
    }


class _Caller(asyncio.Protocol):
    """One connection that sends the next request as soon as it has the answer to the last."""

    def __init__(self) -> None:
        self.local_port = 0
        self._buffer = b""
        self._requests: Iterator[bytes] = iter(())
        self._done: list[tuple[float, float]] = []
        self._started = 0.0
        self._greeting: asyncio.Future[None] | None = None
        self._stop = False
        self._closed = False
        self._idle = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self.local_port = transport.get_extra_info("sockname")[1]

    async def hello(self) -> None:
        """One small call, so that a process has accepted the connection."""
        self._greeting = asyncio.get_running_loop().create_future()
        self._transport.write(_HELLO)
        await self._greeting
        self._greeting = None

    def begin(self, requests: Iterator[bytes], done: list[tuple[float, float]]) -> None:
        self._requests, self._done = requests, done
        self._send()

    async def finish(self) -> None:
        """Take the answer that is under way, then hang up. Raises LoadError when the connection went wrong."""
        self._stop = True
        if self._started:
            await asyncio.wait_for(self._idle, 30)
        self._closed = True
        self._transport.abort()

    def _send(self) -> None:
        self._started = time.perf_counter()
        self._transport.write(next(self._requests))

    def data_received(self, data: bytes) -> None:
        if self._buffer:
            data = self._buffer + data
        end = data.find(_HEAD_END)
        length = _LENGTH.search(data, 0, end + 2) if end >= 0 else None
        if length is None or len(data) < end + 4 + int(length[1]):
            self._buffer = data
            return
        self._buffer = b""
        if self._greeting is not None:
            self._greeting.set_result(None)
            return
        if data[9:12] != b"201":
            self._fail(data.decode(errors="replace"))
            return
        self._done.append((self._started, time.perf_counter()))
        if self._stop:
            self._idle.set_result(None)
        else:
            self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._closed:
            self._fail(f"the connection was lost: {exc}")

    def _fail(self, what: str) -> None:
        if not self._idle.done():
            self._idle.set_exception(LoadError(what))
