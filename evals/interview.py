"""One simulated interview: an interviewer, a respondent, a virtual clock, and the record of what happened."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from afterword import paige
from afterword.paige.state import Expects
from evals import background, personas, respondents, stories
from evals.respondents import Reply

# Reading speed, words a minute; a click, seconds.
READ_WPM = 230
CLICK_SECONDS = 3.0
# No interview is followed further than this.
_MOST_REPLIES = 80

_FORMS = {
    "recap": Reply("", action="confirm"),
    "experience": Reply('{"satisfaction": 6, "captured": 6, "recommend": "yes"}'),
}


@dataclass(frozen=True, slots=True)
class Message:
    """What the interviewer shows: text, which input is offered, the labels of a scale."""

    text: str
    expects: Expects = "text"
    choices: tuple[str, ...] = ()


class Interviewer(Protocol):
    """Whatever can be talked to: the engine, or a baseline."""

    def begin(self) -> Message:
        """The first message."""
        ...

    def hear(self, reply: Reply) -> Message:
        """What follows a reply; an empty text means that nothing new is said."""
        ...

    @property
    def over(self) -> bool:
        """Whether nothing more will be asked."""
        ...


@dataclass(frozen=True, slots=True)
class Turn:
    """A message, the reply to it, and where the engine stood when it was shown."""

    message: Message
    reply: Reply
    state: paige.State | None


@dataclass(slots=True)
class Record:
    """An interview that is over. `closing`: what was said after the last reply."""

    kind: str
    persona: str
    seed: int
    guide: paige.Guide
    story: stories.Story
    background: background.Background
    turns: list[Turn] = field(default_factory=list[Turn])
    closing: str = ""
    left: bool = False  # the respondent's patience ran out
    seconds: float = 0.0
    engine: "Engine | None" = None

    @property
    def said(self) -> list[str]:
        """All that the interviewer said."""
        return [turn.message.text for turn in self.turns if turn.message.text] + (
            [self.closing] if self.closing else []
        )

    @property
    def released(self) -> set[stories.Fact]:
        """The facts that were told."""
        return {fact for turn in self.turns for fact in turn.reply.released}

    def transcript(self) -> str:
        """Readable, with what the simulation knows of each answer."""
        lines: list[str] = []
        for turn in self.turns:
            if turn.message.text:
                lines.append(f"\nPaige: {turn.message.text}")
            reply = turn.reply
            notes = [
                reply.heard.kind if reply.heard.kind != "none" else "",
                reply.heard.subject,
                reply.label,
                reply.special,
            ]
            notes += [f"+{fact.subject}/{fact.depth}" for fact in reply.released]
            lines.append(f"{self.persona}: {reply.text or f'({reply.action})'}   [{' '.join(filter(None, notes))}]")
        return "\n".join([*lines, f"\nPaige: {self.closing}" if self.closing else ""]) + (
            "\n(left)" if self.left else ""
        )


Reword = Callable[[Reply], Reply]
Judge = Callable[[paige.Guide, paige.State, paige.Ask, Reply], Mapping[str, object] | paige.Failure]


class Engine:
    """The interviewer under test. Every state takes a trip through JSON, as between two turns of a server."""

    def __init__(
        self, guide: paige.Guide, context: paige.Context, seed: int, judge: Judge | None = None, *, kill: bool = False
    ) -> None:
        self.guide, self.context, self.judge, self.kill = guide, context, judge, kill
        self._seed = seed
        self.events: list[paige.Event] = []
        self.origins: list[str] = []
        self.answers: list[str] = []  # the contact's messages as the engine counts them
        self.calls = 0
        self.lost: list[str] = []  # what a restart would have changed
        self.spurious: list[str] = []  # what the engine said after it had ended

    def begin(self) -> Message:
        """The opening."""
        return self._take(paige.open(self.guide, self.context, self._seed))

    def hear(self, reply: Reply) -> Message:
        """One turn; in a model's mode with the judge's reply."""
        answer = paige.Answer(reply.text, reply.action)
        before = self.state
        if reply.text.strip() and reply.action in ("answer", "confirm", "correct", "go_on") and not self.over:
            self.answers.append(reply.text)
        step = self._turn(before, answer, reply)
        if self.kill:
            self._compare(before, answer, reply, step)
        lines = [paige.Line("contact", reply.text)] if reply.text.strip() else []
        self.context = replace(self.context, history=(*self.context.history, *lines))
        return self._take(step)

    @property
    def over(self) -> bool:
        """Done or stopped."""
        return self.state.phase in ("done", "stopped")

    def after_the_end(self) -> None:
        """Whatever is sent now must bring nothing."""
        for answer in (paige.Answer("One more thing."), paige.Answer("", "resume"), paige.Answer("", "skip")):
            step = paige.hear(self.guide, self.context, self.state, answer)
            if isinstance(step, paige.Ask) or step.say or step.events:
                self.spurious.append(answer.text or answer.action)

    def _turn(self, state: paige.State, answer: paige.Answer, reply: Reply) -> paige.Step:
        step = paige.hear(self.guide, self.context, state, answer)
        while isinstance(step, paige.Ask):
            self.calls += 1
            assert self.judge is not None
            step = paige.decide(self.guide, self.context, state, step, self.judge(self.guide, state, step, reply))
        return step

    def _compare(self, state: paige.State, answer: paige.Answer, reply: Reply, step: paige.Step) -> None:
        """The same turn by a process that knows only what was stored."""
        again = paige.State.from_json(state.to_json())
        other = self._turn(again, answer, reply)
        if again != state or (other.state, other.say) != (step.state, step.say):
            self.lost.append(f"turn {state.turns}")

    def _take(self, step: paige.Step | paige.Ask) -> Message:
        assert isinstance(step, paige.Step)
        self.state = paige.State.from_json(step.state.to_json())
        if self.state != step.state:
            self.lost.append(f"state of turn {step.state.turns}")
        self.events += step.events
        if step.say:
            self.origins.append(step.origin)
            self.context = replace(self.context, history=(*self.context.history, paige.Line("interviewer", step.say)))
        choices = self.state.choices if self.state.expects == "scale" else ()
        return Message(step.say, self.state.expects, choices)


def hold(
    interviewer: Interviewer, persona: personas.Persona, record: Record, *, reword: Reword | None = None
) -> Record:
    """Let the two talk until the end. `reword` says an answer in other words."""
    who = respondents.Respondent(
        persona.traits, record.story, background.VENDOR, f"{record.kind} {record.persona} {record.seed}"
    )
    engine = interviewer if isinstance(interviewer, Engine) else None
    record.engine = engine
    message = interviewer.begin()
    spoken = 0  # replies in words so far: what a persona does at which turn does not hang on the scales between
    for _ in range(_MOST_REPLIES):
        state = engine.state if engine else None
        reply = _reply(persona, who, message, spoken, record.seed, first=not record.turns)
        spoken += not message.choices
        if reword and reply.heard.subject:
            reply = reword(reply)
        record.seconds += _seconds(persona.traits, message, reply)
        record.turns.append(Turn(message, reply, state))
        message = interviewer.hear(reply)
        if interviewer.over:
            record.closing = message.text
            break
        if who.gone:
            record.left = True
            record.closing = message.text
            break
    if engine and engine.over:
        engine.after_the_end()
    return record


def _reply(
    persona: personas.Persona, who: respondents.Respondent, message: Message, turn: int, seed: int, *, first: bool
) -> Reply:
    if form := _FORMS.get(message.expects):
        return form
    if message.expects == "nothing":
        return Reply("", action="resume", special="resume")
    if persona.special and not message.choices and (special := persona.special(who, turn, message.text, seed)):
        return special
    return who.answer(message.text, message.choices, first=first)


def _seconds(traits: respondents.Traits, message: Message, reply: Reply) -> float:
    """Reading, thinking, and typing or clicking. Forms at the end are optional and not counted."""
    if message.expects != "text" or reply.action != "answer":
        return CLICK_SECONDS if message.choices else 0.0
    reading = len(message.text.split()) / READ_WPM * 60
    typing = len(reply.text.split()) / traits.words_per_minute * 60
    return reading + traits.think_seconds + typing
