"""A scripted respondent: hears only the interviewer's text and tells what it asks for, no more."""

import random
import re
from dataclasses import dataclass, field
from typing import Literal

from evals import hearing, stories

Label = Literal["vague", "good", ""]

# Fobbing off: says nothing, though there is something to say.
EVASIONS = (
    "It was fine.",
    "Nothing special, really.",
    "The usual.",
    "Hard to put into words.",
    "It was okay overall.",
    "Various reasons.",
    "Good experience in general.",
    "As one would expect.",
    "A bit of everything, I guess.",
    "It depends.",
)
_NOTHING_LEFT = ("That's really all there is to it.", "I have nothing to add on that.", "That was it, more or less.")
_SAID_BEFORE = ("As I said before, that is what it was.", "I told you that already.", "See above, I mentioned that.")
_UNCLEAR = ("Sorry, what do you mean?", "I don't understand the question.", "What do you mean by that?")
_WHO_WON = re.compile(r"\bwh(?:ich|at) (?:option|one|vendor|product|name|company)s? (?:did you|was it|won|got)\b")
_FILLERS = (
    "You know how it is in a company of our size, everybody has a view and it takes a while until anything moves.",
    "I have been in this business for quite some time now and have seen a lot of these projects come and go.",
    "There was a lot going on around us as well, with the move and all the meetings that come with such a thing.",
    "I am not complaining, that is simply how these things tend to be, and others will have told you the same.",
    "Everybody was busy with something else, as always, so it was not the first thing on anybody's mind.",
    "Of course one could say much more about all of this, but that would lead us too far for today.",
)


@dataclass(frozen=True, slots=True)
class Traits:
    """What kind of teller somebody is. Speeds: think time and typing of 16,676 real responses by verbosity, typing
    40 words a minute at a desk and 27 on a phone."""

    layered: float = 0.35  # subjects begun with a gist
    evasive: float = 0.0  # main questions fobbed off
    wander: float = 0.0  # main questions answered with something else besides
    filler: float = 0.0  # answers padded
    facts_per_answer: int = 2
    patience: int = 8
    think_seconds: float = 16.0
    words_per_minute: float = 40.0


@dataclass(frozen=True, slots=True)
class Reply:
    """What the respondent does, and what only the simulation knows of it."""

    text: str
    action: str = "answer"
    heard: hearing.Heard = field(default_factory=lambda: hearing.Heard("none"))
    label: Label = ""
    more: bool = False  # whether asking on would bring anything, if only a scene
    released: tuple[stories.Fact, ...] = ()
    special: str = ""  # what a persona did instead of answering: attack, refusal, abuse …


