"""`afterword serve` as a whole: real processes, killed one after the other."""

import signal
import socket

import psycopg

from afterword.db.embedded import EmbeddedServer, running_url
from tests.serving import KEY, SECRET, Serve, exists, free_port, serving, until


def test_every_process_may_be_killed_and_the_data_stays(tmp_path):
    data = tmp_path / "data"
    with serving(data) as server:
        printed = "".join(server.out)
        key = KEY.search(printed)
        assert key, printed
        assert server.get("/api/v1/me", key[0]) == 200
        until(lambda: server.child("afterword web") and server.child("afterword worker"))
        with psycopg.connect(running_url(data)) as connection:
            connection.execute("create table kept as select 7 as n")

        server.replaced("afterword web")
        assert server.get("/healthz") == 200  # it waited in the parent's queue instead of being refused
        server.replaced("afterword worker")
        assert server.get("/api/v1/me", key[0]) == 200

        server.replaced("postgres")
        assert server.get("/healthz") == 200
        until(lambda: server.get("/api/v1/me", key[0]) == 200)
        assert {line for line in server.err if "ended" in line}
        assert sum("SIGKILL" in line for line in server.err) == 3

        # The parent itself: everything ends, and the next start on the same port and folder waits for that.
        family = server.family()
        assert len(family) == 3
        port = server.port
        server.kill()
        with serving(data, port=port) as second:
            assert not any(exists(pid) for pid in family)
            assert second.get("/api/v1/me", key[0]) == 200
            assert not KEY.search("".join(second.out))
            with psycopg.connect(running_url(data)) as connection:
                assert connection.execute("select n from kept").fetchone() == (7,)

            said = Serve(data).refused()
            assert f"in use by another Afterword (process {second.process.pid})" in said

            last = second.family()
            second.process.send_signal(signal.SIGINT)
            assert second.process.wait(40) == 0
            assert not any(exists(pid) for pid in last)


def test_what_prevents_a_start_is_said_in_a_line(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = Serve(tmp_path / "a", port).refused()
    assert f"Port {port} is taken by another program" in said
    assert f"AFTERWORD_PORT={port + 1}" in said

    (tmp_path / "file").write_text("")
    assert "AFTERWORD_DATA_DIR" in Serve(tmp_path / "file").refused()

    url = f"postgresql://me:hush-hush@127.0.0.1:{free_port()}/there"
    said = Serve(tmp_path / "b", AFTERWORD_DATABASE_URL=url, AFTERWORD_SECRET_KEY=SECRET).refused()
    assert "database in AFTERWORD_DATABASE_URL does not answer" in said
    assert "hush-hush" not in said

    assert "AFTERWORD_SECRET_KEY" in Serve(tmp_path / "c", AFTERWORD_DATABASE_URL=url).refused()


def test_a_database_of_ones_own_is_used_and_nothing_else_is_started(tmp_path):
    postgres = EmbeddedServer.start(tmp_path / "elsewhere", durable=False)
    try:
        with serving(
            tmp_path / "data", "--no-worker", AFTERWORD_DATABASE_URL=postgres.url, AFTERWORD_SECRET_KEY=SECRET
        ) as server:
            key = KEY.search("".join(server.out))
            assert key
            assert server.get("/api/v1/me", key[0]) == 200
            assert [title.split()[:2] for title in server.family().values()] == [["afterword", "web"]]
            assert not (tmp_path / "data" / "postgres").exists()
    finally:
        postgres.stop()


def test_asked_to_stop_while_starting_it_leaves_nothing_running(tmp_path):
    server = Serve(tmp_path / "data")
    until((tmp_path / "data" / "postgres").exists)
    family = server.family()
    server.process.terminate()
    assert server.process.wait(40) == 0
    server.close()
    assert not any(exists(pid) for pid in family)
    assert running_url(tmp_path / "data") is None
