"""The PostgreSQL that we run ourselves when no database is given: started, watched, restarted and stopped.

`postgres` is our direct child and ends when we do. It listens on a Unix socket in a folder that only we can enter,
which is the one reason why its `trust` authentication is sound. The application connects as an ordinary role.
Nothing here sends a signal to a process that it did not start.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import NoReturn
from urllib.parse import quote

import psycopg

from afterword.db import binaries, launch
from afterword.db.folder import DataFolder, EmbeddedError, FolderInUse, Running, disk_full, explain, running
from afterword.db.identity import Identity, Way, identify

__all__ = ["DataFolder", "EmbeddedError", "EmbeddedServer", "FolderInUse", "borrow", "running_url"]

_RECOVERY = 300.0  # seconds that a start may take, with the replay of everything since the last checkpoint
_OLD_ONE = 60.0  # seconds that leftovers of an older PostgreSQL may keep the data folder
_FAST_SHUTDOWN = 60.0  # seconds, then harder
_BACK_OFF = 0.2, 10.0  # seconds before the first restart, doubled up to the second figure
_HEALTHY = 30.0  # seconds of life after which the back-off starts over
_LOG_LIMIT = 10_000_000  # bytes, then the log becomes postgres.log.1
_FULL = ("No space left on device", "Check free disk space")  # said when the disk is full
_RETRY = ("pre-existing shared memory block", "lock file")  # said while processes of an older one are still there

# Whether the kernel ends PostgreSQL for us when we die. Where it does not (macOS), a small process watches a pipe.
_KERNEL_TELLS = sys.platform.startswith("linux")

_CONFIGURATION = """\
# Written by Afterword at every start. What you add to postgresql.conf below its include wins.
listen_addresses = ''
max_connections = 200
shared_buffers = 128MB
max_wal_size = 1GB
fsync = on
full_page_writes = on
synchronous_commit = on
password_encryption = 'scram-sha-256'
timezone = 'UTC'
log_timezone = 'UTC'
# The DETAIL of an error quotes values of the row, which are people's addresses and words.
log_error_verbosity = terse
"""


class EmbeddedServer:
    """A running PostgreSQL with the database `afterword`. `start` one, `poll` it now and then, `stop` it."""

    def __init__(self, folder: DataFolder, programs: Path, identity: Identity, *, durable: bool, ours: bool) -> None:
        self._folder = folder
        self._programs = programs
        self._identity = identity
        self._durable = durable
        self._close_folder = ours
        self._data = folder.path / "postgres"
        self._log = folder.path / "postgres.log"
        self._log_start = 0
        self._sockets = _socket_folder(folder.path, identity)
        self._process: subprocess.Popen[bytes] | None = None
        self._alive_pipe: int | None = None
        self._ready_since: float | None = None
        self._delay = _BACK_OFF[0]
        self._next_start = 0.0
        self._waiting = False

    @classmethod
    def start(
        cls,
        data_dir: Path | DataFolder,
        *,
        durable: bool = True,
        identity: Way = "auto",
        programs: Path | None = None,
    ) -> "EmbeddedServer":
        """Create the database in this folder if it is new, start it, and return once it has answered a query.

        Call it from the main thread. `durable=False` is for throw-away data. `identity` says how root becomes somebody
        else. Raises EmbeddedError.
        """
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError(
                "start it from the main thread: PostgreSQL ends together with the thread that started it"
            )
        folder = data_dir if isinstance(data_dir, DataFolder) else DataFolder.open(data_dir)
        server = None
        try:
            who = identify(folder.path, identity)
            found = programs or binaries.find(_data_version(folder.path / "postgres"))
            if not who.reaches(found):
                found = binaries.copy(found, folder.path)
            server = cls(folder, found, who, durable=durable, ours=folder is not data_dir)
            server._create()
            server._start_and_wait()
            server._create_database()
            folder.announce(Running(url=server.url, superuser_url=server.superuser_url))
        except BaseException as error:
            if server is not None:
                server.stop()
            elif folder is not data_dir:
                folder.close()
            if isinstance(error, OSError):
                raise explain(error, folder.path) from None
            raise
        return server

    @property
    def url(self) -> str:
        """The address for the application: an ordinary role that owns its database and nothing else."""
        return f"postgresql://afterword@/afterword?host={quote(str(self._sockets), safe='')}"

    @property
    def superuser_url(self) -> str:
        """The address for making databases and roles."""
        return f"postgresql://postgres@/postgres?host={quote(str(self._sockets), safe='')}"

    @property
    def pid(self) -> int | None:
        """The postmaster's process, None between two."""
        return self._process.pid if self._process else None

    def is_alive(self) -> bool:
        """Whether the postmaster lives; it may still be recovering."""
        return self._process is not None and self._process.poll() is None

    def poll(self) -> str | None:
        """Call this a few times a second. Starts a dead postmaster again, with back-off, and keeps the log short.

        Never waits. Returns a line for the log when something happened.
        """
        now = time.monotonic()
        if self._process is None:
            if now >= self._next_start:
                with contextlib.suppress(OSError):
                    self._spawn()
            return None
        if self._process.poll() is not None:
            return self._bury(now)
        self._shorten_log()
        if self._ready_since is None:
            if self._answers():
                self._ready_since = now
                return f"PostgreSQL answers again (process {self._process.pid})."
        elif now - self._ready_since > _HEALTHY:
            self._delay = _BACK_OFF[0]
        return None

    def stop(self) -> None:
        """Fast shutdown: sessions are cut, what was committed is on disk. Gives up the data folder if it opened it."""
        if self._process is not None:
            for number, patience in ((signal.SIGINT, _FAST_SHUTDOWN), (signal.SIGQUIT, 10.0), (signal.SIGKILL, None)):
                self._process.send_signal(number)
                try:
                    self._process.wait(patience)
                except subprocess.TimeoutExpired:
                    continue
                break
            self._release()
        if self._sockets.parent != self._folder.path:
            shutil.rmtree(self._sockets, ignore_errors=True)
        if self._close_folder:
            self._folder.close()

    # Making the database

    def _create(self) -> None:
        """Run initdb in a folder beside, and rename: a half-made one is never taken for a database."""
        for leftover in self._folder.path.glob("postgres.new*"):
            shutil.rmtree(leftover)
        if _data_version(self._data) is None:
            if self._data.exists():
                raise EmbeddedError(
                    f"{self._data} is there but holds no PostgreSQL database. Move it away, or name another folder in "
                    "AFTERWORD_DATA_DIR."
                )
            draft = self._folder.path / "postgres.new"
            draft.mkdir(mode=0o700)
            self._identity.own(draft)
            self._initdb(draft)
            draft.rename(self._data)
            _sync_folder(self._folder.path)
        elif self._data.stat().st_uid != self._identity.uid:
            self._identity.own_all(self._data)
        configuration = self._data / "afterword.conf"
        if not configuration.exists() or configuration.read_text() != _CONFIGURATION:
            configuration.write_text(_CONFIGURATION)
            self._identity.own(configuration)

    def _initdb(self, draft: Path) -> None:
        made = subprocess.run(  # noqa: S603  (a program that we found, arguments that we wrote)
            self._command(
                signal.SIGKILL, "initdb", "-D", str(draft), "-U", "postgres", "--locale=C", "--encoding=UTF8",
                "--auth=trust", "--data-checksums", "--no-instructions",
            ),
            stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False,
            env=_environment(), cwd="/", pass_fds=(self._folder.lock,),
        )  # fmt: skip
        if made.returncode != 0:
            said = (made.stderr or made.stdout).strip()
            shutil.rmtree(draft, ignore_errors=True)
            self._fail("PostgreSQL's initdb failed", said)
        with (draft / "postgresql.conf").open("a") as file:
            file.write("\ninclude_if_exists = 'afterword.conf'\n# Your own settings go below this line.\n")

    def _create_database(self) -> None:
        """The ordinary role and its database; a start that was cut short between the two completes here."""
        try:
            with psycopg.connect(self.superuser_url, autocommit=True, connect_timeout=10) as connection:
                if not connection.execute("select 1 from pg_roles where rolname = 'afterword'").fetchone():
                    connection.execute("create role afterword login")
                connection.execute("alter role afterword set idle_in_transaction_session_timeout = '10s'")
                if not connection.execute("select 1 from pg_database where datname = 'afterword'").fetchone():
                    connection.execute("create database afterword owner afterword")
        except psycopg.Error as error:
            self._fail("PostgreSQL's first database could not be made", str(error))

    # One postmaster

    def _start_and_wait(self) -> None:
        started = time.monotonic()
        self._spawn()
        while not self._answers():
            now = time.monotonic()
            if self._process is None or self._process.poll() is not None:
                said = self._last_words()
                self._release()
                if now - started > _OLD_ONE or not any(reason in said for reason in _RETRY):
                    self._fail("PostgreSQL did not start", said)
                time.sleep(0.2)
                self._spawn()
            elif any(words in self._last_words() for words in _FULL):
                self._fail("PostgreSQL did not start", self._last_words())  # it lives, and turns every session away
            elif now - started > _RECOVERY:
                self._fail(f"PostgreSQL did not answer within {_RECOVERY:.0f} s", self._last_words())
            time.sleep(0.02)
        self._ready_since = time.monotonic()

    def _spawn(self) -> None:
        _clear_stale_locks(self._data, self._sockets)
        self._ready_since = None
        self._shorten_log()
        log = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        inherited = [self._folder.lock]
        watch: list[str] = []
        try:
            self._log_start = os.fstat(log).st_size
            if not _KERNEL_TELLS:
                ended, self._alive_pipe = os.pipe()  # ours closes when we end, however we end
                inherited.append(ended)
                watch = ["--watch", str(ended)]
            quoted = '"' + str(self._sockets).replace('"', '""') + '"'
            options = ["-c", f"unix_socket_directories={quoted}", "-c", "unix_socket_permissions=0700"]
            if not self._durable:
                options += ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]
            self._process = subprocess.Popen(  # noqa: S603  (a program that we found, arguments that we wrote)
                self._command(signal.SIGINT, "postgres", "-D", str(self._data), *options, watch=watch),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=_environment(), cwd="/", pass_fds=inherited,
            )  # fmt: skip
        finally:
            for descriptor in (log, *inherited[1:]):
                os.close(descriptor)

    def _command(self, when_we_die: int, program: str, *arguments: str, watch: Sequence[str] = ()) -> list[str]:
        """How to start one of PostgreSQL's programs so that it is not root and ends when we do."""
        return [
            sys.executable, "-I", launch.__file__, *self._identity.arguments,
            "--parent", str(os.getpid()), "--signal", str(int(when_we_die)),
            *watch,
            "--", str(self._programs / program), *arguments,
        ]  # fmt: skip

    def _bury(self, now: float) -> str | None:
        """Note the end of the postmaster and when to start the next. Returns what to say about it."""
        if any(reason in self._last_words() for reason in _RETRY):
            # A session of the dead one is still computing; PostgreSQL rightly will not start before it is gone.
            self._release()
            self._next_start = now + _BACK_OFF[0]
            first, self._waiting = not self._waiting, True
            return "PostgreSQL waits for a session of its older self to end." if first else None
        why = self._why_it_ended()
        self._release()
        self._waiting = False
        self._next_start = now + self._delay
        line = f"PostgreSQL ended: {why} Starting it again in {self._delay:.1f} s."
        self._delay = min(self._delay * 2, _BACK_OFF[1])
        return line

    def _answers(self) -> bool:
        try:
            with psycopg.connect(self.superuser_url, connect_timeout=2) as connection:
                connection.execute("select 1")
        except psycopg.Error:
            return False
        return self.is_alive()

    def _release(self) -> None:
        self._process = None
        self._ready_since = None
        if self._alive_pipe is not None:
            os.close(self._alive_pipe)
            self._alive_pipe = None

    # What it says

    def _last_words(self) -> str:
        """What the present postmaster has logged, at most the last 20,000 bytes."""
        try:
            with self._log.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(min(self._log_start, size), size - 20_000))
                return file.read().decode(errors="replace")
        except OSError:
            return ""

    def _why_it_ended(self) -> str:
        said = self._last_words()
        if any(words in said for words in _FULL):
            return "the disk is full."
        code = self._process.returncode if self._process else 0
        if code == 0:
            return "it was shut down from outside."
        if code < 0:
            return f"{signal.Signals(-code).name}."
        return (_verdict(said) or f"exit status {code}").rstrip(".") + "."

    def _fail(self, what: str, said: str) -> NoReturn:
        if any(words in said for words in _FULL) or shutil.disk_usage(self._folder.path).free < 1_000_000:
            raise disk_full(self._folder.path)
        raise EmbeddedError(f"{what}: {_verdict(said) or 'no reason given'} (more in {self._log})")

    def _shorten_log(self) -> None:
        with contextlib.suppress(OSError):  # a full disk must not end the supervisor
            if self._log.stat().st_size > _LOG_LIMIT:
                shutil.copyfile(self._log, self._log.with_name("postgres.log.1"))
                os.truncate(self._log, 0)
                self._log_start = 0


