"""What has been learned so far: crediting answers to slots, and reading them back in the contact's own words."""

import re
from collections.abc import Collection, Mapping, Sequence

from afterword.paige import judge, quotes
from afterword.paige.guide import Guide, Pack, Topic, TopicWording
from afterword.paige.state import Evidence, State, TopicState

# A read-back longer than this is not read.
RECAP_LINES = 5
_FEWEST_LINES = 3
# A line of it holds at least a short word; a bare number or sign means nothing read on its own.
_WORDY = r"[^\W\d_]{2}"
# Slots one answer can speak to, and sentences it can volunteer for topics not asked yet.
_SLOTS_AN_ANSWER = 3
_UNPROMPTED_WORDS = 6
# Two or three cues may stand in a sentence about something else; a topic counts as told unasked only with more.
_VOLUNTEERED_CUES = 4
_TOLD_CUES = 2
# The questions whose answers tell what decided.
_REASONS = ("main", "episode")
# "7 out of 10" on a scale that ends at ten.
_OF_ALL = re.compile(r"(?:an? |i'?d say |maybe |about )*(\d{1,2})(?: ?/ ?| (?:out )?of | von )(\d{1,2})")
# Evidence kept for one interview; a state stays small whatever is pasted into it.
_MOST_EVIDENCE = 60


def credit(guide: Guide, pack: Pack, state: State, raw: str, language: str = "en") -> tuple[Evidence, ...]:
    """The evidence so far plus what this answer adds to its topic and, unasked, to later ones.

    A bare "yes" adds nothing: what it agrees to are our words.
    """
    if judge.adds_nothing(raw, language):
        return state.evidence
    number, here, question = state.heard - 1, state.pending.topic, state.pending.question
    topic, words = guide.topic(here), pack.topics[here]
    added: list[Evidence] = []
    asked_slot = state.pending.key if state.pending.kind == "slot" else ""
    for slot in topic.slots:
        cues = () if slot.id == asked_slot else words.slot(slot.id).cues
        if slot.kind in ("choice", "scale") or not (cues or slot.id == asked_slot) or len(added) >= _SLOTS_AN_ANSWER:
            continue
        if found := quotes.best_sentence(raw, cues, language):
            added.append(_evidence(here, slot.id, number, raw, found, question))
    if not added and (found := quotes.best_sentence(raw, language=language)):
        added.append(_evidence(here, "", number, raw, found, question))
    for later in guide.topics:
        standing = state.topic(later.id)
        if later.id == here or standing.asked or standing.status not in ("open", "out_of_budget"):
            continue
        for slot in later.slots:
            cues = pack.topics[later.id].slot(slot.id).cues
            found = quotes.best_sentence(raw, cues, language) if cues else None
            if found and found[1] >= 0 and len(raw[slice(*found[0])].split()) >= _UNPROMPTED_WORDS:
                added.append(_evidence(later.id, slot.id, number, raw, found))
    return (*state.evidence, *added)[:_MOST_EVIDENCE]


def credit_last(state: State, raw: str, language: str = "en") -> tuple[Evidence, ...]:
    """The evidence so far plus the answer to the closing question, which belongs to no topic."""
    found = quotes.best_sentence(raw, language=language)
    if found is None or judge.read(raw, language).kind != "answer":
        return state.evidence
    return (*state.evidence, _evidence("", "", state.heard - 1, raw, found, "catch_all"))[:_MOST_EVIDENCE]


def with_evidence(state: State, *items: Evidence) -> tuple[Evidence, ...]:
    """The evidence with these statements in it, each once."""
    known = {(item.answer, item.text) for item in state.evidence}
    return (*state.evidence, *(item for item in items if (item.answer, item.text) not in known))[:_MOST_EVIDENCE]


def met(standing: TopicState, quality: judge.Quality) -> tuple[str, ...]:
    """What has been given for the topic so far, of an example and a comparison."""
    now = {"example": quality.episode, "comparison": quality.contrast}
    return tuple(need for need, given in now.items() if given or need in standing.met)


def satisfied(
    topic: Topic,
    words: TopicWording,
    raw: str,
    quality: judge.Quality,
    before: Collection[str] = (),
    language: str = "en",
) -> bool:
    """Whether this answer, with what was `met` before it, gives what every must-have text slot of the topic needs."""
    slots = [slot for slot in topic.slots if slot.must_have and slot.kind in ("text", "entity")]
    given = {
        "example": "example" in before and quality.score >= judge.PROBE_BELOW,
        "comparison": "comparison" in before and quality.score >= judge.PROBE_BELOW,
        "number": bool(re.search(r"\d", raw)),
        "name": False,
        "weight": True,
    }
    for slot in slots:
        cue = quotes.has_cue(raw, words.slot(slot.id).cues)
        given["name"] = cue or judge.lists_names(raw, language)
        enough = (
            all(given[need] for need in slot.good_enough) if slot.good_enough else quality.score >= judge.PROBE_BELOW
        )
        named = "name" in slot.good_enough or cue or quality.score >= judge.ADVANCE_AT
        if not (enough and named):
            return False
    return bool(slots)


def has(state: State, topic_id: str, slot_id: str) -> bool:
    """Whether something was said to a slot."""
    return any(item.topic == topic_id and item.slot == slot_id for item in state.evidence)


