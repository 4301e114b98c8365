"""The three wire formats, through pydantic-ai, and what their errors mean. Imported when the first question is asked.

The libraries take a second to import; a server without a model never pays for it.
"""

import asyncio
import contextlib
import importlib
import logging
import ssl
from collections import OrderedDict
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast
from weakref import WeakKeyDictionary

import httpx2
from pydantic_ai import exceptions
from pydantic_ai.direct import model_request_stream
from pydantic_ai.messages import (
    CachePoint,
    ModelRequest,
    ModelResponsePart,
    PartDeltaEvent,
    PartStartEvent,
    SystemPromptPart,
    TextPart,
    TextPartDelta,
    ThinkingPart,
    ThinkingPartDelta,
    ToolCallPart,
    ToolCallPartDelta,
    UserPromptPart,
)
from pydantic_ai.models import Model as Wire
from pydantic_ai.models import ModelRequestParameters, StreamedResponse
from pydantic_ai.output import OutputObjectDefinition
from pydantic_ai.settings import ModelSettings
from pydantic_ai.tools import ToolDefinition

from afterword.llm import Model, ModelFailed, Reason, estimated_tokens
from afterword.llm.reply import storable
from afterword.net import guard
from afterword.net.addresses import ForbiddenAddress
from afterword.settings import Provider, current

# At the level debug they write down whole requests: contacts' words, customers' notes
for _library in ("openai", "anthropic", "google_genai", "pydantic_ai", "httpx2", "httpcore2"):
    logging.getLogger(_library).setLevel(logging.WARNING)

_MOST_CLIENTS = 64  # kept open per event loop, each with its connections
_MOST_BYTES = 8 * 1024 * 1024  # of one answer of a customer's server, framing included
_PATIENCE = 120.0  # seconds a read may take; the deadline of the whole call is shorter, and cancels
_KEEP_ALIVE = 60.0  # seconds; the turns of an interview are closer than that
_TOOL = "reply"  # the one tool that is offered; another that is called is no answer
_LONGEST_MESSAGE = 300  # characters of a server's error that are passed on


@dataclass(frozen=True, slots=True)
class Received:
    """The whole text of an answer that ended as it should."""

    text: str
    input_tokens: int
    output_tokens: int


@dataclass(slots=True)
class _Progress:
    """How far an answer has come, for whoever has to say so when it fails."""

    sent: bool = False  # the request may have been read, and so be paid for
    characters: int = 0
    stream: StreamedResponse | None = None


async def stream(
    model: Model,
    messages: Sequence[Mapping[str, str]],
    schema: Mapping[str, object],
    *,
    max_tokens: int,
    fixed: int,
    connect: float,
    first: float,
    total: float,
    longest: int,
) -> Received:
    """One request, streamed; times in seconds. Raises ModelFailed; being cancelled passes through."""
    progress = _Progress()
    try:
        async with _client(model, connect) as wire:
            loop = asyncio.get_running_loop()
            end = loop.time() + total
            try:
                async with asyncio.timeout_at(min(end, loop.time() + first)) as clock:
                    await _receive(wire, model, messages, schema, max_tokens, fixed, longest, end, clock, progress)
            except TimeoutError:
                late = "no answer began" if progress.characters == 0 else "the answer did not end"
                raise _failed("timeout", f"{late} in time", messages, progress) from None
    except ModelFailed:
        raise
    except Exception as error:  # whatever the libraries raise is a failure of the model, not ours
        raise _explained(error, model, messages, progress) from None
    return _checked(progress, messages)


async def _receive(
    wire: Wire[Any],
    model: Model,
    messages: Sequence[Mapping[str, str]],
    schema: Mapping[str, object],
    max_tokens: int,
    fixed: int,
    longest: int,
    end: float,
    clock: asyncio.Timeout,
    progress: _Progress,
) -> None:
    """Read the stream to its end. The clock first runs to the first token, then to the end of the whole."""
    request = model_request_stream(
        wire,
        [_request(messages, fixed if model.provider == "anthropic" else 0)],
        model_settings=ModelSettings(max_tokens=max_tokens, thinking=False),
        model_request_parameters=_parameters(model, schema),
    )
    progress.sent = True
    async with request as streamed:
        progress.stream = streamed
        async with contextlib.aclosing(cast("Any", aiter(streamed))) as events:
            async for event in events:
                length = _length(event)
                if length and not progress.characters:
                    clock.reschedule(end)
                progress.characters += length
                if progress.characters > longest:
                    raise _failed("malformed", f"the answer is longer than {longest} characters", messages, progress)


