"""Processes killed at the worst moment: what was acknowledged is there, and what is repeated happens once."""

import contextlib
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from afterword.db.folder import running
from tests.serving import KEY, Serve, children, serving, until

TYPE = "type_"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """One server with two web processes for the tests of this file."""
    data = tmp_path_factory.mktemp("crash") / "data"
    with serving(
        data, "--workers", "2", AFTERWORD_WEB_PROCESSES="2", AFTERWORD_PLAN_GROWTH_PER_MINUTE="1000000"
    ) as served:
        served.data = data
        yield served


class Client:
    """Calls that are repeated until they are answered, as a careful client does."""

    def __init__(self, server: Serve) -> None:
        printed = "".join(server.out)
        found = KEY.search(printed)
        assert found
        self.base = f"http://127.0.0.1:{server.port}"
        self.headers = {"Authorization": f"Bearer {found[0]}"}
        self.type_id = next(word for word in printed.split() if word.startswith(TYPE))
        self.sequence_id = next(word for word in printed.split() if word.startswith("seq_"))

    def once(self, method: str, path: str, **rest: object) -> httpx.Response | None:
        """One try; None where nobody answered, or the answer was to come back later."""
        headers = {**self.headers, **rest.pop("headers", {})}
        try:
            answer = httpx.request(method, self.base + path, headers=headers, timeout=20, **rest)
        except httpx.TransportError:
            return None
        return None if answer.status_code == 503 else answer

    def insist(self, method: str, path: str, **rest: object) -> httpx.Response:
        """Try until it is answered."""
        deadline = time.monotonic() + 60
        while (answer := self.once(method, path, **rest)) is None:
            assert time.monotonic() < deadline, "no answer in a minute"
            time.sleep(0.05)
        return answer

    def ask(self, number: int, **fields: str) -> httpx.Response:
        """Ask for the interview `number`, under its own Idempotency-Key."""
        body = {"contact_email": f"buyer{number}@example.com", "interview_type_id": self.type_id, **fields}
        return self.insist("POST", "/api/v1/interviews", json=body, headers={"Idempotency-Key": f"crash-{number}"})


@contextlib.contextmanager
def database(server: Serve, *, superuser: bool = False) -> Iterator[psycopg.Connection]:
    found = running(Path(server.data))
    assert found is not None
    with psycopg.connect(found.superuser_url if superuser else found.url, autocommit=True) as connection:
        yield connection


@contextlib.contextmanager
def held(server: Serve, table: str, when: str = "true") -> Iterator[psycopg.Connection]:
    """Whoever inserts into `table` stops there, in the middle of its transaction, until this block ends."""
    with database(server) as connection:
        connection.execute("select pg_advisory_lock(42)")
        connection.execute(
            "create or replace function hold() returns trigger language plpgsql as "
            "$$ begin perform pg_advisory_xact_lock_shared(42); return new; end $$"
        )
        connection.execute(
            f"create trigger hold before insert on {table} for each row when ({when}) execute function hold()"
        )
        try:
            yield connection
        finally:
            connection.execute("select pg_advisory_unlock(42)")
            connection.execute(f"drop trigger hold on {table}")


def waiting(connection: psycopg.Connection) -> bool:
    """Whether somebody stands at the held insert."""
    found = connection.execute("select count(*) from pg_locks where locktype = 'advisory' and not granted").fetchone()
    return bool(found and found[0])


def kill_web(server: Serve) -> None:
    """Kill -9 every web process and wait for their successors."""
    old = [pid for pid, title in server.family().items() if "afterword web" in title]
    for pid in old:
        os.kill(pid, signal.SIGKILL)
    until(lambda: sum(1 for pid, title in server.family().items() if "afterword web" in title and pid not in old) == 2)


def test_as_many_processes_run_as_were_asked_for(server):
    until(lambda: sorted(title.split()[1] for title in server.family().values() if title.startswith("afterword")) == [
        "web", "web", "worker", "worker"
    ])  # fmt: skip


def test_a_request_killed_between_the_work_and_the_answer_happens_once(server):
    client = Client(server)
    answers: list[httpx.Response] = []
    with held(server, "events") as connection:
        caller = threading.Thread(target=lambda: answers.append(client.ask(900_001)))
        caller.start()
        until(lambda: waiting(connection))
        kill_web(server)
    caller.join()

    again = client.ask(900_001)

    assert answers[0].status_code == again.status_code == 201
    assert again.content == answers[0].content
    assert again.headers["Idempotent-Replayed"] == "true"
    with database(server) as connection:
        counted = connection.execute(
            "select count(*), (select count(*) from contacts where email_key = 'buyer900001@example.com') "
            "from interviews i join contacts c on c.id = i.contact_id where c.email_key = 'buyer900001@example.com'"
        ).fetchone()
    assert counted == (1, 1)


