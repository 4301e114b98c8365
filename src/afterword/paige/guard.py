"""The guard: what a model worded is held against these rules before anything of it is shown."""

# ruff: noqa: E501, SIM905  # a pattern broken over lines and a list of quoted words cannot be read

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from afterword.paige import content, judge, languages, wording
from afterword.paige import lint as craft_lint
from afterword.paige.languages.spoken import FUNCTION_WORDS
from afterword.paige.lint import MAX_WORDS, MESSAGES, QUOTED, craft, craft_warnings, lint
from afterword.paige.private import Private, Sayable, fold, leaks, numbers_in, ordinary, spaced

__all__ = ["MAX_WORDS", "MESSAGES", "REASONS", "Scene", "check", "craft_warnings", "lint", "split_bridge", "tidy"]

# With so many content words in common, of all that two questions have, they ask the same.
_SAME = 0.75
_STEM = 5  # letters of a word that its forms have in common
_MOST_CHARS = 400
# An echo is taken from the last messages of theirs.
_ECHO_MESSAGES = 3
# So many words in a row are from our own prompt and nothing one says.
_PROMPT_RUN = 6

REASONS = {
    "empty": "it was empty",
    "length": "it was too long",
    "one question": "it asked more than one thing",
    "repeat": "it repeated a question that was or will be asked",
    "praise": "it praised, thanked for the content, or agreed",
    "selling": "it sold, promised or defended something",
    "jargon": "it used sales jargon",
    "either/or": "it offered alternatives to choose from",
    "leading": "it suggested an answer or summed up for them",
    "unaided": "it named the company behind this interview before the contact or the guide did",
    "closed": "it could be answered with yes or no",
    "private": "it touched on something that may not be said",
    "unknown": "it held a name, number or date that the contact has not said",
    "echo": "the words in “ ” were not copied exactly from one of their last messages",
    "language": "it was in another language",
    "markup": "it held something other than plain text in one paragraph",
    "promise": "it promised something or named a price",
    "others": "it spoke of other people who were asked",
    "ending": "it announced the end or said goodbye",
    "speaks": "it spoke as the contact or for the vendor",
    "no question": "it asked nothing",
}


@dataclass(frozen=True, slots=True)
class Scene:
    """What a message is held against. `heard` are the contact's messages, `asked` our questions, the latest last."""

    language: str
    vendor: str
    first_name: str
    private: Private
    may: Sayable
    heard: tuple[str, ...]
    asked: tuple[str, ...]
    intents: tuple[str, ...] = ()  # what the guide's topics are after: told to the model, not meant to be said


def tidy(text: str) -> str:
    """The text in one line, with typographic quotes around words of theirs."""
    line = " ".join(text.split())
    line = re.sub(r"\"([^\"“”]*)\"", r"“\1”", line)
    line = re.sub(r"‘([^‘’]*(?:’\w[^‘’]*)*)’(?!\w)", r"“\1”", line)
    return re.sub(r"(?<!\w)'([^'“”]{2,90}?(?:'\w[^'“”]*?)*)'(?!\w)", r"“\1”", line)


def split_bridge(line: str, language: str) -> tuple[str, str]:
    """A tidy message as what only leads over, and the question: from the first sentence on that asks, sets a scene or
    holds words of theirs."""
    rules = craft(language)
    pieces = _PIECE.split(line)
    for number, piece in enumerate(pieces):
        own = judge.fold(piece)
        asks = rules is None or rules.request.search(own) or rules.asks.match(own) or rules.scene.match(own)
        if asks or "?" in piece or QUOTED.search(piece):
            return " ".join(pieces[:number]), " ".join(pieces[number:])
    return "", line


_PIECE = re.compile(r"(?<=[.!?…])\s+(?=\S)")


