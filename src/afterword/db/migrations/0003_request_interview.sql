-- A second call with an Idempotency-Key waits here until the first has committed, at most the session's lock_timeout.
create function lock_idempotency_key(p_org text, p_route text, p_key text) returns void
language plpgsql as $$
begin
    perform pg_advisory_xact_lock(hashtextextended(p_org || ' ' || p_route || ' ' || p_key, 0));
end
$$;

-- POST /api/v1/interviews in one statement: idempotency record, contact, interview, enrollment and event, all or
-- nothing. Called by interviews.request() alone. It returns an outcome instead of raising, and writes nothing unless the
-- outcome is 'created':
--
--   created         answer holds what the caller is told
--   replayed        the same Idempotency-Key and body came before; answer is the one given then
--   mismatch        the same Idempotency-Key came before with another body
--   no_sequence, no_type, no_deal    an id that is not in this organization
--   type_mismatch   both ids were given, and the sequence has another interview type
--   needs_schedule  the sequence's window has a say in the first date: schedule holds what outreach.schedule needs
--                   to compute it; call again with the revision and the date
create function request_interview(
    p_org text, p_contact_id text, p_email text, p_email_key text, p_name text, p_notes text,
    p_sequence text, p_type text, p_deal text, p_objective text,
    p_seed bytea, p_token_hash bytea, p_addresses bytea[], p_enrollment_id text, p_event_id text,
    p_revision bigint, p_first_send timestamptz,
    p_route text, p_key text, p_fingerprint bytea,
    out outcome text, out interview_id bigint, out seed bytea, out token_hash bytea, out answer jsonb, out schedule jsonb
)
language plpgsql as $$
declare
    v_now timestamptz := clock_now();
    v_known idempotency;
    v_sequence sequences;
    v_type text := p_type;
    v_contact text;
    v_old_name text;
    v_old_notes text;
    v_suppressed text;
    v_next timestamptz;
    v_live text;
    v_superseded bigint;
    v_approved boolean := false;
    v_over text;
    v_state text;
