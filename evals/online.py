"""`make evals ONLINE=1`: the same respondents and a real model, that of AFTERWORD_LLM_*. Prints, and gates nothing.

The interviewer asks through the product's own client. Beside it stands an interviewer that is one prompt, put to the
same model. With `--reword` the model also says the respondents' facts in words of its own; with `--grade` it grades
transcripts, which is worth what a model's grades are worth.
"""

import asyncio
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from afterword import llm, paige
from afterword.settings import current
from evals import personas, runs
from evals.figures import Figures, measure
from evals.gates import coverage, share, told
from evals.interview import Engine, Interviewer, Message, Record, Reword, hold
from evals.report import number, table
from evals.respondents import Reply

PROMPT = Path(__file__).with_name("single_prompt.md")
_SECONDS = 30.0
_TEXT: Mapping[str, object] = {
    "type": "object",
    "properties": {"text": {"type": "string"}},
    "required": ["text"],
    "additionalProperties": False,
}
_GRADES = ("leading", "unclear", "coherence", "adaptiveness")
_GRADE: Mapping[str, object] = {
    "type": "object",
    "properties": {name: {"type": "integer"} for name in _GRADES},
    "required": list(_GRADES),
    "additionalProperties": False,
}
_REWORD = (
    "You play a business person who answers an interviewer. Say the given answer in your own words, about as long, and "
    "in the same mood. Keep every fact, number and name; add none; do not become clearer than the answer is."
)
_GRADER = (
    "You grade the interviewer of a transcript, not the respondent. Give four whole numbers. leading: how many "
    "questions suggest an answer. unclear: how many are hard to understand or ask more than one thing. coherence, 1 to "
    "4: does each question follow from what was said. adaptiveness, 1 to 4: does it dig where an answer stays vague, "
    "and only there."
)


class Model:
    """A language model from synchronous code, on one event loop."""

    def __init__(self, model: llm.Model) -> None:
        self.model, self._runner = model, asyncio.Runner()
        self.calls = self.tokens = 0
        self.failures: list[str] = []
        self.seconds: list[float] = []

    def ask(
        self, messages: Sequence[Mapping[str, str]], schema: Mapping[str, object], seconds: float = _SECONDS
    ) -> Mapping[str, object] | paige.Failure:
        """The reply, or why there is none."""
        self.calls += 1
        try:
            answered = self._runner.run(llm.ask(self.model, messages, schema, seconds=seconds))
        except llm.ModelFailed as failed:
            self.failures.append(failed.reason)
            return paige.Failure(failed.reason)
        self.tokens += answered.input_tokens + answered.output_tokens
        self.seconds.append(answered.seconds)
        return answered.data

    def text(self, system: str, user: str) -> str:
        """A reply in words; empty when there is none."""
        found = self.ask(({"role": "system", "content": system}, {"role": "user", "content": user}), _TEXT)
        text = found.get("text") if isinstance(found, Mapping) else None
        return text.strip() if isinstance(text, str) else ""

    def judge(
        self, guide: paige.Guide, state: paige.State, ask: paige.Ask, reply: Reply
    ) -> Mapping[str, object] | paige.Failure:
        """What the interviewer asks in a turn."""
        del guide, state, reply
        return self.ask(ask.messages, ask.schema, ask.deadline)


class SinglePrompt:
    """An interviewer that is one prompt and the whole conversation."""

    def __init__(self, model: Model, record: Record, questions: int) -> None:
        pack = record.guide.pack("en")
        topics = "\n".join(f"- {pack.topics[topic.id].label}: {topic.intent}" for topic in record.guide.topics)
        said = {"first_name": "the contact", "company": "a company", **record.background.context.said()}
        prompt = PROMPT.read_text("utf-8")
        self.system = prompt.format(**said, topics=topics, questions=questions)
        self.model, self.left, self.over = model, questions, False
        self.lines: list[str] = []

    def begin(self) -> Message:
        """Its first question."""
        return self._next()

    def hear(self, reply: Reply) -> Message:
        """Its next question."""
        self.lines.append(f"contact: {reply.text}")
        return self._next()

    def _next(self) -> Message:
        self.left -= 1
        text = (
            self.model.text(self.system, "\n".join(self.lines) or "The conversation begins.") if self.left >= 0 else ""
        )
        self.over = not text
        self.lines.append(f"you: {text}")
        return Message(text or "Thank you.", "text" if text else "nothing")


