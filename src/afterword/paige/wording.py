"""Choosing and filling a wording: the same seed gives the same interview, no question comes twice."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from afterword.paige import judge

# Two questions more alike than this are the same question (Dice coefficient over character trigrams).
REPEAT_DICE = 0.80

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_OPTIONAL = frozenset({"first_name", "company", "competitor", "score", "their_words"})


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with its placeholders filled, in one pass so that no value is ever read as a template."""
    return _PLACEHOLDER.sub(lambda match: values[match[1]], text)


def choose(
    seed: str, key: str, texts: Sequence[str], values: Mapping[str, str], asked: Sequence[str] = ()
) -> str | None:
    """One wording, filled: not like anything in `asked`, the most personal first, then another beginning
    than the question before; None when all are used up."""
    usable = [text for text in texts if set(_PLACEHOLDER.findall(text)) <= values.keys()]
    stem = _stem(asked[-1]) if asked else ""

    def preference(text: str) -> tuple[int, bool, int]:
        personal = len(_OPTIONAL & set(_PLACEHOLDER.findall(text)))
        return -personal, _stem(fill(text, values)) == stem, _rank(seed, key, text)

    ordered = (fill(text, values) for text in sorted(usable, key=preference))
    return next((text for text in ordered if not repeats(text, asked)), None)


def rotate(seed: str, key: str, texts: Sequence[str], values: Mapping[str, str], turn: int) -> str:
    """One phrase, filled; never the same in two turns running when there are two."""
    usable = [text for text in texts if set(_PLACEHOLDER.findall(text)) <= values.keys()]
    return fill(usable[(_rank(seed, key, "") + turn) % len(usable)], values) if usable else ""


def first_choice(seed: str, key: str, texts: Sequence[str], values: Mapping[str, str]) -> str:
    """As `choose`, for what is said once."""
    return choose(seed, key, texts, values) or ""


def chance(seed: str, key: str, percent: int) -> bool:
    """True in about `percent` of keys, always the same for one seed and key."""
    return _rank(seed, key, "") % 100 < percent


def repeats(text: str, asked: Sequence[str]) -> bool:
    """Whether the text is the same question as an earlier one, also behind another lead."""
    return any(_dice(_trigrams(a), _trigrams(b)) >= REPEAT_DICE for b in _forms(asked) for a in _forms([text]))


def _forms(texts: Sequence[str]) -> list[str]:
    """Each text, and its last sentence where it has more than one."""
    lasts = (_SENTENCE_END.split(text.strip())[-1] for text in texts)
    return list(dict.fromkeys((*texts, *lasts)))


def _rank(seed: str, key: str, text: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}\0{key}\0{text}".encode()).digest()[:8], "big")


def _stem(text: str) -> str:
    return " ".join(judge.words(judge.fold(text))[:2])


@lru_cache(maxsize=1024)
def _trigrams(text: str) -> frozenset[str]:
    plain = " ".join(judge.words(judge.fold(text)))
    return frozenset(plain[i : i + 3] for i in range(len(plain) - 2)) or frozenset({plain})


def _dice(a: frozenset[str], b: frozenset[str]) -> float:
    return 2 * len(a & b) / (len(a) + len(b)) if a or b else 1.0
