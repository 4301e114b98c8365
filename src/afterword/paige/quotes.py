"""Taking the contact's own words: every function returns exact slices by position, never text of its own."""

import re
from collections.abc import Sequence
from functools import lru_cache

from afterword.paige import judge
from afterword.paige.languages import Language
from afterword.paige.languages import language as pack_of

# An echo longer than this reads like a transcript, not like listening.
_ECHO_WORDS = 8
_ECHO_CHARS = 70
# So many words before a cue may be handed back with it.
_BEFORE_CUE = 5
# A thread of their own needs so many words that say something.
_THREAD_WORDS = 2
# A recap line; longer sentences are cut at a clause.
_LINE_CHARS = 200
_NAME_CHARS = 40

Span = tuple[int, int]

# Not fit to be shown inside our sentence: markup, links, quotes of their own, braces, control characters.
_UNSAFE = re.compile(r"[<>{}\[\]|\\`*_“”\"\x00-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]|://|www\.|@")
# "40,000", "9:30" and "2.0" are one thing, and so is a name with a dot in it.
_CLAUSE = re.compile(r"(?:[^,;:.!?()\n–—]|(?<=\w)[,.:](?=\w))+")


def sentences(text: str) -> list[Span]:
    """(start, end) of each sentence, without surrounding white space; lines end sentences too."""
    spans: list[Span] = []
    start = 0
    for end in [*(m.end() for m in re.finditer(r"[.!?]+(?=\s)|\n", text)), len(text)]:
        piece = text[start:end]
        left = len(piece) - len(piece.lstrip())
        if stripped := piece.strip():
            spans.append((start + left, start + left + len(stripped)))
        start = end
    return spans


def best_sentence(text: str, cues: Sequence[str] = (), language: str = "en") -> tuple[Span, float] | None:
    """The sentence that says most, of those that hold a cue when cues are given; None when there is none."""
    best: tuple[Span, float] | None = None
    for start, end in sentences(text):
        piece = text[start:end]
        if not judge.words(piece) or (cues and not has_cue(piece, cues)):
            continue
        score = judge.quality(piece, language).score
        if best is None or score > best[1]:
            best = _shorten(text, start, end), score
    return best


def has_cue(text: str, cues: Sequence[str]) -> bool:
    """Whether one of the cues is in the text, as whole words, in any case."""
    return bool(cues) and bool(cue_pattern(tuple(cues)).search(judge.fold(text)))


def count_cues(text: str, cues: Sequence[str]) -> int:
    """How many different cues are in the text."""
    return len(set(cue_pattern(tuple(cues)).findall(judge.fold(text)))) if cues else 0


def echo(text: str, cues: Sequence[str], language: str = "en") -> str:
    """A clause of two to eight words of theirs that can be handed back, around a cue; empty where none is safe."""
    own = pack_of(language)
    for start, end in clauses(text):
        clause = text[start:end]
        if not has_cue(clause, (*cues, *own.telling)) or _UNSAFE.search(clause):
            continue
        if span := _window(clause, cues, own):
            return span
    return ""


def thread(text: str, language: str = "en") -> str:
    """The whole clause of at most eight words that says most, whatever it is about; empty where none is safe."""
    own, best, most = pack_of(language), "", _THREAD_WORDS - 1
    for start, end in clauses(text):
        clause = text[start:end]
        content = {word for word in judge.words(judge.fold(clause)) if word not in own.stopwords | own.vague_words}
        fits = len(clause.split()) <= _ECHO_WORDS and len(clause) <= _ECHO_CHARS and not _UNSAFE.search(clause)
        if fits and len(content) > most:
            best, most = clause.strip("'’ "), len(content)
    return best


def chosen_option(text: str, vendor: str, language: str = "en") -> str:
    """The name after "we went with …" as they wrote it; empty when there is none, or when it is the vendor's."""
    for match in pack_of(language).chose.finditer(text):
        if found := leading_name(text[match.end() :], vendor, language):
            return found
    return ""


