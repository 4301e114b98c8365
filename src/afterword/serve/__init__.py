"""The one parent process of `afterword serve`: it owns the data folder, the port, PostgreSQL and its children.

Plain synchronous code in the main thread, which does no work of the product, so that there is little to go wrong. The
port belongs to the parent, so while a web process is being replaced callers wait instead of being refused.
"""

import contextlib
import errno
import http.client
import os
import signal
import socket
import sys
import time
from collections.abc import Generator
from pathlib import Path
from types import FrameType

import psycopg
from psycopg import conninfo
from setproctitle import setproctitle

from afterword import dashboard, provision, tokens
from afterword.db import launch
from afterword.db.embedded import DataFolder, EmbeddedError, EmbeddedServer
from afterword.db.folder import disk_full, explain
from afterword.db.migrate import MigrationError, migrate
from afterword.serve.family import PARENT, TICK, Family, Source, say
from afterword.settings import Settings, SettingsError

_ORPHAN_GRACE = 10.0  # seconds that a child may take to end when the parent, and with it the database, is gone
_OLD_CHILDREN = 20.0  # seconds that children of a killed parent may keep the port
_FIRST_TRIES = 5  # deaths of the web process before it has ever answered; then we give up


class StartError(Exception):
    """The server cannot start. The message says why and what to do."""


def run(settings: Settings, *, workers: int = 1, no_worker: bool = False, reload: bool = False) -> int:
    """Serve until SIGTERM or SIGINT; the exit status. What prevents a start is said on stderr, then 1.

    `reload` restarts the children whenever a file of the package changes.
    """
    signals = _Signals()
    try:
        with signals.caught(), contextlib.ExitStack() as stack:
            try:
                _serve(settings, stack, signals, workers=0 if no_worker else workers, reload=reload)
            finally:
                signals.raising = False  # what follows is the clean-up, which is not to be interrupted
    except _Stopped:
        pass
    except (StartError, EmbeddedError, SettingsError, MigrationError) as error:
        say(str(error))
        return 1
    return 0


def tie_to_parent(title: str) -> None:
    """The first call of a child: shows `title` in the process list, and from now on ends when its parent does.

    Started by hand, beside a server, the process lives for itself.
    """
    setproctitle(title)
    parent = os.environ.pop(PARENT, "")
    if parent:
        told = launch.die_with_parent(int(parent), signal.SIGTERM)
        launch.watch_parent(int(parent), tell=not told, grace=_ORPHAN_GRACE)


def _serve(settings: Settings, stack: contextlib.ExitStack, signals: "_Signals", *, workers: int, reload: bool) -> None:
    folder = DataFolder.open(settings.data_dir)
    stack.callback(folder.close)
    try:
        tokens.load_secret(settings)
    except OSError as error:
        raise explain(error, folder.path) from None
    listener = stack.enter_context(_listen(settings, patience=_OLD_CHILDREN if folder.abandoned else 0))

    server = None
    if settings.embedded:
        server = EmbeddedServer.start(folder)
        stack.callback(server.stop)
        url = server.url
    else:
        url = settings.database_url
        _check(url)
    lines = _prepare(url, settings, folder.path)
    if not settings.smtp_url:
        outbox = f"{settings.base_url}/outbox?key={dashboard.outbox.new_key(settings)}"
        lines.append(f"Mails are captured, nothing leaves this machine. Read them here (the link opens once): {outbox}")

    family = Family(listener, settings.web_processes, workers)
    stack.callback(family.stop, lambda: signals.count > 1)
    source = Source() if reload else None
    signals.raising = False
    announced = False
    while not signals.count:
        if server is not None and (line := server.poll()):
            say(line)
        family.tend()
        if source is not None and source.changed():
            say("The code has changed; restarting.")
            family.renew()
        if not announced:
            if _answers(listener):
                announced = True
                for line in (f"Afterword is running on {settings.base_url}", *lines):
                    sys.stdout.write(line + "\n")
                    sys.stdout.flush()
            elif family.deaths_of_web >= _FIRST_TRIES and not reload:
                raise StartError("The web process ended again and again before it could answer; see its message above.")
        time.sleep(TICK)


def _prepare(url: str, settings: Settings, data_dir: Path) -> list[str]:
    try:
        migrate(url)
        return provision.prepare(url, settings)
    except psycopg.errors.DiskFull:
        raise disk_full(data_dir) from None
    except psycopg.Error as error:
        raise StartError(f"The database could not be brought up to date: {_without_password(error, url)}") from None


# The port


def _listen(settings: Settings, *, patience: float) -> socket.socket:
    """The listening socket. Waits `patience` seconds for the children of a killed server to let go of the port."""
    deadline = time.monotonic() + patience
    where = f"{settings.host or '*'}:{settings.port}"
    try:
        found = socket.getaddrinfo(
            settings.host or None, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except OSError as error:
        raise StartError(f"AFTERWORD_HOST: {settings.host} is no address of this machine ({error.strerror}).") from None
    # 'localhost' has two; the addresses that we print are of the older kind
    family, _, _, _, address = min(found, key=lambda entry: entry[0] != socket.AF_INET)
    while True:
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            # Inherited by each connection. The web child does not know that the socket is TCP, so it would not ask.
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            listener.bind(address)
            listener.listen(2048)
        except OSError as error:
            listener.close()
            if error.errno == errno.EADDRINUSE:
                if time.monotonic() < deadline:
                    time.sleep(TICK)
                    continue
                raise StartError(
                    f"Port {settings.port} is taken by another program. Stop that one, or choose another port, "
                    f"for example AFTERWORD_PORT={settings.port + 1 if settings.port < 65535 else 8321}."
                ) from None
            if error.errno == errno.EACCES:
                raise StartError(
                    f"Port {settings.port} may not be used by this user. Choose one above 1023 in AFTERWORD_PORT."
                ) from None
            raise StartError(
                f"Cannot listen on {where}: {error.strerror}. See AFTERWORD_HOST, AFTERWORD_PORT."
            ) from None
        else:
            return listener


def _answers(listener: socket.socket) -> bool:
    """Whether GET /healthz on our own port is answered with 200."""
    bound, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(str(bound), str(bound))  # noqa: S104  (not bound to, compared)
    connection = http.client.HTTPConnection(host, port, timeout=1)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


# The database


def _check(url: str) -> None:
    try:
        with psycopg.connect(url, connect_timeout=5) as connection:
            connection.execute("select 1")
    except psycopg.Error as error:
        raise StartError(
            f"The database in AFTERWORD_DATABASE_URL does not answer: {_without_password(error, url)}"
        ) from None


def _without_password(error: psycopg.Error, url: str) -> str:
    """What the database driver says, on one line, and never the password."""
    try:
        password = str(conninfo.conninfo_to_dict(url).get("password") or "")
    except psycopg.Error:
        return "the address cannot be read; give one such as postgresql://user:password@host:5432/database"
    said = " ".join(str(error).split()) or type(error).__name__
    return said.replace(password, "…") if password else said


# Signals


class _Stopped(BaseException):
    """We were asked to stop while starting."""


class _Signals:
    """SIGTERM, SIGINT and SIGHUP: counted, and while `raising` they also interrupt what is going on."""

    def __init__(self) -> None:
        self.count = 0
        self.raising = True

    @contextlib.contextmanager
    def caught(self) -> Generator[None]:
        numbers = [signal.SIGTERM, signal.SIGINT]
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup
            numbers.append(signal.SIGHUP)
        before = {number: signal.signal(number, self._handle) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        self.count += 1
        if self.raising:
            self.raising = False  # the clean-up that follows is not interrupted again
            raise _Stopped