def check(  # noqa: PLR0911, PLR0912  # a list of rules, first hit wins
    text: str, scene: Scene, others: Sequence[str] = (), most_words: int = MAX_WORDS
) -> str | None:
    """The first rule that a model's message breaks, in the order of `REASONS`; None when it may be shown.

    `others` are questions of the guide that belong to other topics: whoever asks one of them now takes it away there.
    """
    line = tidy(text)
    unquoted = QUOTED.sub(" … ", line)
    own = judge.fold(QUOTED.sub(" ", line))
    if not judge.words(own):
        return "empty"
    if len(line.split()) > most_words or len(line) > _MOST_CHARS:
        return "length"
    if _other_language(own, scene.language):
        return "language"
    if _asks_twice(own, scene.language):
        return "one question"
    if _repeats(line, scene, others):
        return "repeat"
    for rule in ("praise", "selling"):
        if craft_lint.breaks(rule, own, scene.language):
            return rule
    if _PITY.search(own):
        return "praise"
    if _sells(own, scene):
        return "selling"
    if craft_lint.breaks("jargon", own, scene.language) and not _their_jargon(own, scene):
        return "jargon"
    for rule in ("either/or", "leading"):
        if craft_lint.breaks(rule, own, scene.language):
            return rule
    if any(_SUMMED_UP.match(sentence) for sentence in _statements(own, scene.language)):
        return "leading"
    if craft_lint.breaks("closed", own, scene.language) and not _POLITE.search(own):
        return "closed"
    if (
        _MENTIONS.search(own)
        or _quotes_prompt(line, scene)
        or leaks(text, scene.private, scene.may, capitals=not languages.language(scene.language).nouns_capitalized)
    ):
        return "private"
    if _names_unknown(unquoted, scene):
        return "unknown"
    if not _echoes(line, scene) or _puts_words(own, scene):
        return "echo"
    if _marked_up(text, line, scene):
        return "markup"
    for rule, pattern in (("promise", _PROMISE), ("others", _OTHERS), ("speaks", _SPEAKS)):
        if pattern.search(own):
            return rule
    if craft_lint.breaks("ending", own, scene.language) or craft_lint.breaks("farewell", own, scene.language):
        return "ending"
    return None if "?" in own or _requests(own, scene.language) else "no question"


