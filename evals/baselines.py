"""What the interviewer is measured against, with as many questions as it asked: three simpler ways of our own."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from afterword import paige
from evals.interview import Interviewer, Message
from evals.respondents import Reply

_GENERIC = "Could you tell me more about that?"
_PRAISE = "That's really interesting, thank you for sharing. Could you tell me more about that?"
# How the single-prompt interviewer strays when it is simulated, as shares of its turns. Our estimates after published
# accounts of such interviewers: they stay with what interests them, skip subtopics, repeat themselves, ask two at once.
_TANGENT, _REPEAT, _DOUBLE, _SKIP = 0.35, 0.07, 0.15, 0.12
# The interviewer's published budget for digging, and what the ideal one spends it on.
_PROBES, _PROBES_TOPIC = 6, 2
_SCENES = ("Take me to a moment when that showed.", "How was that with the others?")


@dataclass(frozen=True, slots=True)
class Item:
    """One question of the guide. `choices` where it is answered by a label."""

    topic: str
    text: str
    choices: tuple[str, ...] = ()


class Baseline:
    """Asks at most `questions` questions of the guide and is over; skips what a choice rules out, as any form can."""

    def __init__(self, guide: paige.Guide, context: paige.Context, seed: int, questions: int) -> None:
        self.rng = random.Random(f"baseline {seed} {guide.slug}")
        self.guide, self.left, self.over = guide, questions, False
        self.ahead = self.plan(*_items(guide, context))
        self._asked: Item | None = None

    def begin(self) -> Message:
        """The first question, without an opening."""
        return self._show()

    def hear(self, reply: Reply) -> Message:
        """The next question; none when all are asked."""
        if self._asked and reply.text in self._asked.choices:
            self._skip(self._asked, self._asked.choices.index(reply.text) + 1)
        return self._show()

    def plan(self, mains: list[Item], fields: list[Item], last: Item) -> list[Item]:
        """What will be asked, in order."""
        raise NotImplementedError

    def next(self) -> Item | None:
        """The next question."""
        return self.ahead.pop(0) if self.ahead else None

    def _show(self) -> Message:
        self._asked = self.next() if self.left > 0 else None
        self.left -= 1
        if self._asked is None:
            self.over = True
            return Message("Thank you.", "nothing")
        return Message(self._asked.text, "scale" if self._asked.choices else "text", self._asked.choices)

    def _skip(self, item: Item, position: int) -> None:
        for branch in self.guide.topic(item.topic).branch:
            if branch.slot and branch.min <= position <= branch.max:
                self.ahead = [other for other in self.ahead if other.topic not in branch.skip]


class StaticForm(Baseline):
    """A form: every main question in order, then the further fields of the guide. No follow-up."""

    def plan(self, mains: list[Item], fields: list[Item], last: Item) -> list[Item]:
        """Mains, closing question, fields."""
        return [*mains, last, *fields]


class FixedProbe(Baseline):
    """The same generic probe after every open question."""

    def plan(self, mains: list[Item], fields: list[Item], last: Item) -> list[Item]:
        """Each main question with its probe."""
        probed = [[item] if item.choices else [item, Item(item.topic, _GENERIC)] for item in (*mains, last)]
        return [item for pair in probed for item in pair]


class SinglePrompt(Baseline):
    """One prompt with the list of topics and a model that keeps to it as such models do; when the list is through and
    there are questions left, it comes back to what it asked. Offline a simulation; with a key the real thing is
    measured (`evals.online`)."""

    def plan(self, mains: list[Item], fields: list[Item], last: Item) -> list[Item]:
        """The topics it was given."""
        self._earlier: list[Item] = []
        self._back = [Item(item.topic, f"Coming back to an earlier point: {item.text}") for item in fields]
        return [*mains, last]

    def next(self) -> Item | None:
        """Mostly the next topic; sometimes astray."""
        roll = self.rng.random() if self._earlier and not self._earlier[-1].choices else 1.0
        if roll < _TANGENT:
            return Item(self._earlier[-1].topic, _PRAISE)
        if roll < _TANGENT + _REPEAT:
            return self.rng.choice(self._earlier)
        while len(self.ahead) > 1 and self._earlier and self.rng.random() < _SKIP:
            self.ahead.pop(0)
        if not self.ahead:
            return self._back.pop(0) if self._back else Item("", _PRAISE)
        item = self.ahead.pop(0)
        if self.ahead and not item.choices and self.rng.random() < _DOUBLE:
            other = self.ahead.pop(0)
            item = Item(item.topic, f"{item.text} And also: {other.text}")
        self._earlier.append(item)
        return item


class Ideal(Baseline):
    """Not a baseline but the ceiling: knows from the simulation where there is more, and asks for a scene there, as
    often as the interviewer may. What it does not reach with as many questions nobody can."""

    def plan(self, mains: list[Item], fields: list[Item], last: Item) -> list[Item]:
        """The main questions and what they leave; probes come between."""
        self._mains = (*mains, last)
        self._probes, self._here = 0, 0
        return [*mains, last, *fields]

    def hear(self, reply: Reply) -> Message:
        """Dig where the simulation says so."""
        spare = self.left > sum(item in self._mains for item in self.ahead)
        if reply.more and spare and self._here < _PROBES_TOPIC and self._probes < _PROBES and self._asked:
            self._probes, self._here = self._probes + 1, self._here + 1
            self.ahead.insert(0, Item(self._asked.topic, _SCENES[self._here - 1]))
        else:
            self._here = 0
        return super().hear(reply)


BASELINES: Mapping[str, Callable[[paige.Guide, paige.Context, int, int], Interviewer]] = {
    "static form": StaticForm,
    "fixed probe": FixedProbe,
    "single prompt": SinglePrompt,
}


def _items(guide: paige.Guide, context: paige.Context) -> tuple[list[Item], list[Item], Item]:
    """The guide's main questions by group and order, its further open fields, must-haves first, and the last."""
    pack = guide.pack("en")
    said = {"minutes": str(guide.minutes), **context.said()}
    mains: list[Item] = []
    fields: list[tuple[bool, Item]] = []
    for topic in sorted(guide.topics, key=lambda topic: topic.order_group):
        words = pack.topics[topic.id]
        labels = [slot for slot in topic.slots if slot.kind in ("choice", "scale")]
        choices = words.slot(labels[0].id).choices if len(labels) == len(topic.slots) > 0 else ()
        mains.append(Item(topic.id, _first(words.main, said), choices))
        asked = ((slot.must_have, words.slot(slot.id).ask) for slot in topic.slots if slot not in labels)
        fields += [(must_have, Item(topic.id, _first(texts, said))) for must_have, texts in asked if texts]
    first = sorted(fields, key=lambda field: not field[0])
    return mains, [item for _, item in first], Item("", _first(pack.catch_all, said))


def _first(texts: tuple[str, ...], said: Mapping[str, str]) -> str:
    for text in texts:
        try:
            return text.format(**said)
        except KeyError:
            continue
    raise ValueError(f"no wording can be filled: {texts}")
