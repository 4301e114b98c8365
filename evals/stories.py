"""What a respondent knows: facts planted by interview type and seed, each at a depth that only good asking reaches."""

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

_STORIES = tuple(Path(__file__).with_name(name) for name in ("stories.yaml", "stories_customers.yaml"))
_RIVALS = (("Globex", "Initech"), ("Hooli", "Vandelay"), ("Umbra", "Stark Systems"))
_MONTHS = ("February", "March", "May", "June", "September", "October", "November")
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
_ROLES = ("CFO", "managing director", "head of operations", "CIO")
# Behind an answer that tells all there may still be a scene; nobody can know, and no good interviewer asks for each.
# These and the shares of gists and evasions are set so that an ideal interviewer, who knows where there is more, gets
# nearly all of it within the published budget (`baselines.Ideal`); else no figure could tell good asking from bad luck.
_DEEP_BEHIND_TOLD = 0.1
_DEEP_BEHIND_GIST = 0.6
# What a customer is asked after a score depends on it.
_NPS_BANDS = {
    "detractor": ("experience", "effect", "expected", "tried_fixes", "change_first", "beyond"),
    "passive": ("experience", "effect", "change_first", "alternatives", "beyond"),
    "promoter": ("experience", "effect", "lost_without", "describe", "change_first", "beyond"),
}
_NPS_SCORES = {"detractor": "4", "passive": "8", "promoter": "9"}


@dataclass(frozen=True, slots=True)
class Fact:
    """One planted fact. `depth` 0 is volunteered, 1 comes when asked to go on, 2 for a scene, comparison or weight."""

    subject: str
    depth: int
    polarity: int
    weight: str
    text: str
    needs: str = ""  # the only kind of question that brings it; empty where any does at its depth


@dataclass(frozen=True, slots=True)
class Knowledge:
    """All that a respondent could tell about one subject. `gist`: how depth 0 sounds while there is more behind it;
    empty for somebody who tells it all at once."""

    subject: str
    gist: str
    facts: tuple[Fact, ...]

    def at(self, depth: int) -> Fact | None:
        """The fact at that depth."""
        return next((fact for fact in self.facts if fact.depth == depth), None)


@dataclass(frozen=True, slots=True)
class Story:
    """A respondent's whole knowledge, subject by subject, and what a number means to them."""

    subjects: tuple[Knowledge, ...]
    rival: str
    rival_won: bool = False
    score: str = ""  # from 0 to 10, where the interview is about one

    def about(self, subject: str) -> Knowledge:
        """What is known about it. Raises KeyError."""
        for knowledge in self.subjects:
            if knowledge.subject == subject:
                return knowledge
        raise KeyError(subject)


def known_types() -> tuple[str, ...]:
    """The interview types there are stories for."""
    return tuple(_data()["types"])


def plant(kind: str, seed: int, vendor: str, *, layered: float) -> Story:
    """The story of one respondent. `layered` is the share of subjects on which they begin with a gist."""
    rng = random.Random(f"story {kind} {seed}")
    rival, other = rng.choice(_RIVALS)
    names = {
        "vendor": vendor,
        "rival": rival,
        "other": other,
        "month": rng.choice(_MONTHS),
        "weekday": rng.choice(_WEEKDAYS),
        "role": rng.choice(_ROLES),
        "n": str(rng.randrange(11, 48)),
    }
    subjects = tuple(_data()["types"][kind])
    score = ""
    if kind == "nps":
        band = rng.choice(tuple(_NPS_BANDS))
        subjects, score = _NPS_BANDS[band], _NPS_SCORES[band]
    known = tuple(_know(subject, names, rng, layered) for subject in subjects)
    return Story(known, rival, kind == "lost-to-competitor", score)


@cache
def heard_in(subject: str, vendor: str, rival: str) -> tuple[re.Pattern[str], ...]:
    """The patterns that make a listener think of the subject."""
    filled = (
        text.replace("{vendor}", re.escape(vendor.lower())).replace("{rival}", re.escape(rival.lower()))
        for text in _data()["subjects"][subject]["hears"]
    )
    return tuple(re.compile(text) for text in filled)


def _know(subject: str, names: Mapping[str, str], rng: random.Random, layered: float) -> Knowledge:
    story = rng.choice(_data()["subjects"][subject]["stories"])
    told = {key: _fill(value, names) for key, value in story.items() if isinstance(value, str)}
    polarity, weight = story["polarity"], story.get("weight", "")
    begins_with_gist = rng.random() < layered and bool(told["gist"]) and "more" in told
    facts = [Fact(subject, 0, polarity, weight, told["told"])]
    if begins_with_gist:
        facts.append(Fact(subject, 1, polarity, weight, told["more"]))
    # Behind a reason that decided there always is a scene or a comparison; that is why guides ask for one.
    chance = 1.0 if weight else _DEEP_BEHIND_GIST if begins_with_gist else _DEEP_BEHIND_TOLD
    if rng.random() < chance and "deep" in told:
        facts.append(Fact(subject, 2, polarity, weight, told["deep"]))
    if "versus" in told:
        facts.append(Fact(subject, 2, polarity, weight, told["versus"], "contrast"))
    return Knowledge(subject, told["gist"] if begins_with_gist else "", tuple(facts))


def _fill(text: str, names: Mapping[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda match: names[match[1]], text)


@cache
def _data() -> Mapping[str, Any]:
    buyers, customers = (yaml.safe_load(file.read_text("utf-8")) for file in _STORIES)
    return {**buyers, "subjects": {**buyers["subjects"], **customers["subjects"]}}
