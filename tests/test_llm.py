"""One question to a model: what each fault of a server means, in time, over real HTTP on loopback."""

import asyncio
import contextlib
import importlib
import logging
import socket
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from afterword import llm, net
from afterword.llm import Model, ModelFailed, breaker, reply
from afterword.settings import Settings
from tests.model_server import REPLY, Fault, ModelServer, serving

SCHEMA = {
    "type": "object",
    "properties": {name: {"type": "string"} for name in ("if_probe", "if_advance")} | {"quality": {"type": "integer"}},
    "required": ["quality", "if_probe", "if_advance"],
    "additionalProperties": False,
}
MESSAGES = [
    {"role": "system", "content": "You are Paige."},
    {"role": "user", "content": "Background: nothing."},
    {"role": "user", "content": "The answer: it was too expensive."},
]
KEY = "sk-a-key-that-nobody-may-see"

Configure = Callable[..., Settings]


@pytest.fixture
async def server(configure: Configure) -> AsyncGenerator[ModelServer]:
    """A model server. Only tests that wait for a deadline make it a fifth, so that a busy machine harms no other."""
    configure(llm_deadline_scale=1)
    breaker.reset()
    llm.prepare("openai")
    async with serving() as one:
        yield one
        await llm.close()


Hurry = Callable[..., None]


@pytest.fixture
def hurry(configure: Configure) -> Hurry:
    """Make the deadlines a fifth of the real ones: 0.4, 1 and 1.6 seconds."""

    def scale(by: float = 0.2) -> None:
        configure(llm_deadline_scale=by)

    return scale


def model(server: ModelServer, provider: Any = "openai", **more: Any) -> Model:
    url = server.url if provider == "openai" else server.url.removesuffix("/v1")
    return Model(provider, url, KEY, "fake-model", 0.5, 2.0, **more)


async def ask(model: Model, **more: Any) -> llm.Answered:
    return await llm.ask(model, MESSAGES, SCHEMA, **{"seconds": 8.0, **more})


async def failure(model: Model, **more: Any) -> ModelFailed:
    with pytest.raises(ModelFailed) as raised:
        await ask(model, **more)
    assert KEY not in f"{raised.value} {raised.value!r} {raised.value.text}"
    return raised.value


@pytest.mark.parametrize("provider", ["openai", "anthropic", "google"])
@pytest.mark.parametrize("output", ["native", "tool", "prompted"])
async def test_an_answer_is_an_object_with_its_tokens_and_seconds(
    provider: Any, output: Any, server: ModelServer
) -> None:
    llm.prepare(provider)
    answered = await ask(model(server, provider, output=output))

    assert answered.data == REPLY
    assert (answered.input_tokens, answered.output_tokens) == (1200, 90)
    assert 0 < answered.seconds < 8
    [asked] = server.asked
    assert "You are Paige." in str(asked)
    assert str(asked).index("Background") < str(asked).index("too expensive")
    assert "if_advance" in str(asked), "the schema goes along, in whatever form"


async def test_the_messages_go_out_as_they_are_and_in_their_order(server: ModelServer) -> None:
    await ask(model(server))

    [asked] = server.asked
    assert asked["messages"] == MESSAGES
    assert asked["response_format"]["json_schema"]["schema"] == SCHEMA
    assert server.headers[0]["authorization"] == f"Bearer {KEY}"


async def test_a_tool_call_is_an_answer_too(server: ModelServer) -> None:
    server.faults = [Fault(tool=True)]

    assert (await ask(model(server, output="tool"))).data == REPLY


async def test_anthropic_is_told_what_it_may_cache(server: ModelServer) -> None:
    llm.prepare("anthropic")
    await ask(model(server, "anthropic"), fixed=2)

    background, turn = server.asked[0]["messages"][0]["content"]
    assert background["cache_control"]["type"] == "ephemeral"
    assert "cache_control" not in turn