begin
    seed := p_seed;
    token_hash := p_token_hash;

    if p_key is not null then
        perform lock_idempotency_key(p_org, p_route, p_key);
        select * into v_known from idempotency i
        where i.org_id = p_org and i.route = p_route and i.key = p_key and i.created_at > v_now - interval '24 hours';
        if found then
            if v_known.fingerprint <> p_fingerprint then
                outcome := 'mismatch';
                return;
            end if;
            outcome := 'replayed';
            answer := v_known.answer::jsonb;
            select i.id, i.seed, i.token_hash into interview_id, seed, token_hash
            from interviews i where i.org_id = p_org and i.id = v_known.interview_id;
            return;
        end if;
    end if;

    if p_sequence is not null then
        select * into v_sequence from sequences s where s.org_id = p_org and s.id = p_sequence;
        if not found then
            outcome := 'no_sequence';
            return;
        end if;
        v_type := v_sequence.interview_type_id;
    end if;
    if p_type is not null then
        perform from interview_types t where t.org_id = p_org and t.id = p_type;
        if not found then
            outcome := 'no_type';
            return;
        end if;
        if p_type <> v_type then
            outcome := 'type_mismatch';
            return;
        end if;
    end if;
    if p_deal is not null then
        perform from deals d where d.org_id = p_org and d.id = p_deal;
        if not found then
            outcome := 'no_deal';
            return;
        end if;
    end if;

    if p_sequence is not null then
        if v_sequence.first_wait is not null then
            v_next := v_now + v_sequence.first_wait;
        elsif p_revision is distinct from v_sequence.revision then
            outcome := 'needs_schedule';
            schedule := (
                select jsonb_build_object(
                    'revision', v_sequence.revision, 'now', extract(epoch from v_now), 'time_zone', v_sequence.time_zone,
                    'window', v_sequence.send_window, 'holidays', v_sequence.holidays,
                    'delay_unit', s.delay_unit, 'delay_count', s.delay_count)
                from steps s where s.org_id = p_org and s.sequence_id = p_sequence and s.position = 1);
            return;
        else
            v_next := p_first_send;
        end if;
    end if;

    loop
        insert into contacts (org_id, id, email, email_key, name, notes, created_at, updated_at)
        values (p_org, p_contact_id, p_email, p_email_key, p_name, coalesce(p_notes, ''), v_now, v_now)
        on conflict (org_id, email_key) do nothing
        returning id into v_contact;
        exit when found;

        select c.id, c.name, c.notes into v_contact, v_old_name, v_old_notes
        from contacts c where c.org_id = p_org and c.email_key = p_email_key for no key update;
        continue when not found;  -- erased between the two statements

        if p_notes is distinct from v_old_notes and p_notes is not null and v_old_notes <> '' then
            insert into contact_notes (org_id, contact_id, notes, replaced_at) values (p_org, v_contact, v_old_notes, v_now);
        end if;
        if coalesce(p_name, v_old_name) is distinct from v_old_name or coalesce(p_notes, v_old_notes) <> v_old_notes then
            update contacts c
            set name = coalesce(p_name, c.name), notes = coalesce(p_notes, c.notes), updated_at = v_now
            where c.org_id = p_org and c.id = v_contact;
        end if;
        exit;
    end loop;

    if p_sequence is not null then
        select s.reason into v_suppressed
        from suppressions s where s.org_id = p_org and s.address = any (p_addresses) and s.lifted_at is null
        order by s.at limit 1;
    end if;

    insert into interviews (
        org_id, contact_id, deal_id, interview_type_id, sequence_id, objective, status, seed, token_hash,
        outreach_stop_reason, created_at, updated_at)
    values (
        p_org, v_contact, p_deal, v_type, p_sequence, coalesce(p_objective, ''),
        case when p_sequence is null or v_suppressed is not null then 'created' else 'sent' end, p_seed, p_token_hash,
        v_suppressed, v_now, v_now)
    returning id into interview_id;

    insert into directory_tokens (hash, purpose, org_id, id) values (p_token_hash, 'survey', p_org, interview_id::text);

    if p_sequence is not null and v_suppressed is null then
        loop
            select e.id, e.interview_id, e.next_send_at, e.step > 1 or e.approved_at is not null,
                case when i.status = 'completed' then 'completed'
                     when i.phase in ('declined', 'stopped', 'withdrawn') then coalesce(i.outreach_stop_reason, i.phase)
                     else i.outreach_stop_reason end
            into v_live, v_superseded, v_next, v_approved, v_over
            from enrollments e
            join interviews i on i.org_id = e.org_id and i.id = e.interview_id
            where e.org_id = p_org and e.sequence_id = p_sequence and e.contact_id = v_contact and e.state = 'live'
            for update of e;
            if found and v_over is null then
                -- still active in this sequence: the new request takes the live enrollment over, where it stands
                update enrollments e set interview_id = request_interview.interview_id, updated_at = v_now
                where e.org_id = p_org and e.id = v_live;
                update interviews i set outreach_stop_reason = 'superseded', updated_at = v_now
                where i.org_id = p_org and i.id = v_superseded;
                exit;
            elsif found then
                -- the earlier interview is over, only the worker has not looked yet: this one starts from the first mail
                update enrollments e set state = 'stopped', stop_reason = v_over, updated_at = v_now
                where e.org_id = p_org and e.id = v_live;
                v_approved := false;
            end if;
            v_next := coalesce(v_now + v_sequence.first_wait, p_first_send);
            insert into enrollments (
                org_id, id, sequence_id, contact_id, interview_id, next_send_at, waits_since, created_at, updated_at)
            values (p_org, p_enrollment_id, p_sequence, v_contact, interview_id, v_next, v_now, v_now, v_now)
            on conflict (org_id, sequence_id, contact_id) where state = 'live' do nothing;
            exit when found;
        end loop;
    end if;

    v_state := case
        when p_sequence is null then null
        when v_suppressed is not null then 'suppressed'
        when not v_sequence.enabled then 'paused'
        when v_sequence.approval and not coalesce(v_approved, false) then 'waiting_approval'
        else 'scheduled' end;
    answer := jsonb_build_object(
        'contact_id', v_contact,
        'status', case when p_sequence is null or v_suppressed is not null then 'created' else 'sent' end,
        'outreach', case when v_state is null then null else jsonb_build_object(
            'state', v_state,
            'next_send_at', case when v_state = 'suppressed' then null else extract(epoch from v_next) end,
            'reason', v_suppressed) end);

    insert into events (org_id, id, type, payload, interview_id, contact_id, created_at)
    values (p_org, p_event_id, 'interview.created',
            jsonb_build_object('interview_request_id', interview_id, 'contact_id', v_contact, 'deal_id', p_deal),
            interview_id, v_contact, v_now);

    if p_key is not null then
        insert into idempotency (org_id, route, key, fingerprint, status, answer, interview_id, created_at)
        values (p_org, p_route, p_key, p_fingerprint, 201, answer::json, interview_id, v_now)
        -- one that is older than 24 hours, and not swept away yet
        on conflict (org_id, route, key) do update
        set fingerprint = excluded.fingerprint, status = excluded.status, answer = excluded.answer,
            interview_id = excluded.interview_id, created_at = excluded.created_at;
    end if;
    outcome := 'created';
end
$$;
