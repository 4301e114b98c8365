"""The smallest structured question, to see whether a model answers as Paige needs it."""

from afterword import llm
from afterword.llm import Answered, Model, ModelFailed

SECONDS = 8.0  # what a turn has
MAX_TOKENS = 200
MESSAGES = [
    {"role": "system", "content": "Answer with one JSON object and nothing else."},
    {"role": "user", "content": 'Set "word" to the word ready.'},
]
_SCHEMA = {
    "type": "object",
    "properties": {"word": {"type": "string"}},
    "required": ["word"],
    "additionalProperties": False,
}


async def ask(model: Model) -> Answered:
    """Ask it, even while its breaker is open. Raises ModelFailed."""
    answered = await llm.ask(model, MESSAGES, _SCHEMA, seconds=SECONDS, max_tokens=MAX_TOKENS, insist=True)
    if not isinstance(answered.data.get("word"), str):
        failed = ModelFailed(
            "malformed",
            "the answer lacks the field that was asked for; try another output mode",
            text=answered.text,
            input_tokens=answered.input_tokens,
            output_tokens=answered.output_tokens,
        )
        failed.seconds = answered.seconds
        raise failed
    return answered