FAULTS: list[tuple[str, Fault, str]] = [
    ("no first token in time", Fault(delay=2), "timeout"),
    ("a stream that stalls", Fault(stall=2), "timeout"),
    ("a stream that is cut without a finish reason", Fault(finish=None), "cut"),
    ("the token limit", Fault(finish="length"), "cut"),
    ("a connection that breaks in the middle", Fault(hang_up=True), "connection"),
    ("a chunk that is no JSON", Fault(garbage=True), "malformed"),
    ("an answer that is no JSON", Fault(text="How did that make you feel?"), "malformed"),
    ("an answer that is half JSON", Fault(text='{"quality": 2, "if_probe": "What'), "malformed"),
    ("an answer that is a list", Fault(text="[1, 2]"), "malformed"),
    ("an empty answer", Fault(text=" "), "malformed"),
    ("an answer of 300 KiB", Fault(text="x" * 300_000), "malformed"),
    ("a refusal", Fault(refusal="I cannot help with that."), "refused"),
    ("a content filter", Fault(finish="content_filter"), "refused"),
    ("429 for long", Fault(status=429, headers={"Retry-After": "30"}), "rate_limited"),
    ("429 without a word", Fault(status=429), "rate_limited"),
    (
        "an account without money",
        Fault(status=429, body={"error": {"code": "insufficient_quota", "message": "no"}}),
        "rate_limited",
    ),
    ("401", Fault(status=401, body={"error": {"message": f"bad key {KEY}"}}), "unauthorized"),
    ("403", Fault(status=403), "unauthorized"),
    ("404", Fault(status=404, body={"error": {"message": "model not found"}}), "server"),
    ("a schema it does not take", Fault(status=400, body={"error": {"message": "bad schema"}}), "server"),
    ("500", Fault(status=500), "server"),
    ("503", Fault(status=503), "server"),
    ("a redirect", Fault(status=302, headers={"Location": "http://127.0.0.2/"}), "server"),
    (
        "a prompt that is too long, as OpenAI says it",
        Fault(status=400, body={"error": {"code": "context_length_exceeded", "message": "too long"}}),
        "too_long",
    ),
    (
        "a prompt that is too long, as llama.cpp says it",
        Fault(status=400, body={"error": {"message": "the request exceeds the available context size"}}),
        "too_long",
    ),
]


@pytest.mark.parametrize(("fault", "reason"), [one[1:] for one in FAULTS], ids=[one[0] for one in FAULTS])
async def test_every_fault_of_a_server_has_its_reason(
    fault: Fault, reason: str, server: ModelServer, hurry: Hurry
) -> None:
    server.faults = [fault]
    if reason == "timeout":
        hurry()
    started = time.monotonic()

    failed = await failure(model(server))

    assert failed.reason == reason, failed
    assert time.monotonic() - started < 4
    assert 0 < failed.seconds < 4
    assert not failed.opened
    assert len(server.asked) == 1, "nothing is tried again"
    hurry(1)
    assert (await ask(model(server))).data == REPLY, "the next call is not harmed"


@pytest.mark.parametrize("provider", ["anthropic", "google"])
@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault(status=401, body={"error": {"type": "authentication_error", "message": "no"}}), "unauthorized"),
        (Fault(status=500, body={"error": {"type": "api_error", "message": "no"}}), "server"),
        (Fault(status=429, body={"error": {"type": "rate_limit_error", "message": "no"}}), "rate_limited"),
        (Fault(finish=None), "cut"),
        (Fault(finish="length"), "cut"),
        (Fault(finish="content_filter"), "refused"),
        (Fault(text="no"), "malformed"),
        (Fault(stall=2), "timeout"),
        (Fault(hang_up=True), "connection"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_the_other_wire_formats_fail_alike(
    provider: Any, fault: Fault, reason: str, server: ModelServer, hurry: Hurry
) -> None:
    llm.prepare(provider)
    server.faults = [fault]
    if reason == "timeout":
        hurry()

    assert (await failure(model(server, provider))).reason == reason
    assert len(server.asked) == 1


async def test_nobody_listening_is_a_fault_of_the_connection(server: ModelServer) -> None:
    failed = await failure(replace(model(server), url="http://127.0.0.1:9/v1"))

    assert (failed.reason, failed.input_tokens) == ("connection", 0)


async def test_a_host_that_does_not_take_the_connection_is_not_waited_for(server: ModelServer, hurry: Hurry) -> None:
    hurry()
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):  # fill the queue that nobody takes from
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())

        failed = await failure(replace(model(server), url=f"http://127.0.0.1:{listener.getsockname()[1]}/v1"))

    assert failed.reason == "timeout"
    assert 0.3 < failed.seconds < 0.95, "two seconds times the scale, not five"


