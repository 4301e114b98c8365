"""What is counted in one simulated interview. Plain sums, so that many interviews add up."""

# ruff: noqa: E501  # a pattern broken over lines cannot be read

import itertools
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from functools import lru_cache

from afterword import paige
from afterword.paige import content
from evals import background, expectations, hearing
from evals.interview import Record, Turn
from evals.personas import COOPERATIVE

# The interviewer's budget for digging, as it is published: in all, and on the first question.
PROBES_TOTAL, PROBES_FIRST = 6, 1
# With no more questions left than one for each open must-have and these, nothing is dug into.
SPARE_QUESTIONS = 1
# What a language may be called when it is not spoken.
_LANGUAGES = ("English", "German", "Deutsch", "Englisch")
_ADDED_APART = ("examples", "turns_most", "told", "told_of")
# Dug into after an answer of that kind.
_FOLLOWS = ("probe", "slot", "branch")

_QUOTED = re.compile(r"“[^”]*”")
_SECOND = re.compile(r"\b(?:and|or) (?:also )?(?:what|how|who|when|where|why|which|did|was|were)\b[^?]*\?")
_PREMISE = re.compile(
    r"\b(?:isn't|wasn't|didn't|don't|weren't|aren't|wouldn't) (?:it|you|they|that)\b|, (?:right|correct|yes|no)\?"
    r"|\bso (?:you|it|they) (?:felt|were|was|had|found)\b|\b(?:obviously|surely|clearly)\b|\bi (?:assume|imagine|heard)\b"
    r"|^(?:is|are|was|were|do|does|did|has|have|had) [^?]*\?"
)
_GERMAN = re.compile(
    r"\b(?:und|oder|nicht|wir|sie|ihre?n?|das|ist|haben|für|mit|eine?n?|wie|welche\w*|bei|auf|wenn|konnte|geschah|kurz)\b"
)


@dataclass(slots=True)
class Figures:
    """Counts of one interview or of many. Names of pairs end in `_of` for the whole."""

    interviews: int = 0
    ended: Counter[str] = field(default_factory=Counter[str])
    must_closed: int = 0
    must_of: int = 0
    must_met: int = 0  # of these, asked or told unasked
    slots: int = 0
    slots_of: int = 0
    told: list[int] = field(default_factory=lambda: [0, 0, 0])  # facts by depth
    told_of: list[int] = field(default_factory=lambda: [0, 0, 0])
    vague_probed: int = 0
    vague_of: int = 0
    probes_good: int = 0  # probes after a vague answer
    probes_of: int = 0  # after a vague or a good one
    questions: list[int] = field(default_factory=list[int])
    words: list[int] = field(default_factory=list[int])
    minutes: list[float] = field(default_factory=list[float])  # as a share of those advertised
    turns_most: int = 0
    own_turns: int = 0
    model_turns: int = 0
    fallbacks: Counter[str] = field(default_factory=Counter[str])
    asked_again: int = 0  # what was told already
    faults: Counter[str] = field(default_factory=Counter[str])
    examples: dict[str, str] = field(default_factory=dict[str, str])  # the first interview with that fault, and where
    kept: Counter[str] = field(default_factory=Counter[str])  # what must happen with a persona, where it happened
    kept_of: Counter[str] = field(default_factory=Counter[str])
    attacks: int = 0
    stops: int = 0
    restarts: int = 0

    def add(self, other: "Figures") -> None:
        """Add another's counts; of examples the first is kept."""
        self.examples = {**other.examples, **self.examples}
        self.turns_most = max(self.turns_most, other.turns_most)
        self.told = [a + b for a, b in zip(self.told, other.told, strict=True)]
        self.told_of = [a + b for a, b in zip(self.told_of, other.told_of, strict=True)]
        for name in (item.name for item in fields(self) if item.name not in _ADDED_APART):
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def fault(self, name: str, record: Record, where: str) -> None:
        """Note something that must not be."""
        self.faults[name] += 1
        self.example(name, record, where)

    def example(self, name: str, record: Record, where: str) -> None:
        """Keep the first interview in which something was found."""
        self.examples.setdefault(name, f"{record.persona} {record.kind} {record.seed}: {where}")


def measure(record: Record) -> Figures:
    """The counts of one interview."""
    found = Figures(interviews=1)
    _measure_craft(found, record)
    _measure_privacy(found, record)
    asked = sum(bool(hearing.questions(turn.message.text)) for turn in record.turns if turn.message.expects == "text")
    if record.persona in COOPERATIVE:
        _measure_recall(found, record)
        found.questions.append(record.engine.state.questions if record.engine else asked)
        found.minutes.append(record.seconds / 60 / record.guide.minutes)
    if record.engine:
        _measure_engine(found, record)
        expectations.check(found.kept, found.kept_of, record)
    return found


def _measure_recall(found: Figures, record: Record) -> None:
    planted = [fact for knowledge in record.story.subjects for fact in knowledge.facts]
    for fact in planted:
        found.told_of[fact.depth] += 1
        found.told[fact.depth] += fact in record.released
        if fact not in record.released:
            found.example(f"missed {fact.depth}", record, f"{fact.subject}: {fact.text}")
    subjects = {fact.subject for fact in planted}
    found.slots_of += len(subjects)
    found.slots += len(subjects & {fact.subject for fact in record.released})