_POLITE = re.compile(
    r"\b(?:can|could|would|will) you (?:please |perhaps |maybe |also |briefly )?(?:tell|walk|describe|share|say|take|give|talk|help|explain|think|recall|elaborate|expand|name|show|put|pick|mind)\b"
    r"|\b(?:können|könnten|würden|möchten) sie (?:mir |uns |bitte |vielleicht |kurz |noch )*(?:\w+ ){0,8}(?:erzählen|beschreiben|schildern|nennen|sagen|erklären|erläutern|ausführen)\b"
)
_PITY = re.compile(
    r"\b(?:that|it|this) must (?:have been|be)\b|\bi(?:'m| am) (?:so |very |really )?sorry\b|\bsorry (?:to hear|about)\b|\bunderstandabl[ey]\b"
    r"|\b(?:no wonder|how (?:frustrating|annoying|nice|lovely)|congratulations|das muss|das tut mir)\b"
)
_SUMMED_UP = re.compile(
    r"(?:ok(?:ay)?,? |right,? |and |then )?(?:so|in other words|in short|to sum up|then it was|also|kurz gesagt)[, ]"
)
_SAID = re.compile(
    r"\byou(?:'ve| have)? (?:just |also |earlier |already )*(?:mentioned|said|told me|noted|brought up|described|talked about|spoke (?:of|about)|explained|pointed out|raised)\b([^.?!;:]*)"
    r"|\bsie (?:haben |hatten )?(?:erwähnten|sagten|nannten|beschrieben)\b([^.?!;:]*)"
)
# So much of what they are told to have said must be words of theirs.
_THEIRS = 0.5
# Talk of a background at all.
_MENTIONS = re.compile(
    r"\b(?:my|our|internal|the crm|sales) (?:notes|records|briefing|background|files?|crm|instructions?|system prompt|prompt|guidelines|objective)\b"
    r"|\bsystem prompt\b|\b(?:i was|i've been|we were|we've been) told\b|\b(?:on file|in the crm|in our crm|according to (?:my|our|the) (?:notes|records|file|team|sales))\b"
    r"|\b(?:background|briefing) (?:block|says|mentions|notes|tells)\b|\bas an ai language model\b"
    r"|\b(?:meine|unsere|laut|interne) (?:notizen|unterlagen|anweisungen|akten?|aufzeichnungen)\b|\bmir wurde gesagt\b"
)
_PROMISE = re.compile(
    r"\b(?:we|i|they) ?(?:will|'ll|can|could) (?:\w+ )?(?:fix|offer|refund|ensure|make sure|guarantee|get back|send|arrange|lower|reduce|match|deliver|release|ship|improve|change|credit|waive|add|build)\b"
    r"|\b(?:i|we) (?:promise|guarantee|commit)\b|\b(?:free of charge|at no cost|for free|money[- ]back|\d+ ?% off|refund you|lower price for you|special price)\b"
    r"|\b(?:only|just|from|costs?|for) (?:[$€£]|usd |eur )\s?\d|\b(?:priced|available) (?:at|for|from) "
    r"|\bwir (?:werden|können) (?:\w+ ){0,4}(?:anbieten|beheben|verbessern|senken|liefern|erstatten|senden)\b|\b(?:versprechen|garantieren) (?:wir|ich)\b|\b(?:ich|wir) (?:verspreche|garantiere)n?\b"
)
_OTHERS = re.compile(
    r"\bother (?:customers|clients|respondents|participants|interviewees|buyers|people) (?:we|i|that we|who|have|had|told|said|say|mentioned|feel|felt|often)\b"
    r"|\b(?:most|many|several|some) (?:customers|clients|respondents|buyers|people|companies) (?:tell|say|told|said|mention|mentioned|feel|felt|find|found)\b"
    r"|\b(?:people|customers|buyers) (?:i|we)(?:'ve| have)? (?:spoken|spoke|talked|interviewed)\b"
    r"|\b(?:andere|viele|die meisten) (?:kunden|befragte|teilnehmer|unternehmen) (?:sagen|sagten|berichten|finden|erwähnen)\b"
)
_SPEAKS = re.compile(
    r"\b(?:i|we) (?:chose|picked|selected|went with|decided|felt|liked|loved|preferred|bought|rejected|evaluated|hated|switched|signed|needed|disliked|ended up|struggled|found (?:it|that|the|them))\b"
    r"|\bas (?:a|an|the|your) (?:customer|buyer|client|user|respondent|cto|cio|cfo|ceo|manager|contact)\b"
    r"|\b(?:my|our) (?:team|boss|company|colleagues?|budget|cfo|cto|cio|decision|evaluation|requirements|vendor|sales|reps?|product|platform|solution|software|tool|prices?|pricing|offer)\b"
    r"|\bin my (?:experience|opinion|view|case)\b|\bhere is (?:a|my|the) (?:possible |sample )?(?:answer|reply|response)\b|\b(?:i|we) would (?:say|answer) that\b"
    r"|\b(?:ich|wir) (?:haben uns|entschieden|fanden|wählten|mochten|brauchten)\b|\b(?:mein|unser)e?[rsnm]? (?:team|chef|firma|unternehmen|budget|kollegen?)\b"
)
_ROLE = re.compile(
    r"(?:^|[\n.!?] *)(?:interviewer|paige|assistant|ai|bot|system|user|contact|respondent|interviewee|human|customer|buyer|participant|question|answer|antwort|frage|kontakt|q|a|r|json|if_probe|if_advance)\d? ?[:>]",
    re.IGNORECASE,
)
_MARKS = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f<>{}\[\]|\\*#`~^=_@•·]|https?:|ftp:|mailto:|www\.|\b[\w-]+\.(?:com|io|net|org|ai|dev|co|de|eu|app|example|invalid)\b|:\w+:|&\w+;|(?:^|\n)\s*(?:[-–—]|\d+[.)])\s"
)
_LINES = 3

