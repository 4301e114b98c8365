"""How answers are recognized in each language: a pack of patterns and word lists per language, no logic.

A new language is one module beside `en` that defines `LANGUAGE`, its code in `PACKS`, and `phrases/<code>.yaml`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module

# The languages that have a pack here.
PACKS = ("en", "de")

_NEVER = re.compile(r"(?!)")


@dataclass(frozen=True, slots=True)
class Stances:
    """Two things that cannot both be meant of one subject, such as "did not matter" and "was too expensive"."""

    subject: str
    one: re.Pattern[str]
    other: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Language:
    """What answers look like in one language. Every pattern but `chose` and `named` is matched on folded text."""

    code: str
    name: str  # in the language itself

    # Urgent: recognized in every interview, whatever its language.
    stop_whole: re.Pattern[str] = _NEVER  # a whole message
    stop_within: re.Pattern[str] = _NEVER
    delete: re.Pattern[str] = _NEVER
    opt_out: re.Pattern[str] = _NEVER
    distress: re.Pattern[str] = _NEVER
    abuse: re.Pattern[str] = _NEVER
    injection: re.Pattern[str] = _NEVER

    # What else a contact may start.
    hurry: re.Pattern[str] = _NEVER
    faq: Mapping[str, re.Pattern[str]] = field(default_factory=dict[str, re.Pattern[str]])
    question_start: re.Pattern[str] = _NEVER
    asks_for: re.Pattern[str] = _NEVER  # "tell me", which asks without a question mark
    to_us: re.Pattern[str] = _NEVER  # "you", in a question to the vendor
    personal: re.Pattern[str] = _NEVER  # "we", "my", "your": of the contact's own case and not of the world at large
    clarify: re.Pattern[str] = _NEVER
    refusal: re.Pattern[str] = _NEVER
    dont_know: re.Pattern[str] = _NEVER
    not_me: re.Pattern[str] = _NEVER
    not_me_at_all: re.Pattern[str] = _NEVER  # of these, what concerns the whole decision
    not_involved: re.Pattern[str] = _NEVER  # of these, what says the opposite
    off_topic: re.Pattern[str] = _NEVER
    affirm: re.Pattern[str] = _NEVER  # leaves the read-back as it is
    assent: re.Pattern[str] = _NEVER  # a bare "yes", which says nothing of its own
    told_all: re.Pattern[str] = _NEVER  # there is no more to be had
    but: re.Pattern[str] = _NEVER  # after it an answer may follow all the same

    # How much an answer says.
    hedge: re.Pattern[str] = _NEVER
    causal: re.Pattern[str] = _NEVER
    episode: re.Pattern[str] = _NEVER
    contrast: re.Pattern[str] = _NEVER
    calendar: re.Pattern[str] = _NEVER
    role: re.Pattern[str] = _NEVER
    vague_words: frozenset[str] = frozenset()
    stopwords: frozenset[str] = frozenset()
    full_length: int = 16  # different telling words of an answer that leaves nothing to be asked

    # Names and their words.
    nouns_capitalized: bool = False  # a capital letter does not tell a name from a noun
    named: re.Pattern[str] = _NEVER  # a name by what stands before it
    not_names: frozenset[str] = frozenset()
    noun_ending: re.Pattern[str] = _NEVER  # an ending that only common nouns have
    listing: re.Pattern[str] = re.compile(r",|/|&")  # between the parts of a list
    chose: re.Pattern[str] = _NEVER  # before the name of the option that won
    negation: re.Pattern[str] = _NEVER
    negation_follows: bool = False  # "not" may stand behind what it denies
    openers: frozenset[str] = (
        frozenset()
    )  # small words that begin a phrase; an echo begins with one, or with the clause
    links: frozenset[str] = frozenset()  # before which and after which no phrase begins or ends: "of"
    joints: frozenset[str] = frozenset()  # of these, what joins a phrase to the one before; an echo may end there
    telling: tuple[str, ...] = ()  # worth coming back to whatever the topic

    # Contradictions.
    stances: tuple[Stances, ...] = ()
    not_a_stance: re.Pattern[str] = _NEVER  # a sentence of what others think, of another time, or of an if


@cache
def language(code: str) -> Language:
    """The pack of a language or of its base; one that recognizes nothing where there is no pack."""
    base = code.partition("-")[0]
    if base not in PACKS:
        return Language(base, base)
    pack: Language = import_module(f"afterword.paige.languages.{base}").LANGUAGE
    return pack


@cache
def every_pack() -> tuple[Language, ...]:
    """All packs, for what must never be missed."""
    return tuple(language(code) for code in PACKS)


def words_of(text: str) -> frozenset[str]:
    """The words of a list."""
    return frozenset(text.split())


def any_of(*patterns: str) -> re.Pattern[str]:
    """One pattern that finds any of these."""
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns))
