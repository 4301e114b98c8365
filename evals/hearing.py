"""How a scripted respondent understands a question: from its text alone, by what it makes one think of."""

# ruff: noqa: E501  # a pattern broken over lines cannot be read

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from evals import stories

Kind = Literal["main", "elaborate", "episode", "contrast", "weight", "unclear", "none"]

# The longest message that is read to its end.
MAX_WORDS = 45
# Two questions more alike than this are the same question (Dice coefficient over character trigrams).
SAME_DICE = 0.80

_QUOTED = re.compile(r"“[^”]*”|\"[^\"]*\"")
_IMPERATIVE = re.compile(
    r"(?:^|[.:;,!] |\bplease )(?:please )?(?:(?:tell|take|walk|give) (?:me|us)|describe|explain|think (?:of|back)"
    r"|name (?:one|a|the|two|three)|pick one|say more|imagine|talk me|finish the)\b"
)
_GARBLED = re.compile(r"[{}<>]|\b(?:null|none|undefined|nan)\b|�|\.\.\.\.|(\b\w+\b)(?: \1){2}")
# What of a question asks to go on, and for what.
_ASKS: Mapping[Kind, re.Pattern[str]] = {
    "weight": re.compile(
        r"how (?:much|big|heavily|heavy|close|important|decisive|strongly)\b|\bcount(?:ed|s)?\b|\bweigh(?:ed|s|t)?\b|decisive"
        r"|deal.?breaker|on its own|in order\b|comes first|ruled? (?:\w+ )?(?:\w+ )?out|big a part|most of all|outweigh"
    ),
    "contrast": re.compile(
        r"compar(?:e|ed|ison)|\bthe (?:other|others)\b|\bothers?\b|other side|elsewhere|the same thing|different (?:there|with|from|to)"
        r"|what (?:was|is) (?:missing|different)|\bversus\b|better than|before (?:that|it)|\bthere that\b|used to"
    ),
    "episode": re.compile(
        r"\b(?:moment|situation|example|instance|scene|occasion|episode)\b|one (?:time|day|exchange|test|task|place|case|meeting|call)"
        r"|(?:a|the|which|what|any) (?:time|day|meeting|call|conversation|demo|test|session|round|exchange|point)\b"
        r"|when (?:did|was|were|would|have|along)|last time|just before|come about|came about|where (?:did )?(?:you|that|it)|take me"
        r"|what happened|how did (?:that|it|this) (?:go|play|come|happen|show|start)|happened (?:then|next|there)|in what situation"
        r"|how (?:did|do) you (?:go about|notice|find)|who\b.*\bnotice"
    ),
    "elaborate": re.compile(
        r"\bmore\b|\bmean\b|\bmeant\b|behind (?:that|it|this)|led to|look like|in mind|what (?:exactly|else)|how so|in what way"
        r"|\bgo on\b|\bspecific|which (?:part|names|of (?:them|those|these))|on their mind|care about|you said|you mentioned"
    ),
}
_DEIXIS = re.compile(r"\b(?:that|this|it|those|these|there|they|them|their|he|she|one)\b")
# Words that can only mean what is being talked about.
_POINTS_BACK = re.compile(
    r"\b(?:there|(?:on|at|in|with|about|of|for|to|through|past) (?:that|this|it|them|those)|that (?:that|point|one|day|time|week|part"
    r"|difference|reason|moment|side|option|meeting)|(?:the )?same (?:thing|point))\b"
)
_ENDS_BACK = re.compile(
    r"\b(?:that|it|them|this|those|they)[?.]?$"
    r"|(?:notic|show|saw|see|felt|feel|miss|remember|heard|brought|resolv|need|rais|start|find|found|mean|meant)(?:e|ed|d|n)? (?:that|it|this)\b"
)


@dataclass(frozen=True, slots=True)
class Heard:
    """What one message was taken to ask. `subject` is empty where it made the listener think of nothing known."""

    kind: Kind
    subject: str = ""
    question: str = ""  # the one question that is answered
    ignored: int = 0  # further questions in the same message