_MONTHS = "January|February|March|April|June|July|August|September|October|November|December|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday|Januar|Februar|März|Mai|Juni|Juli|Oktober|Dezember|Montag|Dienstag|Mittwoch|Donnerstag|Freitag|Samstag|Sonntag|Q[1-4]"
_DATED = re.compile(rf"\b(?:{_MONTHS})\b|(?<=\w )May\b")
_NUMBER_WORDS = frozenset(
    "eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy "
    "eighty ninety hundred thousand million billion elf".split()
)
# In German a number is one word, however long; folded.
_GERMAN_NUMBER = re.compile(
    r"zwolf|\w+zehn|\w*(?:zwanzig|(?:drei|vier|funf|sech|sieb|acht|neun)(?:z|ss)ig|hundert|tausend)"
)
_NAMED = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*")
_START = re.compile(r"(?:^|[.!?:…]\W*)$")


def _asks_twice(own: str, language: str) -> bool:
    rules = craft(language)
    if own.count("?") > 1:
        return True
    if rules is None:
        return False
    if craft_lint.asks_two(own, language):
        return True
    asking = [s for s in craft_lint.sentences(own) if s.endswith("?") or rules.request.search(s) or rules.asks.match(s)]
    # "Think back to the demo. What stood out?" sets a scene and asks one thing.
    return len(asking) > 2 or (len(asking) == 2 and ("?" in asking[0] or not rules.scene.match(asking[0])))


def _repeats(line: str, scene: Scene, others: Sequence[str]) -> bool:
    question = split_bridge(line, scene.language)[1]
    if any(wording.repeats(text, scene.asked) or wording.repeats(text, others) for text in (line, question)):
        return True
    mine = _content_words(judge.fold(QUOTED.sub(" ", question)), scene.language)
    for earlier in scene.asked:
        theirs = _content_words(judge.fold(QUOTED.sub(" ", earlier)), scene.language)
        if len(mine) > 2 and len(mine & theirs) >= _SAME * len(mine | theirs):
            return True
    return False


def _content_words(own: str, language: str) -> frozenset[str]:
    common = FUNCTION_WORDS.get(language.partition("-")[0], frozenset())
    return frozenset(word[:_STEM] for word in judge.words(own) if word not in common)


def _sells(own: str, scene: Scene) -> bool:
    """Whether a sentence that asks nothing says something for the vendor."""
    vendor = re.escape(judge.fold(scene.vendor))
    claims = re.compile(
        rf"\b{vendor}(?:'s \w+)? (?:now |also |already )?(?:offers?|supports?|provides?|will|can|has|is|are|does|bietet|unterstützt|kann|hat|ist)\b"
    )
    return any(claims.search(sentence) for sentence in _statements(own, scene.language))


def _statements(own: str, language: str) -> list[str]:
    """The sentences that ask nothing."""
    rules = craft(language)
    return [
        sentence
        for sentence in craft_lint.sentences(own)
        if not sentence.endswith("?")
        if rules is None or not (rules.request.search(sentence) or rules.asks.match(sentence))
    ]


def _their_jargon(own: str, scene: Scene) -> bool:
    """Whether a word of the trade is one that the contact used."""
    rules = craft(scene.language)
    found = {match.group() for match in rules.jargon.finditer(own)} if rules else set[str]()
    return all(any(word in judge.fold(text) for text in scene.heard) for word in found)


def _quotes_prompt(line: str, scene: Scene) -> bool:
    words = spaced(line).split()
    runs = (" ".join(words[i : i + _PROMPT_RUN]) for i in range(len(words) - _PROMPT_RUN + 1))
    told = _prompt_runs(scene.intents)
    return any(run in told and not scene.may.has(run) for run in runs)


@lru_cache(maxsize=64)
def _prompt_runs(intents: tuple[str, ...]) -> frozenset[str]:
    texts = [*(content.prompt(name) for name in ("interviewer", "reply", "planner")), *intents]
    words = [spaced(text).split() for text in texts]
    return frozenset(" ".join(w[i : i + _PROMPT_RUN]) for w in words for i in range(len(w) - _PROMPT_RUN + 1))


