"""Processes killed while the language model is thinking: the answer is kept, and replied to once."""

import asyncio
import itertools
import threading
from collections.abc import Iterator

import pytest

from tests.model_server import Fault, ModelServer
from tests.model_server import serving as model_serving
from tests.serving import Serve, serving, until
from tests.test_crash import Client, Contact, database, kill_web, turns
from tests.test_generation import PRICE, WORDS, reply


@pytest.fixture(scope="module")
def model() -> Iterator[ModelServer]:
    """A model server in a thread, for the processes that the tests kill."""
    ready, stop = threading.Event(), asyncio.Event()
    made: list[tuple[ModelServer, asyncio.AbstractEventLoop]] = []

    async def run() -> None:
        async with model_serving() as one:
            words = itertools.cycle(WORDS)
            one.text = lambda _: reply(next(words))
            made.append((one, asyncio.get_running_loop()))
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    assert ready.wait(10)
    [(one, loop)] = made
    yield one
    loop.call_soon_threadsafe(stop.set)
    thread.join()


@pytest.fixture(scope="module")
def server(model: ModelServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """A whole server with two web processes that ask it."""
    data = tmp_path_factory.mktemp("crash") / "data"
    settings = {"AFTERWORD_LLM_URL": model.url, "AFTERWORD_LLM_MODEL": "fake-model", "AFTERWORD_WEB_PROCESSES": "2"}
    with serving(data, "--workers", "2", **settings) as served:
        served.data = data
        yield served


def origins(server: Serve, number: int) -> list[str]:
    with database(server) as connection:
        found = connection.execute(
            "select t.origin from turns t join interviews i on i.org_id = t.org_id and i.id = t.interview_id "
            "join contacts c on c.org_id = i.org_id and c.id = i.contact_id "
            "where c.email = %s and t.role = 'interviewer' order by t.turn_no",
            [f"buyer{number}@example.com"],
        ).fetchall()
    return [str(origin) for (origin,) in found]


@pytest.mark.parametrize("finisher", ["the worker", "the contact's retry"])
def test_an_answer_whose_generation_was_killed_is_kept_and_replied_to_once(
    server: Serve, model: ModelServer, finisher: str
):
    number = 600_001 if finisher == "the worker" else 600_002
    contact = Contact(Client(server), number)
    until(lambda: contact.post(action="consent") is not None)
    answer = {"action": "answer", "turn": "1", "client_id": "the-same", "text": PRICE}
    before = len(model.asked)
    model.faults = [Fault(delay=4)]

    sender = threading.Thread(target=lambda: contact.post(**answer))
    sender.start()
    until(lambda: len(model.asked) > before)
    kill_web(server)
    sender.join()
    assert turns(server, number)[1:] == [("contact", PRICE)]

    contact.post(**answer)
    assert len(turns(server, number)) == 2, "the lease of the process that died still holds"
    with database(server) as connection:
        due = "clock_now()" if finisher == "the worker" else "clock_now() + interval '1 hour'"
        connection.execute(
            f"update interviews set generating_until = clock_now(), reply_due_at = {due} where reply_due_at is not null"
        )
    if finisher == "the contact's retry":
        until(lambda: contact.post(**answer) is not None)
    until(lambda: len(turns(server, number)) == 3)
    contact.post(**answer)

    assert [role for role, _ in turns(server, number)] == ["interviewer", "contact", "interviewer"]
    assert origins(server, number)[1] == ("script" if finisher == "the worker" else "model")
    assert len(model.asked) - before == (1 if finisher == "the worker" else 2)


def test_a_whole_family_killed_while_the_model_thinks_loses_nothing(server: Serve, model: ModelServer):
    contacts = [Contact(Client(server), 610_000 + number) for number in range(6)]
    for contact in contacts:
        until(lambda contact=contact: contact.post(action="consent") is not None)
    before = len(model.asked)
    model.faults = [Fault(delay=3) for _ in contacts]
    senders = [
        threading.Thread(
            target=contact.post, kwargs={"action": "answer", "turn": "1", "client_id": "one", "text": f"{PRICE} {one}"}
        )
        for one, contact in enumerate(contacts)
    ]
    for sender in senders:
        sender.start()
    until(lambda: len(model.asked) >= before + len(contacts))
    kill_web(server)
    for sender in senders:
        sender.join()

    until(lambda: all(len(turns(server, 610_000 + number)) == 3 for number in range(6)))
    for number in range(6):
        said = turns(server, 610_000 + number)
        assert [role for role, _ in said] == ["interviewer", "contact", "interviewer"]
        assert said[1] == ("contact", f"{PRICE} {number}")
