"""Two choices of the contact: to say that somebody else would be right, and to have it short."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from afterword.db import Db
from afterword.settings import Settings
from tests.conftest import Api, Tenant
from tests.model_server import serving
from tests.page_forms import Visitor
from tests.test_survey import PRICE, stored, turns


@pytest.fixture
async def interview(api: Api, acme: Tenant) -> dict[str, Any]:
    """A fresh interview of Acme's with Jane."""
    answer = await api.post("/interviews", {"contact_email": "jane@x.example", "interview_type_id": acme.type_id})
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.fixture
def jane(web: httpx.AsyncClient, interview: dict[str, Any]) -> Visitor:
    """Jane, with her link."""
    return Visitor(web, interview["survey_token"])


@pytest.mark.parametrize("text", ["", "Head of purchasing"])
async def test_the_wrong_person_is_heard_in_the_middle_too(
    db: Db,
    interview: dict[str, Any],
    jane: Visitor,
    text: str,
):
    await jane.do("consent")

    await jane.do("wrong_person", text=text)

    said = (await turns(db, interview))[-1]
    assert (said["action"], said["text"]) == ("wrong_person", text)
    if not text:  # then Paige asks once, and goes
        assert "role" in (await jane.open()).text
        await jane.do("answer", text="Head of purchasing")
    assert await jane.way_on() is None
    assert (await stored(db, interview))["outreach_stop_reason"] is not None


async def test_the_short_version_is_shorter(db: Db, interview: dict[str, Any], jane: Visitor):
    assert "about 3 in the short version" in (await jane.open()).text

    await jane.do("consent_short")
    pressed = await jane.walk(PRICE)

    assert (await stored(db, interview))["state"]["short"] is True
    assert len(pressed) <= 9
    assert "Thank you" in (await jane.open()).text


async def test_a_model_that_came_after_the_consent_reads_nothing(
    configure: Callable[..., Settings], interview: dict[str, Any], jane: Visitor
):
    await jane.do("consent")
    async with serving() as model:
        configure(llm_url=model.url, llm_model="fake-model")

        await jane.do("answer", text=PRICE)

        assert model.asked == []
    assert "language model" not in (await jane.open()).text