async def test_a_host_that_does_not_exist_is_a_fault_of_the_connection(server: ModelServer) -> None:
    assert (await failure(replace(model(server), url="http://nowhere.invalid/v1"))).reason in {"connection", "timeout"}


async def test_a_slow_start_that_is_in_time_is_waited_for(server: ModelServer, hurry: Hurry) -> None:
    hurry(0.4)  # 2 s to the first token, 3.2 in all
    server.faults = [Fault(delay=1), Fault(delay=1, stall=1.2)]

    assert (await ask(model(server))).data == REPLY
    assert (await ask(model(server))).data == REPLY


async def test_thoughts_count_as_a_first_token_and_not_as_an_answer(server: ModelServer, hurry: Hurry) -> None:
    hurry(0.4)
    server.faults = [Fault(thinking="Let me see.", stall=2.2)]

    answered = await ask(model(server))

    assert answered.data == REPLY
    assert "Let me see" not in answered.text


async def test_the_callers_seconds_are_the_whole_limit(server: ModelServer, hurry: Hurry) -> None:
    hurry()
    server.faults = [Fault(delay=0.6)]

    assert (await failure(model(server), seconds=2.0)).reason == "timeout"


async def test_a_short_retry_after_is_waited_for_once(server: ModelServer, hurry: Hurry) -> None:
    hurry(0.4)
    server.faults = [Fault(status=429, headers={"Retry-After": "1"})]

    answered = await ask(model(server))

    assert answered.data == REPLY
    assert 0.4 <= answered.seconds < 3
    assert len(server.asked) == 2

    server.faults = [Fault(status=429, headers={"Retry-After": "1"})] * 2
    assert (await failure(model(server))).reason == "rate_limited"
    assert len(server.asked) == 4


async def test_tokens_are_guessed_where_a_server_does_not_count(server: ModelServer, hurry: Hurry) -> None:
    server.faults = [Fault(usage=False), Fault(stall=2), Fault(status=500)]

    answered = await ask(model(server))
    hurry()
    stalled = await failure(model(server))
    refused = await failure(model(server))

    assert answered.input_tokens == stalled.input_tokens == llm.estimated_tokens(MESSAGES) > 30
    assert answered.output_tokens > stalled.output_tokens > 0
    assert (refused.input_tokens, refused.output_tokens) == (0, 0), "an error is not paid for"


def test_a_call_costs_its_tokens_by_the_million() -> None:
    one = Model("openai", "", "", "m", 0.5, 2.0)

    assert llm.cost(one, 1_000_000, 500_000) == pytest.approx(1.5)
    assert llm.likely_cost(one, MESSAGES, max_tokens=1000) > llm.cost(one, llm.estimated_tokens(MESSAGES), 1000)
    assert llm.estimated_tokens([{"content": "价格太高了"}]) >= 5, "a sign of Chinese is a token or more"


async def test_a_model_is_never_called_inside_a_transaction(server: ModelServer) -> None:
    with net.forbidden(), pytest.raises(RuntimeError, match="inside a transaction"):
        await ask(model(server))
    assert server.asked == []


async def test_cancelling_passes_through_and_counts_for_nothing(server: ModelServer) -> None:
    server.faults = [Fault(stall=5)] * 4
    for _ in range(4):
        call = asyncio.create_task(ask(model(server)))
        await asyncio.sleep(0.1)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    assert not llm.breaker_is_open(model(server))
    assert (await ask(model(server))).data == REPLY


