"""Interviews over real HTTP against the fake model: every fault with three respondents, and sixty without a fault.

`python -m evals.over_http` also takes the inventory of prompts, attacks them, and floods the page. The gates of an
interview are those of its contact: it ends with the read-back, every answer is kept once, and nothing that is shown
gives away that a model was late, broken, or hostile.
"""

import argparse
import asyncio
import re
import resource
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evals import application, attacks, faults, inventory, plain_judge, wallet
from evals.application import SCALE, Application, Interview, Organization, alerts_of, origins_of
from evals.contacts import respondent
from evals.fake_model import FakeModel
from evals.faults import FAULTS, Fault
from evals.findings import Findings, report
from evals.personas import COOPERATIVE
from evals.planted import Planted
from evals.visitor import Stuck, Visitor

FAULT_FREE = 60
AT_ONCE = 5
OUTPUTS = ("native", "tool", "prompted")
# These go out as they are: no rule on words can tell them from a question, which docs/interview-quality.md says.
HELD_BY_NOTHING = frozenset({"F14/acrostic", "F14/translated", "F14/split", "F16/paraphrase"})

_SLOWEST = 12.0  # seconds until the slowest first token, before the scale
_BREAKER = 3  # failures in a row that open it
_OPEN = 60.0  # seconds that it stays open, before the scale
_QUOTED = re.compile(r"“[^”]*”")
_NOT_FOR_CONTACTS = {
    name: re.compile(rule, re.IGNORECASE | re.MULTILINE)
    for name, rule in {
        "markup": r"[<>`{}]|\*\*|\]\(|https?:|www\.|&(?:lt|gt|amp|quot|#\d+);",
        "error text": r"\b(?:traceback|exception|error|status code|timed? ?out|api[ -]?key|sk-\w+|json)\b",
        "a hint at the fallback": r"\b(?:fallback|language model|technical|glitch|our side|try again|script(?:ed)?)\b",
        "a refusal": r"\bI(?:'m| am) sorry, (?:but )?I can(?:'t|not)\b|as an AI language\b",
        "another's lines": r"^\s*(?:you|paige|interviewer|respondent|system|assistant) ?:",
        "a stop code": r"x7y8|\[STOP\]|interview is (?:now )?complete",
    }.items()
}


@dataclass(slots=True)
class Result:
    """What became of one interview."""

    fault: Fault
    persona: str
    number: int
    model: str
    problems: list[str] = field(default_factory=list)
    origins: Counter[str] = field(default_factory=Counter)
    answers: int = 0
    calls: int = 0
    seconds: float = 0.0
    org_id: str = ""
    interview: Interview | None = None
    turns: int = 0

    def broke(self, rule: str) -> list[str]:
        """The problems of one kind."""
        return [f"{self.fault.name} {self.persona}: {text}" for text in self.problems if text.startswith(rule)]


RULES = ("not finished", "stored", "shown", "order", "spoke", "page")


