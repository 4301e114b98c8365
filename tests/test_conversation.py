"""What the contact may choose, and how it is kept: language, length, somebody else, numbers nobody asked for."""

from typing import Any

import psycopg
import pytest
import yaml

from afterword import paige
from afterword.db import Db, execute
from afterword.errors import BadRequest
from afterword.interviews import conversation
from tests.conftest import Api, Tenant
from tests.evidence import dump
from tests.paige_two_languages import TEXT
from tests.test_alerts import raised
from tests.test_generation import PRICE, Talk, asked_for, interview, rows

CARD, IBAN = "4111 1111 1111 1111", "DE89 3704 0044 0532 0130 00"


@pytest.fixture
async def bilingual(acme: Tenant) -> dict[str, Any]:
    """An interview by a guide in English and German."""
    made = await acme.api.post("/interview-types", {"name": "Zwei", "guide": yaml.safe_load(TEXT)})
    assert made.status_code == 201, made.text
    return await asked_for(acme, interview_type_id=made.json()["id"])


async def speaks(db: Db, language: str) -> None:
    async with db.tx() as tx:
        await execute(tx, "update contacts set language = %(language)s", language=language)


# Language ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("contacts", "chosen", "spoken"),
    [
        (None, None, "en"),
        ("de", None, "de"),
        ("de-AT", None, "de"),
        ("fr", None, "en"),
        ("de", "en", "en"),
        ("en", "de-CH", "de"),
        ("de", "fr", "de"),
    ],
)
async def test_it_is_held_in_the_language_chosen_else_the_contacts_else_the_guides(
    api: Api, bilingual: dict[str, Any], db: Db, contacts: str | None, chosen: str | None, spoken: str
):
    if contacts:
        await speaks(db, contacts)
    assert (await conversation.enter(db, bilingual["survey_token"])).languages == ("en", "de")

    visit = await conversation.consent(db, bilingual["survey_token"], "I agree.", language=chosen)

    assert visit.language == spoken
    assert visit.state is not None
    assert visit.state.language == spoken
    seen = (await api.get(f"/interviews/{bilingual['interview_request_id']}")).json()
    assert seen["language"] == spoken


async def test_before_consent_the_visit_says_which_language_it_would_be(bilingual: dict[str, Any], db: Db):
    assert (await conversation.enter(db, bilingual["survey_token"])).language == "en"
    await speaks(db, "de")
    assert (await conversation.enter(db, bilingual["survey_token"])).language == "de"


async def test_a_change_of_language_is_kept_and_is_no_answer(bilingual: dict[str, Any], db: Db):
    talk = await Talk.begin(db, bilingual)
    visit = await talk.say("de", action="language")

    assert visit.language == "de"
    row = await interview(talk)
    assert (row["language"], row["started_at"], row["answered_at"]) == ("de", None, None)
    await talk.say("Die Kosten waren zu hoch, weil wir im Mai den zweiten Standort dazu nehmen mussten.")
    await talk.say(action="stop", text="")
    [document] = await rows(db, "select to_jsonb(d) as row from documents d")
    assert "*(changed the language)*" in document["content"]
    assert "** de\n" not in document["content"]


# Length ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("short", [True, False])
async def test_the_short_form_is_remembered(acme: Tenant, db: Db, short: bool):
    asked = await asked_for(acme)
    await conversation.consent(db, asked["survey_token"], "I agree.", short=short)

    assert (await conversation.enter(db, asked["survey_token"])).short is short


# Somebody else -----------------------------------------------------------------------------------------------------


async def test_the_wrong_person_may_say_so_at_any_time(acme: Tenant, db: Db):
    asked = await asked_for(acme, sequence_id=acme.sequence_id)
    talk = await Talk.begin(db, asked)
    await talk.say("", action="wrong_person")
    visit = await talk.say("Ask our head of purchasing.")

    assert visit.phase == "stopped"
    assert [alert.kind for alert in await raised(db)] == ["referral"]
    assert (await interview(talk))["outreach_stop_reason"] == "wrong_person"


async def test_with_a_name_it_is_over_at_once(acme: Tenant, db: Db):
    talk = await Talk.begin(db, await asked_for(acme))
    visit = await talk.say("Our head of purchasing", action="wrong_person")

    assert visit.phase == "stopped"
    assert visit.turns[1].text == "Our head of purchasing"
    seen = (await acme.api.get(f"/interviews/{talk.id}")).json()
    assert [flag["reason"] for flag in seen["flags"]] == ["referral", "referral_given"]


async def test_before_it_began_the_word_is_kept_beside_and_a_person_told(acme: Tenant, db: Db):
    asked = await asked_for(acme)
    visit = await conversation.decline(db, asked["survey_token"], wrong_person=True, referral=f"Our CFO, card {CARD}")

    assert (visit.phase, visit.wrong_person, visit.referral) == ("declined", True, "Our CFO, card •••• •••• •••• 1111")
    assert [alert.kind for alert in await raised(db)] == ["referral"]
    seen = (await acme.api.get(f"/interviews/{asked['interview_request_id']}")).json()
    assert seen["referral"] == visit.referral


async def test_an_action_that_there_is_not_is_refused(acme: Tenant, db: Db):
    talk = await Talk.begin(db, await asked_for(acme))
    with pytest.raises(BadRequest, match="wrong_person, language"):
        await talk.say(PRICE, action="complete")


# Numbers that nobody asked for -------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [CARD, IBAN])
async def test_numbers_of_cards_and_accounts_are_stored_nowhere(acme: Tenant, db: Db, database_url: str, number: str):
    talk = await Talk.begin(db, await asked_for(acme))
    await talk.say(f"{PRICE} We would have paid with {number}, as we always do.")
    await talk.say("", action="stop")

    stored = dump(database_url)
    assert number not in stored
    assert number.replace(" ", "") not in stored
    assert "as we always do" in stored


async def test_what_is_masked_is_masked_for_the_retry_too(acme: Tenant, db: Db, database_url: str):
    talk = await Talk.begin(db, await asked_for(acme))
    answer = {"turn_no": talk.visit.turn_no, "client_id": "one", "answer": paige.Answer(f"It was {CARD}.")}
    for _ in range(2):
        visit = await conversation.take_turn(db, talk.token, **answer)

    assert [turn.text for turn in visit.turns if turn.role == "contact"] == ["It was •••• •••• •••• 1111."]
    with psycopg.connect(database_url) as conn:
        assert conn.execute("select count(*) from turns where role = 'contact'").fetchone() == (1,)