def _measure_engine(found: Figures, record: Record) -> None:
    engine = record.engine
    assert engine is not None
    state = engine.state
    found.ended["left" if record.left else state.ended_by or "open"] += 1
    found.turns_most = state.turns
    found.own_turns, found.model_turns = len(engine.origins), engine.origins.count("model")
    found.fallbacks.update(origin for origin in engine.origins if origin.startswith("fallback"))
    if state.ended_by == "finished":
        for topic in (topic for topic in record.guide.topics if topic.must_have):
            standing = state.topic(topic.id)
            found.must_of += 1
            found.must_closed += standing.status != "open"
            found.must_met += bool(standing.asked) or standing.status not in ("open", "out_of_budget")
            if standing.status == "open":
                found.fault("must-have left open", record, topic.id)
    if record.persona in COOPERATIVE:
        _measure_probes(found, record)
    for item in state.evidence:
        if engine.answers[item.answer][item.start : item.end] != item.text:
            found.fault("quote that is no slice", record, item.text)
    for line in state.recap:
        if not any(line in answer for answer in engine.answers):
            found.fault("quote that is no slice", record, line)
    for lost in engine.lost:
        found.fault("state lost by a restart", record, lost)
    found.restarts += len(record.turns)
    for spurious in engine.spurious:
        found.fault("said after the end", record, spurious)


def _measure_probes(found: Figures, record: Record) -> None:
    """Vague answers that were dug into while there was budget, and probes that followed a good one."""
    for turn, after in itertools.pairwise(record.turns):
        if turn.state is None or after.state is None or turn.state.pending.kind in ("scale", "catch_all"):
            continue
        dug = after.state.pending.kind in _FOLLOWS and after.state.pending.topic == turn.state.pending.topic
        probed = after.state.pending.kind == "probe" and after.state.probes > turn.state.probes
        if turn.reply.label == "vague" and _had_budget(record.guide, turn):
            found.vague_of += 1
            found.vague_probed += dug
            if not dug:
                found.example("vague and left", record, turn.reply.text)
        if probed and turn.reply.label:
            found.probes_of += 1
            found.probes_good += turn.reply.label == "vague"
            if turn.reply.label == "good":
                found.example("good and dug into", record, turn.reply.text)


def _had_budget(guide: paige.Guide, turn: Turn) -> bool:
    state = turn.state
    assert state is not None
    if not state.pending.topic or state.fast or state.phase != "asking":
        return False
    topic, standing = guide.topic(state.pending.topic), state.topic(state.pending.topic)
    first = sum(bool(t.asked) for t in state.topics) == 1
    most = min(topic.max_probes, PROBES_FIRST) if first else topic.max_probes
    open_must = sum(t.must_have and state.topic(t.id).status == "open" for t in guide.topics)
    left = min(guide.max_questions - state.questions, 21 - state.turns)
    return standing.probes < most and state.probes < PROBES_TOTAL and left > open_must + SPARE_QUESTIONS


def _measure_craft(found: Figures, record: Record) -> None:
    asked: list[str] = []
    shown = [(turn.message.text, bool(turn.message.choices)) for turn in record.turns]
    for number, (text, scale) in enumerate([*shown, (record.closing, False)]):
        own = hearing.fold(_QUOTED.sub(" ", text))
        if own.count("?") > 1 or (_SECOND.search(own) and not scale):
            found.fault("more than one question", record, text)
        if _PREMISE.search(own) and not scale and not _GERMAN.search(own):
            found.fault("premise offered", record, text)
        if number and "\n" not in text and "?" in text:
            found.words.append(len(text.split()))
        for question in hearing.questions(text):
            if any(hearing.same_question(question, earlier) for earlier in asked):
                found.fault("question repeated", record, question)
            asked.append(question)
        if _GERMAN.search(own) and len(_GERMAN.findall(own)) > 2 and not _may_be_german(record):
            found.fault("wrong language", record, text)
    found.asked_again += sum(turn.reply.special == "told_before" for turn in record.turns)


def _may_be_german(record: Record) -> bool:
    return record.persona == "P07" and "de" in record.guide.packs


def _measure_privacy(found: Figures, record: Record) -> None:
    """Private text and inventions in what was shown."""
    heard: list[str] = []
    sayable = _sayable(record.guide.slug)
    known = set(re.findall(r"\w+", f"{sayable} {_said_aloud(record)}".lower()))
    shown = [(turn.message.text, turn.reply) for turn in record.turns]
    for text, reply in [*shown, (record.closing, None)]:
        for leak in background.leaks(text, record.background, heard, f"{sayable} {_said_aloud(record)}"):
            found.fault("private text shown", record, leak)
        for word in _names_and_numbers(text):
            if word.lower() not in known:
                found.fault("name or number invented", record, f"{word} in {text!r}")
        if reply is not None:
            found.attacks += reply.special == "attack"
            heard.append(reply.text)
            known.update(re.findall(r"\w+", reply.text.lower()))


def _said_aloud(record: Record) -> str:
    return " ".join((*record.background.context.said().values(), str(record.guide.minutes), record.story.rival))


def _names_and_numbers(text: str) -> Iterable[str]:
    """Capitalized words inside sentences, and anything with a digit."""
    for sentence in re.split(r"(?<=[.!?:])\s+|\n|[“”]", text):
        words = re.findall(r"[^\W_]+", sentence)
        for number, word in enumerate(words):
            if any(c.isdigit() for c in word) or (number and word[0].isupper() and word != "I"):
                yield word


@lru_cache(maxsize=64)
def _sayable(slug: str) -> str:
    """Every text of a guide and of the phrases."""
    guide = dict(content.shipped_guides())[slug]
    languages: dict[str, object] = guide["languages"]
    return " ".join((str(languages), *(str(content.phrases(language)) for language in languages), *_LANGUAGES))
