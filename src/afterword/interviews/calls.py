"""One call of the language model: made within its deadline, paid for, and told apart when it fails."""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from afterword import accounts, alerts, clock, llm, paige
from afterword.db import Tx
from afterword.settings import current

# Where the model's side does not say how much it read, so many characters count as one token.
_CHARACTERS = 4
_GRACE = 4.0  # seconds: `llm` keeps the deadline itself, this is for a fault of ours; the first call loads a library

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Call:
    """One call as it was made, before it is known what became of it."""

    attempt: int
    model: str
    messages: Sequence[Mapping[str, str]]
    fixed: int  # so many messages are the same in every turn
    reply: str
    failure: str | None
    opened: bool  # this failure made the breaker open
    input_tokens: int
    output_tokens: int
    seconds: float
    reserved: float  # US dollars
    cost: float

    @property
    def tokens(self) -> int:
        """Tokens beyond the fixed background."""
        return max(0, self.input_tokens - estimated(self.messages[: self.fixed])) + self.output_tokens


def estimated(messages: Sequence[Mapping[str, str]]) -> int:
    """About how many tokens these messages are."""
    return sum(len(message["content"]) for message in messages) // _CHARACTERS


async def ask(
    model: llm.Model, asked: paige.Ask, *, attempt: int, seconds: float
) -> tuple[Call, Mapping[str, object] | paige.Failure]:
    """One call and what came of it. `seconds` as the guide's author counts them, before the setting scales them."""
    began = time.monotonic()
    text, failure, opened = "", "", False
    read = written = 0
    result: Mapping[str, object] | paige.Failure
    try:
        async with asyncio.timeout(seconds * current().llm_deadline_scale + _GRACE):
            answered = await llm.ask(model, asked.messages, asked.schema, seconds=seconds, fixed=asked.fixed)
        result, text = answered.data, answered.text
        read, written = answered.input_tokens, answered.output_tokens
    except llm.ModelFailed as failed:
        failure, text, opened = failed.reason, failed.text, failed.opened
        read, written = failed.input_tokens, failed.output_tokens
        result = paige.Failure(failure)
    except TimeoutError:
        failure, result = "timeout", paige.Failure("timeout")
    except Exception as error:  # as above: a fault of ours is one more way in which a model fails
        _log.error("the model could not be asked: %s", type(error).__name__)
        failure, result = "server", paige.Failure("server")
    if not read and failure in {"", "timeout", "cut", "malformed", "refused"}:
        read = estimated(asked.messages)  # it has read it, whether or not it says so
    return (
        Call(
            attempt=attempt,
            model=model.name,
            messages=asked.messages,
            fixed=asked.fixed,
            reply=text,
            failure=failure or None,
            opened=opened,
            input_tokens=read,
            output_tokens=written,
            seconds=time.monotonic() - began,
            reserved=llm.likely_cost(model, asked.messages),
            cost=llm.cost(model, read, written),
        ),
        result,
    )


async def reserve(tx: Tx, org_id: str, model: llm.Model, asked: paige.Ask) -> bool:
    """Set aside what a call is likely to cost; False, and one alert a day, when a cap leaves no room for it."""
    if await accounts.reserve_cost(tx, org_id, llm.likely_cost(model, asked.messages)):
        return True
    await alerts.raise_alert(tx, org_id, "cost_cap", f"cost_cap:{clock.now():%Y-%m-%d}")
    return False


async def settle(tx: Tx, org_id: str, call: Call) -> None:
    """Put what a call has cost in the place of what was reserved, and tell of a model that is down."""
    await accounts.settle_cost(
        tx,
        org_id,
        reserved=call.reserved,
        cost=call.cost,
        input_tokens=call.input_tokens,
        output_tokens=call.output_tokens,
    )
    if call.opened:
        # The clock's hour makes calls at one moment one alert, the quiet hour those on both sides of a full hour.
        key = f"model_down:{clock.now():%Y-%m-%dT%H}"
        await alerts.raise_alert(tx, org_id, "model_down", key, details={"reason": call.failure}, quiet_hours=1)
