-- Every tenant table's keys begin with org_id; foreign keys between tenant tables carry it too, so that a row of
-- one organization cannot point at another's. Ids are made by us and sorted byte-wise, hence collate "C".

-- The one clock of the database side: leases, windows, limits. Tests replace its body together with clock.py's offset.
create function clock_now() returns timestamptz language sql stable as 'select now()';

-- accounts ------------------------------------------------------------------------------------------------------

create table organizations (
    id text collate "C" primary key,
    name text not null,
    plan text not null check (plan in ('essentials', 'growth', 'enterprise')),
    interviewer_name text not null default 'Paige',
    consent_text text not null default '',
    created_at timestamptz not null default clock_now()
);

create table api_keys (
    org_id text collate "C" not null references organizations on delete cascade,
    id text collate "C" not null,
    name text not null,
    scopes text[] not null,
    hash bytea not null,
    last_four text not null,
    expires_at timestamptz,
    revoked_at timestamptz,
    last_used_at timestamptz,
    created_at timestamptz not null default clock_now(),
    primary key (org_id, id)
);

-- Which secret the links in here follow from: a server with another one must not start on them.
create table installation (
    only_one boolean primary key default true check (only_one),
    secret_fingerprint bytea not null
);

-- hash of a key -> whose it is: one of the two look-ups that do not know the organization yet
create table directory_keys (
    hash bytea primary key,
    org_id text collate "C" not null,
    id text collate "C" not null,
    foreign key (org_id, id) references api_keys on delete cascade
);

-- hash of a survey or unsubscribe token -> what it opens
create table directory_tokens (
    hash bytea primary key,
    purpose text not null check (purpose in ('survey', 'unsubscribe')),
    org_id text collate "C" not null,
    id text collate "C" not null
);

-- Lost in a crash of the database, on purpose: a window then starts anew, and a call costs no log write.
create unlogged table rate_counters (
    org_id text collate "C" primary key,
    opened_at timestamptz not null,
    calls integer not null
) with (fillfactor = 20);

create table idempotency (
    org_id text collate "C" not null,
    route text not null,
    key text collate "C" not null,
    fingerprint bytea not null,
    status integer not null,
    answer json not null,
    interview_id bigint,
    created_at timestamptz not null default clock_now(),
    primary key (org_id, route, key)
);
create index idempotency_by_age on idempotency (created_at);

-- contacts, deals -------------------------------------------------------------------------------------------------

create table contacts (
    org_id text collate "C" not null,
    id text collate "C" not null,
    email text not null,
    email_key text collate "C" not null,
    name text,
    notes text not null default '',
    time_zone text,
    language text,
    created_at timestamptz not null default clock_now(),
    updated_at timestamptz not null default clock_now(),
    primary key (org_id, id),
    constraint contacts_email unique (org_id, email_key)
);

create table contact_notes (
    org_id text collate "C" not null,
    contact_id text collate "C" not null,
    id bigint generated always as identity,
    notes text not null,
    replaced_at timestamptz not null default clock_now(),
    primary key (org_id, contact_id, id),
    foreign key (org_id, contact_id) references contacts on delete cascade
);

-- No foreign key to contacts: a person who said no and was erased is still not mailed.
create table suppressions (
    org_id text collate "C" not null,
    address bytea not null,
    reason text not null check (reason in ('unsubscribed', 'hard_bounce', 'complaint', 'manual')),
    source text not null,
    at timestamptz not null default clock_now(),
    lifted_at timestamptz,
    primary key (org_id, address)
);

create table deals (
    org_id text collate "C" not null,
    id text collate "C" not null,
    name text not null,
    amount numeric,
    status text,
    status_id text,
    previous_status_id text,
    close_date date,
    type text,
    region text,
    industry text,
    owner_id text,
    client_name text,
    website_url text,
    salesforce_id text,
    hubspot_id text,
    external_id text,
    summary text,
    internal_notes text not null default '',
    deal_analyzed boolean not null default false,
    analysis_verified boolean not null default false,
    custom jsonb not null default '{}',
    created_at timestamptz not null default clock_now(),
    updated_at timestamptz not null default clock_now(),
    primary key (org_id, id),
    constraint deals_salesforce_id unique (org_id, salesforce_id),
    constraint deals_hubspot_id unique (org_id, hubspot_id),
    constraint deals_external_id unique (org_id, external_id)
);
create index deals_by_age on deals (org_id, created_at desc, id desc);

