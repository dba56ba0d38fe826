-- Up Migration

-- Renames columns, states, functions and stored events to the standard terms. No row is lost.

drop function sluice.lives(integer, timestamptz);
drop function sluice.is_alive(sluice.runs);
drop function sluice.is_claimable(sluice.slices);
drop function sluice.greater_counts(jsonb, jsonb);
drop function sluice.replay(bigint[], bigint);
drop function sluice.tell(json);
drop function sluice.advance(bigint, bigint, bigint, json, jsonb, text, jsonb, text, jsonb);
drop function sluice.reenter(bigint, bigint, bigint, text, text, text, text);
drop function sluice.open_slice(bigint, text, text, text, text, text, text, text, boolean, text, integer, timestamptz);
drop function sluice.plan_backfill(bigint, text, text, text, timestamptz[], text, text, text);
drop function sluice.settle_dead_ticks(text);
drop function sluice.is_open_tick(text, timestamptz);
drop function sluice.claim_tick(text, timestamptz);
drop function sluice.pass_tick(text, timestamptz, text, text);
drop function sluice.ask_to_stop(bigint);
drop function sluice.grant_requests(
  bigint, bigint, double precision, bigint, bigint, double precision, bigint, bigint, double precision, bigint);
drop function sluice.tell_rate(bigint, double precision, bigint, double precision);

alter function sluice.balances(bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint)
  rename to counts_balance;

-- The session whose end shows that the run's process is gone.
alter table sluice.runs rename column keeper_pid to lease_pid;
alter table sluice.runs rename column keeper_started to lease_started;
alter table sluice.runs rename column stop_asked_at to stop_requested_at;

alter table sluice.slices rename column begun_by to started_by;
alter table sluice.slices rename column begun_at to started_at;
alter table sluice.slices rename column cursor_was to cursor_at_start;
alter table sluice.slices rename column high to high_water_mark;
alter table sluice.slices rename column unmet to boundary_remaining;
alter table sluice.slices rename column before to counts_at_claim;
alter table sluice.slices rename column after to previous_upper;
alter table sluice.slices rename constraint boundary_belongs_to_high to boundary_belongs_to_high_water_mark;
alter index sluice.slices_by_beginner rename to slices_by_starter;

-- 'dropped' meant two things: a window that was left out, and a slice that was closed by hand.
alter table sluice.slices drop constraint slices_status_check;
update sluice.slices set status = case when kind = 'backfill' then 'skipped' else 'closed' end where status = 'dropped';
alter table sluice.slices
  add constraint slices_status_check check (status in ('open', 'done', 'failed', 'skipped', 'closed')),
  add constraint only_windows_are_skipped check (status <> 'skipped' or kind = 'backfill'),
  add constraint windows_are_never_closed check (status <> 'closed' or kind <> 'backfill');

alter table sluice.backfills rename column alone to exclusive;
alter table sluice.backfills rename column size to window_size;
alter table sluice.backfills rename constraint the_same_words_continue to one_backfill_per_definition;

alter table sluice.schedules rename column since to registered_at;
alter table sluice.requests rename column what to action;
alter table sluice.rates rename column left_over to remaining;
alter table sluice.rates rename column left_until to remaining_until;
alter table sluice.rate_grants rename column free_at to expires_at;

update sluice.events as e set type = renamed.new_type, data = jsonb_set(e.data, '{type}', to_jsonb(renamed.new_type))
  from (values
    ('run started', 'run.started'), ('run finished', 'run.finished'),
    ('slice started', 'slice.started'), ('slice finished', 'slice.finished'), ('slice failed', 'slice.failed'),
    ('stream failed', 'stream.failed'), ('plan', 'backfill.planned'), ('total', 'pages.total'),
    ('shape', 'table.altered'), ('batch', 'batch.committed'),
    ('request', 'request.finished'), ('retry', 'request.retried')) as renamed (old_type, new_type)
 where e.type = renamed.old_type;

update sluice.events set data = data - 'todo' || jsonb_build_object('toRead', data -> 'todo')
 where type = 'backfill.planned' and data ? 'todo';
