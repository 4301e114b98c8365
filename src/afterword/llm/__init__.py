"""One question to a language model, one structured answer, in time or not at all.

Any OpenAI-compatible server, Anthropic or Google. Everything that can go wrong is a `ModelFailed` with a reason, so
that the interviewer's script can take the turn; nothing is tried again but once after a short `Retry-After`.
"""

import asyncio
import importlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from afterword import net
from afterword.llm import breaker, reply
from afterword.settings import Output, Provider, Settings, current

Reason = Literal[
    "timeout",  # not connected, no first token or no end in time
    "connection",  # refused, unknown host, broken off
    "rate_limited",  # 429, or the account's quota is used up
    "server",  # 5xx, or a request that the server does not take (404, 400, a redirect)
    "unauthorized",  # 401, 403
    "too_long",  # the prompt does not fit into the model
    "malformed",  # not the JSON that was asked for
    "refused",  # the model or its filter declined
    "cut",  # ended without a finish reason, or at the token limit
    "breaker",  # not asked: it failed three times in a row a moment ago
    "forbidden_address",  # a customer's URL that leads to where those may not
]
REASONS: tuple[Reason, ...] = get_args(Reason)

CONNECT, FIRST_TOKEN = 2.0, 5.0  # seconds, times `llm_deadline_scale`
MAX_TOKENS = 1200  # of an answer; a turn's is about 150, and a model that cannot help thinking needs some more
_FRAME_TOKENS = 800  # what a schema and a provider's own framing add to the messages
LONGEST_REPLY = 256 * 1024  # characters
_LONGEST_WAIT = 2.0  # seconds of a Retry-After that are waited for, once

# They say that the server, the key or the model's window is of no use at the moment, whoever asks. `refused` is not
# among them: what a contact writes can bring it about, and must not silence the model for everybody else.
_COUNTED: frozenset[str] = frozenset(REASONS) - {"refused", "breaker"}


@dataclass(frozen=True, slots=True)
class Model:
    """Which model, where, and what it costs. `own`: an organization named it, so only public addresses are called."""

    provider: Provider
    url: str  # empty: the provider's own
    key: str = field(repr=False)
    name: str
    input_price: float = 0.0  # US dollars for a million tokens
    output_price: float = 0.0
    output: Output = "native"
    own: bool = False


@dataclass(frozen=True, slots=True)
class Answered:
    """The model's answer. `data` is the JSON object, `text` what it was read from."""

    data: Mapping[str, object]
    text: str
    input_tokens: int
    output_tokens: int
    seconds: float