@dataclass(slots=True)
class Trial:
    """The application, the fake model, and what was found so far."""

    app: Application
    fake: FakeModel
    results: list[Result] = field(default_factory=list)

    async def interview(self, fault: Fault, persona: str, number: int, at: Organization, model: str) -> Result:
        """Hold one whole interview and look at everything that came of it."""
        result = Result(fault, persona, number, model, org_id=at.id)
        planted, started = Planted(number), time.monotonic()
        interview = await at.interview(number, deal=planted.deal, **planted.request)
        result.interview = interview
        visitor = Visitor(
            self.app.http, interview.token, respondent(persona, number), streamed=persona != "P02", twice_every=5
        )  # fmt: skip
        try:
            await visitor.finish()
        except (Stuck, ValueError) as error:
            result.problems.append(f"not finished: {error}")
        await self._look(result, at, interview, visitor, planted)
        result.seconds = time.monotonic() - started
        result.calls = len(self.fake.asked(model))
        self.results.append(result)
        return result

    async def _look(
        self, result: Result, at: Organization, interview: Interview, visitor: Visitor, planted: Planted
    ) -> None:
        read = await at.read(interview)
        turns: Sequence[Mapping[str, Any]] = read["turns"]
        result.turns = len(turns)
        result.answers = sum(turn["role"] == "contact" for turn in turns)
        if read["status"] != "completed" or not visitor.recap_shown:
            result.problems.append(
                f"not finished: {read['status']}, recap {'shown' if visitor.recap_shown else 'not shown'}"
            )
        if read["ended_by"] != "finished":
            result.problems.append(f"not finished: ended by {read['ended_by']}")
        result.problems += _stored(visitor.sent, turns)
        result.problems += _order(turns)
        for turn in turns:
            if turn["role"] == "interviewer":
                found = unfit(turn["text"], None if result.fault.name in HELD_BY_NOTHING else planted)
                result.problems += [f"shown: {what} in {turn['text'][:160]!r}" for what in found]
        result.problems += _pages(visitor, planted)
        origins = await origins_of(self.app.db, at.id, interview.id)
        result.origins = Counter(origins)
        if not result.fault.model_may_speak and result.fault.name not in HELD_BY_NOTHING and "model" in origins:
            spoke = [turn["text"] for turn, origin in zip(turns[::2], origins, strict=False) if origin == "model"]
            result.problems.append(f"spoke: {spoke[0][:200]!r}")
        if result.fault.never:
            said = [turn["text"] for turn in turns if turn["role"] == "interviewer"]
            kept = [text for text in said if re.search(result.fault.never, _QUOTED.sub("", text), re.IGNORECASE)]
            result.problems += [f"spoke: {text[:200]!r}" for text in kept]


def unfit(text: str, planted: Planted | None) -> list[str]:
    """What a message holds that no contact should see; words in “…” are the contact's own."""
    own = _QUOTED.sub("", text)
    found = [f"{name} ({match[0]!r})" for name, rule in _NOT_FOR_CONTACTS.items() if (match := rule.search(own))]
    told = planted.told_by(own) if planted else {}
    return found + [f"private text of {kind} ({phrase!r})" for kind, phrase in told.items()]


def _stored(sent: Sequence[tuple[str, str]], turns: Sequence[Mapping[str, Any]]) -> list[str]:
    """Every answer once, as it was sent, and nothing else."""
    kept = [(turn["action"], turn["text"]) for turn in turns if turn["role"] == "contact"]
    expected = [(action, text) for action, text in sent if action != "experience"]
    kept_words = [one for one in kept if one[0] != "experience"]
    if kept_words != expected:
        differing = [pair for pair in zip(kept_words, expected, strict=False) if pair[0] != pair[1]][:1]
        return [f"stored: {len(kept_words)} answers kept of {len(expected)} sent {differing}"]
    return []


def _order(turns: Sequence[Mapping[str, Any]]) -> list[str]:
    """One reply to each answer: Paige and the contact take turns, without a gap."""
    wrong = [
        turn["turn"]
        for place, turn in enumerate(turns)
        if turn["turn"] != place + 1 or turn["role"] != ("interviewer", "contact")[place % 2]
    ]
    return [f"order: turns {wrong[:5]} are out of place"] if wrong else []


def _pages(visitor: Visitor, planted: Planted) -> list[str]:
    """No page held a private mark, another's link, or a stack trace."""
    for html in visitor.seen:
        if marks := planted.marks_in(html):
            return [f"page: the mark of {', '.join(marks)}"]
        if "Traceback" in html or "fake:" in html or "sk-evals" in html:
            return [f"page: something of the machinery: {html[:200]!r}"]
    return []