def test_no_acknowledged_request_is_lost_whatever_is_killed(server):
    client = Client(server)
    acknowledged: dict[int, int] = {}
    numbers = iter(range(1, 241))
    lock = threading.Lock()

    def call() -> None:
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            answer = client.ask(number)
            assert answer.status_code == 201, answer.text
            acknowledged[number] = answer.json()["interview_request_id"]

    callers = [threading.Thread(target=call) for _ in range(8)]
    for caller in callers:
        caller.start()
    chance = random.Random(7)
    for mark in ("afterword web", "postgres", "afterword web", "postgres"):
        time.sleep(chance.uniform(0.05, 0.3))  # the moment of the kill is what is random here
        pid = server.child(mark)
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
    for caller in callers:
        caller.join()

    assert len(acknowledged) == 240
    with database(server) as connection:
        stored = dict(
            connection.execute(
                "select c.email, i.id from interviews i join contacts c on c.org_id = i.org_id and c.id = i.contact_id "
                "where c.email like 'buyer%@example.com' and c.email <> 'buyer900001@example.com'"
            ).fetchall()
        )
    assert stored == {f"buyer{number}@example.com": interview for number, interview in acknowledged.items()}


class Contact:
    """A contact who answers the survey's plain forms."""

    def __init__(self, client: Client, number: int) -> None:
        self.client = client
        self.token = client.ask(number).json()["survey_token"]

    def post(self, **fields: str) -> httpx.Response | None:
        return self.client.once("POST", f"/survey?token={self.token}", data={"token": self.token, **fields})


def turns(server: Serve, number: int) -> list[tuple[str, str]]:
    with database(server) as connection:
        return connection.execute(
            "select t.role, t.text from turns t join interviews i on i.org_id = t.org_id and i.id = t.interview_id "
            "join contacts c on c.org_id = i.org_id and c.id = i.contact_id where c.email = %s order by t.turn_no",
            [f"buyer{number}@example.com"],
        ).fetchall()


@pytest.mark.parametrize("finisher", ["the worker", "the contact's retry"])
def test_an_answer_whose_reply_was_killed_is_kept_and_replied_to_once(server, finisher):
    number = 800_001 if finisher == "the worker" else 800_002
    contact = Contact(Client(server), number)
    contact.post(action="consent")
    assert len(turns(server, number)) == 1
    answer = {"action": "answer", "turn": "1", "client_id": "the-same", "text": "Our contract ended in March."}

    with held(server, "turns", "new.role = 'interviewer'") as connection:
        sender = threading.Thread(target=lambda: contact.post(**answer))
        sender.start()
        until(lambda: waiting(connection))
        kill_web(server)
        with database(server, superuser=True) as root:
            root.execute(
                "select pg_terminate_backend(l.pid) from pg_locks l where l.locktype = 'advisory' and not l.granted"
            )
        sender.join()
    assert turns(server, number)[1:] == [("contact", "Our contract ended in March.")]

    if finisher == "the worker":
        with database(server) as connection:
            connection.execute("update interviews set reply_due_at = clock_now() where reply_due_at is not null")
    else:
        until(lambda: contact.post(**answer) is not None)
    until(lambda: len(turns(server, number)) == 3)

    assert [role for role, _ in turns(server, number)] == ["interviewer", "contact", "interviewer"]
    contact.post(**answer)
    assert len(turns(server, number)) == 3


def test_while_the_database_is_away_calls_get_503_and_the_contact_keeps_the_text(server):
    client = Client(server)
    contact = Contact(client, 700_001)
    contact.post(action="consent")
    said = "A long answer that nobody wants to type twice."
    statuses: set[int] = set()
    kept: list[str] = []

    # the postmaster is frozen, not dead, so that the outage lasts as long as the test looks at it
    postmaster = server.child("postgres")
    os.kill(postmaster, signal.SIGSTOP)
    for backend in children(postmaster):
        os.kill(backend, signal.SIGKILL)
    try:
        for path, rest in (("/api/v1/me", {}), ("/api/v1/interviews", {"json": {}})):
            method = "POST" if rest else "GET"
            started = time.monotonic()
            answer = httpx.request(method, client.base + path, headers=client.headers, timeout=20, **rest)
            assert time.monotonic() - started < 10
            statuses.add(answer.status_code)
            assert answer.json()["error"]["code"] == "unavailable"
            assert answer.headers["Retry-After"]
        page = httpx.post(
            f"{client.base}/survey?token={contact.token}",
            data={"token": contact.token, "action": "answer", "turn": "1", "client_id": "x", "text": said},
            timeout=20,
        )
        statuses.add(page.status_code)
        kept.append(page.text)
        assert httpx.get(f"{client.base}/healthz", timeout=5).status_code == 200
    finally:
        os.kill(postmaster, signal.SIGCONT)

    assert statuses == {503}
    assert said in kept[0]
    until(lambda: client.once("GET", "/api/v1/me") is not None)
    assert client.insist("GET", "/api/v1/me").status_code == 200
