-- The door of every authenticated call, in one statement that commits by itself: look the key up, check that it is
-- valid now, count the call. A call that is refused later stays counted.
--
-- The window is fixed: it opens with the first call after the last one ended, and lasts 60 seconds. The row lock of the
-- counter decides under concurrency, so of any number of calls exactly the limit passes.
create function api_gate(p_hash bytea, p_essentials integer, p_growth integer, p_enterprise integer)
returns table (
    org_id text, key_id text, scopes text[], plan text, max_calls integer, remaining integer, reset_at bigint, allowed boolean
)
language plpgsql as $$
declare
    v_now timestamptz := clock_now();
    v_used timestamptz;
    v_opened timestamptz;
    v_calls integer;
begin
    select k.org_id, k.id, k.scopes, o.plan, k.last_used_at
    into org_id, key_id, scopes, plan, v_used
    from directory_keys d
    join api_keys k on k.org_id = d.org_id and k.id = d.id
    join organizations o on o.id = d.org_id
    where d.hash = p_hash and k.revoked_at is null and (k.expires_at is null or k.expires_at > v_now);
    if not found then
        return;
    end if;

    max_calls := case plan when 'essentials' then p_essentials when 'growth' then p_growth else p_enterprise end;

    insert into rate_counters as r (org_id, opened_at, calls) values (api_gate.org_id, v_now, 1)
    on conflict on constraint rate_counters_pkey do update
    set opened_at = case when r.opened_at <= v_now - interval '60 seconds' then v_now else r.opened_at end,
        calls = case when r.opened_at <= v_now - interval '60 seconds' then 1 else r.calls + 1 end
    where r.calls < api_gate.max_calls or r.opened_at <= v_now - interval '60 seconds'
    returning r.opened_at, r.calls into v_opened, v_calls;
    allowed := found;
    if not allowed then
        select r.opened_at, r.calls into v_opened, v_calls from rate_counters r where r.org_id = api_gate.org_id;
    end if;

    remaining := greatest(max_calls - v_calls, 0);
    reset_at := ceil(extract(epoch from v_opened + interval '60 seconds'));

    -- worth a log write once a minute, not once a call
    if allowed and (v_used is null or v_used < v_now - interval '60 seconds') then
        update api_keys k set last_used_at = v_now where k.org_id = api_gate.org_id and k.id = api_gate.key_id;
    end if;
    return next;
end
$$;