update sluice.events set data = data - 'place' || jsonb_build_object('windowIndex', data -> 'place')
 where type = 'slice.started' and data ? 'place';

-- A lease lasts this long after its last renewal. A run or tick without a session counts as alive for as long.
create function sluice.lease_time() returns interval language sql immutable as $$ select interval '60 s' $$;

-- A slice keeps at most so many hashes of rows that carry its greatest cursor value.
create function sluice.max_boundary_hashes() returns integer language sql immutable as $$ select 10000 $$;

-- True if a session still exists. Its start may be hidden, as it is for sessions of other users: then the pid decides.
-- Waiting for a lease that is over is safe; taking work from a live process is not.
create function sluice.session_exists(_pid integer, _started timestamptz) returns boolean language sql stable as $$
  select exists (
    select from pg_stat_activity where pid = _pid and (backend_start is null or backend_start = _started))
$$;

create function sluice.is_alive(_run sluice.runs) returns boolean language sql volatile as $$
  select (_run).status = 'running' and case
    when (_run).lease_pid is null then (_run).seen_at > clock_timestamp() - sluice.lease_time()
    else sluice.session_exists((_run).lease_pid, (_run).lease_started) end
$$;

-- Stores events. The lock makes their ids follow the order of commits, so that a reader by increasing id misses none.
-- The notification carries no data; it only wakes readers.
create function sluice.write_events(_events json) returns void language plpgsql as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('sluice events', 0));
  insert into sluice.events (run, at, type, stream, data)
  select (event ->> 'run')::bigint, (event ->> 'at')::timestamptz, event -> 'data' ->> 'type',
         event -> 'data' ->> 'stream', (event -> 'data')::jsonb
    from json_array_elements(_events) with ordinality as written (event, ordinal) order by ordinal;
  perform pg_notify('sluice_events', '');
end $$;

-- Asks a run to stop, in whichever process it runs. Returns when that was first requested; null if it does not run.
create function sluice.request_stop(_run bigint) returns timestamptz language plpgsql as $$
declare
  _at timestamptz;
begin
  update sluice.runs as r set stop_requested_at = coalesce(r.stop_requested_at, clock_timestamp())
   where r.id = _run and sluice.is_alive(r) returning r.stop_requested_at into _at;
  if found then
    perform pg_notify('sluice_stop', '');
  end if;
  return _at;
end $$;

-- Gives each tick of a scheduler that is gone the status of its run. A run that did not end itself was interrupted.
-- Before its run has started, only time shows whether a scheduler is still there.
create function sluice.resolve_dead_ticks(_pipeline text) returns void language sql volatile as $$
  update sluice.ticks as t
     set status = case when r.status in ('done', 'failed') then r.status else 'interrupted' end,
         finished_at = clock_timestamp(),
         note = coalesce(r.error, case when r.status = 'done' then null else 'its scheduler ended unexpectedly' end)
    from sluice.ticks as x left join sluice.runs as r on r.id = x.run
   where x.pipeline = _pipeline and x.status = 'running' and (t.pipeline, t.tick) = (x.pipeline, x.tick)
     and not case when r.id is null then x.claimed_at > clock_timestamp() - sluice.lease_time() else sluice.is_alive(r) end
$$;

-- True if a tick may be claimed: it is newer than all known ones, or it was interrupted.
create function sluice.is_open_tick(_pipeline text, _tick timestamptz) returns boolean language sql stable as $$
  select coalesce(
    (select status = 'interrupted' from sluice.ticks where (pipeline, tick) = (_pipeline, _tick)),
    _tick > greatest(
      (select registered_at from sluice.schedules where pipeline = _pipeline),
      (select max(tick) from sluice.ticks where pipeline = _pipeline)))
$$;

-- Claims a tick. Returns the number of the attempt; null if the tick is settled, or if a tick of the pipeline is running.
create function sluice.claim_tick(_pipeline text, _tick timestamptz) returns integer language plpgsql as $$
declare
  _attempt integer;
