"""What may not be said in an interview: words of notes, objective and deal, minus what may be said aloud.

What is compared is folded first (NFKD without marks, look-alike letters, lower case), and looked for also where it is
spelled letter by letter, reversed, in a shifted alphabet, with a letter off, in leet, as initials, in base64 or in hex.
"""

import base64
import binascii
import codecs
import json
import re
import string
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

from afterword.paige import content
from afterword.paige.state import Context

# So many words in a row are nobody's by chance.
RUN = 5
# A line of background shorter than a run is looked for whole, from this many words on.
_SHORT_LINE = 3
_NAMING = 12  # a value of a deal with more words is a text and not a name
_NAME = 3  # shorter words are no names worth keeping
_HIDDEN = 5  # names shorter than this turn up by chance when letters are joined or shifted
_JOINED = 6
_STRETCH = 16  # letters
_DEPTH = 6

# A deal may carry it by mistake; no prompt ever gets it, and what is in no prompt needs no guard but costs none.
NEVER = "internal_notes"

_WORD = re.compile(r"[^\W_]+")
_RAW_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_NUMBER = re.compile(r"\d(?:[\d.,'’\u00a0\u202f ]*\d)?")
_SECRET = re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+|(?=[\w-]*\d)(?=[\w-]*[^\W\d_])[\w-]{5,}|\w{20,}")
_SENTENCE_START = re.compile(r"(?:^|[.!?:;•\n\r\t\"“(\[{,|>-])\s*$")
_SPELLED = re.compile(r"(?<![^\W_])[^\W_](?:[\W_]{1,4}[^\W_](?![^\W_])){3,}")
_BASE64 = re.compile(r"[A-Za-z0-9+/]{8,}")
_HEX = re.compile(r"[0-9a-fA-F]{8,}")
_LOOKALIKES = str.maketrans("аеорсухіјѕкмтвнԛԝɡıłøđßæœαεοριυνκτ’‘`´“”", "aeopcyxijskmtbhqwgilodsaoaeopiuvkt''''\"\"")
_LEET = str.maketrans("013457@$!|", "oieastasii")
_ABC = string.ascii_lowercase
# The alphabet moved by every number of letters, and turned round.
_SHIFTS = (*(str.maketrans(_ABC, _ABC[n:] + _ABC[:n]) for n in range(1, 26)), str.maketrans(_ABC, _ABC[::-1]))
_TEN = {"ten", "zehn"}


@dataclass(frozen=True, slots=True)
class Private:
    """The private set of a background. `proper` are ordinary words that are names here: private with a capital."""

    runs: frozenset[int]
    phrases: tuple[str, ...]
    names: frozenset[str]
    proper: frozenset[str]
    numbers: frozenset[str]
    long_names: Mapping[str, tuple[str, ...]]  # names by their first letters, for texts without spaces
    secrets: Mapping[str, tuple[str, ...]]
    letters: str  # of every source without what is between them, for texts that are spelled out


@dataclass(frozen=True, slots=True)
class Sayable:
    """What may be said now: its words, its numbers, and its texts for whole phrases."""

    words: frozenset[str]
    numbers: frozenset[str]
    texts: tuple[str, ...]

    def has(self, phrase: str) -> bool:
        """Whether these words in this order are in one of the texts."""
        return any(f" {phrase} " in spaced(text) for text in self.texts)


def private_set(context: Context) -> Private:
    """The private set of a context; the same strings give it without work."""
    deal = json.dumps(shown_deal(context.deal), ensure_ascii=False, default=str)
    return _private(context.notes, context.objective, deal)


def sayable(context: Context, guide_texts: Sequence[str], heard: Sequence[str]) -> Sayable:
    """First name, company, vendor, the guide's own text, and everything the contact wrote."""
    texts = (*context.said().values(), *guide_texts, *heard)
    parts = [_parts(text) for text in texts]
    return Sayable(
        frozenset[str]().union(*(words for words, _ in parts)),
        frozenset[str]().union(*(numbers for _, numbers in parts)),
        texts,
    )


def shown_deal(deal: Mapping[str, object]) -> dict[str, object]:
    """The deal's facts without what no prompt gets, at whatever depth it stands."""

    def clean(value: object, depth: int) -> object:
        if depth > _DEPTH:
            return None
        if isinstance(value, Mapping):
            items = cast("Mapping[object, object]", value).items()
            return {str(key): clean(item, depth + 1) for key, item in items if str(key) != NEVER}
        if isinstance(value, list | tuple):
            return [clean(item, depth + 1) for item in cast("Sequence[object]", value)]
        return value

    return {key: clean(value, 1) for key, value in deal.items() if key != NEVER}