def leading_name(text: str, vendor: str, language: str = "en") -> str:
    """The name that a text begins with, as they wrote it; empty when it begins with none, or with the vendor's."""
    name = re.match(r"[A-Z][\w&-]*(?:\.[\w]+)*(?:[ ][A-Z][\w&-]*){0,2}", text)
    found = name.group() if name else ""
    usable = found and len(found) <= _NAME_CHARS and not _UNSAFE.search(found)
    named = usable and judge.is_name(found.split()[0], pack_of(language))
    return found if named and vendor.casefold() not in found.casefold() else ""


@lru_cache(maxsize=512)
def cue_pattern(cues: tuple[str, ...]) -> re.Pattern[str]:
    """One pattern for a list of cue words and phrases."""
    longest_first = sorted((judge.fold(cue) for cue in cues), key=len, reverse=True)
    return re.compile(r"(?<!\w)(?:" + "|".join(re.escape(cue) for cue in longest_first) + r")(?!\w)")


def clauses(text: str) -> list[Span]:
    """(start, end) of each clause, without surrounding white space."""
    found = [(match.start(), match.group()) for match in _CLAUSE.finditer(text)]
    lefts = [(start + len(piece) - len(piece.lstrip()), piece.strip()) for start, piece in found]
    return [(left, left + len(piece)) for left, piece in lefts if piece]


def unsafe(text: str) -> bool:
    """Whether a text is not fit to be shown inside a sentence of ours."""
    return bool(_UNSAFE.search(text))


def _window(clause: str, cues: Sequence[str], own: Language) -> str:
    """The clause itself when it is short, else the words around the cue unless that would drop a negation."""
    found = list(re.finditer(r"\S+", clause))
    if len(found) > _ECHO_WORDS:
        pattern = cue_pattern((*cues, *own.telling))
        at = next((i for i, word in enumerate(found) if pattern.search(judge.fold(word.group()).strip("'"))), None)
        if at is None:
            return ""
        phrase = _phrase([judge.fold(word.group()).strip("'") for word in found], at, own)
        kept, dropped = found[phrase], (*found[: phrase.start], *(found[phrase.stop :] if own.negation_follows else ()))
        if any(own.negation.search(judge.fold(word.group())) for word in dropped) or len(kept) < 2:
            return ""
        found = kept
    if len(found) < 2:
        return ""
    span = clause[found[0].start() : found[-1].end()].strip("'’ ")
    return span if len(span) <= _ECHO_CHARS else ""


def _phrase(plain: Sequence[str], at: int, own: Language) -> slice:
    """The longest whole phrase around the word `at`; empty where there is none.

    It begins with the clause or with a word that opens a phrase, and ends with the clause or before a word that joins
    on another one.
    """
    best = slice(at, at)
    for first in range(max(0, at - _BEFORE_CUE), at + 1):
        # "at the end" begins with "at", though "the" opens a phrase as well.
        if first and (plain[first] not in own.openers or plain[first - 1] in own.openers | own.links):
            continue
        for last in range(min(len(plain), first + _ECHO_WORDS), at, -1):
            breaks = last == len(plain) or plain[last] in own.joints
            if breaks and plain[last - 1] not in own.stopwords | own.openers | own.links:
                if last - first > best.stop - best.start:
                    best = slice(first, last)
                break
    return best


def _shorten(text: str, start: int, end: int) -> Span:
    """The sentence itself, or its beginning up to a clause or a word within the length of a line."""
    if end - start <= _LINE_CHARS:
        return start, end
    piece = text[start : start + _LINE_CHARS]
    for mark in (r"[,;:](?=\s)", r"\s"):
        cuts = [m.start() for m in re.finditer(mark, piece)]
        if cuts and cuts[-1] > _LINE_CHARS // 3:
            return start, start + cuts[-1]
    return start, start + _LINE_CHARS