begin
  perform sluice.lock_ticks(_pipeline);
  perform sluice.resolve_dead_ticks(_pipeline);
  if exists (select from sluice.ticks where pipeline = _pipeline and status = 'running')
     or not sluice.is_open_tick(_pipeline, _tick) then
    return null;
  end if;
  insert into sluice.ticks as t (pipeline, tick, status) values (_pipeline, _tick, 'running')
  on conflict (pipeline, tick) do update
     set status = 'running', attempt = t.attempt + 1, run = null, note = null,
         claimed_at = clock_timestamp(), finished_at = null
  returning attempt into _attempt;
  return _attempt;
end $$;

-- Settles a tick without running it. Returns false if another scheduler has settled or claimed it.
create function sluice.skip_tick(_pipeline text, _tick timestamptz, _status text, _note text)
returns boolean language plpgsql as $$
begin
  perform sluice.lock_ticks(_pipeline);
  if not sluice.is_open_tick(_pipeline, _tick) then
    return false;
  end if;
  insert into sluice.ticks as t (pipeline, tick, status, note, finished_at)
  values (_pipeline, _tick, _status, _note, clock_timestamp())
  on conflict (pipeline, tick) do update
     set status = excluded.status, note = excluded.note, finished_at = excluded.finished_at;
  return true;
end $$;

-- Grants requests to send within _valid_ms, and takes back what is left of an earlier grant. The lock of the budget's row
-- orders the processes; each holds it for this statement only. A crash of the server may lose the last grants, so no
-- commit waits for the disk.
create function sluice.grant_requests(
  _rate bigint, _limit bigint, _period_ms double precision, _wanted bigint, _least bigint, _valid_ms double precision,
  _before bigint, _used bigint, _used_ms_ago double precision, _unused bigint,
  out lease bigint, out requests bigint, out wait_ms double precision,
  out blocked_ms double precision, out remaining bigint, out remaining_ms double precision)
language plpgsql as $$
declare
  _of sluice.rates;
  _now timestamptz;
  _period interval := make_interval(secs => _period_ms / 1000);
  _busy bigint;
begin
  perform set_config('synchronous_commit', 'off', true);
  select * into strict _of from sluice.rates where id = _rate for no key update;
  _now := clock_timestamp(); -- Read after the lock: an earlier time would precede grants made while we waited.
  if _before is not null and _used = 0 then
    delete from sluice.rate_grants as g where g.id = _before;
  elsif _before is not null then
    update sluice.rate_grants as g
       set requests = least(g.requests, _used),
           expires_at = least(g.expires_at, _now - make_interval(secs => _used_ms_ago / 1000) + _period)
     where g.id = _before;
  end if;
  if _of.remaining_until <= _now then
    _of.remaining := null;
    _of.remaining_until := null;
  end if;
  _of.remaining := _of.remaining + _unused;
  requests := _wanted;
  wait_ms := 0;
  if _of.blocked_until > _now then
    requests := 0;
    wait_ms := sluice.milliseconds(_of.blocked_until - _now);
  elsif _of.remaining < _least then
    requests := 0;
    wait_ms := sluice.milliseconds(_of.remaining_until - _now);
  elsif _of.remaining < requests then
    requests := _of.remaining;
  end if;
  if _limit is not null then
    delete from sluice.rate_grants as g where g.rate = _rate and g.expires_at <= _now;
    select coalesce(sum(g.requests), 0) into _busy from sluice.rate_grants as g where g.rate = _rate;
    requests := least(requests, _limit - _busy);
    if requests < _least then
      requests := 0;
      if wait_ms = 0 then
        select sluice.milliseconds(min(g.expires_at) - _now) into wait_ms from sluice.rate_grants as g where g.rate = _rate;
      end if;
    end if;
    if requests > 0 then
      insert into sluice.rate_grants (rate, requests, expires_at)
      values (_rate, grant_requests.requests, _now + make_interval(secs => _valid_ms / 1000) + _period)
      returning id into lease;
    end if;
  end if;
  _of.remaining := _of.remaining - requests;
  update sluice.rates as r set remaining = _of.remaining, remaining_until = _of.remaining_until
   where r.id = _rate and (r.remaining, r.remaining_until) is distinct from (_of.remaining, _of.remaining_until);
  blocked_ms := coalesce(sluice.milliseconds(_of.blocked_until - _now), 0);
  remaining := _of.remaining;
  remaining_ms := sluice.milliseconds(_of.remaining_until - _now);
