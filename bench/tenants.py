"""The organizations that call, and the calls they make: the same for every contestant.

Ids follow from an organization's number, so that no contestant has to look anything up to make a request.
"""

import itertools
import json
import random
import uuid
from collections.abc import Iterator
from typing import Literal

import psycopg

from afterword import tokens

Kind = Literal["link", "sequence"]
KINDS: tuple[Kind, ...] = ("link", "sequence")

COUNT = 2000
FAMILIAR = 5  # contacts of each organization that are asked again and again
REPEATS = 5  # one call of so many goes to one of those
NAME = "Jane Smith"
OBJECTIVE = "Understand why we lost this deal to Competitor X"
STAGES = ("Discovery", "POC completed", "Negotiation", "Decision made")

_SEED = """
insert into organizations (id, name, plan)
select 'org_' || lpad(n::text, 26, '0'), 'Organization ' || n, 'enterprise' from generate_series(1, %(count)s) n;

insert into interview_types (org_id, id, slug, name, language, internal, minutes, version)
select 'org_' || lpad(n::text, 26, '0'), 'type_' || lpad(n::text, 26, '0'), 'won', 'Won', 'en', false, 12, 1
from generate_series(1, %(count)s) n;

insert into guide_versions (org_id, interview_type_id, version, guide)
select t.org_id, t.id, 1, '{}' from interview_types t;  -- read when an interview starts, not when it is asked for

insert into sequences (org_id, id, name, enabled, interview_type_id, sender_name, sender_address, first_wait)
select t.org_id, 'seq_' || right(t.id, 26), 'Sends at once', true, t.id, 'Sam', 'sam@example.com', interval '0'
from interview_types t;

insert into steps (org_id, sequence_id, position, delay_unit, delay_count, subject, body)
select s.org_id, s.id, position, 'business_days', delay, 'A few questions', 'Dear {name}, {link}'
from sequences s, unnest(array[0, 3, 5]) with ordinality step (delay, position);

insert into deals (org_id, id, name, client_name, status)
select t.org_id, 'deal_' || right(t.id, 26), 'Platform renewal', 'Initech', 'lost' from interview_types t;
"""

# A database that has been in use: every familiar contact was asked once, by the sequence. Without it PostgreSQL would
# plan for empty tables, and keep those plans in the sessions while the tables grow.
_HISTORY = """
insert into contacts (org_id, id, email, email_key, name, notes)
select t.org_id, 'contact_' || lpad(who::text, 26, '0'), 'person' || who || '@example.com',
    'person' || who || '@example.com', %(name)s, %(notes)s
from interview_types t, generate_series(1, %(familiar)s) who;

insert into interviews (
    org_id, contact_id, deal_id, interview_type_id, sequence_id, objective, status, seed, token_hash)
select c.org_id, c.id, 'deal_' || right(c.org_id, 26), 'type_' || right(c.org_id, 26), 'seq_' || right(c.org_id, 26),
    %(objective)s, 'sent', uuid_send(gen_random_uuid()), sha256(uuid_send(gen_random_uuid()))
from contacts c;

insert into directory_tokens (hash, purpose, org_id, id) select token_hash, 'survey', org_id, id::text from interviews;

insert into enrollments (org_id, id, sequence_id, contact_id, interview_id, next_send_at)
select org_id, 'enr_' || lpad(id::text, 26, '0'), sequence_id, contact_id, id, clock_now() from interviews;

insert into events (org_id, id, type, payload, interview_id, contact_id)
select org_id, 'evt_' || lpad(id::text, 26, '0'), 'interview.requested', jsonb_build_object('interview_request_id', id),
    id, contact_id
from interviews;

insert into idempotency (org_id, route, key, fingerprint, status, answer, interview_id)
select org_id, 'POST /api/v1/interviews', gen_random_uuid()::text, sha256(token_hash), 201, '{}', id from interviews;

insert into contact_notes (org_id, contact_id, notes) select org_id, id, notes from contacts;

insert into suppressions (org_id, address, reason, source)
select org_id, sha256(token_hash), 'unsubscribed', 'bench' from interviews;
"""

_KEYS = """
insert into api_keys (org_id, id, name, scopes, hash, last_four)
select 'org_' || lpad(n::text, 26, '0'), 'key_' || lpad(n::text, 26, '0'), 'Bench',
    '{interviews:read,interviews:write,contacts:read,contacts:write,deals:read,deals:write,admin}', hash, 'last'
from unnest(%(hashes)s::bytea[]) with ordinality k (hash, n);
"""


def create(url: str) -> list[str]:
    """Fill an empty, migrated database; the API key of each organization, in their order."""
    keys = [tokens.new_api_key() for _ in range(COUNT)]
    with psycopg.connect(url, cursor_factory=psycopg.ClientCursor) as connection:
        connection.execute(_SEED, {"count": COUNT})
        connection.execute(
            _HISTORY,
            {
                "familiar": FAMILIAR,
                "name": NAME,
                "notes": json.dumps(context(STAGES[0]), indent=2),
                "objective": OBJECTIVE,
            },
        )
        connection.execute(_KEYS, {"hashes": [tokens.digest(key) for key in keys]})
        connection.execute("insert into directory_keys (hash, org_id, id) select hash, org_id, id from api_keys")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("vacuum analyze")
    return keys


def calls(keys: list[str], kind: Kind, ready: int) -> Iterator[bytes]:
    """HTTP requests without end, `ready` of them made now. Each comes from an organization taken at random."""
    made = [_call(keys, kind) for _ in range(ready)]
    return itertools.chain(made, (_call(keys, kind) for _ in itertools.count()))


def _call(keys: list[str], kind: Kind) -> bytes:
    number = random.randint(1, COUNT)
    id_ = f"{number:026}"
    who = random.randint(1, FAMILIAR) if random.randint(1, REPEATS) == 1 else random.randint(FAMILIAR, 10**12)
    body = {
        "contact_email": f"person{who}@example.com",
        **({"interview_type_id": f"type_{id_}"} if kind == "link" else {"sequence_id": f"seq_{id_}"}),
        "contact_name": NAME,
        "contact_context": context(random.choice(STAGES)),
        "deal_id": f"deal_{id_}",
        "objective": OBJECTIVE,
    }
    payload = json.dumps(body).encode()
    head = (
        "POST /api/v1/interviews HTTP/1.1\r\n"
        "Host: 127.0.0.1\r\n"
        f"Authorization: Bearer {keys[number - 1]}\r\n"
        f"Idempotency-Key: {uuid.uuid4()}\r\n"
        "Content-Type: application/json\r\n"
        f"Content-Length: {len(payload)}\r\n\r\n"
    )
    return head.encode() + payload


def context(stage: str) -> dict[str, str]:
    """What a caller tells about a contact."""
    return {
        "title": "VP of Engineering",
        "use_case": "Evaluating us for CI/CD pipeline automation",
        "evaluation_stage": stage,
    }