create table deal_competitors (
    org_id text collate "C" not null,
    deal_id text collate "C" not null,
    position integer not null,
    name text not null,
    is_primary boolean not null default false,
    is_incumbent boolean not null default false,
    outcome text,
    primary key (org_id, deal_id, position),
    foreign key (org_id, deal_id) references deals on delete cascade
);

-- interview types -----------------------------------------------------------------------------------------------

create table interview_types (
    org_id text collate "C" not null,
    id text collate "C" not null,
    slug text not null,
    name text not null,
    language text not null,
    internal boolean not null,
    minutes integer not null,
    version integer not null,
    created_at timestamptz not null default clock_now(),
    primary key (org_id, id),
    constraint interview_types_slug unique (org_id, slug)
);

create table guide_versions (
    org_id text collate "C" not null,
    interview_type_id text collate "C" not null,
    version integer not null,
    guide json not null,
    created_at timestamptz not null default clock_now(),
    primary key (org_id, interview_type_id, version),
    foreign key (org_id, interview_type_id) references interview_types on delete cascade
);

-- outreach: what is sent ----------------------------------------------------------------------------------------

create table sequences (
    org_id text collate "C" not null,
    id text collate "C" not null,
    name text not null,
    enabled boolean not null,
    interview_type_id text collate "C" not null,
    sender_name text not null default '',
    sender_address text not null default '',
    reply_to text,
    time_zone text not null default 'UTC',
    send_window json,
    holidays date[] not null default '{}',
    approval boolean not null default false,
    throttle_per_minute integer check (throttle_per_minute > 0),
    throttle_per_day integer check (throttle_per_day > 0),
    incentive text not null default '',
    postal_address text not null default '',
    -- the wait before the first mail where no window, holiday or business day has a say; else null
    first_wait interval,
    revision bigint not null default 1,
    created_at timestamptz not null default clock_now(),
    updated_at timestamptz not null default clock_now(),
    primary key (org_id, id),
    foreign key (org_id, interview_type_id) references interview_types
);

create table steps (
    org_id text collate "C" not null,
    sequence_id text collate "C" not null,
    position integer not null check (position >= 1),
    delay_unit text not null check (delay_unit in ('minutes', 'hours', 'business_days')),
    delay_count integer not null check (delay_count >= 0),
    subject text not null,
    body text not null,
    primary key (org_id, sequence_id, position),
    foreign key (org_id, sequence_id) references sequences on delete cascade
);

-- interviews ----------------------------------------------------------------------------------------------------

create table interviews (
    org_id text collate "C" not null,
    id bigint generated always as identity,
    contact_id text collate "C" not null,
    deal_id text collate "C",
    interview_type_id text collate "C" not null,
    sequence_id text collate "C",
    objective text not null default '',
    -- the API's word; it only ever moves to the right
    status text not null check (status in ('created', 'sent', 'completed')),
    -- where the conversation is, in our own words
    phase text not null default 'new'
        check (phase in ('new', 'consented', 'asking', 'recap', 'experience', 'paused', 'done', 'stopped', 'declined', 'withdrawn')),
    seed bytea not null,
    token_hash bytea not null,
    outreach_stop_reason text,
    guide_version integer,
    state json,
    turn_no integer not null default 0,
    reply_due_at timestamptz,
    consent_at timestamptz,
    consent_text text,
    email_sent_at timestamptz,
    started_at timestamptz,
    answered_at timestamptz,
    completed_at timestamptz,
    withdrawn_at timestamptz,
    ended_by text check (ended_by in ('finished', 'stopped', 'safety', 'expired')),
    experience json,
    created_at timestamptz not null default clock_now(),
    updated_at timestamptz not null default clock_now(),
    primary key (org_id, id),
    constraint interviews_contact foreign key (org_id, contact_id) references contacts on delete cascade,
    constraint interviews_deal foreign key (org_id, deal_id) references deals on delete set null (deal_id)
);
create index interviews_by_contact on interviews (org_id, contact_id, id desc);
create index interviews_by_deal on interviews (org_id, deal_id) where deal_id is not null;
create index interviews_awaiting_reply on interviews (reply_due_at) where reply_due_at is not null;
create index interviews_unfinished on interviews (answered_at) where answered_at is not null and completed_at is null;

