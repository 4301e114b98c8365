"""Whether an answer is about what was asked: fluency and length say nothing of that."""

from collections.abc import Iterable, Iterator

from afterword.paige import judge, quotes
from afterword.paige.guide import Guide, Pack, Topic
from afterword.paige.languages import language as pack_of

# Words are compared by their beginnings, so that "integrating" speaks to "integration".
_STEM = 5
# Cues of other topics; one may stand there by chance.
_CUES_ELSEWHERE = 2


def speaks_to(guide: Guide, pack: Pack, topic: Topic, raw: str, language: str) -> bool:
    """Whether the answer is told as the contact's own case, holds a cue of the topic, a word of its questions, several
    cues of the guide, or names where names were asked for.

    True as well for what is too short to tell, and in a language other than the questions'.
    """
    own = pack_of(language)
    if own.code != pack.language.partition("-")[0]:
        return True
    if own.personal.search(judge.fold(raw)):
        return True
    if any(slot.kind == "entity" for slot in topic.slots) and judge.lists_names(raw, language):
        return True
    said = _stems([raw], own.stopwords)
    if len(said) <= _STEM or quotes.has_cue(raw, _cues(pack, topic)):
        return True
    if said & _stems(_texts(pack, topic), own.stopwords | own.vague_words):
        return True
    return quotes.count_cues(raw, tuple(cue for other in guide.topics for cue in _cues(pack, other))) >= _CUES_ELSEWHERE


def _cues(pack: Pack, topic: Topic) -> tuple[str, ...]:
    return tuple(cue for slot in topic.slots for cue in pack.topics[topic.id].slot(slot.id).cues)


def _texts(pack: Pack, topic: Topic) -> Iterator[str]:
    words = pack.topics[topic.id]
    yield words.label
    yield from (*words.main, *words.simpler, *words.keywords)
    for texts in words.probes.values():
        yield from texts
    for slot in words.slots.values():
        yield from slot.ask
    for branch in words.branches.values():
        yield from branch.says


def _stems(texts: Iterable[str], without: frozenset[str]) -> set[str]:
    return {
        word[:_STEM]
        for text in texts
        for word in judge.words(judge.fold(text))
        if len(word) > 2 and word not in without
    }
