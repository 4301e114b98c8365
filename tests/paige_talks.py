"""Interviews in process for the interviewer's tests: contexts, contacts, a driver that keeps the transcript."""

# ruff: noqa: E501  # what is said and what is expected stand whole on one line

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from afterword import paige

GUIDES = tuple(paige.load_guide(mapping) for _, mapping in paige.shipped_guides())
LOST, WON = GUIDES[:2]


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
    "otherwise": "If the connector had been ready in March we would have stayed, and we look at it again when the contract ends in 2027.",
    "aftermath": "When the board froze all budgets in March the project was put on hold, because the sponsor had left a week before.",
    "internal_yes": "A business case with numbers from a pilot would have helped, because our CFO rejected the first version in April.",
    "waiting": "Two people spend ten hours a week on it by hand, and last month we sent a customer the wrong report.",
    "restart": "If the new budget is approved in January we start again, because the audit is due in June next year.",
    "first_thought": "When the outage in February took our reports down for two days, my boss asked for the first time whether we should stay.",
    "purpose": "It was meant to replace three spreadsheets and to save our team ten hours a week on the monthly reports.",
    "changed": "After our account manager left in May nobody answered for weeks, whereas before we had a call every Tuesday.",
    "attempts": "We opened five tickets and asked for a call in June, they promised a fix by July and then we never heard back.",
    "last_straw": "In the end the renewal came with an increase of 30 percent in September, so our CFO decided to give notice.",
    "replacement": "We moved to Globex in October because it was already included in what our IT pays for.",
    "switching": "The export took three weeks because the history had to be cleaned by hand before the import.",
    "differently": "If somebody had called us in June, when we asked, we would have stayed, because the reports were better than elsewhere.",
    "coming_back": "If the export were stable and the price like in 2024 we would look at it again next year.",
    "experience": "Last week support answered within ten minutes when our report for the board broke, and the fix was live by noon.",
    "effect": "My team saved two days before the board meeting, because nobody had to build the slides by hand again.",
    "expected": "I expected an answer within four hours, as promised in the contract, and we tried two tickets and a call first.",
    "change_first": "The response time of support has to come down first, because in May we waited nine days for one answer.",
    "lacking": "An export to our warehouse is missing, because every Monday Tom copies the numbers by hand for two hours.",
    "alternatives": "Globex has a mobile app that is faster than yours, and when we tried it in May the drivers liked it.",
    "loss": "We would lose the weekly overview, and it took us three days by hand before we had it.",
    "describe": "I tell them it is the tool that saves us two days before every board meeting, because nobody builds slides now.",
    "improvement": "The search should be faster, because when I looked for an invoice in May it took five minutes.",
    "reality": "The demo showed the import in one click, whereas in the second week we had to map forty columns by hand.",
    "first_value": "On the first Friday in May the weekly report came by itself, which saved Maria four hours that day.",
    "obstacles": "The single sign-on took three weeks because our IT department had to open a ticket, and it was resolved in April.",
    "learning": "We had two training sessions in April, and Tom showed the field team because they could not attend.",
    "support": "Maria answered within two hours when we got stuck on the import, whereas our last vendor took three days.",
    "usage": "Twelve people in finance use it daily, and the sales team has not started because their data is not in yet.",
    "risk": "If Tom leaves in summer people will go back to Excel, because he is the one who builds the reports.",
    "fix_now": "The connector to our warehouse should be fixed first, because we still copy numbers by hand every Monday.",
    "reason": "Price was the main reason, because their CFO told us in June that Globex was 30 percent cheaper than our offer.",
    "rivals": "Globex and Initech were in it, and Globex was cheaper and already installed in two of their offices.",
    "turning_point": "When procurement joined the call in May the tone changed, and after that week they went quiet for a month.",
    "deciders": "The CFO and the head of procurement decided, and we never met the CFO because our contact kept us away.",
    "again": "The pilot with two of their offices worked well again, and next time I would ask for the CFO earlier.",
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


def left_out_by_a_choice(talk: Talk) -> set[str]:
    """The topics that a branch on a scale left out of this interview."""
    chosen = dict(talk.state.scales)
    left_out: set[str] = set()
    for topic in talk.guide.topics:
        for branch in topic.branch:
            label = chosen.get(f"{topic.id}.{branch.slot}")
            choices = talk.guide.pack(talk.state.language).topics[topic.id].slot(branch.slot).choices
            if (branch.otherwise and label is None) or (label and branch.min <= choices.index(label) + 1 <= branch.max):
                left_out |= set(branch.skip)
    return left_out


def robot(text: str) -> Callable[[Talk], tuple[str, str]]:
    """Somebody who sends the same text to everything."""
    return lambda _: ("answer", text)


def own_words(said: str) -> str:
    """What the interviewer said without the contact's words in quotes."""
    return re.sub(r"“[^”]*”", "", said)


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())