def told(state: State, topic_id: str, slot_id: str, cues: Sequence[str]) -> bool:
    """The same, but what was said before the topic came up has to hold more than one cue."""
    return any(
        item.topic == topic_id
        and item.slot == slot_id
        and (item.prompted or quotes.count_cues(item.text, cues) >= _TOLD_CUES)
        for item in state.evidence
    )


def all_met(topic: Topic, state: State) -> bool:
    """Whether every must-have text slot of the topic has something said to it."""
    slots = [slot for slot in topic.slots if slot.must_have and slot.kind in ("text", "entity")]
    return bool(slots) and all(has(state, topic.id, slot.id) for slot in slots)


def volunteered(topic: Topic, words: TopicWording, state: State) -> bool:
    """Whether all that the topic would ask has been told unasked, each slot in a full sentence with many of its cues.

    A cue here and there, or the same in each sentence, is what stories about something else have.
    """
    told = {
        item.slot
        for item in state.evidence
        if item.topic == topic.id
        and not item.prompted
        and item.score >= judge.ADVANCE_AT
        and quotes.count_cues(item.text, words.slot(item.slot).cues) >= _VOLUNTEERED_CUES
    }
    must_haves = {slot.id for slot in topic.slots if slot.must_have}
    return bool(must_haves) and must_haves <= told


def volunteered_words(topic: Topic, words: TopicWording, state: State) -> str:
    """Up to eight words said about the topic before it was asked; empty where there are none fit to hand back."""
    for item in reversed(state.evidence):
        if (
            item.topic == topic.id
            and not item.prompted
            and (said := quotes.echo(item.text, words.slot(item.slot).cues, state.language))
        ):
            return said
    return ""


def latest_words(state: State) -> str:
    """A few words of the last thing they told us; empty where none are fit to hand back."""
    for item in reversed(state.evidence):
        said = quotes.echo(item.text, judge.words(judge.fold(item.text))[:1], state.language) if item.prompted else ""
        # A clause that breaks off in the middle does not sound like listening.
        if said and re.match(r"\W*(?:$|[,;:.!?()\n–—])", item.text.partition(said)[2]):
            return said
    return ""


def recap_lines(guide: Guide, state: State, weights: Mapping[str, int]) -> tuple[str, ...]:
    """Three to five sentences of theirs, one for each of the topics that matter most, in the order they were said."""
    best: dict[str, Evidence] = {}
    drivers = {topic.id for topic in guide.topics if topic.driver}
    for item in state.evidence:
        # A bare "ok" is no takeaway.
        wordy = re.search(_WORDY, item.text) and not judge.affirms(item.text, state.language)
        if item.prompted and wordy and _takeaway(item, drivers) > _takeaway(best.get(item.topic), drivers):
            best[item.topic] = item
    rank = {topic.id: (topic.priority, -weights[topic.id]) for topic in guide.topics}
    chosen = sorted(best.values(), key=lambda item: (*rank.get(item.topic, (2, 0)), -item.score))
    lines: dict[str, Evidence] = {}
    for item in chosen:
        lines.setdefault(judge.fold(item.text), item)
    if len(lines) < _FEWEST_LINES:
        more = sorted(
            (item for item in state.evidence if len(item.text.split()) >= _UNPROMPTED_WORDS),
            key=lambda item: -item.score,
        )
        for item in more[:_FEWEST_LINES]:
            if not any(item.text in line.text or line.text in item.text for line in lines.values()):
                lines.setdefault(judge.fold(item.text), item)
    kept = sorted(list(lines.values())[:RECAP_LINES], key=lambda item: (item.answer, item.start))
    return tuple(item.text for item in kept)


def match_choice(raw: str, choices: Sequence[str]) -> str:
    """The label a reply means: the label itself, its beginning, its number, or the only one named in it."""
    folded = judge.fold(raw).strip(" .!")
    labels = {judge.fold(label): label for label in choices}
    if folded in labels:
        return labels[folded]
    if (share := _OF_ALL.fullmatch(folded)) and share[2] == list(labels)[-1]:
        return labels.get(share[1], "")
    named = [label for key, label in labels.items() if re.search(rf"(?<!\w){re.escape(key)}(?!\w)", folded)]
    if len(named) == 1:
        return named[0]
    opening = [label for key, label in labels.items() if len(folded) > 2 and key.startswith(folded)]
    if len(opening) == 1:
        return opening[0]
    if folded.isascii() and folded.isdigit() and not any(key[0].isdigit() for key in labels):
        position = int(folded[:4])
        return choices[position - 1] if 1 <= position <= len(choices) else ""
    return ""


def _takeaway(item: Evidence | None, drivers: Collection[str]) -> tuple[bool, float]:
    """How well a statement sums its topic up. What decided is read back as the reason or the scene, where that was
    told, and not as a comparison with what did not."""
    if item is None:
        return False, float("-inf")
    reason = item.topic in drivers and item.question in _REASONS and item.score >= judge.PROBE_BELOW
    return reason, item.score


def _evidence(
    topic: str, slot: str, number: int, raw: str, found: tuple[quotes.Span, float], question: str = ""
) -> Evidence:
    (start, end), score = found
    return Evidence(topic, slot, number, start, end, raw[start:end], score, bool(question), question)
