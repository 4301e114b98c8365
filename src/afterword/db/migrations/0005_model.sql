-- The interviewer with a language model: whose model, what it may cost, what it was asked; and limits of the public page.

alter table organizations
    -- whether a contact's notes stand in each prompt, or only in the planner's
    add column context_mode text not null default 'direct' check (context_mode in ('direct', 'planned')),
    -- who is told when a person should look; and what a contact in distress is told beside
    add column alert_email text,
    add column support_text text not null default '',
    -- the organization's own model, overriding the server's: {provider, url, name, input_price, output_price}
    add column model json,
    add column model_key bytea,  -- sealed
    -- US dollars; null = the server's setting
    add column model_daily_cap numeric check (model_daily_cap >= 0),
    add column model_monthly_cap numeric check (model_monthly_cap >= 0);

-- What an organization's model has cost, by day in UTC. A call reserves its likely cost first and settles it after.
create table model_usage (
    org_id text collate "C" not null references organizations on delete cascade,
    day date not null,
    calls integer not null default 0,
    input_tokens bigint not null default 0,
    output_tokens bigint not null default 0,
    cost numeric not null default 0,
    primary key (org_id, day)
);

alter table interviews
    -- the language the contact chose; null = the guide's own
    add column language text,
    -- whether what the contact agreed to said that a language model may read the answers
    add column model_agreed boolean not null default false,
    -- whom the wrong person named instead, before the interview began
    add column referral text,
    -- tokens of this interview's calls beyond the fixed background block
    add column model_tokens integer not null default 0,
    -- the planner's result (`planned` only), a digest of what it was made from or last tried with, and how often;
    -- when it may be tried next, and up to when changes of its inputs have been seen
    add column plan json,
    add column plan_inputs text,
    add column plan_attempts integer not null default 0,
    add column plan_due_at timestamptz,
    add column plan_checked_at timestamptz,
    -- the bucket of model turns: how many were left, and when that was
    add column bucket_left real,
    add column bucket_at timestamptz,
    -- one generation in flight
    add column generating_until timestamptz;

-- What the planner's sweep goes through: only organizations in `planned`, and of these only what has not begun.
create index organizations_planned on organizations (id) where context_mode = 'planned';
create index interviews_new on interviews (org_id, plan_checked_at nulls first, id) where phase = 'new';

-- How many model turns are in a bucket that held `p_left` at `p_at`, refilled by the minute, at most `p_size`.
create function bucket_level(p_left float8, p_at timestamptz, p_size float8, p_refill float8) returns float8
language sql stable as $$
    select least(p_size, coalesce(p_left, p_size)
        + p_refill * greatest(0, extract(epoch from clock_now() - coalesce(p_at, clock_now())))::float8 / 60)
$$;

-- The exact prompt of each turn, for admins; `attempt` 2 is the one regeneration.
create table prompts (
    org_id text collate "C" not null,
    interview_id bigint not null,
    turn_no integer not null,
    attempt integer not null,
    purpose text not null check (purpose in ('turn', 'plan')),
    model text not null,
    messages json not null,
    reply text,
    outcome text not null,
    input_tokens integer not null default 0,
    output_tokens integer not null default 0,
    milliseconds integer not null default 0,
    created_at timestamptz not null default clock_now(),
    primary key (org_id, interview_id, turn_no, purpose, attempt),
    foreign key (org_id, interview_id) references interviews on delete cascade
);
create index prompts_by_age on prompts (created_at);

-- What a person should look at. `key` makes the same thing one alert; details hold ids only.
create table alerts (
    org_id text collate "C" not null references organizations on delete cascade,
    id text collate "C" not null,
    kind text not null,
    key text collate "C" not null,
    interview_id bigint,
    details jsonb not null default '{}',
    created_at timestamptz not null default clock_now(),
    -- when the mail about it is tried next; a try holds it off for a while, so that another worker does not send it too
    mail_at timestamptz not null default clock_now(),
    mailed_at timestamptz,
    primary key (org_id, id),
    constraint alerts_once unique (org_id, key),
    foreign key (org_id, interview_id) references interviews on delete cascade
);
create index alerts_unmailed on alerts (created_at) where mailed_at is null;

-- New interviews from one address in the present hour. A keyed hash of the address; lost in a crash, on purpose.
create unlogged table address_counters (
    address bytea not null,
    what text not null,
    opened_at timestamptz not null,
    count integer not null,
    primary key (address, what)
);
create index address_counters_by_age on address_counters (opened_at);
