"""The data folder: one owner at a time, and a note of where its database answers.

lock           who owns the folder; held by the owner and by every PostgreSQL process that it started
running.json   where the database of the present owner answers
postgres/      PostgreSQL's own files
postgres.log   what PostgreSQL says
run/           its socket
"""

import contextlib
import errno
import fcntl
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

# How long the PostgreSQL of an owner that was killed may take to write its last checkpoint and go.
_PATIENCE = 60.0


class EmbeddedError(Exception):
    """The embedded database cannot run. The message says what is wrong, where, and what to do."""


class FolderInUse(EmbeddedError):
    """Another living process owns the data folder."""


@dataclass(frozen=True, slots=True)
class Running:
    """Where the embedded database of a data folder answers."""

    url: str
    superuser_url: str


class DataFolder:
    """An open data folder that is ours alone until `close()`, or until we and our PostgreSQL have ended."""

    def __init__(self, path: Path, lock: int, *, abandoned: bool) -> None:
        self.path = path
        self.abandoned = abandoned  # the last owner was killed: what it left behind may still be ending
        self.lock = lock  # a file descriptor; whoever inherits it keeps the folder locked

    @classmethod
    def open(cls, path: Path) -> "DataFolder":
        """Make the folder if it is new (0700) and take its lock. Raises EmbeddedError, FolderInUse.

        If the last owner is dead but its PostgreSQL is still ending, waits for that, at most a minute.
        """
        path = path.expanduser().absolute()
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = path.resolve()
            lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise explain(error, path) from None
        try:
            _acquire(lock, path)
            abandoned = os.fstat(lock).st_size > 0
            _write_owner(lock)
            (path / "running.json").unlink(missing_ok=True)
        except OSError as error:
            os.close(lock)
            raise explain(error, path) from None
        except BaseException:
            os.close(lock)
            raise
        return cls(path, lock, abandoned=abandoned)

    def announce(self, running: Running) -> None:
        """Let other processes find the database that runs here."""
        target = self.path / "running.json"
        draft = self.path / "running.json.new"
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as file:
                json.dump({"url": running.url, "superuser_url": running.superuser_url}, file)
            draft.replace(target)
        except OSError as error:
            raise explain(error, self.path) from None

    def close(self) -> None:
        """Give the folder up. It stays locked while a PostgreSQL process of ours is still there."""
        if self.lock >= 0:
            with contextlib.suppress(OSError):
                (self.path / "running.json").unlink(missing_ok=True)
                os.ftruncate(self.lock, 0)
            os.close(self.lock)
            self.lock = -1


def running(path: Path) -> Running | None:
    """The database that a living owner of this folder has announced. None if there is no such owner."""
    try:
        lock = os.open(path.expanduser() / "lock", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        if _owner(lock) is None:
            return None  # its PostgreSQL is still there, but ending
    else:
        return None
    finally:
        os.close(lock)
    try:
        note = json.loads((path.expanduser() / "running.json").read_text())
        return Running(url=str(note["url"]), superuser_url=str(note["superuser_url"]))
    except (OSError, ValueError, KeyError):
        return None


def explain(error: OSError, path: Path) -> EmbeddedError:
    """An OSError on the data folder, in words for the person who started us."""
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return disk_full(path)
        case errno.EACCES | errno.EPERM | errno.EROFS:
            why = "is not writable for this user"
        case errno.ENOTDIR | errno.EEXIST:
            why = "is not a folder"
        case _:
            why = f"cannot be used ({error.strerror})"
    return EmbeddedError(f"The data folder {path} {why}. Correct that, or name another folder in AFTERWORD_DATA_DIR.")


def disk_full(path: Path) -> EmbeddedError:
    """There is no room left where the data folder is."""
    return EmbeddedError(f"The disk that holds {path} is full. Free some space and start again; stored data is safe.")


def _acquire(lock: int, path: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = _owner(lock)
        else:
            return
        if owner is not None:
            raise FolderInUse(
                f"The data folder {path} is in use by another Afterword (process {owner}). "
                "Stop that one first, or name another folder in AFTERWORD_DATA_DIR."
            )
        if time.monotonic() > deadline:
            raise FolderInUse(
                f"The PostgreSQL of an Afterword that was killed is still ending in {path}. Try again in a minute."
            )
        time.sleep(0.05)


def _write_owner(lock: int) -> None:
    note = json.dumps({"pid": os.getpid(), "started": _started(os.getpid())}).encode()
    os.ftruncate(lock, 0)
    os.pwrite(lock, note, 0)


def _owner(lock: int) -> int | None:
    """The process that the lock file names, if it still lives and is not another one with a recycled number."""
    try:
        note = json.loads(os.pread(lock, 200, 0))
        pid, started = int(note["pid"]), str(note["started"])
    except (ValueError, KeyError, TypeError):
        return None  # taken a moment ago, not written yet
    return pid if started and _started(pid) == started else None


def _started(pid: int) -> str:
    """When a process began, as text to compare; empty if it is gone. Linux: clock ticks since boot."""
    try:
        # The name in parentheses may hold anything; after it: state, …, and as the 20th the start.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        if Path("/proc/self/stat").exists():
            return ""
        return "unknown" if _exists(pid) else ""
    return "" if fields[0] in "ZX" else fields[19]


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)  # sends nothing
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
