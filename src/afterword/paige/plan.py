"""The keyword planner: words of notes, objective and deal give topics weight. Nothing of them is ever said."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import cast

from afterword.paige import judge, quotes
from afterword.paige.guide import Guide, Pack
from afterword.paige.private import shown_deal
from afterword.paige.state import Context

# What this one interview is for counts more than what is known about the person.
_OBJECTIVE = 3
_NOTES = 1
_DEAL = 1
# A topic named over and over is still one topic.
_MOST = 9
# Long notes are read this far; the planner runs within a turn.
_READ_CHARS = 20_000
_DEPTH = 4


def weights(guide: Guide, pack: Pack, context: Context) -> dict[str, int]:
    """Topic id → 0 to 9: how much this interview's background speaks for asking it early and digging deeper.

    The planner's where there is a plan, else by the topics' keywords.
    """
    if context.plan is not None:
        return {topic.id: min(_MOST, max(0, context.plan.weights.get(topic.id, 0))) for topic in guide.topics}
    keywords = tuple((topic.id, pack.topics[topic.id].keywords) for topic in guide.topics)
    return dict(_weigh(context.objective, context.notes, " ".join(_texts(shown_deal(context.deal))), keywords))


@lru_cache(maxsize=256)
def _weigh(objective: str, notes: str, deal: str, keywords: tuple[tuple[str, tuple[str, ...]], ...]) -> dict[str, int]:
    sources = ((_OBJECTIVE, objective), (_NOTES, notes), (_DEAL, deal))
    folded = [(factor, judge.fold(text[:_READ_CHARS])) for factor, text in sources if text]
    return {
        topic: min(_MOST, sum(factor * _named(text, words) for factor, text in folded)) for topic, words in keywords
    }


def _named(folded: str, keywords: tuple[str, ...]) -> int:
    """How many different keywords occur in the text."""
    return len(set(quotes.cue_pattern(keywords).findall(folded))) if keywords else 0


def _texts(value: object, depth: int = 0) -> Iterable[str]:
    if depth > _DEPTH:
        return
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in cast("Mapping[object, object]", value).values():
            yield from _texts(item, depth + 1)
    elif isinstance(value, list | tuple):
        for item in cast("Sequence[object]", value):
            yield from _texts(item, depth + 1)