def running_url(data_dir: Path) -> str | None:
    """The address of the embedded database that another process runs in this folder right now."""
    found = running(data_dir)
    return found.url if found else None


@contextlib.contextmanager
def borrow(data_dir: Path) -> Generator[str]:
    """The address of this folder's database for a command: the running one, else one that runs for the duration.

    Raises EmbeddedError.
    """
    deadline = time.monotonic() + _OLD_ONE
    while True:
        url = running_url(data_dir)
        if url is not None:
            yield url
            return
        try:
            server = EmbeddedServer.start(data_dir)
        except FolderInUse:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)  # somebody is starting or stopping it
            continue
        try:
            yield server.url
        finally:
            server.stop()
        return


def _socket_folder(data_dir: Path, identity: Identity) -> Path:
    """A folder (0700) in which a socket can be made: `run` in the data folder, else one with a shorter path.

    Linux takes paths of 107 bytes, macOS of 103; some file systems hold no sockets at all. `run` then points there.
    """
    run = data_dir / "run"
    if run.is_symlink():
        target = run.readlink()
        if target.name.startswith("afterword-"):
            shutil.rmtree(target, ignore_errors=True)
        run.unlink()
    run.mkdir(mode=0o700, exist_ok=True)
    if _holds_sockets(run):
        identity.own(run)
        return run
    run.rmdir()
    for base in (os.environ.get("XDG_RUNTIME_DIR"), tempfile.gettempdir(), "/tmp"):  # noqa: S108  (mkdtemp inside)
        if not base or not identity.reaches(Path(base)):
            continue
        short = Path(tempfile.mkdtemp(prefix="afterword-", dir=base))
        if _holds_sockets(short):
            identity.own(short)
            run.symlink_to(short)
            return short
        short.rmdir()
    raise EmbeddedError(
        f"No folder can hold PostgreSQL's socket. Name a shorter one than {data_dir} in AFTERWORD_DATA_DIR."
    )


