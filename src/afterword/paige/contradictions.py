"""Two statements of one person that do not fit together, found by rules: few subjects, no guesses."""

from collections.abc import Iterator
from dataclasses import dataclass

from afterword.paige import judge, quotes
from afterword.paige.languages import Language, Stances
from afterword.paige.languages import language as pack_of
from afterword.paige.state import Evidence, State

# A statement longer than this is not read out in a question that holds two.
_MOST_WORDS = 14
_MOST_CHARS = 110
# Kept of one interview.
_MOST_STANCES = 20


@dataclass(frozen=True, slots=True)
class Found:
    """All stances so far; and, where a new one is the opposite of an earlier one, the two statements."""

    stances: tuple[Evidence, ...]
    earlier: Evidence | None = None
    now: Evidence | None = None


def find(state: State, raw: str, topic: str, vendor: str, language: str) -> Found:
    """What this answer takes a stance on, and whether it contradicts an earlier answer.

    A stance is an `Evidence` whose `slot` is the subject and its side; that of the earlier statement is given back with
    an empty `slot`, fit for the ledger.
    """
    known = state.stances
    clash: tuple[Evidence, Evidence] | None = None
    for subject, side, start, end in _stances(raw, vendor, language):
        here = Evidence(topic, f"{subject}:{side}", state.heard - 1, start, end, raw[start:end], 0.0, prompted=True)
        other = f"{subject}:{'other' if side == 'one' else 'one'}"
        before = next((item for item in known if item.slot == other and item.answer < here.answer), None)
        asked = sum(item.slot.startswith(f"{subject}:") for item in known) > 1
        if clash is None and before is not None and not asked:
            clash = _plain(before), _plain(here)
        if here.slot not in {item.slot for item in known}:
            known = (*known, here)[:_MOST_STANCES]
    return Found(known, *clash) if clash else Found(known)


def _plain(stance: Evidence) -> Evidence:
    return Evidence(stance.topic, "", stance.answer, stance.start, stance.end, stance.text, 0.0, prompted=True)


def _stances(raw: str, vendor: str, language: str) -> Iterator[tuple[str, str, int, int]]:
    """(subject, side, start, end) of each clause that says something of a subject, in the contact's own name, now."""
    own = pack_of(language)
    for start, end in quotes.sentences(raw):
        sentence = raw[start:end]
        folded = judge.fold(sentence)
        others = [name for name in judge.proper_names(sentence, language) if name.casefold() not in vendor.casefold()]
        if others or own.not_a_stance.search(folded) or folded.endswith("?"):
            continue
        for left, right in quotes.clauses(sentence):
            clause = judge.fold(sentence[left:right])
            if len(clause.split()) > _MOST_WORDS or len(clause) > _MOST_CHARS or quotes.unsafe(clause):
                continue
            for stances in own.stances:
                if side := _side(stances, clause, named=_opens_with_a_name(sentence[left:right], own)):
                    yield stances.subject, side, start + left, start + right


def _side(stances: Stances, clause: str, *, named: bool) -> str:
    """The side that a clause takes; none where it takes both, or is about the name that it opens with."""
    found = {"one": stances.one.search(clause), "other": stances.other.search(clause)}
    sides = [side for side, match in found.items() if match and not (named and match.start() > 0)]
    return sides[0] if len(sides) == 1 else ""


def _opens_with_a_name(clause: str, own: Language) -> bool:
    first = clause.split(maxsplit=1)[0].strip("“”\"'")
    return first[:1].isupper() and judge.is_name(first, own) and first.casefold() not in own.vague_words
