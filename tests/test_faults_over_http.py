"""The short form of the evaluations over HTTP: five faults with one respondent, and an inventory of a few prompts."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from evals import application, faults, inventory, plain_judge
from evals.application import SCALE, Application
from evals.fake_model import FakeModel
from evals.findings import Findings
from evals.over_http import Trial, hold

FAULTS = ("F03", "F05/late", "F07/30s", "F14/plain", "F21")


@pytest.fixture
async def fake() -> AsyncGenerator[FakeModel]:
    async with FakeModel.serving(plain_judge.reply, faults.play, scale=SCALE) as server:
        yield server


@pytest.fixture
async def app(database_url: str, tmp_path: Path) -> AsyncGenerator[Application]:
    async with application.serving(database_url, tmp_path, worker=True) as application_:
        yield application_


def broken(figures: Findings) -> list[str]:
    """The gates that do not hold, with an example each."""
    return [f"{gate.name}: {gate.got} {gate.examples[:1]}" for gate in figures.gates if not gate.held]


async def test_interviews_end_well_whatever_the_model_does(app: Application, fake: FakeModel) -> None:
    trial = Trial(app, fake)

    figures = await hold(trial, FAULTS, personas=["P01"])

    assert broken(figures) == []
    assert [result.calls > 0 for result in trial.results] == [True] * len(FAULTS)
    assert app.complaints() == []


async def test_prompts_hold_what_they_should_and_nothing_else(app: Application, fake: FakeModel) -> None:
    figures = await inventory.take(app, fake, 6)

    assert broken(figures) == []
