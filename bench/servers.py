"""The web processes under test, and how much CPU they and PostgreSQL have used."""

import contextlib
import http.client
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

_BENCH = Path(__file__).parent
_PATIENCE = 60.0  # seconds that a web process may take to answer

COMMANDS = {
    "afterword": [sys.executable, "-P", "-m", "afterword", "web", "--fd"],
    "usual": [sys.executable, "-m", "peers"],
}


@dataclass(frozen=True, slots=True)
class Server:
    """Web processes on one listening socket."""

    name: str
    port: int
    processes: list[int]


def environment(database_url: str, data_dir: Path) -> dict[str, str]:
    """Production settings, with a limit that nothing here reaches. The limit is counted all the same."""
    return {
        **os.environ,
        "AFTERWORD_DATABASE_URL": database_url,
        "AFTERWORD_DATA_DIR": str(data_dir),
        "AFTERWORD_SECRET_KEY": secrets.token_hex(32),
        "AFTERWORD_PLAN_ENTERPRISE_PER_MINUTE": "1000000",
        "AFTERWORD_LOG_LEVEL": "warning",  # the start and the end of a process are of no interest here
        "AFTERWORD_PARENT_PID": str(os.getpid()),  # they end when we do
    }


@contextlib.contextmanager
def serving(name: str, processes: int, settings: Mapping[str, str]) -> Generator[Server]:
    """`processes` processes of one contestant, until the end of the block."""
    with socket.socket() as listener, contextlib.ExitStack() as stack:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.bind(("127.0.0.1", 0))
        listener.listen(2048)
        fd = listener.fileno()
        started: list[subprocess.Popen[bytes]] = []
        for _ in range(processes):
            process = subprocess.Popen(
                [*COMMANDS[name], str(fd)],
                env=settings, cwd=_BENCH, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, pass_fds=[fd],
            )  # fmt: skip
            stack.callback(_stop, process)
            started.append(process)
        server = Server(name, listener.getsockname()[1], [process.pid for process in started])
        _wait_for(server, started)
        yield server


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait_for(server: Server, started: Sequence[subprocess.Popen[bytes]]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline and all(process.poll() is None for process in started):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=1)
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/healthz")
            connection.getresponse()
            return
        time.sleep(0.1)
    raise RuntimeError(f"the web processes of {server.name!r} do not answer; their messages are above")


class CpuMeter:
    """CPU seconds used so far by the web processes of a server and by PostgreSQL, ended sessions included."""

    def __init__(self, postmaster: int, server: Server | None) -> None:
        self._postmaster = psutil.Process(postmaster)
        self._web = [psutil.Process(pid) for pid in server.processes] if server else []

    def __call__(self) -> dict[str, float]:
        """`{"web": …, "postgres": …}`."""
        times = self._postmaster.cpu_times()
        sessions = sum(_used(process) for process in self._postmaster.children())
        return {
            "web": sum(_used(process) for process in self._web),
            "postgres": times.user + times.system + times.children_user + times.children_system + sessions,
        }


def _used(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:  # ended between the listing and now: the postmaster has it among its children's
        return 0.0
    return times.user + times.system