end $$;

-- Stores the limits that an API reported: a time to wait, or a number of requests that remain for a time. The stricter
-- limit stands until its time is over. The notification carries the budget's id and wakes its users.
create function sluice.report_limits(
  _rate bigint, _blocked_ms double precision, _remaining bigint, _remaining_ms double precision)
returns void language plpgsql as $$
declare
  _now timestamptz := clock_timestamp();
begin
  update sluice.rates as r
     set blocked_until = greatest(r.blocked_until, _now + make_interval(secs => _blocked_ms / 1000)),
         remaining = case
           when _remaining is null or (r.remaining_until > _now and r.remaining <= _remaining) then r.remaining
           else _remaining end,
         remaining_until = case
           when _remaining is null or (r.remaining_until > _now and r.remaining <= _remaining) then r.remaining_until
           else _now + make_interval(secs => _remaining_ms / 1000) end
   where r.id = _rate;
  perform pg_notify('sluice_rates', _rate::text);
end $$;

-- Down Migration

drop function sluice.report_limits(bigint, double precision, bigint, double precision);
drop function sluice.grant_requests(
  bigint, bigint, double precision, bigint, bigint, double precision, bigint, bigint, double precision, bigint);
drop function sluice.skip_tick(text, timestamptz, text, text);
drop function sluice.claim_tick(text, timestamptz);
drop function sluice.is_open_tick(text, timestamptz);
drop function sluice.resolve_dead_ticks(text);
drop function sluice.request_stop(bigint);
drop function sluice.write_events(json);
drop function sluice.is_alive(sluice.runs);
drop function sluice.session_exists(integer, timestamptz);
drop function sluice.max_boundary_hashes();
drop function sluice.lease_time();

update sluice.events set data = data - 'windowIndex' || jsonb_build_object('place', data -> 'windowIndex')
 where type = 'slice.started' and data ? 'windowIndex';
update sluice.events set data = data - 'toRead' || jsonb_build_object('todo', data -> 'toRead')
 where type = 'backfill.planned' and data ? 'toRead';

update sluice.events as e set type = renamed.old_type, data = jsonb_set(e.data, '{type}', to_jsonb(renamed.old_type))
  from (values
    ('run started', 'run.started'), ('run finished', 'run.finished'),
    ('slice started', 'slice.started'), ('slice finished', 'slice.finished'), ('slice failed', 'slice.failed'),
    ('stream failed', 'stream.failed'), ('plan', 'backfill.planned'), ('total', 'pages.total'),
    ('shape', 'table.altered'), ('batch', 'batch.committed'),
    ('request', 'request.finished'), ('retry', 'request.retried')) as renamed (old_type, new_type)
 where e.type = renamed.new_type;

alter table sluice.rate_grants rename column expires_at to free_at;
alter table sluice.rates rename column remaining_until to left_until;
alter table sluice.rates rename column remaining to left_over;
alter table sluice.requests rename column action to what;
alter table sluice.schedules rename column registered_at to since;
alter table sluice.backfills rename constraint one_backfill_per_definition to the_same_words_continue;
alter table sluice.backfills rename column window_size to size;
alter table sluice.backfills rename column exclusive to alone;

alter table sluice.slices
  drop constraint slices_status_check, drop constraint only_windows_are_skipped, drop constraint windows_are_never_closed;
update sluice.slices set status = 'dropped' where status in ('skipped', 'closed');
alter table sluice.slices
  add constraint slices_status_check check (status in ('open', 'done', 'failed', 'dropped'));
alter index sluice.slices_by_starter rename to slices_by_beginner;
alter table sluice.slices rename constraint boundary_belongs_to_high_water_mark to boundary_belongs_to_high;
alter table sluice.slices rename column previous_upper to after;
alter table sluice.slices rename column counts_at_claim to before;
alter table sluice.slices rename column boundary_remaining to unmet;
alter table sluice.slices rename column high_water_mark to high;
alter table sluice.slices rename column cursor_at_start to cursor_was;
alter table sluice.slices rename column started_at to begun_at;
alter table sluice.slices rename column started_by to begun_by;
alter table sluice.runs rename column stop_requested_at to stop_asked_at;
alter table sluice.runs rename column lease_started to keeper_started;
alter table sluice.runs rename column lease_pid to keeper_pid;