def main(*, reword: bool = False, grade: bool = False, seeds: Sequence[int] = (1,)) -> int:
    """Hold them and print. Exit code 2 where no model is set."""
    found = llm.from_settings(current())
    if found is None:
        print("set AFTERWORD_LLM_URL, AFTERWORD_LLM_KEY and AFTERWORD_LLM_MODEL, or a provider's key, and run it again")
        return 2
    model = Model(found)
    say = _rewording(model) if reword else None
    keys = [
        runs.Key(persona, kind, seed, "model")
        for kind in runs.guides()
        for persona in personas.COOPERATIVE
        for seed in seeds
    ]
    ours, theirs, graded = Figures(), Figures(), list[Mapping[str, object]]()
    for key in keys:
        record = runs.record_of(key)
        engine = Engine(record.guide, record.background.context, key.seed, model.judge)
        ours.add(measure(_hold(engine, record, say)))
        other = runs.record_of(key)
        theirs.add(measure(_hold(SinglePrompt(model, other, engine.state.questions), other, say)))
        if grade and isinstance(answer := _graded(model, record), Mapping):
            graded.append(answer)
        print(f"{key.persona} {key.kind} {key.seed}: {record.turns[-1].state and engine.state.ended_by}", flush=True)
    print(table(("figure", "interviewer", "single prompt"), _rows(ours, theirs)))
    print(f"\n{model.calls} calls, {model.tokens} tokens, failures: {', '.join(model.failures) or 'none'}")
    if model.seconds:
        print(f"seconds a call: median {statistics.median(model.seconds):.1f}, longest {max(model.seconds):.1f}")
    for name in _GRADES if graded else ():
        given = [value for answer in graded if isinstance(value := answer.get(name), int)]
        print(f"{name}, as the model grades itself: {statistics.mean(given):.2f} in {len(given)} interviews")
    return 0


def _hold(interviewer: Interviewer, record: Record, say: Reword | None) -> Record:
    return hold(interviewer, personas.PERSONAS[record.persona], record, reword=say)


def _rewording(model: Model) -> Reword:
    def say(reply: Reply) -> Reply:
        return replace(reply, text=model.text(_REWORD, reply.text) or reply.text)

    return say


def _graded(model: Model, record: Record) -> Mapping[str, object] | paige.Failure:
    lines = [f"interviewer: {turn.message.text}\nrespondent: {turn.reply.text}" for turn in record.turns]
    user = {"role": "user", "content": "\n".join(lines)}
    return model.ask(({"role": "system", "content": _GRADER}, user), _GRADE)


def _rows(ours: Figures, theirs: Figures) -> list[tuple[str, str, str]]:
    def row(name: str, value: Callable[[Figures], float]) -> tuple[str, str, str]:
        return name, number(value(ours)), number(value(theirs))

    return [
        row("coverage", coverage),
        row("facts told", told),
        *(row(f"facts told, depth {d}", lambda f, d=d: share(f.told[d], f.told_of[d])) for d in range(3)),
        ("vague answers dug into", number(share(ours.vague_probed, ours.vague_of)), ""),
        ("probes after a vague answer", number(share(ours.probes_good, ours.probes_of)), ""),
        ("messages worded by the model", number(share(ours.model_turns, ours.own_turns)), ""),
        ("replaced by the script's", str(dict(ours.fallbacks)), ""),
        *(row(fault, lambda f, fault=fault: f.faults[fault]) for fault in sorted({*ours.faults, *theirs.faults})),
    ]