async def test_fifty_calls_at_once_share_one_client(server: ModelServer) -> None:
    server.faults = [Fault(delay=0.1) for _ in range(50)]

    answers = await asyncio.gather(*(ask(model(server)) for _ in range(50)))

    assert all(answer.data == REPLY for answer in answers)


async def test_the_connections_kept_for_many_models_are_bounded(server: ModelServer) -> None:
    for number in range(70):
        await ask(replace(model(server), key=f"key-{number}"))
    await asyncio.sleep(0.1)

    assert server.connections == 70
    assert server.open <= 64
    assert (await ask(replace(model(server), key="key-0"))).data == REPLY


async def test_a_client_that_is_taken_up_while_others_are_closed_stays_open(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = (replace(model(server), key=f"key-{number}") for number in range(3))
    for one in (first, second):
        await ask(one)
    providers = importlib.import_module("afterword.llm.providers")
    monkeypatch.setattr(providers, "_MOST_CLIENTS", 1)
    close, begun = httpx2.AsyncClient.aclose, asyncio.Event()

    async def slowly(client: httpx2.AsyncClient) -> None:
        begun.set()
        await asyncio.sleep(0.2)
        await close(client)

    monkeypatch.setattr(httpx2.AsyncClient, "aclose", slowly)
    closing = asyncio.create_task(ask(third))
    await begun.wait()
    server.faults = [Fault(delay=0.4)]

    assert (await ask(second)).data == REPLY
    await closing


async def test_nothing_of_a_request_is_logged(server: ModelServer, caplog: pytest.LogCaptureFixture) -> None:
    for provider in ("openai", "anthropic", "google"):
        llm.prepare(provider)
    caplog.set_level(logging.DEBUG)
    server.faults = [
        Fault(),
        Fault(status=401, body={"error": {"message": KEY}}),
        Fault(),
        Fault(),
        Fault(garbage=True),
    ]
    await ask(model(server))
    await failure(model(server))
    await ask(model(server, "anthropic"))
    await ask(model(server, "google"))
    await failure(model(server))

    assert KEY not in caplog.text
    assert "too expensive" not in caplog.text


def test_a_client_belongs_to_its_event_loop(configure: Configure) -> None:
    configure(llm_deadline_scale=1)

    async def once() -> None:
        async with serving() as server:
            assert (await ask(model(server))).data == REPLY
            await llm.close()

    for _ in range(2):
        asyncio.run(once())


async def test_the_environment_of_the_libraries_reaches_no_server(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    llm.prepare("anthropic")
    for name in ("OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_API_KEY"):
        monkeypatch.setenv(name, "environment")
    for name in ("OPENAI_CUSTOM_HEADERS", "ANTHROPIC_CUSTOM_HEADERS"):
        monkeypatch.setenv(name, "X-Secret: environment")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:9")

    await ask(model(server))
    await ask(model(server, "anthropic"))

    assert "environment" not in str(server.headers)


def test_a_key_is_in_no_repr() -> None:
    assert KEY not in repr(Model("openai", "http://x", KEY, "m"))


# The breaker


async def test_three_failures_in_a_row_open_the_breaker_once(server: ModelServer) -> None:
    server.faults = [Fault(status=500)] * 3
    failures = [await failure(model(server)) for _ in range(4)]

    assert [one.opened for one in failures] == [False, False, True, False]
    assert [one.reason for one in failures] == ["server"] * 3 + ["breaker"]
    assert len(server.asked) == 3, "an open breaker asks nobody"
    assert llm.breaker_is_open(model(server))
    assert failures[3].seconds < 0.05


async def test_a_success_in_between_starts_the_count_anew(server: ModelServer) -> None:
    server.faults = [Fault(status=500), Fault(text="no"), Fault(), Fault(status=500), Fault(finish=None)]
    for _ in range(2):
        await failure(model(server))
    await ask(model(server))
    for _ in range(2):
        await failure(model(server))

    assert not llm.breaker_is_open(model(server))


async def test_after_the_pause_one_call_tries_and_closes_it(server: ModelServer, configure: Configure) -> None:
    configure(llm_deadline_scale=0.01)  # the pause is 0.6 s
    server.faults = [Fault(status=500)] * 3
    for _ in range(3):
        await failure(model(server))
    await asyncio.sleep(0.7)
    configure(llm_deadline_scale=1)
    server.faults = [Fault(delay=0.2)]

    first = asyncio.create_task(ask(model(server)))
    await asyncio.sleep(0.05)
    others = [await failure(model(server)) for _ in range(5)]

    assert {one.reason for one in others} == {"breaker"}
    assert (await first).data == REPLY
    assert (await ask(model(server))).data == REPLY


async def test_a_probe_that_fails_keeps_it_open_without_telling_again(
    server: ModelServer, configure: Configure
) -> None:
    configure(llm_deadline_scale=0.01)
    server.faults = [Fault(status=500)] * 4
    for _ in range(3):
        await failure(model(server))
    await asyncio.sleep(0.7)

    probe = await failure(model(server))

    assert (probe.reason, probe.opened) == ("server", False)
    assert (await failure(model(server))).reason == "breaker"


async def test_a_probe_that_is_cancelled_lets_the_next_try(server: ModelServer, configure: Configure) -> None:
    configure(llm_deadline_scale=0.01)
    server.faults = [Fault(status=500)] * 3
    for _ in range(3):
        await failure(model(server))
    await asyncio.sleep(0.7)
    configure(llm_deadline_scale=1)
    server.faults = [Fault(stall=1)]
    probe = asyncio.create_task(ask(model(server)))
    await asyncio.sleep(0.05)
    probe.cancel()
    await asyncio.wait([probe])

    assert (await ask(model(server))).data == REPLY


async def test_refusals_do_not_open_it_because_contacts_can_bring_them_about(server: ModelServer) -> None:
    server.faults = [Fault(refusal="No.")] * 5
    for _ in range(5):
        assert (await failure(model(server))).reason == "refused"

    assert not llm.breaker_is_open(model(server))


async def test_another_key_or_model_has_a_breaker_of_its_own(server: ModelServer) -> None:
    server.faults = [Fault(status=401)] * 3
    for _ in range(3):
        await failure(model(server))

    assert (await ask(replace(model(server), key="a new key"))).data == REPLY
    assert (await ask(replace(model(server), name="another"))).data == REPLY
    assert llm.breaker_is_open(model(server))


async def test_an_admin_may_insist_and_so_close_it(server: ModelServer) -> None:
    server.faults = [Fault(status=500)] * 3
    for _ in range(3):
        await failure(model(server))

    assert (await ask(model(server), insist=True)).data == REPLY
    assert not llm.breaker_is_open(model(server))


# Reading the answer


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ('{"a": 1}', {"a": 1}),
        ('\n {"a": 1} \n', {"a": 1}),
        ('```json\n{"a": 1}\n```', {"a": 1}),
        ('```JSON\n{"a": "```"}\n```\n', {"a": "```"}),
        ('```\n{"a": 1}```', {"a": 1}),
        ('{"a": 1, "a": 2}', {"a": 1}),
        ('{"a": "x\\u0000y\\ud800z", "b": ["\\u0000"]}', {"a": "xyz", "b": [""]}),
    ],
)
def test_an_object_is_read_out_of_what_a_model_wrote(text: str, data: object) -> None:
    assert reply.read(text) == data


@pytest.mark.parametrize(
    "text",
    ["", "null", "1", '"a"', "[]", '{"a": NaN}', '{"a": -Infinity}', 'Sure! {"a": 1}', '{"a": 1} Hope this helps',
     '{"a": 1}{"b": 2}', '{"a":' * 5000, "[" * 100_000, '{"a": ' + "9" * 5000 + "}", "{'a': 1}"],
)  # fmt: skip
def test_what_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"answer|digits"):
        reply.read(text)