alter function sluice.counts_balance(bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint)
  rename to balances;

create function sluice.lives(_pid integer, _started timestamptz) returns boolean language sql stable as $$
  select exists (select from pg_stat_activity where pid = _pid and (backend_start is null or backend_start = _started))
$$;

create function sluice.is_alive(_run sluice.runs) returns boolean language sql volatile as $$
  select (_run).status = 'running' and case when (_run).keeper_pid is null then (_run).seen_at > clock_timestamp() - interval '60 s'
    else sluice.lives((_run).keeper_pid, (_run).keeper_started) end
$$;

create function sluice.is_claimable(_slice sluice.slices) returns boolean language sql volatile as $$
  select (_slice).status = 'open' and ((_slice).lease_until is null or (_slice).lease_until < clock_timestamp()
    or ((_slice).lease_pid is not null and not sluice.lives((_slice).lease_pid, (_slice).lease_started)))
$$;

create function sluice.greater_counts(_a jsonb, _b jsonb) returns jsonb language sql immutable as $$
  select case when _a is null or _b is null then coalesce(_a, _b) else (
    select coalesce(jsonb_object_agg(key, number), '{}') from (
      select key, max(value::bigint) as number from (select * from jsonb_each_text(_a) union all select * from jsonb_each_text(_b)) as both_of group by key) as greatest_of) end
$$;

create function sluice.replay(_rejects bigint[], _run bigint) returns void language plpgsql as $$
declare
  _number bigint;
begin
  update sluice.rejects set replayed_at = clock_timestamp(), replayed_by = _run where id = any (_rejects) and replayed_at is null;
  get diagnostics _number = row_count;
  if _number <> (select count(distinct one) from unnest(_rejects) as one) then
    raise exception '% of % rejects were replayed by somebody else, or are gone', cardinality(_rejects) - _number, cardinality(_rejects) using errcode = 'SL006';
  end if;
end $$;

create function sluice.tell(_events json) returns void language plpgsql as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('sluice events', 0));
  insert into sluice.events (run, at, type, stream, data)
  select (event ->> 'run')::bigint, (event ->> 'at')::timestamptz, event -> 'data' ->> 'type', event -> 'data' ->> 'stream', (event -> 'data')::jsonb
    from json_array_elements(_events) with ordinality as told (event, place) order by place;
  perform pg_notify('sluice', '');
end $$;

create function sluice.advance(
  _slice bigint, _token bigint, _seq bigint, _position json, _counts jsonb,
  _high text default null, _boundary jsonb default null, _cursor text default null, _swap jsonb default null)
returns void language plpgsql as $$
declare
  _c sluice.counts := jsonb_populate_record(null::sluice.counts, _counts);
  _ends boolean := sluice.is_end(_position);
  _was text;
  _s sluice.slices;
