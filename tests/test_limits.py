"""What one contact and one client address may use up: exact under concurrency, each a setting, 0 switches it off."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import psycopg
import pytest

from afterword import paige, tokens
from afterword.db import Db
from afterword.errors import AfterwordError, BadRequest, NotFound, RateLimited
from afterword.interviews import conversation, limits
from afterword.settings import Settings
from tests.conftest import Api, Tenant
from tests.page_forms import Visitor

HOME, OFFICE = "203.0.113.7", "198.51.100.9"
PRICE = "The price was too high, and Globex had the better integration with our warehouse, as the pilot in May showed."


async def links(api: Api, acme: Tenant, number: int) -> list[str]:
    """The tokens of so many fresh interviews."""
    asked = [
        await api.post(
            "/interviews", {"contact_email": f"person{one}@initech.example", "interview_type_id": acme.type_id}
        )
        for one in range(number)
    ]
    return [answer.json()["survey_token"] for answer in asked]


async def begin(db: Db, token: str, address: str) -> str | RateLimited:
    """The interview's phase after consent from this address, or the refusal."""
    try:
        return (await conversation.consent(db, token, "I agree.", address=address)).phase
    except RateLimited as refused:
        return refused


# New interviews from one address -----------------------------------------------------------------------------------


async def test_of_many_starts_at_once_from_one_address_exactly_the_limit_begins(
    api: Api, acme: Tenant, db: Db, database_url: str, configure: Callable[..., Settings]
):
    configure(survey_starts_per_hour=5)
    tokens_ = await links(api, acme, 12)

    answers = await asyncio.gather(*(begin(db, token, HOME) for token in tokens_))

    refused = [answer for answer in answers if isinstance(answer, RateLimited)]
    assert (answers.count("asking"), len(refused)) == (5, 7)
    assert all(3500 < int(error.headers["Retry-After"]) <= 3600 for error in refused)
    assert "60 minutes" in refused[0].message
    phases = [(await conversation.enter(db, token)).phase for token in tokens_]
    assert (phases.count("asking"), phases.count("new")) == (5, 7)
    with psycopg.connect(database_url) as conn:
        assert conn.execute("select what, count from address_counters").fetchall() == [("start", 5)]


async def test_another_address_and_the_next_hour_are_not_held_to_it(
    api: Api, acme: Tenant, db: Db, database_url: str, configure: Callable[..., Settings]
):
    configure(survey_starts_per_hour=1)
    one, two, three, four = await links(api, acme, 4)
    assert await begin(db, one, HOME) == "asking"
    assert isinstance(await begin(db, two, HOME), RateLimited)

    assert await begin(db, two, OFFICE) == "asking"
    assert isinstance(await begin(db, three, OFFICE), RateLimited)
    with psycopg.connect(database_url) as conn:
        conn.execute("update address_counters set opened_at = opened_at - interval '61 minutes'")
    assert await begin(db, three, HOME) == "asking"
    assert isinstance(await begin(db, four, HOME), RateLimited)


async def test_agreeing_twice_or_coming_back_is_one_start(
    api: Api, acme: Tenant, db: Db, configure: Callable[..., Settings]
):
    configure(survey_starts_per_hour=1)
    [token] = await links(api, acme, 1)

    assert [await begin(db, token, HOME) for _ in range(3)] == ["asking"] * 3


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("203.0.113.7", "203.0.113.8", False),
        ("a name", "a name", True),
        ("::ffff:203.0.113.7", "::ffff:198.51.100.9", False),
        ("::ffff:203.0.113.7", "203.0.113.7", True),
    ],
)
def test_an_ipv6_network_counts_as_one_address(configure: Callable[..., Settings], first: str, second: str, same: bool):
    configure()
    assert (limits.hashed(first) == limits.hashed(second)) is same
    assert first.encode() not in limits.hashed(first)


async def test_no_start_is_counted_when_the_limit_is_off_or_no_address_is_known(
    api: Api, acme: Tenant, db: Db, database_url: str, configure: Callable[..., Settings]
):
    one, two, three = await links(api, acme, 3)
    configure(survey_starts_per_hour=0)
    assert [await begin(db, one, HOME), await begin(db, two, HOME)] == ["asking"] * 2
    configure(survey_starts_per_hour=1)
    assert await begin(db, three, "") == "asking"
    with psycopg.connect(database_url) as conn:
        assert conn.execute("select count(*) from address_counters").fetchone() == (0,)