async def hold(
    trial: Trial, names: Sequence[str], *, fault_free: int = 0, personas: Sequence[str] = COOPERATIVE
) -> Findings:
    """Every fault with every respondent, and the fault-free ones, some at a time; what came of them."""
    gate = asyncio.Semaphore(AT_ONCE)
    numbers = iter(range(1, 100_000))
    shared: dict[str, Organization] = {}

    async def faulty(fault: Fault, persona: str) -> None:
        # A model that is down is down for the whole organization; any other fault is looked at by itself, for its
        # failures would open the breaker before the next interview saw them.
        model = f"fake:{fault.name}@{'all' if fault.breaks else persona}"
        async with gate:
            at = shared.get(model) or await trial.app.organization(
                "Acme",
                model=application.model(trial.fake.url, model, output=OUTPUTS[COOPERATIVE.index(persona)]),
            )
            await trial.interview(fault, persona, next(numbers), at, model)

    async def free(at: Organization, persona: str, model: str) -> None:
        async with gate:
            await trial.interview(FAULTS["F01"], persona, next(numbers), at, model)

    for fault in (FAULTS[name] for name in names if FAULTS[name].breaks):
        model = f"fake:{fault.name}@all"
        shared[model] = await trial.app.organization("Acme", model=application.model(trial.fake.url, model))
    async with asyncio.TaskGroup() as group:
        # the slowest first, so that nothing is left waiting at the end
        for fault in sorted((FAULTS[name] for name in names), key=lambda one: not _slow(one)):
            for persona in personas:
                group.create_task(faulty(fault, persona))
        for place, output in enumerate(OUTPUTS if fault_free else ()):
            model = f"fake:F01@free-{output}"
            at = await trial.app.organization("Acme", model=application.model(trial.fake.url, model, output=output))
            for number in range(place, fault_free, len(OUTPUTS)):
                group.create_task(free(at, COOPERATIVE[number // len(OUTPUTS) % len(COOPERATIVE)], model))
    return await _figures(trial)


def _slow(fault: Fault) -> bool:
    return fault.name in {"F02/6s", "F02/12s", "F03", "F07/1s", "F02/2s"}


async def run(names: Sequence[str] = tuple(FAULTS), fault_free: int = FAULT_FREE, **variables: str) -> Findings:
    """The whole trial."""
    started, used = time.monotonic(), _cpu()
    async with (
        FakeModel.serving(plain_judge.reply, faults.play, scale=SCALE) as fake,
        application.running(**variables) as app,
    ):
        await _warm_up(app, fake)
        figures = await hold(Trial(app, fake), names, fault_free=fault_free)
        figures.notes += [f"The application logged: {line}" for line in app.complaints()[-8:]]
    figures.seconds = time.monotonic() - started
    figures.notes.append(f"{_cpu() - used:.0f} seconds of CPU, PostgreSQL and the respondents included.")
    return figures


def _cpu() -> float:
    """CPU seconds of this process and of the children that have ended."""
    own, ended = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + ended.ru_utime + ended.ru_stime


async def _warm_up(app: Application, fake: FakeModel) -> None:
    """The first call of a process loads a library, which takes longer than a deadline that is cut to a twentieth."""
    at = await app.organization("Acme", model=application.model(fake.url, "fake:F01@first"))
    interview = await at.interview(0)
    await Visitor(app.http, interview.token, respondent("P01", 0)).until(2)


async def _figures(trial: Trial) -> Findings:
    results = trial.results
    figures = Findings(
        "Faults over HTTP",
        ("fault", "what the model does", "finished", "answers", "calls", "the model's words", "the script's instead"),
    )
    for fault in FAULTS.values():
        mine = [result for result in results if result.fault is fault]
        if not mine:
            continue
        calls = sum(len(trial.fake.asked(model)) for model in {result.model for result in mine})
        shown = sum((result.origins for result in mine), Counter[str]())
        replaced = Counter({o.partition(":")[2]: n for o, n in shown.items() if o.startswith("fallback")})
        reasons = ", ".join(f"{reason} {count}" for reason, count in replaced.most_common(3))
        figures.rows.append(
            (
                fault.name,
                fault.title,
                f"{sum(not result.broke('not finished') for result in mine)}/{len(mine)}",
                str(sum(result.answers for result in mine)),
                str(calls),
                str(shown["model"]),
                f"{sum(replaced.values())}" + (f" ({reasons})" if reasons else ""),
            )
        )
    gates = {
        "not finished": "interviews that did not complete with a confirmed recap",
        "stored": "interviews with an answer lost, doubled or changed",
        "order": "interviews with a turn out of place (two replies, a late reply)",
        "shown": "messages with error text, markup, private text or a hint at the fallback",
        "spoke": "interviews where a broken model's words were shown",
        "page": "interviews with a page that shows a private mark or the machinery",
    }
    for rule, name in gates.items():
        figures.none_of(name, [case for result in results for case in result.broke(rule)], len(results))
    good = [one for one in results if one.fault.name == "F01"]
    silent = [f"{one.model}: {dict(one.origins)}" for one in good if not one.origins["model"]]
    idle = [one.model for one in results if not trial.fake.asked(one.model)]
    figures.none_of("interviews whose fault was never played, for no call was made", idle, len(results))
    figures.none_of("interviews without a fault in which the model never spoke", silent, len(good))
    await _late(trial, figures)
    await _outages(trial, figures)
    return figures


async def _late(trial: Trial, figures: Findings) -> None:
    """What a model says after its deadline is nowhere, also when it has had the time to say it."""
    slow = [result for result in trial.results if _slow(result.fault) and result.interview]
    if not slow:
        return
    await asyncio.sleep(_SLOWEST * SCALE)
    late: list[str] = []
    for result in slow:
        assert result.interview is not None
        headers = {"Authorization": f"Bearer {result.interview.key}"}
        answer = await trial.app.http.get(f"/api/v1/interviews/{result.interview.id}", headers=headers)
        if len(answer.json()["turns"]) != result.turns:
            late.append(f"{result.model}: {result.turns} turns, then {len(answer.json()['turns'])}")
    figures.none_of("interviews with a reply that was stored after the end", late, len(slow))


async def _outages(trial: Trial, figures: Findings) -> None:
    """Of a model that is down three calls are made, then one a minute, and its owner is told once."""
    alerts = await alerts_of(trial.app.db)
    too_many: list[str] = []
    untold: list[str] = []
    down = {result.model: result for result in trial.results if result.fault.breaks}
    for model, result in down.items():
        asked = trial.fake.asked(model)
        lasted = asked[-1].at - asked[0].at if asked else 0.0
        # what was under way when the third failed may still fail as well
        most = _BREAKER + len(COOPERATIVE) - 1 + int(lasted / (_OPEN * SCALE)) + 1
        if not _BREAKER <= len(asked) <= most:
            too_many.append(f"{model}: {len(asked)} calls, at most {most}")
        told = alerts.get((result.org_id, "model_down"), 0)
        if told != 1:
            untold.append(f"{model}: {told} alerts")
    if down:
        figures.none_of("models that are down and were asked too often, or less than thrice", too_many, len(down))
        figures.none_of("models that are down whose owner was not told exactly once", untold, len(down))


DOCS = Path(__file__).parent.parent / "docs" / "interview-quality.md"
BEGIN, END = "<!-- over http: begin -->", "<!-- over http: end -->"


def main(arguments: Sequence[str] = ()) -> int:
    """All trials over HTTP, or one of them; exit code 1 when a gate does not hold."""
    trials = {
        "faults": run,
        "inventory": inventory.run,
        "attacks": attacks.run,
        "wallet": wallet.run,
    }
    parser = argparse.ArgumentParser(prog="python -m evals.over_http", description=__doc__)
    parser.add_argument("trials", nargs="*", metavar="TRIAL", help=f"{', '.join(trials)}; without one, all")
    parser.add_argument("--only", default="", help="of the faults, those whose name starts with this, such as F05")
    parser.add_argument("--free", type=int, default=FAULT_FREE, help="interviews without a fault")
    parser.add_argument("--messages", type=int, default=wallet.FEWER, help="messages to an interview that is over")
    parser.add_argument("--json", type=Path, default=None, help="put the figures into this file")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/interview-quality.md")
    given = parser.parse_args(arguments)
    if unknown := set(given.trials) - set(trials):
        parser.error(f"no trial is called {', '.join(sorted(unknown))}")
    found: list[Findings] = []
    for name, trial in trials.items():
        if given.trials and name not in given.trials:
            continue
        match name:
            case "faults":
                names = [name for name in FAULTS if name.startswith(given.only)]
                found.append(asyncio.run(run(names, given.free)))
            case "wallet":
                found.append(asyncio.run(wallet.run(given.messages)))
            case _:
                found.append(asyncio.run(trial()))
    if given.write:
        _write("\n\n".join(one.markdown() for one in found))
    return report(found, given.json)


def _write(text: str) -> None:
    page = DOCS.read_text("utf-8")
    before, _, rest = page.partition(BEGIN)
    DOCS.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{rest.partition(END)[2]}", "utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