def leaks(text: str, private: Private, may: Sayable, *, capitals: bool = True) -> bool:
    """Whether a text holds something private, plainly or in disguise. `capitals` is false in German, where every noun
    has one."""
    plain = fold(text)
    if _says(plain, private, may, shortest=_NAME):
        return True
    plainly = may.words if capitals else may.words | content.ordinary_words("de")
    if any(fold(word) in private.proper - plainly for word in _capitalized(text)):
        return True
    words = set(_WORD.findall(plain)) - may.words
    said = numbers_in(text)
    if words & _TEN:
        said.add("10")
    if any(number in private.numbers and number not in may.numbers for number in said):
        return True
    if any(_garbles(word, private, may) for word in words if len(word) >= _HIDDEN and not ordinary(word)):
        return True
    return (
        any(_spells(view, private, may, _JOINED) for view in (squashed(text), _leet(plain)))
        or any(_spells(view, private, may, _HIDDEN) for view in _letters(text, plain))
        or any(_spells_out(view, private, may) for view in _spelled(plain))
        or any(_says(view, private, may, shortest=_HIDDEN - 1) for view in _disguises(text, plain))
    )


def fold(text: str) -> str:
    """Lower case without marks, invisible characters and look-alike letters, for matching only."""
    if text.isascii():
        return " ".join(text.lower().split())
    decomposed = unicodedata.normalize("NFKD", text)
    kept = "".join(
        " " if c.isspace() else c for c in decomposed if c.isspace() or unicodedata.category(c) not in _DROPPED
    )
    return " ".join(kept.casefold().translate(_LOOKALIKES).split())


_DROPPED = frozenset({"Mn", "Me", "Cf", "Cc", "Cs", "Co", "Cn"})


@lru_cache(maxsize=1024)
def spaced(text: str) -> str:
    """The folded words of a text between single spaces, with one at each end."""
    return f" {' '.join(_WORD.findall(fold(text)))} "


@lru_cache(maxsize=1024)
def squashed(text: str) -> str:
    """The folded letters and digits of a text."""
    return "".join(_WORD.findall(fold(text)))


def numbers_in(text: str) -> set[str]:
    """The numbers of a text, digits only."""
    folded = unicodedata.normalize("NFKC", text)
    return {re.sub(r"\D", "", found.group()) for found in _NUMBER.finditer(folded)}


def ordinary(word: str) -> bool:
    """Whether a folded word is a common one or a form of one, so that a capital makes no name of it."""
    known = _ordinary()
    return word in known or any(stem in known for stem in _stems(word))


def _says(plain: str, private: Private, may: Sayable, *, shortest: int) -> bool:
    """Whether one reading of a text holds a private name, run, phrase or secret."""
    words = _WORD.findall(plain)
    if any(word in private.names and len(word) >= shortest and word not in may.words for word in words):
        return True
    runs = (tuple(words[i : i + RUN]) for i in range(len(words) - RUN + 1))
    if any(hash(run) in private.runs and not may.has(" ".join(run)) for run in runs):
        return True
    line = f" {' '.join(words)} "
    if any(f" {phrase} " in line and not may.has(phrase) for phrase in private.phrases):
        return True
    return _holds("".join(words), private, may)


def _spells(letters: str, private: Private, may: Sayable, shortest: int) -> bool:
    """Whether a name or a secret is in a row of letters without spaces."""
    names = (name for name in _found(letters, private.long_names) if len(name) >= shortest)
    return any(name not in may.words for name in names) or _holds(letters, private, may)


def _spells_out(letters: str, private: Private, may: Sayable) -> bool:
    """Whether a stretch of letters that were set apart stands in the background, about as long as a run of words."""
    windows = (letters[start : start + _STRETCH] for start in range(len(letters) - _STRETCH + 1))
    return any(part in private.letters and not any(part in squashed(text) for text in may.texts) for part in windows)


def _garbles(word: str, private: Private, may: Sayable) -> bool:
    """Whether a word is a private name in a shifted alphabet, or but for one letter or for the order of them."""
    if any((name := word.translate(shift)) in private.names and name not in may.words for shift in _SHIFTS):
        return True
    return len(word) >= _JOINED and any(
        _resembles(word, name)
        for name in private.names
        if len(name) >= _JOINED and abs(len(name) - len(word)) <= 1 and name not in may.words
    )


