"""Guides: what an interview type asks and how it is worded. Loaded from a mapping, checked, frozen."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

from afterword.errors import BadRequest
from afterword.paige import content, faults, guide_text
from afterword.paige.guide_text import Finding, GuideText, TextError

SlotKind = Literal["text", "choice", "scale", "entity"]
Form = Literal["question", "scale", "opening", "statement"]

# Phrases a guide may bring itself, and what each must be.
_OWN_PHRASES: Mapping[str, Form] = {
    "redirect": "statement",
    "redirect_again": "statement",
    "referral_ask": "question",
    "closing_referral": "statement",
}

# The message of an error tells this many faults; `places` has them all.
_TOLD = 5


class GuideError(BadRequest):
    """A guide that cannot be used. `places` lists (where, what is wrong) for every fault found, `findings` the same
    with line and column apart where the guide was given as text."""

    def __init__(self, found: Sequence[tuple[str, str] | Finding]) -> None:
        self.findings: tuple[Finding, ...] = tuple(one if isinstance(one, Finding) else Finding(*one) for one in found)
        self.places: tuple[tuple[str, str], ...] = tuple((one.place, one.message) for one in self.findings)
        told = [f"{where}: {what}" for where, what in self.places[:_TOLD]]
        if len(self.places) > _TOLD:
            told.append(f"and {len(self.places) - _TOLD} more")
        super().__init__("; ".join(told), fields=self.places)


@dataclass(frozen=True, slots=True)
class Slot:
    """One thing to learn within a topic."""

    id: str
    kind: SlotKind
    must_have: bool
    good_enough: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Branch:
    """A turn in the road: on a phrase, or on the choice number `min` to `max` of `slot` (`otherwise`: or on none)."""

    id: str
    slot: str
    min: int
    max: int
    otherwise: bool
    skip: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Topic:
    """What is asked, independent of language."""

    id: str
    title: str
    intent: str
    priority: int
    order_group: int
    must_have: bool
    aided: bool
    driver: bool
    max_probes: int
    probe_types: tuple[str, ...]
    slots: tuple[Slot, ...]
    branch: tuple[Branch, ...]

    def slot(self, slot_id: str) -> Slot:
        """The slot of that id. Raises KeyError."""
        for slot in self.slots:
            if slot.id == slot_id:
                return slot
        raise KeyError(slot_id)

    @property
    def opening_scale(self) -> str:
        """The slot that a topic of nothing but scales and choices opens with; empty for every other topic."""
        scales = self.slots and all(slot.kind in ("choice", "scale") for slot in self.slots)
        return self.slots[0].id if scales else ""


@dataclass(frozen=True, slots=True)
class SlotWording:
    """How one slot is asked for and recognized."""

    ask: tuple[str, ...] = ()
    cues: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BranchWording:
    """The phrases that take a branch, and what is asked then."""

    says: tuple[str, ...] = ()
    ask: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TopicWording:
    """How one topic is asked in one language."""

    label: str
    main: tuple[str, ...]
    heard: tuple[str, ...]
    simpler: tuple[str, ...]
    bridge: tuple[str, ...]
    probes: Mapping[str, tuple[str, ...]]
    keywords: tuple[str, ...]
    slots: Mapping[str, SlotWording]
    branches: Mapping[str, BranchWording]

    def slot(self, slot_id: str) -> SlotWording:
        """The slot's wording, empty where the pack has none."""
        return self.slots.get(slot_id, SlotWording())


@dataclass(frozen=True, slots=True)
class Pack:
    """One language of a guide, with the shipped phrases of that language filled in."""

    language: str
    opening: tuple[str, ...]
    catch_all: tuple[str, ...]
    phrases: Mapping[str, tuple[str, ...]]
    faq: Mapping[str, tuple[str, ...]]
    topics: Mapping[str, TopicWording]


@dataclass(frozen=True, slots=True)
class Guide:
    """An interview type's content. Immutable; a change is a new version in the store."""

    name: str
    slug: str
    description: str
    language: str
    internal: bool
    minutes: int
    max_questions: int
    consent: str
    topics: tuple[Topic, ...]
    packs: Mapping[str, Pack]

    @property
    def languages(self) -> tuple[str, ...]:
        """The codes of the guide's languages, its own first."""
        return (self.language, *(code for code in self.packs if code != self.language))

    def pack(self, language: str) -> Pack:
        """The pack of that language, of its base language, or of the guide's own."""
        for wanted in (language, language.partition("-")[0]):
            if wanted in self.packs:
                return self.packs[wanted]
        return self.packs[self.language]

    def topic(self, topic_id: str) -> Topic:
        """The topic of that id. Raises KeyError."""
        for topic in self.topics:
            if topic.id == topic_id:
                return topic
        raise KeyError(topic_id)


