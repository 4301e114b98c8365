"""Reading an answer by rules: what kind of message it is, and how much it says. Pure, a few hundred microseconds."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from afterword.paige.languages import Language, every_pack
from afterword.paige.languages import language as pack_of

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
# Of 115 hand-made answers the vague ones scored at most 0.25 and the adequate ones at least 0.30.
PROBE_BELOW = 0.28
ADVANCE_AT = 0.45

# Longer messages are answers, whatever phrase they hold: a refusal or a question to us is short.
_SHORT_MESSAGE = 25
_SHORT_CHARS = 500
# So many signs in a row say no more than the first of them.
_RUN_CHARS = 8
# A demand for no more mail in more words than these is a remark in an answer.
_PLAIN_DEMAND = 12
# So many words after "but" turn "I can't say, but …" into an answer.
_REST_WORDS = 5
_LOW_EFFORT_WORDS = 3
# With no more words than these besides "good", "price" and the like, an answer is vague.
_TELLING_WORDS = 2

_WORD = re.compile(r"[^\W_]+(?:['’.\-/&][^\W_]+)*")
_PLAIN_QUOTES = str.maketrans("’‘“”", "''\"\"")
# "HubSpot", "SAP", "O365": no common noun is written so.
_INNER_CAPITAL = re.compile(r"[a-z\d][A-Z]|^[A-Z]{2,}\d*$|[A-Z]\d")
_RUN = re.compile(r"\W{9,}")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a message is. `about` is the FAQ entry of a question, also of one that an answer asks besides; for
    `not_me` it is "decision" where the whole decision was somebody else's. Else empty. The rest may come with any
    kind: a wish for no more mail, an attempt to command us, little time, no more to tell or something they may not."""

    kind: Kind
    about: str = ""
    opt_out: bool = False
    injection: bool = False
    hurried: bool = False
    no_more: bool = False


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


def read(text: str, language: str = "en") -> Reading:
    """The kind of a message; the first that fits in the order of what must never be missed."""
    folded, own = _RUN.sub(lambda run: run[0][:_RUN_CHARS], fold(text)), pack_of(language)
    count = len(words(folded))
    opt_out = any(pack.opt_out.search(folded) for pack in every_pack())
    if urgent := _urgent(folded, count, opt_out=opt_out):
        return urgent
    injection = any(pack.injection.search(folded) for pack in every_pack())
    if count > _SHORT_MESSAGE or len(folded) > _SHORT_CHARS:
        return Reading("answer", _asked_besides(folded, own), opt_out, injection)
    told = _told_anyway(folded, own)
    kind, about = _short(folded, count, own, told=told, injection=injection)
    hurried = bool(own.hurry.search(folded))
    no_more = kind == "answer" and bool(own.told_all.search(folded) or (told and own.refusal.search(folded)))
    return Reading(kind, about, opt_out, injection and kind != "question", hurried, no_more)


def affirms(text: str, language: str = "en") -> bool:
    """Whether a reply to the recap leaves it as it is."""
    return bool(pack_of(language).affirm.fullmatch(fold(text)))


def assents(text: str, language: str = "en") -> bool:
    """Whether a reply only says yes to what it was asked, and nothing of its own."""
    return bool(pack_of(language).assent.fullmatch(fold(text)))


def adds_nothing(text: str, language: str = "en") -> bool:
    """Whether a reply only says yes, or only that all has been told."""
    return assents(text, language) or bool(pack_of(language).told_all.search(fold(text)))


def quality(text: str, language: str = "en") -> Quality:
    """How much an answer says, by length, concreteness, cause, scene and comparison; without a pack for the language
    by length, numbers and capital letters."""
    folded, own = fold(text), pack_of(language)
    found = words(folded)
    telling = len({word for word in found if word not in (own.stopwords | own.vague_words)}) + _unspaced(folded)
    specific = names_something(text, language)
    episode = bool(own.episode.search(folded))
    contrast = bool(own.contrast.search(folded))
    causal = bool(own.causal.search(folded))
    vague = telling <= _TELLING_WORDS and not (specific or episode or causal)
    hedge = bool(own.hedge.search(folded))
    score = (
        0.45 * min(1.0, telling / own.full_length)
        + 0.20 * specific
        + 0.15 * causal
        + 0.15 * episode
        + 0.15 * contrast
        - 0.25 * vague
        - 0.15 * hedge
    )
    return Quality(round(score, 4), len(found), specific, causal, episode, contrast, vague, hedge)


def names_something(text: str, language: str = "en") -> bool:
    """Whether a number, a date, a role or a proper name is in the text."""
    folded, own = fold(text), pack_of(language)
    if re.search(r"\d", folded) or own.calendar.search(folded) or own.role.search(folded):
        return True
    return bool(proper_names(text, language))


