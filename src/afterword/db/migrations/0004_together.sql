-- Calls that arrive together in one web process, done by one statement with one commit: see db/batching.py.
--
-- p_items is a JSON array of objects, one for each call, with the parameters of the function for one call and the
-- call's number in 'item'. A row comes back for each number. Calls without a row are to be run by themselves.
--
-- Callers are strangers to one another, so none may hold up the rest: nothing in here waits longer than the
-- lock_timeout below, which is shorter than deadlock_timeout. Then the whole batch is undone and each runs by itself.
-- Rows are locked in the same order by all batches, so that they seldom have to wait at all.

create function api_gate_many(p_items json)
returns table (
    item integer, org_id text, key_id text, scopes text[], plan text, max_calls integer, remaining integer,
    reset_at bigint, allowed boolean
)
language plpgsql set lock_timeout = '100ms' as $$
begin
    return query
    select i.item, g.*
    from (
        select c.*
        from json_to_recordset(p_items) c (item integer, hash bytea, essentials integer, growth integer, enterprise integer)
        order by (select d.org_id from directory_keys d where d.hash = c.hash), c.item
    ) i, api_gate(i.hash, i.essentials, i.growth, i.enterprise) g;
end
$$;

create function request_interview_many(p_items json)
returns table (
    item integer, outcome text, interview_id bigint, seed bytea, token_hash bytea, answer jsonb, schedule jsonb
)
language plpgsql set lock_timeout = '100ms' as $$
begin
    return query
    select i.item, r.*
    from (
        select c.*
        from json_to_recordset(p_items) c (
            item integer, org_id text, contact_id text, email text, email_key text, name text, notes text,
            sequence_id text, type_id text, deal_id text, objective text, seed bytea, token_hash bytea,
            addresses bytea[], enrollment_id text, event_id text, revision bigint, first_send timestamptz,
            route text, key text, fingerprint bytea)
        -- an Idempotency-Key whose first call is still running is waited for, but not in here
        where c.key is null
            or pg_try_advisory_xact_lock(hashtextextended(c.org_id || ' ' || c.route || ' ' || c.key, 0))
        order by c.org_id collate "C", c.email_key collate "C", c.item
    ) i, request_interview(
        i.org_id, i.contact_id, i.email, i.email_key, i.name, i.notes, i.sequence_id, i.type_id, i.deal_id,
        i.objective, i.seed, i.token_hash, i.addresses, i.enrollment_id, i.event_id, i.revision, i.first_send,
        i.route, i.key, i.fingerprint) r;
end
$$;
