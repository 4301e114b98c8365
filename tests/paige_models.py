"""Interviews in process with a model that is a plain function: it gets the Ask, and gives a reply or a Failure."""

# ruff: noqa: E501  # what is said and what is expected stand whole on one line

import json
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from afterword import paige
from tests.paige_talks import LOST, Talk, context, cooperative, words

Replier = Callable[[paige.Ask], object]


@dataclass
class ModelTalk(Talk):
    """A running interview with a model. `asks` are all questions to it, `origins` where each message came from."""

    model: Replier = lambda _: {}
    asks: list[paige.Ask] = field(default_factory=list)
    origins: list[str] = field(default_factory=list)
    calls: list[int] = field(default_factory=list)  # how many calls each turn took
    context: paige.Context = field(default_factory=lambda: context(mode="direct"))
    lines: list[paige.Line] = field(default_factory=list)

    def do(self, action: str, text: str = "") -> str:
        """Hear one thing; every state takes a trip through JSON on the way, every Ask one to the model."""
        state = paige.State.from_json(json.loads(json.dumps(self.state.to_json())))
        assert state == self.state
        wordless = action in ("skip", "stop", "undo", "pause", "resume")
        given = replace(self.context, history=tuple(self.lines))
        if text.strip() and not wordless and state.phase not in ("done", "stopped"):
            self.heard.append(text)
            self.lines.append(paige.Line("contact", text))
        found = paige.hear(self.guide, given, state, paige.Answer(text, action))
        count = 0
        while isinstance(found, paige.Ask):
            count += 1
            assert found.attempt == count <= 2
            self.asks.append(found)
            found = paige.decide(self.guide, given, state, found, self.model(found))
        self.calls.append(count)
        return self._take(found)

    def _take(self, step: paige.Step) -> str:
        if step.say:
            self.lines.append(paige.Line("interviewer", step.say))
            self.origins.append(step.origin)
        return super()._take(step)


def part(ask: paige.Ask, label: str) -> str:
    """What the turn's message says after a label."""
    found = re.search(rf"^{label}: (.*)$", ask.messages[2]["content"], re.MULTILINE)
    return found[1] if found else ""


def example(ask: paige.Ask, label: str) -> str:
    """The guide's own wording that the turn's message gives for one of the two messages."""
    return part(ask, label).partition("The guide would say: ")[2]


PROBES = {
    "episode": ["Walk me through one day when that came up.", "What happened the last time you noticed that?", "When did that first become visible to you?", "Describe one situation in which that played out.", "Which meeting comes to mind when you think of that?", "Tell me about a time when it mattered."],
    "echo": ["What lies behind that, in practice?", "What do you have in mind with that?", "Say a little more about what that meant day to day."],
    "contrast": ["How did that look elsewhere?", "What was the same thing like with the alternatives?", "How did the rest of the field handle it?"],
    "weight": ["How heavily did that weigh with the group?", "What place did that have among your reasons?"],
    "tangent": ["How did that thread come to matter?", "What became of that afterwards?"],
}  # fmt: skip
BRIDGES = [
    "Moving on a little.",
    "On to something else.",
    "Next part.",
    "A different angle now.",
    "Staying with the story.",
]


def good(seed: int = 0, quality: Callable[[str], int] | None = None) -> Replier:
    """A model that does as it is told: judges by length, credits what it can quote, words plain open questions."""
    rng = random.Random(seed)

    def reply(ask: paige.Ask) -> Mapping[str, object]:
        answer = ask.answer.text
        judged = quality(answer) if quality else min(2, len(words(answer)) // 8)
        slots = [s.strip() for s in part(ask, "Its open slots").split(",") if "." in s]
        quote = " ".join(answer.split()[:6])
        kind = re.search(r"of the kind (\w+)", part(ask, "if_probe"))
        topic_question = example(ask, "if_advance")
        return {
            "quality": judged,
            "slots": [{"id": slot, "quote": quote} for slot in slots[:1] if judged == 2],
            "flags": [],
            "lang": "en",
            "if_probe": rng.choice(PROBES[kind[1]]) if kind else "",
            "if_advance": f"{rng.choice(BRIDGES)} {topic_question}" if topic_question else "",
        }

    return reply


def worded(text: str) -> Replier:
    """A model that judges soundly and says one text, whatever is asked."""
    sound = good()
    return lambda ask: {**sound(ask), "if_probe": text, "if_advance": text}  # type: ignore[dict-item]


__all__ = ["LOST", "ModelTalk", "example", "good", "part", "worded"]


def until(talk: ModelTalk, topic: str) -> ModelTalk:
    """The interview up to the first question about a topic."""
    while talk.state.pending.topic != topic:
        talk.do(*cooperative(talk))
    return talk


def reply(**parts) -> dict[str, object]:
    """A reply with every part in it."""
    return {"quality": 1, "slots": [], "flags": [], "lang": "en", "if_probe": "", "if_advance": "", **parts}


def always(**parts):
    """A model that words well and judges and flags as given."""
    sound = good()
    return lambda ask: {**sound(ask), **parts}