begin
  if not coalesce(sluice.balances(_c.fetched, _c.expanded, _c.inserted, _c.updated, _c.unchanged, _c.filtered, _c.duplicate, _c.rejected, _c.parents), false) then
    raise exception 'the counts of batch % of slice % do not balance: %', _seq + 1, _slice, _counts using errcode = 'SL003';
  end if;
  if (select count(*) from jsonb_object_keys(_boundary)) > 10000 then
    raise exception 'more than 10,000 different rows carry the cursor value %', _high using errcode = 'SL005';
  end if;
  if _ends then
    perform sluice.lock_stream(s.pipeline, s.stream, s.partition) from sluice.slices as s where s.id = _slice;
  end if;

  update sluice.slices as s
     set position = _position, seq = s.seq + 1, batches = s.batches + 1, error = null,
         high = coalesce(_high, s.high), boundary = case when _high is null then s.boundary else _boundary end,
         status = case when _ends then 'done' else 'open' end, finished_at = case when _ends then clock_timestamp() end,
         lease_until = case when not _ends then clock_timestamp() + interval '60 s' end,
         lease_pid = case when not _ends then s.lease_pid end, lease_started = case when not _ends then s.lease_started end,
         fetched = s.fetched + _c.fetched, expanded = s.expanded + _c.expanded,
         inserted = s.inserted + _c.inserted, updated = s.updated + _c.updated, unchanged = s.unchanged + _c.unchanged,
         filtered = s.filtered + _c.filtered, duplicate = s.duplicate + _c.duplicate, rejected = s.rejected + _c.rejected,
         parents = s.parents + _c.parents,
         swap_inserted = (_swap ->> 'inserted')::bigint, swap_updated = (_swap ->> 'updated')::bigint, swap_deleted = (_swap ->> 'deleted')::bigint
   where s.id = _slice and s.token = _token and s.seq = _seq and s.status = 'open'
  returning s.* into _s;
  if not found then
    raise exception 'slice % is no longer ours (token %, batch %)', _slice, _token, _seq using errcode = 'SL001';
  end if;

  if _cursor is null then
    return;
  end if;
  if not _ends or _s.kind <> 'sync' then
    raise exception 'a cursor moves only where a sync slice ends, not with batch % of slice %', _seq + 1, _slice using errcode = 'SL004';
  end if;
  select value into _was from sluice.cursors where (pipeline, stream, partition) = (_s.pipeline, _s.stream, _s.partition) for update;
  if _was is distinct from _s.cursor_was then
    raise exception 'the cursor of %.% is % and was % when slice % was made', _s.pipeline, _s.stream, coalesce(_was, 'not set'), coalesce(_s.cursor_was, 'not set'), _slice using errcode = 'SL004';
  end if;
  insert into sluice.cursors as c (pipeline, stream, partition, value, boundary, slice)
  values (_s.pipeline, _s.stream, _s.partition, _cursor, _s.boundary, _slice)
  on conflict (pipeline, stream, partition) do update
     set value = excluded.value, slice = excluded.slice, updated_at = clock_timestamp(),
         boundary = case when c.value = excluded.value then sluice.greater_counts(c.boundary, excluded.boundary) else excluded.boundary end;
end $$;

create function sluice.reenter(_slice bigint, _token bigint, _seq bigint, _definition text, _since text, _until text, _cursor_was text)
returns void language plpgsql as $$
begin
  update sluice.slices as s
     set position = null, seq = s.seq + 1, high = null, boundary = null, batches = 0, before = '{}', error = null,
         begun_by = s.run, begun_at = clock_timestamp(), lease_until = clock_timestamp() + interval '60 s',
         definition = _definition, since = _since, until = _until, cursor_was = _cursor_was,
         fetched = 0, expanded = 0, inserted = 0, updated = 0, unchanged = 0, filtered = 0, duplicate = 0, rejected = 0, parents = 0
   where s.id = _slice and s.token = _token and s.seq = _seq and s.status = 'open';
  if not found then
    raise exception 'slice % is no longer ours (token %, batch %)', _slice, _token, _seq using errcode = 'SL001';
  end if;
  delete from sluice.rejects where slice = _slice;
end $$;

create function sluice.open_slice(
  _run bigint, _kind text, _pipeline text, _stream text, _partition text, _definition text,
  _since text, _until text, _has_cursor boolean, _cursor_was text, _lease_pid integer, _lease_started timestamptz)
returns bigint language plpgsql as $$
declare
  _id bigint;
begin
  if _kind = 'sync' then
    perform sluice.lock_stream(_pipeline, _stream, _partition);
    if _has_cursor and (select value from sluice.cursors where (pipeline, stream, partition) = (_pipeline, _stream, _partition)) is distinct from _cursor_was then
      return null;
    end if;
    if exists (select from sluice.slices where (pipeline, stream, partition, kind) = (_pipeline, _stream, _partition, 'sync')
                and (begun_by = _run or (not _has_cursor and run = _run))) then
      return null;
    end if;
  end if;
  insert into sluice.slices (kind, pipeline, stream, partition, begun_by, run, definition, since, until, cursor_was, token, lease_until, lease_pid, lease_started)
  values (_kind, _pipeline, _stream, _partition, _run, _run, _definition, _since, _until, _cursor_was, 1, clock_timestamp() + interval '60 s', _lease_pid, _lease_started)
  on conflict (pipeline, stream, partition) where kind = 'sync' and status = 'open' do nothing
  returning id into _id;
  return _id;
