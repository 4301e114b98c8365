"""What the page itself says, in each language that has a file here. What the interviewer says is the guide's."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import cast

import yaml

FALLBACK = "en"
_FOLDER = Path(__file__).parent

# What each language calls itself, for the choice among a guide's languages.
_ENDONYMS: Mapping[str, str] = {
    "cs": "Čeština",
    "da": "Dansk",
    "de": "Deutsch",
    "en": "English",
    "es": "Español",
    "fi": "Suomi",
    "fr": "Français",
    "it": "Italiano",
    "ja": "日本語",
    "ko": "한국어",
    "nb": "Norsk",
    "nl": "Nederlands",
    "pl": "Polski",
    "pt": "Português",
    "sv": "Svenska",
    "tr": "Türkçe",
    "uk": "Українська",
    "zh": "中文",
}
_MAX_ACCEPTED = 20  # languages of one Accept-Language that are looked at


@dataclass(frozen=True, slots=True)
class Words:
    """The page's texts in one language; `words("begin")` is one of them with its placeholders filled in."""

    language: str
    texts: Mapping[str, str]
    known: Mapping[str, object]

    def __call__(self, key: str, **given: object) -> str:
        """The text of that key. Raises KeyError for a key or a placeholder that is missing."""
        return self.texts[key].format_map({**self.known, **given})

    def knowing(self, **known: object) -> "Words":
        """The same words, with values for placeholders that many of them have."""
        return Words(self.language, self.texts, {**self.known, **known})

    def number(self, number: int) -> str:
        """A whole number as it is written in this language."""
        return f"{number:,}".replace(",", self.texts["thousands"])

    def for_script(self) -> str:
        """What the page's script says, as JSON; it fills in its own placeholders."""
        return json.dumps({key[3:]: text for key, text in self.texts.items() if key.startswith("js_")})


@lru_cache
def available() -> tuple[str, ...]:
    """The languages that the page itself speaks."""
    return tuple(sorted(file.stem for file in _FOLDER.glob("*.yaml")))


def speak(language: str) -> Words:
    """The words of that language or of its base language, else English."""
    for wanted in (language.lower(), language.lower().partition("-")[0]):
        if wanted in available():
            return _load(wanted)
    return _load(FALLBACK)


def speak_any(accepted: str) -> Words:
    """The words for somebody of whom only the browser's Accept-Language is known."""
    return speak(preferred(accepted, available()) or FALLBACK)


def endonym(language: str) -> str:
    """What a language calls itself; its code where we do not know."""
    return _ENDONYMS.get(language, _ENDONYMS.get(language.partition("-")[0], language))


def preferred(accepted: str, offered: Iterable[str]) -> str | None:
    """The offered language that an Accept-Language header likes best; None when it names none of them."""
    by_code = {code.lower(): code for code in reversed([*offered])}
    for code in list(by_code):
        by_code.setdefault(code.partition("-")[0], by_code[code])
    wanted: list[tuple[float, str]] = []
    for part in accepted.split(",")[:_MAX_ACCEPTED]:
        code, _, quality = part.partition(";")
        wanted.append((_quality(quality), code.strip().lower()))
    for quality, code in sorted(wanted, key=lambda item: -item[0]):
        found = by_code.get(code) or by_code.get(code.partition("-")[0])
        if found and quality > 0:
            return found
    return None


def _quality(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    try:
        return float(value) if name.strip() == "q" else 1.0
    except ValueError:
        return 0.0


@lru_cache
def _load(language: str) -> Words:
    text = (_FOLDER / f"{language}.yaml").read_text("utf-8")
    return Words(language, cast("Mapping[str, str]", yaml.safe_load(text)), {})