def _names_unknown(unquoted: str, scene: Scene) -> bool:
    """Whether a name, number or date is in it that nobody said."""
    if numbers_in(unquoted) - scene.may.numbers:
        return True
    words = [(found.start(), found.group()) for found in _NAMED.finditer(unquoted)]
    folded = {part for _, word in words for part in re.split(r"[^\w]", fold(word))} - scene.may.words
    if any(word in _NUMBER_WORDS or _GERMAN_NUMBER.fullmatch(word) for word in folded) or any(
        fold(found) not in scene.may.words for found in _DATED.findall(unquoted)
    ):
        return True
    german, english = scene.language.startswith("de"), scene.language.startswith("en")
    for start, word in words:
        plain = re.sub(r"['’]\w{1,2}$", "", word)
        if len(plain) < 2 or not any(c.isupper() for c in plain):
            continue
        # In German every noun has a capital, so that only a capital inside a word tells; in English the first word of
        # a sentence is known to be a name or not.
        inside = not (plain[1:].islower() or plain[1:] == "")
        if not inside and (german or (not english and _START.search(unquoted[:start]))):
            continue
        parts = re.findall(r"[^\W_]+", fold(plain))
        if not all(len(p) < 2 or p in scene.may.words or ordinary(p) or ordinary(p.rstrip("s")) for p in parts):
            return True
    return False


def _echoes(line: str, scene: Scene) -> bool:
    """Whether what stands in quotes is an exact slice of one of their last messages, and no quote is left open."""
    recent = [judge.fold(text) for text in scene.heard[-_ECHO_MESSAGES:]]
    for found in QUOTED.findall(line):
        said = judge.fold(found[1:-1]).strip(" .,;:!?…'")
        edges = rf"(?<!\w){re.escape(said)}(?!\w)"
        if not said or not any(re.search(edges, text) for text in recent):
            return False
    return not re.search(r"[“”„«»\"]", QUOTED.sub("", line))


def _puts_words(own: str, scene: Scene) -> bool:
    """Whether something is told as said by them of which they used hardly a word."""
    heard = {word[:_STEM] for text in scene.heard for word in judge.words(judge.fold(text))}
    for found in _SAID.finditer(own):
        said = _content_words(found[1] or found[2] or "", scene.language) - _ABOUT_SAYING
        if said and len(said & heard) < _THEIRS * len(said):
            return True
    return False


# Words about the saying, cut to stems.
_ABOUT_SAYING = frozenset(
    {"earli", "befor", "just", "also", "somet", "thing", "point", "momen", "alrea", "brief", "now"}
)


def _other_language(own: str, language: str) -> bool:
    """Whether it reads like another language than the one asked for, as far as common words and letters tell."""
    base = language.partition("-")[0]
    if base not in FUNCTION_WORDS:
        return False
    letters = [c for c in own if c.isalpha()]
    if sum("LATIN" in unicodedata.name(c, "") for c in letters if not c.isascii()) + sum(
        c.isascii() for c in letters
    ) < 0.7 * len(letters):
        return True
    words = judge.words(own)
    counts = {code: sum(word in known for word in words) for code, known in FUNCTION_WORDS.items()}
    best = max(counts.values())
    return (best > counts[base] and best > 1) or (counts[base] == 0 and len(words) > 3)


def _marked_up(text: str, line: str, scene: Scene) -> bool:
    if _MARKS.search(text) or _ROLE.search(text) or len(text.strip().splitlines()) > _LINES:
        return True
    if scene.first_name and re.search(rf"(?:^|[.!?] ){re.escape(scene.first_name)} ?:", line):
        return True
    return not text.isascii() and any(
        unicodedata.category(c) in ("So", "Cf", "Co", "Cn", "Cs", "Sk") or (unicodedata.category(c) == "Cc" and c not in "\n\r\t")
        for c in text
    )  # fmt: skip


def _requests(own: str, language: str) -> bool:
    rules = craft(language)
    return rules is not None and any(rules.request.search(sentence) for sentence in craft_lint.sentences(own))
