"""What a sequence may be: checked when it is saved, with the field named."""

import re
from datetime import date, timedelta
from typing import Any

import pytest

from afterword import outreach
from afterword.db import Db
from afterword.errors import BadRequest
from afterword.outreach import Delay, SendWindow, Step, Throttle
from tests.conftest import Tenant


async def make_sequence(db: Db, tenant: Tenant, **changes: Any) -> str:
    """A sequence that may be switched on, but for `changes`; its id."""
    given: dict[str, Any] = {
        "name": "Test",
        "interview_type_id": tenant.type_id,
        "enabled": True,
        "sender_name": "Dana",
        "sender_address": "dana@acme.example",
        "postal_address": "1 Main Street",
        "steps": [Step(1, Delay("minutes", 0), "Hello", "{link}")],
    }
    async with db.tx() as tx:
        return (await outreach.create(tx, tenant.org_id, **{**given, **changes})).id


async def test_the_shipped_sequences(acme: Tenant, db: Db) -> None:
    async with db.tx() as tx:
        demo = await outreach.get(tx, acme.org_id, acme.sequence_id)
        buyer = await outreach.add_default(tx, acme.org_id, acme.type_id)
        listed = await outreach.find(tx, acme.org_id, limit=10, after=None)

    assert (demo.name, demo.enabled, demo.window, demo.throttle) == ("Demo: sends at once", True, None, None)
    assert [step.delay for step in demo.steps] == [Delay("hours", 0), Delay("hours", 72), Delay("hours", 192)]
    assert (buyer.name, buyer.enabled, buyer.throttle) == ("Win-loss buyer", False, Throttle(30, 400))
    assert buyer.window == (SendWindow(("tue", "wed", "thu"), "09:30", "11:30"),)
    assert [step.delay.count for step in buyer.steps] == [0, 3, 8]
    assert [one.id for one in listed] == [demo.id, buyer.id]


async def test_what_was_posted_is_what_is_listed(acme: Tenant) -> None:
    posted = await acme.api.post(
        "/sequences",
        {
            "name": "Mornings",
            "interview_type_id": acme.type_id,
            "window": [{"days": ["mon"], "from": "09:00", "to": "11:00"}],
            "steps": [{"subject": "Hello", "body": "{link}"}],
        },
    )

    assert posted.status_code == 201, posted.text
    assert posted.json()["window"] == [{"days": ["mon"], "from": "09:00", "to": "11:00"}]
    assert (await acme.api.get("/sequences")).json()["data"][-1] == posted.json()


def _step(**changes: Any) -> Step:
    return Step(**{"position": 1, "delay": Delay("minutes", 0), "subject": "Hello", "body": "{link}", **changes})


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"name": " "}, "name must not be empty"),
    ({"name": "a\nb"}, "name must not contain line breaks"),
    ({"interview_type_id": "type_none"}, "interview_type_id not found"),
    ({"time_zone": "localtime"}, "time_zone 'localtime' is not an IANA time zone"),
    ({"steps": []}, "steps must be 1 to 10"),
    ({"steps": [_step()] * 11}, "steps must be 1 to 10"),
    ({"steps": [_step(subject="")]}, r"steps\[0\]\.subject must not be empty"),
    ({"steps": [_step(), _step(subject="a\r\nBcc: b@c.de")]}, r"steps\[1\]\.subject must not contain line breaks"),
    (
        {"steps": [_step(), _step(body="Hi {firstname}")]},
        r"steps\[1\]\.body has the unknown variable \{firstname\}",
    ),
    ({"steps": [_step(subject="{x}")]}, r"steps\[0\]\.subject has the unknown variable"),
    ({"steps": [_step(body="\n")]}, r"steps\[0\]\.body must not be empty"),
    ({"steps": [_step(body="a\x00b")]}, r"steps\[0\]\.body must not contain control characters"),
    ({"steps": [_step(delay=Delay("hours", -1))]}, r"steps\[0\]\.delay\.count must be 0 to 8,760 hours"),
    ({"time_zone": "Europe/Atlantis"}, "time_zone 'Europe/Atlantis' is not an IANA time zone"),
    ({"time_zone": "../etc/passwd"}, "time_zone"),
    ({"window": []}, "window must have 1 to 50 entries"),
    ({"window": [SendWindow((), "09:00", "10:00")]}, r"window\[0\]\.days must name days"),
    (
        {"window": [SendWindow(("someday",), "09:00", "10:00")]},
        r"window\[0\]\.days must name days .* not 'someday'",
    ),
    ({"window": [SendWindow(("mon",), "9", "10:00")]}, r"window\[0\]\.from '9' is not a time"),
    ({"window": [SendWindow(("mon",), "09:00", "25:00")]}, r"window\[0\]\.to '25:00' is not a time"),
    ({"window": [SendWindow(("mon",), "10:00", "10:00")]}, r"window\[0\]\.to must be later than from"),
    (
        {"window": [SendWindow(("mon",), "09:00", "11:00"), SendWindow(("mon", "tue"), "10:59", "12:00")]},
        "window has entries that overlap",
    ),
    ({"holidays": [date(2026, 1, 1) + timedelta(days=day) for day in range(401)]}, "holidays can have at most"),
    ({"sender_address": "Dana <dana@acme.example>"}, "sender.address is not one plain e-mail address"),
    ({"sender_address": "dana@acme.example\r\nBcc: x@y.example"}, "sender.address must not contain line breaks"),
    ({"sender_address": "jörg@acme.example"}, "sender.address must have only ASCII letters"),
    ({"sender_name": "Dana\nReed"}, "sender.name must not contain line breaks"),
    ({"reply_to": "nobody"}, "sender.reply_to is not one plain e-mail address"),
    ({"throttle": Throttle(0, None)}, "throttle.per_minute must be 1 to"),
    ({"sender_address": ""}, "sender.address is required before a sequence can be enabled"),
    ({"postal_address": ""}, "postal_address is required before a sequence can be enabled"),
    ({"incentive": "a\nb"}, "incentive must not contain line breaks"),
]


async def test_what_a_sequence_may_not_be(acme: Tenant, db: Db) -> None:
    for changes, says in REFUSED:
        with pytest.raises(BadRequest) as refused:
            await make_sequence(db, acme, **changes)
        assert re.match(says, refused.value.message), (changes, refused.value.message)
        assert refused.value.fields[0][0] == refused.value.message.partition(" ")[0]


async def test_another_organizations_interview_type_is_not_found(acme: Tenant, rival: Tenant, db: Db) -> None:
    with pytest.raises(BadRequest, match="interview_type_id not found"):
        await make_sequence(db, acme, interview_type_id=rival.type_id)