def load_guide(mapping: Mapping[str, Any]) -> Guide:
    """The guide a mapping describes. Raises GuideError naming every place that is wrong."""
    try:
        text = json.dumps(mapping, sort_keys=False, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise GuideError([("guide", f"is not plain JSON data: {error}")]) from None
    return _load(text)


def load_guide_text(text: str) -> Guide:
    """The same from YAML (or JSON) text. Raises GuideError naming line and place of every fault."""
    return load_parsed(parse_text(text))


def parse_text(text: str) -> GuideText:
    """The mapping in a text, with the lines of its parts, unchecked. Raises GuideError where it is not one mapping."""
    try:
        return guide_text.parse(text)
    except TextError as error:
        raise GuideError(error.findings) from None


def load_parsed(parsed: GuideText) -> Guide:
    """The guide in a parsed text. Raises GuideError naming line and place of every fault."""
    try:
        return load_guide(parsed.data)
    except GuideError as error:
        raise GuideError(sorted((locate(one, parsed) for one in error.findings), key=_line)) from None


def locate(finding: Finding, parsed: GuideText) -> Finding:
    """The same finding with its line and column in the text."""
    line, column = parsed.find(finding.where)
    return replace(finding, line=line, column=column)


def wordings(guide: Guide) -> Iterator[tuple[str, Form, str]]:
    """Every text of the guide itself as (place, form, text)."""
    for language, pack in guide.packs.items():
        at = f"languages.{language}"
        yield from _numbered(f"{at}.opening", "opening", pack.opening)
        yield from _numbered(f"{at}.catch_all", "question", pack.catch_all)
        yield from _numbered(f"{at}.closing", "statement", pack.phrases["closing"])
        for entry, texts in pack.faq.items():
            yield from _numbered(f"{at}.faq.{entry}", "statement", texts)
        for name, said in _OWN_PHRASES.items():
            yield from _numbered(f"{at}.phrases.{name}", said, pack.phrases[name])
        for topic in guide.topics:
            words, here = pack.topics[topic.id], f"{at}.topics.{topic.id}"
            asked: Form = "scale" if topic.opening_scale else "question"
            for part in ("main", "heard", "simpler"):
                yield from _numbered(f"{here}.{part}", asked, getattr(words, part))
            yield from _numbered(f"{here}.bridge", "statement", words.bridge)
            for kind in topic.probe_types:
                yield from _numbered(f"{here}.probes.{kind}", "question", words.probes[kind])
            for slot in topic.slots:
                form: Form = "question" if slot.kind in ("text", "entity") else "scale"
                yield from _numbered(f"{here}.slots.{slot.id}.ask", form, words.slot(slot.id).ask)
            for name, branch in words.branches.items():
                yield from _numbered(f"{here}.branches.{name}.ask", "question", branch.ask)


@lru_cache(maxsize=256)
def _load(text: str) -> Guide:
    data: dict[str, Any] = json.loads(text)
    if places := faults.find_faults(data):
        raise GuideError(places)
    return _build(data)


def _line(finding: Finding) -> int:
    return finding.line or 0


def _numbered(where: str, form: Form, texts: Sequence[str]) -> Iterator[tuple[str, Form, str]]:
    for number, text in enumerate(texts):
        yield f"{where}[{number}]", form, text


def _build(data: dict[str, Any]) -> Guide:
    return Guide(
        name=data["name"],
        slug=data["slug"],
        description=data.get("description", ""),
        language=data["language"],
        internal=data.get("internal", False),
        minutes=int(data["minutes"]),
        max_questions=int(data.get("max_questions", 20)),
        consent=data.get("consent", ""),
        topics=tuple(_build_topic(topic) for topic in data["topics"]),
        packs={language: _build_pack(language, pack, data["topics"]) for language, pack in data["languages"].items()},
    )


def _build_topic(topic: dict[str, Any]) -> Topic:
    return Topic(
        id=topic["id"],
        title=topic.get("title", topic["id"]),
        intent=topic["intent"],
        priority=int(topic["priority"]),
        order_group=int(topic["order_group"]),
        must_have=topic.get("must_have", False),
        aided=topic.get("aided", False),
        driver=topic.get("driver", False),
        max_probes=int(topic.get("max_probes", 2)),
        probe_types=faults.probe_types(topic),
        slots=tuple(
            Slot(slot["id"], slot["kind"], slot.get("must_have", False), tuple(slot.get("good_enough", ())))
            for slot in topic.get("slots", [])
        ),
        branch=tuple(
            Branch(
                b["id"],
                b.get("slot", ""),
                int(b.get("min", 1)),
                int(b.get("max", 99)),
                b.get("otherwise", False),
                tuple(b.get("skip", ())),
            )
            for b in topic.get("branch", [])
        ),
    )


def _build_pack(language: str, pack: dict[str, Any], topics: list[dict[str, Any]]) -> Pack:
    shared = content.phrases(language)
    said = {key: tuple(texts) for key, texts in shared.items() if key not in ("faq", "probes")}
    said |= {key: tuple(texts) for key, texts in pack.get("phrases", {}).items()}
    if "closing" in pack:
        said["closing"] = tuple(pack["closing"])
    return Pack(
        language=language,
        opening=tuple(pack["opening"]),
        catch_all=tuple(pack["catch_all"]),
        phrases=said,
        faq={key: tuple(texts) for key, texts in {**shared["faq"], **pack.get("faq", {})}.items()},
        topics={topic["id"]: _build_words(topic, pack, shared) for topic in topics},
    )


def _build_words(topic: dict[str, Any], pack: dict[str, Any], shared: Mapping[str, Any]) -> TopicWording:
    words: dict[str, Any] = pack["topics"][topic["id"]]
    return TopicWording(
        label=words["label"],
        main=tuple(words["main"]),
        heard=tuple(words.get("heard", ())),
        simpler=tuple(words["simpler"]),
        bridge=tuple(words.get("bridge", ())),
        probes={kind: faults.probe_wordings(kind, words, pack, shared) for kind in faults.probe_types(topic)},
        keywords=tuple(words.get("keywords", ())),
        slots={
            slot_id: SlotWording(tuple(w.get("ask", ())), tuple(w.get("cues", ())), tuple(w.get("choices", ())))
            for slot_id, w in words.get("slots", {}).items()
        },
        branches={
            branch_id: BranchWording(tuple(w.get("says", ())), tuple(w.get("ask", ())))
            for branch_id, w in words.get("branches", {}).items()
        },
    )