end $$;

create function sluice.plan_backfill(
  _run bigint, _pipeline text, _stream text, _partition text, _bounds timestamptz[], _size text, _zone text, _definition text)
returns table (id bigint, made boolean) language plpgsql as $$
#variable_conflict use_column
declare
  _id bigint;
begin
  insert into sluice.backfills (pipeline, stream, partition, lower, upper, size, zone)
  values (_pipeline, _stream, _partition, _bounds[1], _bounds[cardinality(_bounds)], _size, _zone)
  on conflict on constraint the_same_words_continue do nothing returning backfills.id into _id;
  if _id is null then
    return query select b.id, false from sluice.backfills as b
      where (b.pipeline, b.stream, b.partition, b.lower, b.upper, b.size, b.zone) = (_pipeline, _stream, _partition, _bounds[1], _bounds[cardinality(_bounds)], _size, _zone);
    return;
  end if;
  insert into sluice.slices (kind, pipeline, stream, partition, begun_by, run, definition, backfill, lower, upper, after, since, until)
  select 'backfill', _pipeline, _stream, _partition, _run, _run, _definition, _id, w.lower, w.upper, case when w.place > 1 then w.lower end, sluice.instant_text(w.lower), sluice.instant_text(w.upper)
    from unnest(_bounds[:cardinality(_bounds) - 1], _bounds[2:]) with ordinality as w (lower, upper, place) order by w.place;
  return query select _id, true;
end $$;

create function sluice.settle_dead_ticks(_pipeline text) returns void language sql volatile as $$
  update sluice.ticks as t
     set status = case when r.status in ('done', 'failed') then r.status else 'interrupted' end, finished_at = clock_timestamp(),
         note = coalesce(r.error, case when r.status = 'done' then null else 'its scheduler ended without a word' end)
    from sluice.ticks as x left join sluice.runs as r on r.id = x.run
   where x.pipeline = _pipeline and x.status = 'running' and (t.pipeline, t.tick) = (x.pipeline, x.tick)
     and not case when r.id is null then x.claimed_at > clock_timestamp() - interval '60 s' else sluice.is_alive(r) end
$$;

create function sluice.is_open_tick(_pipeline text, _tick timestamptz) returns boolean language sql stable as $$
  select coalesce((select status = 'interrupted' from sluice.ticks where (pipeline, tick) = (_pipeline, _tick)),
    _tick > greatest((select since from sluice.schedules where pipeline = _pipeline), (select max(tick) from sluice.ticks where pipeline = _pipeline)))
$$;

create function sluice.claim_tick(_pipeline text, _tick timestamptz) returns integer language plpgsql as $$
declare
  _attempt integer;
begin
  perform sluice.lock_ticks(_pipeline);
  perform sluice.settle_dead_ticks(_pipeline);
  if exists (select from sluice.ticks where pipeline = _pipeline and status = 'running') or not sluice.is_open_tick(_pipeline, _tick) then
    return null;
  end if;
  insert into sluice.ticks as t (pipeline, tick, status) values (_pipeline, _tick, 'running')
  on conflict (pipeline, tick) do update
     set status = 'running', attempt = t.attempt + 1, run = null, note = null, claimed_at = clock_timestamp(), finished_at = null
  returning attempt into _attempt;
  return _attempt;
end $$;

create function sluice.pass_tick(_pipeline text, _tick timestamptz, _status text, _note text) returns boolean language plpgsql as $$
begin
  perform sluice.lock_ticks(_pipeline);
  if not sluice.is_open_tick(_pipeline, _tick) then
    return false;
  end if;
  insert into sluice.ticks as t (pipeline, tick, status, note, finished_at) values (_pipeline, _tick, _status, _note, clock_timestamp())
  on conflict (pipeline, tick) do update set status = excluded.status, note = excluded.note, finished_at = excluded.finished_at;
  return true;
