"""Reading an answer by rules: what kind of message it is, and how much it says. Pure, a few hundred microseconds."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from afterword.paige import english

Kind = Literal[
    "stop",
    "delete",
    "opt_out",
    "distress",
    "abuse",
    "question",
    "refusal",
    "dont_know",
    "not_me",
    "clarify",
    "off_topic",
    "hurry",
    "answer",
]

# Below the first an answer is probed; from the second on it is left alone; between, only what matters most is probed.
# Tried on hand-made answers: the vague ones scored under 0.25, the adequate ones over 0.30.
PROBE_BELOW = 0.28
ADVANCE_AT = 0.45

# An answer of this many content words gets the full score for its length.
_FULL_LENGTH = 25
# Longer messages are answers, whatever phrase they hold: a refusal or a question to us is short.
_SHORT_MESSAGE = 25
# So many words after "but" turn "I can't say, but …" into an answer.
_REST_WORDS = 5
_LOW_EFFORT_WORDS = 3
# With no more words than these besides "good", "price" and the like, an answer is vague.
_TELLING_WORDS = 2

_WORD = re.compile(r"[^\W_]+(?:['’.\-/&][^\W_]+)*")
_PLAIN_QUOTES = str.maketrans("’‘“”", "''\"\"")
_ASKS_FOR = re.compile(r"(?:please )?(?:tell|show|give|explain|print|send) (?:me|us)?\b")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a message is. `about` is the FAQ entry of a question, also of one that an answer asks besides; for
    `not_me` it is "decision" where the whole decision was somebody else's. Else empty."""

    kind: Kind
    about: str = ""
    opt_out: bool = False


@dataclass(frozen=True, slots=True)
class Quality:
    """How much an answer says: `score` from about -0.4 to 1, and what it rests on."""

    score: float
    words: int
    specific: bool = False
    causal: bool = False
    episode: bool = False
    contrast: bool = False
    vague: bool = False
    hedge: bool = False

    @property
    def low_effort(self) -> bool:
        """A word or three that say nothing."""
        return self.words <= _LOW_EFFORT_WORDS and self.score < PROBE_BELOW


def fold(text: str) -> str:
    """One line in lower case with plain quotes and no invisible characters, for matching only."""
    line = " ".join(unicodedata.normalize("NFKC", text).translate(_PLAIN_QUOTES).split())
    if not line.isprintable():
        line = "".join(c for c in line if unicodedata.category(c)[0] != "C")
    return line.casefold()


def words(text: str) -> list[str]:
    """The words of a folded text."""
    return _WORD.findall(text)


def read(text: str) -> Reading:
    """The kind of a message; the first that fits in the order of what must never be missed."""
    folded = fold(text)
    count = len(words(folded))
    if urgent := _urgent(folded, count):
        return urgent
    opt_out = bool(english.OPT_OUT.search(folded))
    if count > _SHORT_MESSAGE:
        return Reading("answer", about=_asked_besides(folded), opt_out=opt_out)
    return Reading(*_short(folded, count), opt_out=opt_out)


def affirms(text: str) -> bool:
    """Whether a reply to the recap leaves it as it is."""
    return bool(english.AFFIRM.fullmatch(fold(text)))


def quality(text: str) -> Quality:
    """How much an answer says, by length, concreteness, cause, scene and comparison."""
    folded = fold(text)
    found = words(folded)
    content = [word for word in found if word not in english.STOPWORDS]
    telling = [word for word in content if word not in english.VAGUE_WORDS]
    specific = names_something(text)
    episode = bool(english.EPISODE.search(folded))
    contrast = bool(english.CONTRAST.search(folded))
    causal = bool(english.CAUSAL.search(folded))
    vague = len(telling) <= _TELLING_WORDS and not (specific or episode or causal)
    hedge = bool(english.HEDGE.search(folded))
    score = (
        0.35 * min(1.0, len(content) / _FULL_LENGTH)
        + 0.20 * specific
        + 0.15 * causal
        + 0.15 * episode
        + 0.15 * contrast
        - 0.25 * vague
        - 0.15 * hedge
    )
    return Quality(round(score, 4), len(found), specific, causal, episode, contrast, vague, hedge)


