"""The data files that ship with the interviewer: guides, their schema, and the phrases of each language."""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from afterword.paige import guide_text

# In the order in which they are listed; the first is the one a newcomer tries.
_SHIPPED = ("lost-to-competitor", "won", "no-decision", "churn", "nps", "onboarding", "seller-debrief")


def shipped_guides() -> list[tuple[str, Mapping[str, Any]]]:
    """(slug, mapping) of each guide that ships, the one to try first at the front."""
    return [(slug, _guide(slug)) for slug in _SHIPPED]


@cache
def _guide(slug: str) -> Mapping[str, Any]:
    return guide_text.parse(_read(f"guides/{slug}.yaml")).data


@cache
def guide_schema() -> Mapping[str, Any]:
    """The JSON Schema (Draft 2020-12) of a guide."""
    return json.loads(_read("guides/schema.json"))


@cache
def phrases(language: str) -> Mapping[str, Any]:
    """What the interviewer says between the questions; empty for a language that has no phrases yet."""
    try:
        return yaml.safe_load(_read(f"phrases/{language}.yaml"))
    except FileNotFoundError:
        return {}


@cache
def prompt(name: str) -> str:
    """One of the texts for a language model."""
    return _read(f"prompts/{name}.md")


@cache
def ordinary_words(language: str) -> frozenset[str]:
    """Common English words, or common German nouns, folded: a capital on one of them makes no name."""
    return frozenset(_read(f"ordinary/{language}.txt").split())


def _read(name: str) -> str:
    return (files("afterword.paige") / name).read_text("utf-8")