end $$;

create function sluice.ask_to_stop(_run bigint) returns timestamptz language plpgsql as $$
declare
  _at timestamptz;
begin
  update sluice.runs as r set stop_asked_at = coalesce(r.stop_asked_at, clock_timestamp()) where r.id = _run and sluice.is_alive(r) returning r.stop_asked_at into _at;
  if found then
    perform pg_notify('sluice_stop', '');
  end if;
  return _at;
end $$;

create function sluice.grant_requests(
  _rate bigint, _limit bigint, _period_ms double precision, _wanted bigint, _least bigint, _valid_ms double precision,
  _before bigint, _used bigint, _used_ms_ago double precision, _unused bigint,
  out lease bigint, out requests bigint, out wait_ms double precision, out blocked_ms double precision, out left_over bigint, out left_ms double precision)
language plpgsql as $$
declare
  _of sluice.rates;
  _now timestamptz;
  _period interval := make_interval(secs => _period_ms / 1000);
  _busy bigint;
begin
  perform set_config('synchronous_commit', 'off', true);
  select * into strict _of from sluice.rates where id = _rate for no key update;
  _now := clock_timestamp(); -- After the lock: a time from before it would be earlier than what others have been given meanwhile.
  if _before is not null and _used = 0 then
    delete from sluice.rate_grants as g where g.id = _before;
  elsif _before is not null then
    update sluice.rate_grants as g set requests = least(g.requests, _used), free_at = least(g.free_at, _now - make_interval(secs => _used_ms_ago / 1000) + _period) where g.id = _before;
  end if;
  if _of.left_until <= _now then
    _of.left_over := null;
    _of.left_until := null;
  end if;
  _of.left_over := _of.left_over + _unused;
  requests := _wanted;
  wait_ms := 0;
  if _of.blocked_until > _now then
    requests := 0;
    wait_ms := sluice.milliseconds(_of.blocked_until - _now);
  elsif _of.left_over < _least then
    requests := 0;
    wait_ms := sluice.milliseconds(_of.left_until - _now);
  elsif _of.left_over < requests then
    requests := _of.left_over;
  end if;
  if _limit is not null then
    delete from sluice.rate_grants as g where g.rate = _rate and g.free_at <= _now;
    select coalesce(sum(g.requests), 0) into _busy from sluice.rate_grants as g where g.rate = _rate;
    requests := least(requests, _limit - _busy);
    if requests < _least then
      requests := 0;
      if wait_ms = 0 then
        select sluice.milliseconds(min(g.free_at) - _now) into wait_ms from sluice.rate_grants as g where g.rate = _rate;
      end if;
    end if;
    if requests > 0 then
      insert into sluice.rate_grants (rate, requests, free_at) values (_rate, grant_requests.requests, _now + make_interval(secs => _valid_ms / 1000) + _period) returning id into lease;
    end if;
  end if;
  _of.left_over := _of.left_over - requests;
  update sluice.rates as r set left_over = _of.left_over, left_until = _of.left_until
   where r.id = _rate and (r.left_over, r.left_until) is distinct from (_of.left_over, _of.left_until);
  blocked_ms := coalesce(sluice.milliseconds(_of.blocked_until - _now), 0);
  left_over := _of.left_over;
  left_ms := sluice.milliseconds(_of.left_until - _now);
end $$;

create function sluice.tell_rate(_rate bigint, _blocked_ms double precision, _left bigint, _left_ms double precision) returns void language plpgsql as $$
declare
  _now timestamptz := clock_timestamp();
begin
  update sluice.rates as r
     set blocked_until = greatest(r.blocked_until, _now + make_interval(secs => _blocked_ms / 1000)),
         left_over = case when _left is null or (r.left_until > _now and r.left_over <= _left) then r.left_over else _left end,
         left_until = case when _left is null or (r.left_until > _now and r.left_over <= _left) then r.left_until else _now + make_interval(secs => _left_ms / 1000) end
   where r.id = _rate;
  perform pg_notify('sluice_rates', _rate::text);
end $$;