@dataclass(frozen=True, slots=True)
class Memory:
    """What the listener brings along: the subject being talked about, those told already, and what they said of each."""

    current: str
    told: frozenset[str]
    said: Mapping[str, str]


def listen(text: str, known: Sequence[str], memory: Memory, *, vendor: str, rival: str, first: bool = False) -> Heard:
    """The question of a message, as a person hears it: one only, and what it is about."""
    asked = questions(text)
    if not asked:
        return Heard("none")
    question = asked[0]
    if _GARBLED.search(_unquoted(question)) or (not first and len(text.split()) > MAX_WORDS + _quoted_words(text)):
        return Heard("unclear", question=question, ignored=len(asked) - 1)
    plain, around = fold(_unquoted(question)), fold(_unquoted(text.replace(question, " ")))
    asks = _what_it_asks(plain)
    follows = asks is not None or bool(_DEIXIS.search(plain))
    hits = {subject: _hits(subject, plain, "" if first else around, vendor, rival) for subject in known}
    quoted = _whose(text, memory.said)
    if quoted:
        hits[quoted] = hits.get(quoted, 0) + (1.3 if _QUOTED.search(question) else 0.9)
    if follows and memory.current in hits and not quoted:
        hits[memory.current] += 1.1 if _POINTS_BACK.search(plain) else 0.9 if _ENDS_BACK.search(plain) else 0.5
    best = max(hits.values(), default=0.0)
    if best <= 0:
        return Heard("unclear", question=question, ignored=len(asked) - 1)
    among = [subject for subject in known if hits[subject] == best]
    subject = next((s for s in among if s not in memory.told), among[0])
    kind: Kind = "main"
    if subject in memory.told:
        kind = asks or ("elaborate" if subject == memory.current else "main")
    return Heard(kind, subject, question, len(asked) - 1)


def questions(text: str) -> list[str]:
    """The questions and requests of a message, in order; words inside quotation marks ask nothing."""
    found: list[str] = []
    for sentence in re.split(r"(?<=[.!?])\s+|\n+", text):
        plain = fold(_unquoted(sentence))
        if "?" in plain or _IMPERATIVE.search(plain):
            found.append(sentence)
    return found


def same_question(one: str, other: str) -> bool:
    """Whether two questions are the same but for a word or two."""
    a, b = _trigrams(fold(one)), _trigrams(fold(other))
    return 2 * len(a & b) / (len(a) + len(b)) >= SAME_DICE if a and b else False


def fold(text: str) -> str:
    """Lower case, plain quotes, single spaces."""
    return " ".join(text.lower().replace("’", "'").replace("‘", "'").split())


def _hits(subject: str, question: str, around: str, vendor: str, rival: str) -> float:
    """How much a question makes one think of the subject; a bridge before it ("Next, the price.") a little, too."""
    patterns = stories.heard_in(subject, vendor, rival)
    return sum(bool(p.search(question)) for p in patterns) + 0.4 * any(p.search(around) for p in patterns)


def _what_it_asks(plain: str) -> Kind | None:
    return next((kind for kind, pattern in _ASKS.items() if pattern.search(plain)), None)


def _unquoted(text: str) -> str:
    return _QUOTED.sub(" ", text)


def _quoted_words(text: str) -> int:
    return sum(len(quote.split()) for quote in _QUOTED.findall(text))


def _whose(question: str, said: Mapping[str, str]) -> str:
    """The subject under which the quoted words were said."""
    for quote in _QUOTED.findall(question):
        words = fold(quote.strip('“”" '))
        for subject, text in said.items():
            if words and words in fold(text):
                return subject
    return ""


@lru_cache(maxsize=4096)
def _trigrams(text: str) -> frozenset[str]:
    plain = " ".join(re.findall(r"\w+", text))
    return frozenset(plain[i : i + 3] for i in range(len(plain) - 2))
