"""Interviews in process for the interviewer's tests: contexts, contacts, a driver that keeps the transcript."""

# ruff: noqa: E501  # what is said and what is expected stand whole on one line

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from afterword import paige

LOST, WON = (paige.load_guide(mapping) for _, mapping in paige.shipped_guides())
GUIDES = (LOST, WON)


def context(**changes) -> paige.Context:
    """Jane Smith of Northwind, asked by Acme."""
    given = {
        "interviewer_name": "Paige",
        "vendor": "Acme",
        "contact_name": "Jane Smith",
        "first_name": "Jane",
        "company": "Northwind",
        "notes": "",
        "objective": "",
        "deal": {},
    }
    return paige.Context(**{**given, **changes})


@dataclass
class Talk:
    """A running interview. `said` and `heard` are the transcript; `events` all events so far."""

    guide: paige.Guide = LOST
    context: paige.Context = field(default_factory=context)
    seed: int = 7
    short: bool = False
    said: list[str] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    events: list[paige.Event] = field(default_factory=list)
    pendings: list[str] = field(default_factory=list)

    def __post_init__(self):
        self._take(paige.open(self.guide, self.context, self.seed, short=self.short))

    @property
    def state(self) -> paige.State:
        return self.step.state

    @property
    def kinds(self) -> list[str]:
        return [event.kind for event in self.events]

    def answer(self, text: str) -> str:
        return self.do("answer", text)

    def do(self, action: str, text: str = "") -> str:
        """Hear one thing and return what is said next; every state takes a trip through JSON on the way."""
        state = paige.State.from_json(self.state.to_json())
        wordless = action in ("skip", "stop", "undo", "pause", "resume", "language")
        if text.strip() and not wordless and state.phase not in ("done", "stopped"):
            self.heard.append(text)
        step = paige.hear(self.guide, self.context, state, paige.Answer(text, action))
        assert isinstance(step, paige.Step)
        return self._take(step)

    def run(self, reply: Callable[["Talk"], tuple[str, str]], limit: int = 200) -> "Talk":
        """Answer with what `reply` gives as (action, text) until the end."""
        while self.state.phase not in ("done", "stopped"):
            limit -= 1
            assert limit, "the interview does not end"
            self.do(*reply(self))
        return self

    def _take(self, step: paige.Step) -> str:
        self.step = step
        self.events += step.events
        self.pendings.append(f"{step.state.pending.kind}:{step.state.pending.topic}")
        if step.say:
            self.said.append(step.say)
        return step.say


STORY = {
    "trigger": "Our old ticketing tool could not export logs, and the March audit gave us six weeks because legal insisted.",
    "criteria": "We looked at the integration with our warehouse first, because when we ran the trial the nightly sync broke twice.",
    "people": "Our CFO and the head of security had the final say, and I ran the evaluation with two engineers from Berlin.",
    "options": "Globex, Initech and you were on the final list in May, besides building it in-house.",
    "verdict": "In the final demo Globex showed us the sync live in ten minutes, whereas yours failed, so we went with Globex.",
    "difference": "In the final demo you showed us the sync live in ten minutes, whereas Globex failed, so the CFO signed in June.",
    "comparison": "Your reporting was better than theirs in the pilot, but the connector was slower and we had to call support twice.",
    "pause": "We were worried about the migration in August because our last one took three months instead of the six weeks promised.",
    "rival": "Globex had a better mobile app than yours, and when our drivers tried it in May they did not need any training.",
    "price": "When we compared the offers in May yours came to 48,000 a year, which was about the same as the offer from Globex.",
    "team": "Maria answered within two hours when we got stuck in the trial, whereas the other vendor took three days in April.",
    "otherwise": "If the connector had been ready in March we would have stayed, because the team liked your reports better than theirs.",
    "expectations": "By the end of the quarter two warehouses should be live, because the lease for the old system ends in December.",
}


def cooperative(talk: Talk) -> tuple[str, str]:
    """Somebody who tells each topic's story when asked, and takes the middle of every scale."""
    match talk.state.expects:
        case "scale":
            return "answer", talk.state.choices[len(talk.state.choices) // 2]
        case "recap":
            return "confirm", ""
        case "experience":
            return "answer", '{"satisfaction": 6, "captured": 7, "recommend": "yes"}'
        case _ if talk.state.pending.kind == "catch_all":
            return "answer", "You should have asked our data team, since they will decide about the next one in 2027."
        case _:
            return "answer", STORY.get(talk.state.pending.topic, "Our head of procurement")


def robot(text: str) -> Callable[[Talk], tuple[str, str]]:
    """Somebody who sends the same text to everything."""
    return lambda _: ("answer", text)


def own_words(said: str) -> str:
    """What the interviewer said without the contact's words in quotes."""
    return re.sub(r"“[^”]*”", "", said)


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())