class ModelFailed(Exception):
    """No usable answer came. `opened`: this failure made the breaker open, so tell somebody."""

    def __init__(
        self,
        reason: Reason,
        message: str,
        *,
        text: str = "",
        input_tokens: int = 0,
        output_tokens: int = 0,
        seconds: float = 0.0,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason: Reason = reason
        self.message = message
        self.text = text  # as far as it had come
        self.input_tokens = input_tokens
        self.output_tokens = output_tokens
        self.seconds = seconds
        self.retry_after = retry_after
        self.opened = False


def from_settings(settings: Settings) -> Model | None:
    """The server's model, or None when there is none and Paige follows her script."""
    if not settings.llm_model:
        return None
    return Model(
        provider=settings.llm_provider,
        url=settings.llm_url,
        key=settings.llm_key,
        name=settings.llm_model,
        input_price=settings.llm_input_price,
        output_price=settings.llm_output_price,
        output=settings.llm_output,
    )


def cost(model: Model, input_tokens: int, output_tokens: int) -> float:
    """US dollars. Cached input counts in full: an upper bound."""
    return (input_tokens * model.input_price + output_tokens * model.output_price) / 1_000_000


def estimated_tokens(messages: Sequence[Mapping[str, str]]) -> int:
    """About how many tokens the messages are, rather too many than too few: 3 bytes each, whatever the script."""
    return sum(len(message["content"].encode()) // 3 + 8 for message in messages)


def likely_cost(model: Model, messages: Sequence[Mapping[str, str]], *, max_tokens: int = MAX_TOKENS) -> float:
    """US dollars to reserve before asking: all of the input, and an answer of the greatest length."""
    return cost(model, estimated_tokens(messages) + _FRAME_TOKENS, max_tokens)


def breaker_is_open(model: Model) -> bool:
    """Whether the model is left alone at the moment, in this process."""
    return breaker.is_open(_identity(model))


def prepare(provider: Provider) -> None:
    """Import the libraries now, which takes a second or two, and not in the first contact's turn."""
    if provider not in _prepared:
        importlib.import_module("afterword.llm.providers").rehearse(provider)
        _prepared.add(provider)


_prepared: set[Provider] = set()


async def close() -> None:
    """Close the connections of this event loop."""
    if _prepared:
        from afterword.llm import providers  # noqa: PLC0415  (slow to import, and not always needed)

        await providers.close()


async def ask(
    model: Model,
    messages: Sequence[Mapping[str, str]],
    schema: Mapping[str, object],
    *,
    seconds: float,
    max_tokens: int = MAX_TOKENS,
    fixed: int = 0,
    insist: bool = False,
) -> Answered:
    """Ask, and wait `seconds` at most (times `llm_deadline_scale`). Raises ModelFailed, and nothing else.

    `messages` are `{"role": "system" | "user", "content": …}`; the first `fixed` are the same in the next call too, so
    that a provider may cache them. `insist` asks although the breaker is open, for an admin who mended something.
    """
    net.check("a language model")
    scale = current().llm_deadline_scale
    key = _identity(model)
    if not breaker.admit(key) and not insist:
        raise ModelFailed("breaker", "it failed three times in a row and is left alone for a minute")
    started = time.monotonic()
    try:
        answered = await _ask(model, messages, schema, seconds * scale, max_tokens, fixed, started, scale)
    except ModelFailed as failed:
        failed.seconds = time.monotonic() - started
        if failed.reason in _COUNTED:
            failed.opened = breaker.failed(key, scale)
        else:
            breaker.succeeded(key)
        raise
    except BaseException:
        breaker.released(key)  # cancelled: nothing was learned
        raise
    breaker.succeeded(key)
    return answered


async def _ask(
    model: Model,
    messages: Sequence[Mapping[str, str]],
    schema: Mapping[str, object],
    total: float,
    max_tokens: int,
    fixed: int,
    started: float,
    scale: float,
) -> Answered:
    """Once, or twice when the server asks for a short wait."""
    if model.provider not in _prepared:
        await asyncio.to_thread(prepare, model.provider)  # so that other requests go on meanwhile
        started = time.monotonic()
    from afterword.llm import providers  # noqa: PLC0415  (slow to import, and not always needed)

    deadline = started + total
    waited = False
    while True:
        try:
            received = await providers.stream(
                model,
                messages,
                schema,
                max_tokens=max_tokens,
                fixed=fixed,
                connect=CONNECT * scale,
                first=FIRST_TOKEN * scale,
                total=deadline - time.monotonic(),
                longest=LONGEST_REPLY,
            )
        except ModelFailed as failed:
            wait = failed.retry_after
            if failed.reason != "rate_limited" or waited or wait is None or not 0 <= wait <= _LONGEST_WAIT:
                raise
            if time.monotonic() + wait * scale >= deadline:
                raise
            waited = True
            await asyncio.sleep(wait * scale)
            continue
        break
    try:
        data = reply.read(received.text)
    except ValueError as error:
        raise ModelFailed(
            "malformed",
            str(error),
            text=received.text,
            input_tokens=received.input_tokens,
            output_tokens=received.output_tokens,
        ) from None
    return Answered(data, received.text, received.input_tokens, received.output_tokens, time.monotonic() - started)


def _identity(model: Model) -> breaker.Key:
    """What the breaker knows a model by: all that could make it work or not."""
    return (model.provider, model.url, model.key, model.name, model.output, model.own)