def _length(event: object) -> int:
    """How much of an answer one event brings; thoughts count, they show that the model is at work."""
    match event:
        case PartStartEvent(part=TextPart() | ThinkingPart() as part):
            return len(part.content)
        case PartStartEvent(part=ToolCallPart() as part):
            return len(part.tool_name) + len(part.args_as_json_str() if part.args else "")
        case PartDeltaEvent(delta=TextPartDelta() as delta):
            return len(delta.content_delta)
        case PartDeltaEvent(delta=ThinkingPartDelta() as delta):
            return len(delta.content_delta or "")
        case PartDeltaEvent(delta=ToolCallPartDelta(args_delta=str() as args)):
            return len(args)
        case _:
            return 0


def _request(messages: Sequence[Mapping[str, str]], fixed: int) -> ModelRequest:
    """One request. Anthropic caches up to a mark; the others notice for themselves what stays the same."""
    parts: list[SystemPromptPart | UserPromptPart] = []
    for number, message in enumerate(messages, 1):
        if message["role"] == "system":
            parts.append(SystemPromptPart(message["content"]))
        elif number == fixed:
            parts.append(UserPromptPart([message["content"], CachePoint()]))
        else:
            parts.append(UserPromptPart(message["content"]))
    return ModelRequest(parts=parts)


def _parameters(model: Model, schema: Mapping[str, object]) -> ModelRequestParameters:
    if model.output == "tool":
        tool = ToolDefinition(
            name=_TOOL, description="Give the answer.", parameters_json_schema=dict(schema), kind="output"
        )
        return ModelRequestParameters(output_mode="tool", output_tools=[tool], allow_text_output=False)
    wanted = OutputObjectDefinition(json_schema=dict(schema), name="reply")
    return ModelRequestParameters(output_mode=model.output, output_object=wanted)


def _checked(progress: _Progress, messages: Sequence[Mapping[str, str]]) -> Received:
    """The answer, if it ended as answers end. Raises ModelFailed."""
    assert progress.stream is not None
    response = progress.stream.get()
    match response.finish_reason:
        case "stop" | "tool_call":
            pass
        case "content_filter":
            raise _failed("refused", "the model declined", messages, progress)
        case "length":
            raise _failed("cut", "the answer reached the token limit", messages, progress)
        case _:
            raise _failed("cut", "the answer ended without a finish reason", messages, progress)
    # pydantic-ai takes a stream without a finish reason for one that ended well; the server's own word decides
    if not (response.provider_details or {}).get("finish_reason"):
        raise _failed("cut", "the answer ended without a finish reason", messages, progress)
    return Received(_text(response.parts), *_tokens(messages, progress))


def _text(parts: Sequence[ModelResponsePart]) -> str:
    """The tool's arguments where there are some, else the text. As they came: the library would mend bad JSON."""
    for part in parts:
        if isinstance(part, ToolCallPart) and part.tool_name == _TOOL:
            return storable(part.args if isinstance(part.args, str) else part.args_as_json_str() if part.args else "")
    return storable("".join(part.content for part in parts if isinstance(part, TextPart)))


def _tokens(messages: Sequence[Mapping[str, str]], progress: _Progress) -> tuple[int, int]:
    """Input and output tokens as the server counts them, or a guess where it does not, or did not come to it."""
    usage = progress.stream.usage if progress.stream is not None else None
    output = (usage.output_tokens if usage else 0) or progress.characters // 3
    if not progress.sent:
        return 0, output
    return (usage.input_tokens if usage else 0) or estimated_tokens(messages), output


def _failed(
    reason: Reason, message: str, messages: Sequence[Mapping[str, str]], progress: _Progress, **more: Any
) -> ModelFailed:
    text = _text(progress.stream.get().parts) if progress.stream is not None else ""
    spent_input, spent_output = _tokens(messages, progress)
    return ModelFailed(
        reason, message, text=text[:_LONGEST_KEPT], input_tokens=spent_input, output_tokens=spent_output, **more
    )


_LONGEST_KEPT = 8000  # characters of an answer that was of no use


def _explained(
    error: Exception, model: Model, messages: Sequence[Mapping[str, str]], progress: _Progress
) -> ModelFailed:
    """What an exception of the libraries means."""
    chain = list(_chain(error))
    retry_after = next((one.retry_after for one in chain if isinstance(one, exceptions.ModelAPIError)), None)
    reason = _reason(chain)
    if reason in {"connection", "forbidden_address", "unauthorized", "rate_limited", "too_long", "server"}:
        progress.sent = progress.characters > 0  # such an answer is not paid for
    message = _message(error, reason, chain)
    if model.key:
        message = message.replace(model.key, "…")
    return _failed(reason, message[:_LONGEST_MESSAGE], messages, progress, retry_after=retry_after)


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        yield one
        one = one.__cause__ or one.__context__


def _has(chain: Sequence[BaseException], *kinds: type[BaseException]) -> bool:
    return any(isinstance(one, kinds) for one in chain)


_LONG = ("context length", "context_length", "context window", "context size", "maximum context", "too many tokens")


