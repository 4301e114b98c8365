"""The children of `afterword serve`: started, started again with growing pauses, replaced, stopped."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

PARENT = "AFTERWORD_PARENT_PID"  # how a child learns who has started it

TICK = 0.1  # seconds between two looks at everything
_GRACE = 30.0  # seconds that a child may take to finish what it is doing
_BACK_OFF = 0.2, 10.0  # seconds before the first restart, doubled up to the second figure
_HEALTHY = 30.0  # seconds of life after which the back-off starts over
_RELOAD = 1.0  # seconds between two looks at the source


class Child:
    """One child process: started, started again with growing pauses, replaced, stopped."""

    def __init__(self, role: str, arguments: list[str], environment: Mapping[str, str], descriptors: list[int]) -> None:
        self.role = role
        self.deaths = 0
        self._arguments = arguments
        self._environment = environment
        self._descriptors = descriptors
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._next_start = 0.0
        self._delay = _BACK_OFF[0]
        self._renewing: float | None = None  # until when it may take to end by itself

    def tend(self) -> None:
        now = time.monotonic()
        if self._process is None:
            if now >= self._next_start:
                self._start(now)
            return
        code = self._process.poll()
        if code is None:
            if self._renewing is not None and now > self._renewing:
                self._process.kill()
            if now - self._started > _HEALTHY:
                self._delay = _BACK_OFF[0]
            return
        pid, self._process = self._process.pid, None
        if self._renewing is not None:
            self._renewing = None
            self._start(now)
            return
        self.deaths += 1
        ended = signal.Signals(-code).name if code < 0 else f"exit status {code}"
        say(f"The {self.role} process {pid} ended ({ended}). Starting it again in {self._delay:.1f} s.")
        self._next_start = now + self._delay
        self._delay = min(self._delay * 2, _BACK_OFF[1])

    def renew(self) -> None:
        """Replace it by a new one, now."""
        self._next_start = 0.0
        self._delay = _BACK_OFF[0]
        if self._process is not None and self._renewing is None:
            self._renewing = time.monotonic() + _GRACE
            self._process.terminate()

    def signal(self, number: int) -> bool:
        """Send it a signal. False if it is gone."""
        if self._process is None or self._process.poll() is not None:
            return False
        self._process.send_signal(number)
        return True

    def gone(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def _start(self, now: float) -> None:
        try:
            self._process = subprocess.Popen(  # noqa: S603  (this program itself)
                [sys.executable, "-P", "-m", "afterword", *self._arguments],
                env=self._environment, stdin=subprocess.DEVNULL, pass_fds=self._descriptors,
                process_group=0,  # Ctrl-C reaches the parent alone, which then ends the children in order
            )  # fmt: skip
        except OSError as error:
            say(f"The {self.role} process could not be started: {error.strerror}.")
            self._next_start = now + _BACK_OFF[1]
        else:
            self._started = now


class Family:
    """All children."""

    def __init__(self, listener: socket.socket, web: int, workers: int) -> None:
        environment = {**os.environ, PARENT: str(os.getpid())}
        port = listener.fileno()
        self._listener = listener
        self._web = [Child("web", ["web", "--fd", str(port)], environment, [port]) for _ in range(web)]
        self._workers = [Child("worker", ["worker"], environment, []) for _ in range(workers)]

    def _all(self) -> Iterator[Child]:
        yield from self._web
        yield from self._workers

    @property
    def deaths_of_web(self) -> int:
        return sum(child.deaths for child in self._web)

    def tend(self) -> None:
        """Start what is not running and is due."""
        for child in self._all():
            child.tend()

    def renew(self) -> None:
        for child in self._all():
            child.renew()

    def stop(self, asked_again: Callable[[], bool]) -> None:
        """Let the children finish what they are doing, at most 30 s; at once when asked a second time."""
        self._listener.close()
        for child in self._all():
            child.signal(signal.SIGTERM)
        deadline = time.monotonic() + _GRACE
        while not all(child.gone() for child in self._all()):
            if time.monotonic() > deadline or asked_again():
                for child in self._all():
                    child.signal(signal.SIGKILL)
            time.sleep(TICK / 4)


class Source:
    """Notices changes of the package's files, for development."""

    def __init__(self) -> None:
        self._folder = Path(__file__).parent.parent
        self._seen = self._look()
        self._next_look = 0.0

    def changed(self) -> bool:
        now = time.monotonic()
        if now < self._next_look:
            return False
        self._next_look = now + _RELOAD
        before, self._seen = self._seen, self._look()
        return before != self._seen

    def _look(self) -> dict[Path, int]:
        found: dict[Path, int] = {}
        for path in self._folder.rglob("*.*"):
            if path.suffix != ".pyc":
                with contextlib.suppress(OSError):  # saved by renaming, just now
                    found[path] = path.stat().st_mtime_ns
        return found


def say(line: str) -> None:
    """One line on stderr."""
    sys.stderr.write(f"afterword: {line}\n")
    sys.stderr.flush()
