"""What strangers with a link can make a model cost: floods on one token, huge messages, tokens that open nothing.

The application runs here with a small bucket and a small token cap, so that one interview meets both.
"""

import time
from collections import Counter
from dataclasses import dataclass

import httpx

from evals import application, faults, plain_judge
from evals.application import SCALE, Application, Organization, alerts_of, gathered, origins_of
from evals.contacts import respondent
from evals.fake_model import FakeModel
from evals.findings import Findings
from evals.visitor import Page, Visitor

MESSAGES = 10_000
FEWER = 1_000  # of them, beside the other trials of `make evals`
PARALLEL = 200
UNKNOWN = 500

_BUCKET = 5
_AT_ONCE = 24
_ATTEMPTS = 2  # calls that one turn may take: the first and the one regeneration

_SETTINGS = {
    "AFTERWORD_SURVEY_BUCKET_TURNS": str(_BUCKET),
    "AFTERWORD_SURVEY_BUCKET_REFILL_PER_MINUTE": "0.01",
}


@dataclass(slots=True)
class _Floods:
    """The application, the fake model, and the figures so far."""

    app: Application
    fake: FakeModel
    figures: Findings
    messages: int

    async def organization(self, name: str, fault: str = "F01", **settings: object) -> tuple[Organization, str]:
        model = f"fake:{fault}@{name}"
        at = await self.app.organization("Acme", model=application.model(self.fake.url, model) | settings)
        return at, model

    def calls(self, model: str) -> int:
        return len(self.fake.asked(model))

    def row(self, what: str, sent: int, answers: Counter[int], calls: int) -> None:
        said = ", ".join(f"{status} × {count}" for status, count in sorted(answers.items()))
        self.figures.rows.append((what, f"{sent:,}", said, str(calls)))

    async def post(self, fields: dict[str, str]) -> httpx.Response:
        return await self.app.http.post("/survey", data=fields)

    async def flood(self, forms: list[dict[str, str]], *, at_once: int = _AT_ONCE) -> Counter[int]:
        answers = await gathered([self.post(form) for form in forms], at_once=at_once)
        return Counter(answer.status_code for answer in answers)

    # One token -------------------------------------------------------------------------------------------------

    async def parallel_sends(self) -> None:
        """Two hundred different answers to one question at once: one is taken, one generation is in flight."""
        at, model = await self.organization("parallel", "F02/2s")
        interview = await at.interview(1)
        visitor = Visitor(self.app.http, interview.token, respondent("P01", 1))
        page = await visitor.until(1)
        before = self.calls(model)
        forms = [
            _form(page, text=f"It was the price, for reason {n}.", client_id=f"flood-{n}") for n in range(PARALLEL)
        ]
        answers = await self.flood(forms, at_once=PARALLEL)
        calls = self.calls(model) - before
        turns = [turn for turn in (await at.read(interview))["turns"] if turn["role"] == "contact"]
        self.row("answers to one question at once", PARALLEL, answers, calls)
        taken = len(turns) - 1
        self.figures.gate("parallel sends on one token: answers taken", "1", taken, taken == 1)
        self.figures.gate(
            f"parallel sends on one token: calls, at most {_ATTEMPTS}", f"<= {_ATTEMPTS}", calls, calls <= _ATTEMPTS
        )
        most = self.fake.most_in_flight[model]
        self.figures.gate("generations in flight on one token", "1", most, most == 1)
        failed = sum(count for status, count in answers.items() if status >= 500)
        self.figures.gate("parallel sends answered with a server error", "0", failed, failed == 0)

    async def bucket(self) -> None:
        """An interview that goes on after its bucket is empty, and a flood on it once it is over."""
        at, model = await self.organization("bucket")
        interview = await at.interview(1)
        visitor = Visitor(self.app.http, interview.token, respondent("P01", 1))
        await visitor.finish()
        calls, origins = self.calls(model), await origins_of(self.app.db, at.id, interview.id)
        most = _BUCKET * _ATTEMPTS
        self.row("an interview with a bucket of 5", len(visitor.sent), Counter({200: len(visitor.sent)}), calls)
        read = await at.read(interview)
        self.figures.gate("calls of an interview with a bucket of 5 turns", f"1 to {most}", calls, 0 < calls <= most)
        self.figures.gate("it finishes by the script", "finished", read["ended_by"], read["ended_by"] == "finished")
        self.figures.notes.append(f"Who spoke in it: {dict(Counter(origins))}.")

        page = await visitor.open()
        forms = [
            _form(
                page, token=interview.token, turn=str(n % 40), client_id=f"more-{n}", action="answer", text=f"More {n}."
            )
            for n in range(self.messages)
        ]
        answers = await self.flood(forms)
        self.row("messages to a finished interview", self.messages, answers, self.calls(model) - calls)
        self.figures.gate(
            f"calls after the end, for {self.messages:,} messages",
            "0",
            self.calls(model) - calls,
            self.calls(model) == calls,
        )
        again = await at.read(interview)
        same = again["turns"] == read["turns"]
        self.figures.gate("its turns are what they were", "unchanged", "unchanged" if same else "changed", same)

    async def huge(self) -> None:
        """Messages over the limits: refused with a page, nothing stored, nobody asked."""
        at, model = await self.organization("huge")
        interview = await at.interview(1)
        page = await Visitor(self.app.http, interview.token, respondent("P01", 1)).until(0)
        page = await _consented(self.app, interview.token, page)
        forms = [_form(page, text="x" * size, client_id=f"huge-{size}") for size in (4_001, 50_000, 200_000, 1_000_000)]
        answers = await self.flood(forms)
        stored = sum(turn["role"] == "contact" for turn in (await at.read(interview))["turns"])
        self.row("messages of 4,001 characters to 1 MB", len(forms), answers, self.calls(model))
        self.figures.gate(
            "huge messages: stored, and calls",
            "0, 0",
            f"{stored}, {self.calls(model)}",
            not stored and not self.calls(model),
        )
        refused = all(400 <= status < 500 for status in answers)
        self.figures.gate("huge messages are refused, not failed", "4xx", dict(answers), refused)

    # Tokens that open nothing, or nothing any more ---------------------------------------------------------------

    async def closed(self) -> None:
        """Declined, withdrawn and unknown: no model is asked, whatever is sent."""
        at, model = await self.organization("closed")
        tokens: list[str] = []
        for number, action in enumerate(("decline", "withdraw")):
            interview = await at.interview(number)
            visitor = Visitor(self.app.http, interview.token, respondent("P01", 1))
            if action == "withdraw":
                await visitor.until(2)
            await self.post({"token": interview.token, "action": action})
            tokens.append(interview.token)
        before = len(self.fake.requests)
        forms = [
            {
                "token": token,
                "turn": str(turn),
                "client_id": f"late-{turn}",
                "action": "answer",
                "text": "It was the price.",
            }
            for token in tokens
            for turn in range(1, 50)
        ]
        answers = await self.flood(forms)
        calls = len(self.fake.requests) - before
        self.row("messages to a declined and a withdrawn interview", len(forms), answers, calls)
        self.figures.gate("calls for closed tokens", "0", calls, calls == 0)
        unknown = [{**form, "token": f"tok_{n:043d}"} for n, form in zip(range(UNKNOWN), forms * 10, strict=False)]
        answers = await self.flood(unknown)
        calls = len(self.fake.requests) - before
        self.row("messages to unknown tokens", UNKNOWN, answers, calls)
        self.figures.gate("calls for unknown tokens", "0", calls, calls == 0)
        self.figures.gate("unknown tokens from one address are slowed down", "429", dict(answers), answers[429] > 0)
        del model

    # Money -------------------------------------------------------------------------------------------------------

    async def money(self) -> None:
        """An organization whose daily cap is used up by the first calls: the script goes on, the owner is told once."""
        at, model = await self.organization("money", daily_cap=0.02)
        for number in range(3):
            interview = await at.interview(number)
            visitor = Visitor(self.app.http, interview.token, respondent("P01", 1))
            await visitor.finish()
        calls = self.calls(model)
        usage = sum(len(request.text) // 4 for request in self.fake.asked(model))
        interview = await at.interview(9)
        visitor = Visitor(self.app.http, interview.token, respondent("P01", 1))
        await visitor.finish()
        more = self.calls(model) - calls
        read = await at.read(interview)
        self.row("interviews under a cap of $0.02 a day", 4, Counter({200: 4}), calls + more)
        self.figures.gate("calls after the daily cap is reached", "0", more, more == 0)
        self.figures.gate(
            "an interview after the cap finishes", "finished", read["ended_by"], read["ended_by"] == "finished"
        )
        told = (await alerts_of(self.app.db)).get((at.id, "cost_cap"), 0)
        self.figures.gate("alerts that the cap is reached", "1", told, told == 1)
        self.figures.notes.append(f"Under the cap {calls} calls with {usage:,} input tokens were made.")


def _form(page: Page, **changes: str) -> dict[str, str]:
    """The page's form with an answer in it."""
    hidden = page.step.hidden if page.step else {}
    return {**hidden, "action": "answer", **changes}


async def _consented(app: Application, token: str, page: Page) -> Page:
    """The page of the first question."""
    form = page.step
    if form and form.buttons[0][1] == "consent":
        await app.http.post("/survey", data={**form.hidden, "action": "consent"})
        return Page((await app.http.get("/survey", params={"token": token})).text)
    return page


async def run(messages: int = FEWER) -> Findings:
    """All floods."""
    started = time.monotonic()
    figures = Findings(
        "What strangers can make a model cost", ("what is sent", "times", "answers", "calls to the model")
    )
    async with (
        FakeModel.serving(plain_judge.reply, faults.play, scale=SCALE) as fake,
        application.running(**_SETTINGS) as app,
    ):
        floods = _Floods(app, fake, figures, messages)
        for flood in (floods.parallel_sends, floods.huge, floods.closed, floods.money, floods.bucket):
            await flood()
        figures.notes += [f"The application logged: {line}" for line in app.complaints()[-8:]]
    figures.seconds = time.monotonic() - started
    return figures