def proper_names(text: str, language: str = "en") -> list[str]:
    """Names of people, companies and products, as far as capital letters and what stands before them tell."""
    own = pack_of(language)
    return [name for sentence in _SENTENCE_END.split(text.replace("’", "'")) for name in _names(sentence, own)]


def lists_names(text: str, language: str = "en") -> bool:
    """Whether a short answer names options: a proper name, also alone or first, or a list in lower case."""
    own, plain = pack_of(language), text.replace("’", "'").strip()
    if proper_names(plain, language):
        return True
    first = re.match(rf"([A-Z][\w.&'-]*)(\s*(?:{own.listing.pattern}|\bor\b|\bvs\b)|\W*$)", plain)
    if first and is_name(first[1], own):
        return True
    parts = [part.split() for part in own.listing.split(fold(text)) if part.strip()]
    short = [part for part in parts if len(part) <= 2 and not set(part) & (own.vague_words | own.stopwords)]
    return len(parts) > 1 and len(short) > 1


def is_name(word: str, own: Language) -> bool:
    """Whether a capitalized word may be a name and not just any word with a capital letter."""
    plain = word.casefold().split("'")[0]
    if len(plain) <= 1 or plain in own.not_names or plain in own.stopwords:
        return False
    return not own.nouns_capitalized or not (plain in own.vague_words or own.noun_ending.search(plain))


def _urgent(folded: str, count: int, *, opt_out: bool) -> Reading | None:
    """What must be honored in the same turn, however the rest of the message reads and in whatever language."""
    packs = every_pack()
    if any(pack.delete.search(folded) for pack in packs):
        return Reading("delete")
    if opt_out and count <= _PLAIN_DEMAND:
        return Reading("opt_out", opt_out=True)
    if any(pack.stop_whole.fullmatch(folded) or pack.stop_within.search(folded) for pack in packs):
        return Reading("stop")
    if any(pack.distress.search(folded) for pack in packs):
        return Reading("distress")
    if any(pack.abuse.search(folded) for pack in packs):
        return Reading("abuse")
    return None


def _short(  # noqa: PLR0911  # a list of rules, first hit wins
    folded: str, count: int, own: Language, *, told: bool, injection: bool
) -> tuple[Kind, str]:
    """The kind of a message of at most `_SHORT_MESSAGE` words."""
    if faq := _faq(folded, own):
        return ("answer" if told else "question"), faq
    if injection or own.off_topic.search(folded):
        return "off_topic", ""
    if own.clarify.search(folded) and count <= 15:
        return "clarify", ""
    if not told:
        if own.hurry.search(folded):
            return "hurry", ""
        if own.refusal.search(folded):
            return "refusal", ""
        if own.dont_know.search(folded):
            return "dont_know", ""
        if own.not_me.search(folded) and not own.not_involved.search(folded):
            return "not_me", "decision" if own.not_me_at_all.search(folded) else ""
    if folded.endswith("?") and own.question_start.match(folded):
        return "question", "for_a_person"
    return "answer", _asked_besides(folded, own)


def _told_anyway(folded: str, own: Language) -> bool:
    """Whether something is told after a "but", so that the message is an answer all the same."""
    but = own.but.search(folded)
    return bool(but) and len(words(folded[but.end() :])) >= _REST_WORDS and "?" not in folded[but.end() :]


def _asked_besides(folded: str, own: Language) -> str:
    """The FAQ entry of a question to us in the last sentence of an answer; else empty."""
    last = _SENTENCE_END.split(folded)[-1]
    if not last.endswith("?"):
        return ""
    to_us = own.question_start.match(last) and own.to_us.search(last)
    return _faq(last, own) or ("for_a_person" if to_us else "")


def _faq(folded: str, own: Language) -> str:
    for entry, pattern in own.faq.items():
        asks = "?" in folded or own.question_start.match(folded) or own.asks_for.match(folded)
        if asks and pattern.search(folded):
            return entry
    return ""


def _names(sentence: str, own: Language) -> list[str]:
    """Capitalized words of a sentence other than its first; where nouns have capitals too, only what else tells."""
    if own.nouns_capitalized:
        named = [match[1] for match in own.named.finditer(sentence) if is_name(match[1], own)]
        return named + [word for word in _WORD.findall(sentence) if _INNER_CAPITAL.search(word) and is_name(word, own)]
    found = _WORD.findall(sentence)
    return [word for word in found[1:] if word[0].isupper() and is_name(word, own)]


def _unspaced(folded: str) -> int:
    """About how many words more there are in scripts that put no spaces between them."""
    return sum(c >= "\u2e80" for c in folded) // 2