def _resembles(word: str, name: str) -> bool:
    same = next((at for at, (mine, theirs) in enumerate(zip(word, name, strict=False)) if mine != theirs), len(word))
    mine, theirs = word[same:], name[same:]
    return mine[1:] == theirs or mine == theirs[1:] or mine[1:] == theirs[1:] or sorted(word) == sorted(name)


def _holds(letters: str, private: Private, may: Sayable) -> bool:
    found = _found(letters, private.secrets)
    return any(not any(secret in squashed(text) for text in may.texts) for secret in found)


def _found(letters: str, index: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Those of an index that are in the letters."""
    for start in range(len(letters) - _HIDDEN + 1):
        for word in index.get(letters[start : start + _HIDDEN], ()):
            if letters.startswith(word, start):
                yield word


def _index(words: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Words by their first letters; shorter ones are left out."""
    found: dict[str, tuple[str, ...]] = {}
    for word in sorted(set(words)):
        if len(word) >= _HIDDEN:
            found[word[:_HIDDEN]] = (*found.get(word[:_HIDDEN], ()), word)
    return found


def _disguises(text: str, plain: str) -> Iterator[str]:
    """Other readings of a text in which something could be hidden."""
    backwards = plain[::-1]
    yield backwards
    yield " ".join(reversed(plain.split()))
    yield codecs.encode(plain, "rot13")
    yield from _decoded(text)


def _decoded(text: str) -> Iterator[str]:
    """What base64 or hex in the text would say, at every alignment, also in pieces with spaces between."""
    for source in {text, re.sub(r"[\s.,;:|_\-=\"'“”]+", "", text)}:
        for found in _BASE64.finditer(source.replace("-", "+").replace("_", "/")):
            for offset in range(4):
                piece = found.group()[offset:]
                piece = piece[: len(piece) - (len(piece) % 4 == 1)]
                if len(piece) >= 6:
                    padded = piece + "=" * (-len(piece) % 4)
                    yield fold(base64.b64decode(padded).decode("utf-8", "replace"))
        for found in _HEX.finditer(source):
            for offset in range(2):
                piece = found.group()[offset:]
                try:
                    yield fold(bytes.fromhex(piece[: len(piece) // 2 * 2]).decode("utf-8", "replace"))
                except (ValueError, binascii.Error):
                    continue


def _letters(text: str, plain: str) -> Iterator[str]:
    """Letters that are set apart, and the first and last ones of words, lines and sentences, both ways round."""
    yield from _spelled(plain)
    for pieces in (plain.split(), text.splitlines(), re.split(r"(?<=[.!?])\s+", text)):
        ends = [squashed(piece) for piece in pieces]
        for letters in ("".join(piece[:1] for piece in ends), "".join(piece[-1:] for piece in ends)):
            if len(letters) >= _HIDDEN:
                yield letters
                yield letters[::-1]


def _spelled(plain: str) -> Iterator[str]:
    """Letters that are set apart, both ways round and shifted."""
    for spelled in _SPELLED.findall(plain):
        letters = "".join(_WORD.findall(spelled))
        yield letters
        yield letters[::-1]
        yield codecs.encode(letters, "rot13")


def _leet(plain: str) -> str:
    """The letters of a text in which digits and signs stand for letters; empty where none do."""
    shifted = plain.translate(_LEET)
    return "".join(_WORD.findall(shifted)) if shifted != plain else ""


def _capitalized(text: str) -> Iterator[str]:
    """Words with a capital that do not stand at the beginning of a sentence."""
    for found in _RAW_WORD.finditer(text):
        word = found.group()
        if word[0].isupper() and not _SENTENCE_START.search(text[max(0, found.start() - 4) : found.start()]):
            yield word.split("'")[0].split("’")[0]


@lru_cache(maxsize=64)
def _private(notes: str, objective: str, deal: str) -> Private:
    values = list(_values(json.loads(deal)))
    sources = [*_readable(notes), *_readable(objective), *(text for _, text in values)]
    words: set[int] = set()
    phrases: set[str] = set()
    proper: set[str] = set()
    names: set[str] = set()
    for source in sources:
        found = _WORD.findall(fold(source))
        words.update(hash(tuple(found[i : i + RUN])) for i in range(len(found) - RUN + 1))
        names.update(_names_of(source, proper))
        for line in source.splitlines():
            short = _WORD.findall(fold(line))
            if _SHORT_LINE <= len(short) < RUN:
                phrases.add(" ".join(short))
    for key, value in values:
        found = _WORD.findall(fold(value))
        if 2 <= len(found) < RUN:
            phrases.add(" ".join(found))
        if len(found) <= _NAMING:
            phrases.update(" ".join(found[i : i + _SHORT_LINE]) for i in range(len(found) - _SHORT_LINE + 1))
        if len(found) == 1 and len(found[0]) >= _NAME and "name" in key:
            (proper if ordinary(found[0]) else names).add(found[0])
    whole = "\n".join(sources)
    secrets = {squashed(found) for found in _SECRET.findall(whole)}
    secrets |= {secret.translate(_LEET) for secret in secrets if not secret.isdigit()}
    secrets |= {part for found in _SECRET.findall(whole) for part in re.split(r"\W|_", fold(found)) if _secret(part)}
    names = {name for name in names if not name.isdigit()}
    return Private(
        frozenset(words),
        tuple(sorted(phrases)),
        frozenset(names),
        frozenset(proper),
        frozenset(number for number in numbers_in(whole) if len(number) > 1),
        _index(names),
        _index(secrets),
        "\n".join(squashed(source) for source in sources),
    )


def _secret(part: str) -> bool:
    return len(part) >= _HIDDEN and any(c.isdigit() for c in part) and not part.isdigit()


def _names_of(source: str, proper: set[str]) -> Iterator[str]:
    """Names in a text: with a capital inside a sentence, or at its beginning where the word is no common one."""
    determined = re.compile(
        r"(?:^|\s)(?:der|die|das|den|dem|des|ein\w{0,2}|kein\w{0,2}|im|am|zum|zur|vom|beim|\w+e[nrms]?)\s$"
    )
    german = len(re.findall(r"\b(?:der|die|das|und|nicht|ist|mit|für|auf|wir|ein|eine)\b", source)) > 4 and len(
        re.findall(r"\b(?:the|and|of|to|is|was|with|for)\b", source)
    ) < 4  # fmt: skip
    for found in _RAW_WORD.finditer(source):
        word = fold(found.group()).split("'")[0]
        if len(word) < _NAME or not found.group()[0].isupper():
            continue
        if not ordinary(word):
            # In German every noun has a capital; a name has no article before it.
            if not (german and determined.search(source[max(0, found.start() - 12) : found.start()])):
                yield word
        elif (
            not _SENTENCE_START.search(source[max(0, found.start() - 4) : found.start()])
            and not found.group().isupper()
        ):
            proper.add(word)


def _readable(text: str) -> list[str]:
    """The text itself, or the values of the JSON that it is."""
    if text.lstrip()[:1] in ("{", "["):
        try:
            return [value for _, value in _values(json.loads(text))]
        except (ValueError, RecursionError):
            return [text]
    return [text]


def _values(value: object, key: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """Every value of plain data as text, with the key it stands under."""
    if depth > _DEPTH or value is None or isinstance(value, bool):
        return
    if isinstance(value, Mapping):
        for name, item in cast("Mapping[object, object]", value).items():
            yield from _values(item, f"{key} {name}" if name == "name" else str(name), depth + 1)
    elif isinstance(value, list):
        for item in cast("Iterable[object]", value):
            yield from _values(item, f"{key} name" if isinstance(item, str) and key else key, depth + 1)
    else:
        yield key, str(value)


@lru_cache(maxsize=2048)
def _parts(text: str) -> tuple[frozenset[str], frozenset[str]]:
    folded = fold(text)
    words = frozenset(_WORD.findall(folded))
    return words, frozenset(numbers_in(text))


@lru_cache(maxsize=1)
def _ordinary() -> frozenset[str]:
    return content.ordinary_words("en") | content.ordinary_words("de")


def _stems(word: str) -> Iterator[str]:
    """What a word could be a form of."""
    for ending in (
        "s",
        "es",
        "d",
        "ed",
        "ing",
        "ly",
        "er",
        "r",
        "est",
        "st",
        "ness",
        "ment",
        "ies",
        "ied",
        "ier",
        "able",
        "al",
        "ful",
    ):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            stem = word[: -len(ending)]
            yield stem
            if ending[0] == "i" and ending != "ing":
                yield f"{stem}y"
            if ending in ("ing", "able", "al", "ly"):
                yield f"{stem}e"
            if stem[-1] == stem[-2]:
                yield stem[:-1]
            if ending == "ly" and stem.endswith("i"):
                yield f"{stem[:-1]}y"