create table turns (
    org_id text collate "C" not null,
    interview_id bigint not null,
    turn_no integer not null,
    role text not null check (role in ('interviewer', 'contact')),
    action text not null,
    text text not null,
    client_id text,
    origin text,
    events json not null default '[]',
    created_at timestamptz not null default clock_now(),
    primary key (org_id, interview_id, turn_no),
    constraint turns_client_id unique (org_id, interview_id, client_id),
    foreign key (org_id, interview_id) references interviews on delete cascade
);

create table documents (
    org_id text collate "C" not null,
    id text collate "C" not null,
    interview_id bigint not null,
    content text not null,
    created_at timestamptz not null default clock_now(),
    primary key (org_id, id),
    constraint documents_interview unique (org_id, interview_id),
    foreign key (org_id, interview_id) references interviews on delete cascade
);

-- outreach: to whom, when ---------------------------------------------------------------------------------------

create table enrollments (
    org_id text collate "C" not null,
    id text collate "C" not null,
    sequence_id text collate "C" not null,
    contact_id text collate "C" not null,
    interview_id bigint not null,
    state text not null default 'live' check (state in ('live', 'stopped', 'finished')),
    stop_reason text,
    -- the position of the step that goes next
    step integer not null default 1,
    next_send_at timestamptz not null,
    -- when the step before this one left, or when the contact was enrolled: what the next delay counts from
    waits_since timestamptz not null default clock_now(),
    approved_at timestamptz,
    claimed_by text,
    claimed_until timestamptz,
    attempt integer not null default 0,
    created_at timestamptz not null default clock_now(),
    updated_at timestamptz not null default clock_now(),
    primary key (org_id, id),
    foreign key (org_id, interview_id) references interviews on delete cascade,
    foreign key (org_id, sequence_id) references sequences on delete cascade
);
create unique index enrollments_one_live on enrollments (org_id, sequence_id, contact_id) where state = 'live';
create index enrollments_by_interview on enrollments (org_id, interview_id);
create index enrollments_due on enrollments (next_send_at) where state = 'live';

create table messages (
    org_id text collate "C" not null,
    id text collate "C" not null,
    enrollment_id text collate "C" not null,
    interview_id bigint not null,
    step integer not null,
    state text not null check (state in ('claimed', 'data_started', 'accepted', 'captured', 'refused', 'failed', 'unknown', 'dropped')),
    message_id text not null,
    sender text not null,
    recipient text not null,
    -- the recipient as suppressions know it, so that an opt-out finds what is under way
    address bytea not null,
    subject text not null,
    -- the final bytes, sealed: at rest nobody reads a link out of a mail
    sealed bytea not null,
    claimed_by text not null,
    attempt integer not null,
    -- when it was last taken up: what a sender's throttle counts
    tried_at timestamptz not null default clock_now(),
    -- how often the mail server asked to come back later, and how often nobody knows whether it took the mail
    failures integer not null default 0,
    unknowns integer not null default 0,
    reply_code integer,
    enhanced_code text,
    reply_text text,
    queue_id text,
    created_at timestamptz not null default clock_now(),
    data_started_at timestamptz,
    sent_at timestamptz,
    primary key (org_id, id),
    constraint messages_step unique (org_id, enrollment_id, step, message_id),
    foreign key (org_id, enrollment_id) references enrollments on delete cascade,
    foreign key (org_id, interview_id) references interviews on delete cascade
);
create index messages_by_age on messages (org_id, created_at desc);
create index messages_by_sender on messages (org_id, sender, tried_at);
create index messages_by_address on messages (org_id, address);
create index messages_by_interview on messages (org_id, interview_id);

-- webhooks ------------------------------------------------------------------------------------------------------

create table events (
    org_id text collate "C" not null,
    id text collate "C" not null,
    type text not null,
    payload jsonb not null,
    interview_id bigint,
    contact_id text collate "C",
    created_at timestamptz not null default clock_now(),
    primary key (org_id, id),
    foreign key (org_id, interview_id) references interviews on delete cascade,
    foreign key (org_id, contact_id) references contacts on delete cascade
);

alter table idempotency add foreign key (org_id, interview_id) references interviews on delete cascade;
