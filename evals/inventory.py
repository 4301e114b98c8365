"""What stands in the prompts: two hundred interviews with planted marks, and every request the fake model was sent.

In `direct` organizations each interview prompt holds notes, objective and deal; in `planned` ones only the planner's
does; no prompt ever holds `internal_notes` or a survey token, and no page holds any mark.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from evals import application, faults, plain_judge
from evals.application import SCALE, Application, Interview, Organization, gathered
from evals.contacts import respondent
from evals.fake_model import FakeModel, Request
from evals.findings import Findings
from evals.personas import COOPERATIVE
from evals.planted import CLASSES, Planted
from evals.visitor import Visitor

INTERVIEWS = 200
MODES = ("direct", "planned")

_ANSWERS = 4  # that each of them gives; every prompt of an interview is made in the same way
_AT_ONCE = 5
_PLANNING = 60.0  # seconds that the planner may take for all of them
_OPEN_CLASSES = ("notes", "objective", "deal")


@dataclass(slots=True)
class Inventory:
    """What must be in no prompt, and what was shown that should not have been."""

    tokens: list[str] = field(default_factory=list)
    pages: list[str] = field(default_factory=list)  # what was shown that holds a mark
    keys: list[str] = field(default_factory=list)


def _purpose(request: Request) -> str:
    return "plan" if faults.is_plan(request) else "turn"


async def _hold(app: Application, at: Organization, interview: Interview, planted: Planted, kept: Inventory) -> None:
    visitor = Visitor(
        app.http, interview.token, respondent(COOPERATIVE[planted.number % len(COOPERATIVE)], planted.number)
    )
    await visitor.until(_ANSWERS)
    shown = visitor.seen + [turn["text"] for turn in (await at.read(interview))["turns"]]
    kept.pages += [f"interview {planted.number}: {marks}" for text in shown if (marks := dict(planted.marks_in(text)))]


async def run(interviews: int = INTERVIEWS) -> Findings:
    """The whole inventory."""
    started = time.monotonic()
    async with (
        FakeModel.serving(plain_judge.reply, faults.play, scale=SCALE) as fake,
        application.running(worker=True) as app,
    ):
        figures = await take(app, fake, interviews)
        figures.notes += [f"The application logged: {line}" for line in app.complaints()[-8:]]
    figures.seconds = time.monotonic() - started
    return figures


async def take(app: Application, fake: FakeModel, interviews: int) -> Findings:
    """Half of the interviews in an organization of each mode, and what stood in their prompts."""
    kept = Inventory()
    numbers = iter(range(1, interviews + 1))
    by_mode: dict[str, list[Planted]] = {}
    work: list[tuple[Organization, Interview, Planted]] = []
    for mode in MODES:
        at = await app.organization("Acme", model=application.model(fake.url, f"fake:F01@{mode}"), context_mode=mode)
        kept.keys.append(at.key)
        by_mode[mode] = mine = [Planted(next(numbers)) for _ in range(interviews // len(MODES))]
        asked = await gathered(
            [at.interview(one.number, deal=one.deal, **one.request) for one in mine], at_once=_AT_ONCE
        )
        work += [(at, interview, one) for interview, one in zip(asked, mine, strict=True)]
    kept.tokens = [interview.token for _, interview, _ in work]
    await _planned(fake, len(by_mode["planned"]))
    await gathered([_hold(app, *one, kept) for one in work], at_once=_AT_ONCE)
    return _figures(fake, by_mode, kept)


async def _planned(fake: FakeModel, wanted: int) -> None:
    """Wait until the planner has seen every interview of the planned organization, or long enough."""
    deadline = time.monotonic() + _PLANNING
    while time.monotonic() < deadline:
        if sum(_purpose(request) == "plan" for request in fake.asked("fake:F01@planned")) >= wanted:
            return
        await asyncio.sleep(0.2)


def _figures(fake: FakeModel, by_mode: Mapping[str, Sequence[Planted]], kept: Inventory) -> Findings:
    figures = Findings(
        "Prompt inventory",
        (
            "mode",
            "purpose",
            "prompts",
            "interviews",
            *(f"{kind} in" for kind in CLASSES),
            "a survey token or API key in",
        ),
    )
    missing: list[str] = []
    leaked: list[str] = []
    internal: list[str] = []
    secrets: list[str] = []
    met: dict[str, set[int]] = {mode: set() for mode in MODES}
    for mode, everyone in by_mode.items():
        requests = fake.asked(f"fake:F01@{mode}")
        for purpose in ("turn", "plan"):
            mine = [request for request in requests if _purpose(request) == purpose]
            holds: Counter[str] = Counter()
            about: set[int] = set()
            with_secrets = 0
            for nth, request in enumerate(mine):
                marks, numbers = _marks(request, everyone)
                about |= numbers
                holds.update(marks.keys())
                where = f"{mode} {purpose} prompt {nth}"
                if marks["internal_notes"]:
                    internal.append(where)
                if any(secret in str(request.body) for secret in (*kept.tokens, *kept.keys)):
                    with_secrets += 1
                    secrets.append(where)
                if mode == "planned" and purpose == "turn":
                    leaked += [f"{where}: {kind}" for kind in _OPEN_CLASSES if marks[kind]]
                else:
                    missing += [f"{where}: no {kind}" for kind in _OPEN_CLASSES if not marks[kind]]
                if len(numbers) > 1:
                    leaked.append(f"{where}: background of {len(numbers)} interviews")
            met[mode] |= about
            if mine or (mode, purpose) != ("direct", "plan"):
                counts = (f"{holds[kind]}/{len(mine)}" for kind in CLASSES)
                figures.rows.append((mode, purpose, str(len(mine)), str(len(about)), *counts, str(with_secrets)))
    prompts = len(fake.requests)
    figures.none_of("prompts that should hold notes, objective and deal and lack one", missing, prompts)
    figures.none_of("wording prompts in `planned` with private text, prompts with another's", leaked, prompts)
    figures.none_of("prompts with internal notes", internal, prompts)
    figures.none_of("prompts with a survey token or an API key", secrets, prompts)
    figures.none_of("pages and messages with a private mark", kept.pages, sum(map(len, by_mode.values())))
    for mode, purpose in (("direct", "turn"), ("planned", "plan")):
        wanted = len(by_mode[mode])
        figures.gate(
            f"interviews in `{mode}` whose background reached a {purpose} prompt",
            str(wanted),
            len(met[mode]),
            len(met[mode]) == wanted,
        )
    turns = sum(_purpose(request) == "turn" for request in fake.asked("fake:F01@planned"))
    figures.gate("wording prompts in `planned` were made", "> 0", turns, turns > 0)
    return figures


def _marks(request: Request, everyone: Sequence[Planted]) -> tuple[Counter[str], set[int]]:
    """Which classes' marks a prompt holds, and of which interviews."""
    text = str(request.body)
    found: Counter[str] = Counter()
    numbers: set[int] = set()
    for one in everyone:
        if marks := one.marks_in(text):
            found += marks
            numbers.add(one.number)
    return found, numbers