class Respondent:
    """One person in one interview."""

    def __init__(self, traits: Traits, story: stories.Story, vendor: str, seed: str) -> None:
        self.traits, self.story, self.vendor = traits, story, vendor
        self.rng = random.Random(f"respondent {seed}")
        self.released: list[stories.Fact] = []
        self.patience = traits.patience
        self._known = tuple(knowledge.subject for knowledge in story.subjects)
        self._told: set[str] = set()
        self._said: dict[str, str] = {}
        self._current = ""
        self._questions: dict[str, list[str]] = {}
        self._last_question = ""
        self._followed: dict[str, int] = {}

    @property
    def gone(self) -> bool:
        """Whether patience has run out."""
        return self.patience <= 0

    def hear(self, text: str, *, first: bool = False) -> hearing.Heard:
        """What the message asks, without answering it."""
        memory = hearing.Memory(self._current, frozenset(self._told), self._said)
        if "above" in text and not hearing.questions(text) and self._last_question:
            text = self._last_question
        return hearing.listen(text, self._known, memory, vendor=self.vendor, rival=self.story.rival, first=first)

    def answer(self, text: str, choices: tuple[str, ...] = (), *, first: bool = False) -> Reply:
        """The reply to a message."""
        if choices:
            return Reply(self.choose(choices))
        heard = self.hear(text, first=first)
        if self.story.rival_won and heard.subject and _WHO_WON.search(hearing.fold(heard.question)):
            self._note(heard)
            return Reply(f"{self.story.rival}.", heard=heard)
        match heard.kind:
            case "none":
                return Reply("Okay.", heard=heard)
            case "unclear":
                self.patience -= 1
                return Reply(self.rng.choice(_UNCLEAR), heard=heard)
            case "main":
                repeated = self._note(heard)
                reply = self._again(heard) if heard.subject in self._told else self._begin(heard)
            case _:
                repeated = self._note(heard)
                reply = self._go_on(heard)
        self.patience -= 3 * repeated
        self._said[heard.subject] = f"{self._said.get(heard.subject, '')} {reply.text}"
        return reply

    def choose(self, choices: tuple[str, ...]) -> str:
        """The label that fits what they think."""
        if self.story.score in choices and len(choices) == 11:
            return self.story.score
        weight = next((f.weight for f in self.released if f.weight), "")
        fitting = [c for c in choices if weight and c.lower().startswith(weight)]
        if fitting:
            return fitting[0]
        mood = sum(fact.polarity for fact in self.released)
        low, high = (0, len(choices) // 2) if mood < 0 else (len(choices) // 2, len(choices) - 1)
        return choices[self.rng.randint(low, high)]

    def remember(self, heard: hearing.Heard, text: str) -> None:
        """Keep in mind what was said without any fact in it."""
        if heard.subject:
            self._note(heard)
            self._said[heard.subject] = f"{self._said.get(heard.subject, '')} {text}"

    def more_to_tell(self, subject: str) -> bool:
        """Whether asking to go on would bring anything."""
        return any(f.depth <= 1 and f not in self.released for f in self.story.about(subject).facts)

    def _note(self, heard: hearing.Heard) -> bool:
        """Take the question in; True when it was asked in the same words before."""
        earlier = self._questions.setdefault(heard.subject, [])
        repeated = any(hearing.same_question(heard.question, other) for other in earlier)
        earlier.append(heard.question)
        self._current, self._last_question = heard.subject, heard.question
        return repeated

    def _begin(self, heard: hearing.Heard) -> Reply:
        """The first question on a subject: depth 0."""
        knowledge, traits = self.story.about(heard.subject), self.traits
        self._told.add(heard.subject)
        if self.rng.random() < traits.evasive and heard.subject != "beyond":
            return self._reply(heard, self.rng.choice(EVASIONS), (), vague=True)
        first = knowledge.at(0)
        assert first is not None
        aside: list[stories.Fact] = []
        if self.rng.random() < traits.wander and (other := self._untold_elsewhere()):
            aside.append(other)
            self._told.add(other.subject)
            self._said[other.subject] = other.text
        text = " ".join([knowledge.gist or first.text, *(fact.text for fact in aside)])
        return self._reply(heard, text, (first, *aside), vague=bool(knowledge.gist))

    def _go_on(self, heard: hearing.Heard) -> Reply:
        """A further question on it: what was held back, then depth 1; depth 2 for a scene, comparison or weight."""
        knowledge = self.story.about(heard.subject)
        self._followed[heard.subject] = self._followed.get(heard.subject, 0) + 1
        deepest = 2 if heard.kind in ("episode", "contrast", "weight") else 1
        fitting = (f for f in knowledge.facts if f.depth <= deepest and f.needs in ("", heard.kind))
        left = [f for f in fitting if f not in self.released]
        if not left:
            self.patience -= 1
            return Reply(self.rng.choice(_NOTHING_LEFT), heard=heard)
        if self.rng.random() < self.traits.evasive / 4:
            return self._reply(heard, self.rng.choice(EVASIONS), (), vague=True)
        # Who is asked for a scene tells it, and what it shows; only then are the terse as long as others.
        most = max(2, self.traits.facts_per_answer) if deepest == 2 else self.traits.facts_per_answer
        facts = tuple(left[:most])
        texts = [knowledge.gist if fact.depth == 0 and knowledge.gist else fact.text for fact in facts]
        return self._reply(heard, " ".join(texts), facts, vague=texts == [knowledge.gist])

    def _again(self, heard: hearing.Heard) -> Reply:
        """Asked for what was told already."""
        knowledge = self.story.about(heard.subject)
        left = [f for f in knowledge.facts if f.depth <= 1 and f not in self.released]
        if left:
            return self._go_on(hearing.Heard("elaborate", heard.subject, heard.question))
        self.patience -= 1
        return Reply(self.rng.choice(_SAID_BEFORE), heard=heard, special="told_before")

    def _reply(self, heard: hearing.Heard, text: str, facts: tuple[stories.Fact, ...], *, vague: bool) -> Reply:
        """The label: vague when only a gist or less was said and asking on would bring more; good when all is told."""
        self.released += [fact for fact in facts if fact not in self.released]
        if self.rng.random() < self.traits.filler:
            fillers = self.rng.sample(_FILLERS, 2)
            text = f"{fillers[0]} {text} {fillers[1]}"
        left = any(fact not in self.released for fact in self.story.about(heard.subject).facts)
        label: Label = (
            "vague" if vague and self.more_to_tell(heard.subject) else "good" if not vague and not left else ""
        )
        return Reply(text, heard=heard, label=label, more=left, released=facts)

    def _untold_elsewhere(self) -> stories.Fact | None:
        open_ = [k for k in self.story.subjects if k.subject not in self._told and k.subject != "beyond" and not k.gist]
        return self.rng.choice(open_).at(0) if open_ else None