def names_something(text: str) -> bool:
    """Whether a number, a date, a role or a proper name is in the text."""
    folded = fold(text)
    if re.search(r"\d", folded) or english.CALENDAR.search(folded) or english.ROLE.search(folded):
        return True
    return any(_proper_names(sentence) for sentence in _SENTENCE_END.split(text.replace("’", "'")))


def lists_names(text: str) -> bool:
    """Whether a short answer names options: a proper name, also alone or first, or a list in lower case."""
    plain = text.replace("’", "'").strip()
    if any(_proper_names(sentence) for sentence in _SENTENCE_END.split(plain)):
        return True
    first = re.match(r"([A-Z][\w.&'-]*)(\s*(?:,|/|&|\band\b|\bor\b|\bvs\b)|\W*$)", plain)
    if first and _is_name(first[1]):
        return True
    parts = [part.split() for part in re.split(r",|\band\b|/|&", fold(text)) if part.strip()]
    short = [part for part in parts if len(part) <= 2 and not set(part) & (english.VAGUE_WORDS | english.STOPWORDS)]
    return len(parts) > 1 and len(short) > 1


def _urgent(folded: str, count: int) -> Reading | None:
    """What must be honored in the same turn, however the rest of the message reads."""
    if english.DELETE.search(folded):
        return Reading("delete")
    if english.OPT_OUT.search(folded) and count <= 12:
        return Reading("opt_out", opt_out=True)
    if english.STOP_WHOLE.fullmatch(folded) or english.STOP_WITHIN.search(folded):
        return Reading("stop")
    if english.DISTRESS.search(folded):
        return Reading("distress")
    if english.ABUSE.search(folded):
        return Reading("abuse")
    return None


def _short(folded: str, count: int) -> tuple[Kind, str]:  # noqa: PLR0911  # a list of rules, first hit wins
    """The kind of a message of at most `_SHORT_MESSAGE` words."""
    told = _told_anyway(folded)
    if faq := _faq(folded):
        return ("answer" if told else "question"), faq
    if english.OFF_TOPIC.search(folded):
        return "off_topic", ""
    if english.CLARIFY.search(folded) and count <= 15:
        return "clarify", ""
    if english.HURRY.search(folded):
        return ("answer" if told else "hurry"), ""
    if not told:
        if english.REFUSAL.search(folded):
            return "refusal", ""
        if english.DONT_KNOW.search(folded):
            return "dont_know", ""
        if english.NOT_ME.search(folded) and not english.NOT_INVOLVED.search(folded):
            return "not_me", "decision" if english.NOT_ME_AT_ALL.search(folded) else ""
    if folded.endswith("?") and english.QUESTION_START.match(folded):
        return "question", "for_a_person"
    return "answer", _asked_besides(folded)


def _told_anyway(folded: str) -> bool:
    """Whether something is told after a "but", so that the message is an answer all the same."""
    _, but, rest = folded.partition(" but ")
    return bool(but) and len(words(rest)) >= _REST_WORDS and "?" not in rest


def _asked_besides(folded: str) -> str:
    """The FAQ entry of a question to us in the last sentence of an answer; else empty."""
    last = _SENTENCE_END.split(folded)[-1]
    if not last.endswith("?"):
        return ""
    to_us = english.QUESTION_START.match(last) and re.search(r"\byour?\b", last)
    return _faq(last) or ("for_a_person" if to_us else "")


def _faq(folded: str) -> str:
    for entry, pattern in english.FAQ.items():
        asks = "?" in folded or english.QUESTION_START.match(folded) or _ASKS_FOR.match(folded)
        if asks and pattern.search(folded):
            return entry
    return ""


def _proper_names(sentence: str) -> list[str]:
    """Capitalized words of a sentence other than its first."""
    found = _WORD.findall(sentence)
    return [word for word in found[1:] if word[0].isupper() and _is_name(word)]


def _is_name(word: str) -> bool:
    plain = word.casefold().split("'")[0]
    return len(plain) > 1 and plain not in english.NOT_NAMES and plain not in english.STOPWORDS