def _holds_sockets(folder: Path) -> bool:
    path = folder / ".s.PGSQL.5432"
    if path.exists():
        return True  # one is there already
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.bind(str(path))
        except OSError:
            return False
    path.unlink()
    return True


def _clear_stale_locks(data: Path, sockets: Path) -> None:
    """Remove PostgreSQL's lock files if no process works in this database: their numbers name strangers by now.

    PostgreSQL itself would believe any living process of that number to be its older self, and not start for ever.
    We hold the lock of the data folder; if one still runs that was started by hand, the files stay.
    """
    if _processes_in(data):
        return
    (data / "postmaster.pid").unlink(missing_ok=True)
    for name in (".s.PGSQL.5432", ".s.PGSQL.5432.lock"):
        (sockets / name).unlink(missing_ok=True)


def _processes_in(data: Path) -> bool:
    """Whether a living process works in this folder, as each of PostgreSQL's does."""
    if Path("/proc/self/cwd").exists():
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if (process / "cwd").readlink() == data:
                    return True
        return False
    try:
        pid = int((data / "postmaster.pid").read_text().splitlines()[0])
    except (OSError, ValueError, IndexError):
        return False
    listed = subprocess.run(  # noqa: S603  (no /proc: macOS, where ps always is here)
        ["/bin/ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return "postgres" in listed.stdout


def _data_version(data: Path) -> int | None:
    try:
        return int((data / "PG_VERSION").read_text())
    except FileNotFoundError:
        return None
    except ValueError:
        raise EmbeddedError(f"{data / 'PG_VERSION'} is damaged. Restore the folder from a backup.") from None


def _verdict(said: str) -> str:
    """The line that tells why, out of a log."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    for mark in ("PANIC:", "FATAL:", "error:"):
        for line in reversed(lines):
            if mark in line:
                return line.partition(mark)[2].strip()
    return lines[-1] if lines else ""


def _environment() -> Mapping[str, str]:
    """Ours without PostgreSQL's own variables, and with the one locale that every machine has."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return {**kept, "LC_ALL": "C"}


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
