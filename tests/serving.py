"""A whole `afterword serve` as a child process, to look at from outside and to kill."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

KEY = re.compile(r"aw_[0-9A-Za-z]{49}")
SECRET = "0123456789abcdef" * 4


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(condition: Callable[[], object], seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


class Serve:
    """One `afterword serve`, its output, and its family as the process list shows it."""

    def __init__(self, data: Path, port: int | None = None, *options: str, **variables: str) -> None:
        self.port = port or free_port()
        self.out: list[str] = []
        self.err: list[str] = []
        clean = {name: value for name, value in os.environ.items() if not name.startswith("AFTERWORD_")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "afterword", "serve", *options],
            env={**clean, "AFTERWORD_DATA_DIR": str(data), "AFTERWORD_PORT": str(self.port), **variables},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._readers = [
            threading.Thread(target=lambda source, lines: lines.extend(source), args=pair, daemon=True)
            for pair in ((self.process.stdout, self.out), (self.process.stderr, self.err))
        ]
        for reader in self._readers:
            reader.start()

    def ready(self) -> "Serve":
        until(lambda: any(f":{self.port}" in line for line in self.out) or self.process.poll() is not None)
        assert self.process.poll() is None, self.err
        return self

    def refused(self) -> str:
        """What it said when it did not start."""
        assert self.process.wait(60) == 1
        for reader in self._readers:
            reader.join()
        self.close()
        said = "".join(self.err)
        assert "Traceback" not in said
        return said

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(40)
        finally:
            self.process.kill()
            for reader in self._readers:
                reader.join()
            self.process.stdout.close()
            self.process.stderr.close()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.close()

    def child(self, mark: str) -> int | None:
        """The child whose command line or title contains `mark`."""
        return next((pid for pid, title in children(self.process.pid).items() if mark in title), None)

    def family(self) -> dict[int, str]:
        return children(self.process.pid)

    def get(self, path: str, key: str = "") -> int:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}")
        if key:
            request.add_header("Authorization", f"Bearer {key}")
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            with error:
                return error.code

    def replaced(self, mark: str) -> None:
        """Kill -9 the child and wait for another in its place."""
        old = self.child(mark)
        assert old is not None
        os.kill(old, signal.SIGKILL)
        until(lambda: self.child(mark) not in {None, old})


def children(parent: int) -> dict[int, str]:
    listed = subprocess.run(
        ["ps", "-wweo", "pid=,ppid=,stat=,args="], capture_output=True, text=True, check=True
    ).stdout
    rows = (line.split(None, 3) for line in listed.splitlines())
    return {int(row[0]): row[3] for row in rows if row[1] == str(parent) and not row[2].startswith("Z")}


def exists(pid: int) -> bool:
    listed = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return listed.stdout.strip()[:1] not in {"", "Z"}


@contextlib.contextmanager
def serving(data: Path, *options: str, port: int | None = None, **variables: str) -> Iterator[Serve]:
    server = Serve(data, port, *options, **variables)
    try:
        yield server.ready()
    finally:
        server.close()
