"""A model's reply about one answer: read part by part, so that a bad part costs only itself."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from afterword.paige import judge, quotes
from afterword.paige.guide import Guide
from afterword.paige.state import Evidence, State

FLAGS = (
    "stop",
    "distress",
    "abuse",
    "question",
    "refusal",
    "dont_know",
    "clarify",
    "off_topic",
    "tangent",
    "contradiction",
)

# The fields stand in the order in which they are needed, so that a decision does not have to wait for the wording.
REPLY_SCHEMA: Final[Mapping[str, object]] = {
    "type": "object",
    "properties": {
        "quality": {"type": "integer", "enum": [0, 1, 2]},
        "slots": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"id": {"type": "string"}, "quote": {"type": "string"}},
                "required": ["id", "quote"],
                "additionalProperties": False,
            },
        },
        "flags": {"type": "array", "items": {"type": "string", "enum": list(FLAGS)}},
        "lang": {"type": "string"},
        "if_probe": {"type": "string"},
        "if_advance": {"type": "string"},
    },
    "required": ["quality", "slots", "flags", "lang", "if_probe", "if_advance"],
    "additionalProperties": False,
}

# More in one reply than anybody needs is not read.
_MOST_CREDITS = 12
_MOST_FLAGS = 10
_MOST_CHARS = 2000
_QUOTE_WORDS = 2
_MOST_EVIDENCE = 60
_EDGES = " \t\n.,;:!?…\"'“”‘’«»()-–—"
_PLAIN = str.maketrans("’‘“”", "''\"\"")


@dataclass(frozen=True, slots=True)
class Credit:
    """A slot the model saw filled: the exact slice `[start:end]` of the answer that fills it."""

    topic: str
    slot: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is usable of a reply. `quality` is None and a message empty where that part was missing or wrong."""

    quality: int | None = None
    credits: tuple[Credit, ...] = ()
    flags: frozenset[str] = frozenset()
    lang: str = ""
    if_probe: str = ""
    if_advance: str = ""

    def credited(self, topic_id: str) -> bool:
        """Whether a quote that holds speaks to the topic."""
        return any(credit.topic == topic_id for credit in self.credits)


def read_reply(guide: Guide, answer: str, reply: object) -> Verdict | None:
    """The usable parts of a reply; None when there is nothing in it that was asked for."""
    if not isinstance(reply, Mapping):
        return None
    given = cast("Mapping[object, object]", reply)
    if not any(name in given for name in cast("Sequence[str]", REPLY_SCHEMA["required"])):
        return None
    return Verdict(
        quality=_quality(given.get("quality")),
        credits=_credits(guide, answer, given.get("slots")),
        flags=frozenset(flag for flag in _list(given.get("flags"))[:_MOST_FLAGS] if flag in FLAGS),
        lang=_text(given.get("lang"))[:20],
        if_probe=_text(given.get("if_probe")),
        if_advance=_text(given.get("if_advance")),
    )


def evidence(guide: Guide, state: State, raw: str, verdict: Verdict, language: str = "en") -> tuple[Evidence, ...]:
    """The evidence so far plus the sentences that hold the credited quotes, each slot of an answer once.

    A sentence and not the quote itself, so that a cut "not" cannot turn the meaning round. A bare "yes" is evidence of
    nothing, whatever the model credits it to.
    """
    if judge.adds_nothing(raw, language):
        return state.evidence
    number, here = state.heard - 1, state.pending.topic
    known = {(item.topic, item.slot) for item in state.evidence if item.answer == number}
    added: list[Evidence] = []
    for credit in verdict.credits:
        slot = next(slot for slot in guide.topic(credit.topic).slots if slot.id == credit.slot)
        if (credit.topic, credit.slot) in known or slot.kind in ("choice", "scale"):
            continue
        found = _sentence(raw, credit, language)
        if found is None:
            continue
        known.add((credit.topic, credit.slot))
        (start, end), score = found
        prompted = credit.topic == here
        question = state.pending.question if prompted else ""
        added.append(Evidence(credit.topic, credit.slot, number, start, end, raw[start:end], score, prompted, question))
    return (*state.evidence, *added)[:_MOST_EVIDENCE]


def find_slice(raw: str, quote: str) -> tuple[int, int] | None:
    """(start, end) of a quote in an answer, whatever its case, spaces and quote marks; whole words only, nothing left
    out and nothing changed. None when it is not there."""
    folded, places = _folded(raw)
    wanted = _folded(quote)[0].strip(_EDGES)
    at = folded.find(wanted) if wanted else -1
    while at >= 0:
        end = at + len(wanted)
        before, after = folded[at - 1 : at], folded[end : end + 1]
        if not (before.isalnum() and wanted[0].isalnum()) and not (after.isalnum() and wanted[-1].isalnum()):
            return places[at], places[end - 1] + 1
        at = folded.find(wanted, at + 1)
    return None


def _quality(value: object) -> int | None:
    if isinstance(value, str) and value in ("0", "1", "2"):
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or value not in (0, 1, 2):
        return None
    return int(value)


def _credits(guide: Guide, answer: str, value: object) -> tuple[Credit, ...]:
    known = {f"{topic.id}.{slot.id}": (topic.id, slot.id) for topic in guide.topics for slot in topic.slots}
    found: list[Credit] = []
    for item in _list(value)[:_MOST_CREDITS]:
        if not isinstance(item, Mapping):
            continue
        entry = cast("Mapping[str, Any]", item)
        place, quote = known.get(_text(entry.get("id"))), _text(entry.get("quote"))
        if place is None or not _says_something(answer, quote):
            continue
        if span := find_slice(answer, quote):
            found.append(Credit(*place, *span))
    return tuple(found)


def _says_something(answer: str, quote: str) -> bool:
    """Whether a quote is more than a stray word of a longer answer."""
    words = judge.words(judge.fold(quote))
    return len(words) >= _QUOTE_WORDS or (
        bool(words) and (len(words[0]) > 3 or words == judge.words(judge.fold(answer)))
    )


def _sentence(raw: str, credit: Credit, language: str) -> tuple[quotes.Span, float] | None:
    """The sentence that holds most of a quote, as it is kept for evidence, and what it says."""
    best: tuple[quotes.Span, float] | None = None
    for start, end in quotes.sentences(raw):
        if start >= credit.end or end <= credit.start:
            continue
        found = quotes.best_sentence(raw[start:end], (), language)
        if found is None or judge.adds_nothing(raw[start:end], language):
            continue
        (left, right), score = found
        if best is None or score > best[1]:
            best = (start + left, start + right), score
    return best


def _folded(text: str) -> tuple[str, list[int]]:
    """The text as quotes are compared, and the position in `text` of each of its characters."""
    letters: list[str] = []
    places: list[int] = []
    for place, char in enumerate(text):
        folded = char if char.isascii() else unicodedata.normalize("NFKC", char).translate(_PLAIN)
        for c in folded.casefold():
            if c.isspace():
                if not letters or letters[-1] == " ":
                    continue
                c = " "  # noqa: PLW2901  # every white space is one space
            elif unicodedata.category(c)[0] == "C":
                continue
            letters.append(c)
            places.append(place)
    return "".join(letters), places


def _list(value: object) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []


def _text(value: object) -> str:
    return value.strip()[:_MOST_CHARS] if isinstance(value, str) else ""