async def test_windows_that_have_ended_are_forgotten_and_others_are_not(
    api: Api, acme: Tenant, db: Db, database_url: str, configure: Callable[..., Settings]
):
    configure(survey_starts_per_hour=10)
    one, two = await links(api, acme, 2)
    await begin(db, one, HOME)
    with psycopg.connect(database_url) as conn:
        conn.execute("update address_counters set opened_at = opened_at - interval '61 minutes'")
    await begin(db, two, OFFICE)

    assert await limits.forget_old_counters(db) == 1
    assert await limits.forget_old_counters(db) == 0


# Links that open nothing -------------------------------------------------------------------------------------------


async def guess(db: Db, number: int, address: str = HOME) -> list[type[AfterwordError]]:
    met: list[type[AfterwordError]] = []
    for one in range(number):
        try:
            await conversation.enter(db, tokens.survey_token(one.to_bytes(16)), address=address)
        except AfterwordError as error:
            met.append(type(error))
    return met


async def test_whoever_guesses_links_is_told_to_wait(
    api: Api, acme: Tenant, db: Db, configure: Callable[..., Settings]
):
    configure(survey_unknown_tokens_per_minute=3)
    [token] = await links(api, acme, 1)

    assert await guess(db, 5) == [NotFound] * 3 + [RateLimited] * 2

    with pytest.raises(RateLimited) as refused:
        await conversation.consent(db, "tok_of_nobody", "I agree.", address=HOME)
    assert 0 < int(refused.value.headers["Retry-After"]) <= 60
    assert await guess(db, 1, OFFICE) == [NotFound]
    assert (await conversation.enter(db, token, address=HOME)).phase == "new"


async def test_guesses_are_free_when_the_limit_is_off(db: Db, configure: Callable[..., Settings]):
    configure(survey_unknown_tokens_per_minute=0)
    assert await guess(db, 50) == [NotFound] * 50


# Messages ----------------------------------------------------------------------------------------------------------


@pytest.fixture
async def jane(api: Api, acme: Tenant, web: httpx.AsyncClient) -> Visitor:
    """Jane, with her link."""
    [token] = await links(api, acme, 1)
    return Visitor(web, token)


async def test_one_message_too_many_is_refused_with_the_text_kept_and_the_ways_out_open(
    jane: Visitor, db: Db, configure: Callable[..., Settings]
):
    configure(survey_messages=2)
    await jane.do("consent")
    for _ in range(2):
        await jane.do("answer", text=PRICE)

    refused = await jane.send(await jane.fields("answer", text="A third thing that I typed."))

    assert refused.status_code == 429
    assert "Retry-After" not in refused.headers  # waiting makes no room
    assert "A third thing that I typed." in refused.text
    assert len((await conversation.enter(db, jane.token)).turns) == 5
    await jane.do("skip")
    await jane.do("stop")
    assert (await conversation.enter(db, jane.token)).phase == "stopped"


@pytest.mark.parametrize(("limit", "taken"), [(20, False), (0, True)])
async def test_a_message_may_be_as_long_as_the_setting_says(
    jane: Visitor, db: Db, configure: Callable[..., Settings], limit: int, taken: bool
):
    configure(survey_message_characters=limit)
    visit = await conversation.consent(db, jane.token, "I agree.")
    answer: dict[str, Any] = {"turn_no": visit.turn_no, "client_id": "one", "answer": paige.Answer(text="x" * 21)}

    if taken:
        assert len((await conversation.take_turn(db, jane.token, **answer)).turns) == 3
    else:
        with pytest.raises(BadRequest, match="at most 20 characters, yours has 21"):
            await conversation.take_turn(db, jane.token, **answer)


async def test_any_number_of_messages_is_taken_when_the_limit_is_off(jane: Visitor, configure: Callable[..., Settings]):
    configure(survey_messages=0)
    await jane.walk(PRICE)
    assert "Thank you" in (await jane.open()).text