def _reason(chain: Sequence[BaseException]) -> Reason:  # noqa: PLR0911  (a table, from the surest sign to the vaguest)
    if _has(chain, ForbiddenAddress):
        return "forbidden_address"
    if _has(chain, guard.TooMuch):
        return "malformed"
    if _has(chain, exceptions.ModelRateLimitError, exceptions.ModelQuotaExceededError):
        return "rate_limited"
    if _has(chain, exceptions.ModelAuthenticationError):
        return "unauthorized"
    if _has(chain, exceptions.ModelContextWindowExceededError):
        return "too_long"
    if _has(chain, exceptions.ModelHTTPError):
        status = next(one.status_code for one in chain if isinstance(one, exceptions.ModelHTTPError))
        said = str(chain[0]).lower()
        return "too_long" if status in {400, 413, 422} and any(words in said for words in _LONG) else "server"
    if _has(chain, exceptions.ModelTimeoutError, httpx2.TimeoutException):
        return "timeout"
    if _has(chain, exceptions.ModelConnectionError, httpx2.TransportError, ssl.SSLError, OSError):
        return "connection"
    if _has(chain, exceptions.ContentFilterError):
        return "refused"
    if _has(chain, exceptions.UnexpectedModelBehavior, ValueError, TypeError, LookupError, AttributeError):
        return "malformed"
    return "server"


def _message(error: Exception, reason: Reason, chain: Sequence[BaseException]) -> str:
    """For an admin; never for a contact."""
    for one in chain:
        if isinstance(one, ForbiddenAddress):
            return str(one)
        if isinstance(one, exceptions.ModelHTTPError):
            return f"the server answered {one.status_code}: {_said(one.body)}"
    if reason == "connection" and (cause := next((one for one in chain if isinstance(one, OSError)), None)):
        return str(cause)
    return " ".join(str(error).split()) or type(error).__name__


def _said(body: object) -> str:
    """The words of an error body in one of the usual shapes."""
    if isinstance(body, dict):
        shapes = cast("dict[str, object]", body)
        for name in ("error", "message", "detail"):
            if name in shapes:
                return _said(shapes[name])
    return " ".join(str(cast("object", body) or "nothing more").split())


# Clients, one per model and event loop


@dataclass(slots=True)
class _Client:
    wire: Wire[Any]
    http: httpx2.AsyncClient
    users: int = 0


_Clients = OrderedDict[tuple[object, ...], _Client]  # the one that was not used for the longest time first
_loops: WeakKeyDictionary[asyncio.AbstractEventLoop, _Clients] = WeakKeyDictionary()


@contextlib.asynccontextmanager
async def _client(model: Model, connect: float) -> AsyncGenerator[Wire[Any]]:
    """The model's client, kept open for the next call; those that nobody uses are closed when there are too many."""
    clients = _loops.setdefault(asyncio.get_running_loop(), OrderedDict())
    allow = tuple(current().llm_allow) if model.own else ()
    key = (model, connect, allow)
    found = clients.get(key)
    if found is None:
        found = clients[key] = _Client(*_made(model, connect, allow))
    clients.move_to_end(key)
    found.users += 1
    try:
        yield found.wire
    finally:
        found.users -= 1
        spare = [one for one, client in clients.items() if not client.users]
        closing = [clients.pop(one) for one in spare[: max(0, len(clients) - _MOST_CLIENTS)]]
        for client in closing:  # out of reach by now: while one is closed, nobody takes up the next
            await client.http.aclose()


async def close() -> None:
    """Close this event loop's clients."""
    clients = _loops.pop(asyncio.get_running_loop(), OrderedDict())
    for client in clients.values():
        await client.http.aclose()


def _made(model: Model, connect: float, allow: Sequence[str]) -> tuple[Wire[Any], httpx2.AsyncClient]:
    # the libraries send their own time-outs with each request; the hook keeps them from lengthening `connect`
    timeout = httpx2.Timeout(_PATIENCE, connect=connect)
    if model.own:
        http = guard.client(allow, connect=connect, total=_PATIENCE, most=_MOST_BYTES)
    else:
        http = httpx2.AsyncClient(
            verify=guard.tls(), timeout=timeout, limits=httpx2.Limits(max_connections=100, keepalive_expiry=_KEEP_ALIVE)
        )
    http.event_hooks = {"request": [_short_connect(connect)]}
    return _room(model.provider).wire(model, http), http


def _room(provider: Provider) -> Any:
    return importlib.import_module(f"afterword.llm.{provider}")


def rehearse(provider: Provider) -> None:
    """Make a model that nobody will ask, because the libraries import more when the first one is made."""
    nobody = Model(provider, "http://localhost", "", "none")
    _room(provider).wire(nobody, httpx2.AsyncClient(verify=guard.tls(), timeout=_PATIENCE))


def _short_connect(seconds: float) -> Any:
    async def hook(request: httpx2.Request) -> None:
        request.extensions["timeout"] = {**request.extensions.get("timeout", {}), "connect": seconds, "pool": seconds}

    return hook
