-- Up Migration

-- The life of a slice: each of its transitions is one function below, and nothing else changes a slice.
-- src/ledger/slices/transitions.ts calls them; its header has the table of states and events.
--
-- Errors, none of a class that blames a row:
-- SL001 the slice is not held by this token, or another batch was committed; SL003 the counts of a batch do not balance;
-- SL004 the cursor was moved by another run; SL005 too many rows carry the same cursor value;
-- SL006 a reject was settled by another run; SL007 the windows of a backfill leave a gap.

-- True if another run may take an open slice: it has no lease, the lease is over, or the session of its holder is gone.
create function sluice.is_claimable(_slice sluice.slices) returns boolean language sql volatile as $$
  select (_slice).status = 'open' and ((_slice).lease_until is null or (_slice).lease_until < clock_timestamp()
    or ((_slice).lease_pid is not null and not sluice.session_exists((_slice).lease_pid, (_slice).lease_started)))
$$;

-- Merges two multisets, hash → number, by the greater number of each: a second reading from the boundary has seen all of
-- its rows that the API still has.
create function sluice.max_counts(_a jsonb, _b jsonb) returns jsonb language sql immutable as $$
  select case when _a is null or _b is null then coalesce(_a, _b) else (
    select coalesce(jsonb_object_agg(key, number), '{}') from (
      select key, max(value::bigint) as number
        from (select * from jsonb_each_text(_a) union all select * from jsonb_each_text(_b)) as both_of
       group by key) as greatest_of) end
$$;

-- Returns why a slice does not belong to a token; null if it does.
create function sluice.lost_reason(_slice bigint, _token bigint) returns text language sql stable as $$
  select case
    when s.id is null then 'is gone'
    when s.status = 'closed' then 'was closed: ' || coalesce(s.error, 'by hand')
    when s.token <> _token then 'was taken by run ' || s.run
    when s.status <> 'open' then 'is ' || s.status || ' at batch ' || s.seq end
    from (select _slice as id) as wanted left join sluice.slices as s on s.id = wanted.id
$$;

create function sluice.raise_lost(_slice bigint, _token bigint, _seq bigint) returns void language plpgsql as $$
begin
  raise exception 'slice % %', _slice, coalesce(
    sluice.lost_reason(_slice, _token),
    (select 'is at batch ' || s.seq || ' and not at batch ' || _seq from sluice.slices as s where s.id = _slice))
    using errcode = 'SL001';
end $$;

-- Returns the open slice of a stream that a run holds now: of kind 'sync', or a window of an exclusive backfill.
create function sluice.find_holder(_pipeline text, _stream text, _partition text, _kind text)
returns setof sluice.slices language sql volatile as $$
  select s.* from sluice.slices as s
   where (s.pipeline, s.stream, s.partition) = (_pipeline, _stream, _partition) and s.kind = _kind and s.status = 'open'
     and s.lease_until is not null and not sluice.is_claimable(s)
     and (_kind <> 'backfill' or (select b.exclusive from sluice.backfills as b where b.id = s.backfill))
   order by s.id limit 1
$$;

-- True if a run has read a stream to its end: a stream with a cursor once from it, one without a cursor once at all.
create function sluice.has_read(_run bigint, _pipeline text, _stream text, _partition text, _has_cursor boolean)
returns boolean language sql stable as $$
  select exists (
    select from sluice.slices as s
     where (s.pipeline, s.stream, s.partition, s.kind) = (_pipeline, _stream, _partition, 'sync') and s.status <> 'open'
       and (s.started_by = _run or (not _has_cursor and s.run = _run)))
$$;

-- A slice as its holder needs it: with the cursor of its stream, and its ordinal among the windows of its backfill.
create function sluice.read_held(_slice bigint)
returns table (slice sluice.slices, cursor text, boundary jsonb, ordinal bigint) language sql volatile as $$
  select s, c.value, c.boundary,
         (select count(*) from sluice.slices as o where o.backfill = s.backfill and o.lower < s.lower)
    from sluice.slices as s
    left join sluice.cursors as c
      on s.kind <> 'backfill' and (c.pipeline, c.stream, c.partition) = (s.pipeline, s.stream, s.partition)
   where s.id = _slice
$$;

-- Opens a slice and holds it. Returns nothing if another one is open, if an exclusive backfill reads the stream, if the
-- cursor is not the one that the range was computed from, or if this run has read the stream.
create function sluice.open(
  _run bigint, _kind text, _pipeline text, _stream text, _partition text, _definition text,
  _since text, _until text, _has_cursor boolean, _cursor text, _lease_pid integer, _lease_started timestamptz)
returns table (slice sluice.slices, cursor text, boundary jsonb, ordinal bigint) language plpgsql as $$
#variable_conflict use_column
declare
  _id bigint;
begin
  if _kind = 'sync' then
    perform sluice.lock_stream(_pipeline, _stream, _partition);
    if _has_cursor and (
         select c.value from sluice.cursors as c
          where (c.pipeline, c.stream, c.partition) = (_pipeline, _stream, _partition)) is distinct from _cursor
       or sluice.has_read(_run, _pipeline, _stream, _partition, _has_cursor)
       or exists (select from sluice.find_holder(_pipeline, _stream, _partition, 'backfill')) then
      return;
    end if;
  end if;
  insert into sluice.slices (
    kind, pipeline, stream, partition, started_by, run, definition, since, until, cursor_at_start,
    token, lease_until, lease_pid, lease_started)
  values (
    _kind, _pipeline, _stream, _partition, _run, _run, _definition, _since, _until, _cursor,
    1, clock_timestamp() + sluice.lease_time(), _lease_pid, _lease_started)
  on conflict (pipeline, stream, partition) where kind = 'sync' and status = 'open' do nothing
  returning id into _id;
  return query select * from sluice.read_held(_id);
end $$;

-- Gives a slice, whose row the caller has locked, to a run. A window that has no batch yet takes the run's definition:
-- it has stored nothing that another definition would have to remove.
create function sluice.claim(
  _slice bigint, _run bigint, _definition text, _lease_pid integer, _lease_started timestamptz)
returns table (slice sluice.slices, cursor text, boundary jsonb, ordinal bigint) language plpgsql as $$
#variable_conflict use_column
begin
  update sluice.slices as s
     set status = 'open', finished_at = null, token = s.token + 1, run = _run,
         counts_at_claim = case when s.run = _run then s.counts_at_claim else sluice.counts_of(s) end,
         started_by = case when fresh then _run else s.started_by end,
         started_at = case when fresh then clock_timestamp() else s.started_at end,
         definition = case when fresh then _definition else s.definition end,
         lease_until = clock_timestamp() + sluice.lease_time(), lease_pid = _lease_pid, lease_started = _lease_started
    from (select o.kind = 'backfill' and o.seq = 0 as fresh from sluice.slices as o where o.id = _slice) as window_is
   where s.id = _slice;
  return query select * from sluice.read_held(_slice);
end $$;

-- Claims the open slice of a stream, unless a run holds it, an exclusive backfill reads the stream, or this run has read
-- it. The lock of the stream makes this claim and that of an exclusive window see each other.
create function sluice.claim_sync(
  _run bigint, _pipeline text, _stream text, _partition text, _has_cursor boolean, _definition text,
  _lease_pid integer, _lease_started timestamptz)
returns table (slice sluice.slices, cursor text, boundary jsonb, ordinal bigint) language plpgsql as $$
declare
  _id bigint;
begin
  perform sluice.lock_stream(_pipeline, _stream, _partition);
  if sluice.has_read(_run, _pipeline, _stream, _partition, _has_cursor)
     or exists (select from sluice.find_holder(_pipeline, _stream, _partition, 'backfill')) then
    return;
  end if;
  select s.id into _id from sluice.slices as s
   where (s.pipeline, s.stream, s.partition) = (_pipeline, _stream, _partition) and s.kind = 'sync' and s.status = 'open'
     and sluice.is_claimable(s)
     for update skip locked;
  return query select * from sluice.claim(_id, _run, _definition, _lease_pid, _lease_started);
end $$;

-- The rule of --only: which windows of a backfill a run reads. By default and with 'missing' those that are neither done
-- nor skipped; 'failed' those that have failed and are not done or skipped since; 'all' also the skipped ones. With
-- _lowers only windows that begin at one of these instants.
create function sluice.is_selected(_window sluice.slices, _only text, _lowers timestamptz[])
returns boolean language sql immutable as $$
  select (_lowers is null or (_window).lower = any (_lowers)) and case (_window).status
    when 'open' then _only is distinct from 'failed' or (_window).failures > 0
    when 'failed' then true
    when 'skipped' then coalesce(_only = 'all', false)
    else false end
$$;

-- True if a run that started at a given time may claim a window now. Each run tries a window that has failed once.
create function sluice.is_readable(
  _window sluice.slices, _only text, _lowers timestamptz[], _run_started timestamptz)
returns boolean language sql volatile as $$
  select sluice.is_selected(_window, _only, _lowers)
    and case (_window).status when 'open' then sluice.is_claimable(_window) else (_window).finished_at < _run_started end
$$;

-- True if --only missing skips a window: no batch of it is stored, and other backfills of the stream have done it.
create function sluice.is_skippable(_window sluice.slices) returns boolean language sql volatile as $$
  select (_window).status in ('open', 'failed') and (_window).seq = 0 and (_window).lease_until is null
    and sluice.is_backfilled(
      (_window).pipeline, (_window).stream, (_window).partition, (_window).lower, (_window).upper, (_window).backfill)
$$;

-- Claims the lowest window of a backfill that is to be read and that no run holds. An exclusive backfill claims none
-- while a sync reads the stream.
create function sluice.claim_window(
  _run bigint, _backfill bigint, _only text, _lowers timestamptz[], _definition text,
  _lease_pid integer, _lease_started timestamptz)
returns table (slice sluice.slices, cursor text, boundary jsonb, ordinal bigint) language plpgsql as $$
declare
  _b sluice.backfills;
  _since timestamptz;
  _id bigint;
begin
  select * into _b from sluice.backfills as b where b.id = _backfill;
  select r.started_at into _since from sluice.runs as r where r.id = _run;
  if _b.exclusive then
    perform sluice.lock_stream(_b.pipeline, _b.stream, _b.partition);
    if exists (select from sluice.find_holder(_b.pipeline, _b.stream, _b.partition, 'sync')) then
      return;
    end if;
  end if;
  -- Two statements, since only the second can use the index of the windows that are not done.
  if _only = 'all' then
    select s.id into _id from sluice.slices as s
     where s.backfill = _backfill and sluice.is_readable(s, _only, _lowers, _since)
     order by s.lower limit 1 for update skip locked;
  else
    select s.id into _id from sluice.slices as s
     where s.backfill = _backfill and s.status in ('open', 'failed') and sluice.is_readable(s, _only, _lowers, _since)
     order by s.lower limit 1 for update skip locked;
  end if;
  return query select * from sluice.claim(_id, _run, _definition, _lease_pid, _lease_started);
end $$;

-- What is left of a backfill for a run that could claim nothing: windows that it may claim, windows that other runs hold,
-- and the sync that keeps an exclusive backfill waiting.
create function sluice.windows_left(
  _run bigint, _backfill bigint, _only text, _lowers timestamptz[],
  out free bigint, out held_by_others bigint, out active_sync bigint)
language sql volatile as $$
  select count(*) filter (where sluice.is_readable(s, _only, _lowers, r.started_at)),
         count(*) filter (where s.status = 'open' and s.run <> _run and sluice.is_selected(s, _only, _lowers)
                            and not sluice.is_claimable(s)),
         (select h.run from sluice.backfills as b, sluice.find_holder(b.pipeline, b.stream, b.partition, 'sync') as h
           where b.id = _backfill and b.exclusive)
    from sluice.runs as r
    left join sluice.slices as s on s.backfill = _backfill and s.status in ('open', 'failed', 'skipped')
   where r.id = _run
$$;

-- Renews leases. A row that is locked is being committed, which renews its lease too. Returns the slices that the tokens
-- no longer hold, each with the reason.
create function sluice.renew(
  _slices bigint[], _tokens bigint[], _lease_pid integer, _lease_started timestamptz)
returns table (slice bigint, token bigint, reason text) language sql volatile as $$
  with held as (select * from unnest(_slices, _tokens) as h (id, token)),
       ours as (select s.id from sluice.slices as s join held using (id, token)
                 where s.status = 'open' for update of s skip locked),
       renewed as (update sluice.slices as s
                      set lease_until = clock_timestamp() + sluice.lease_time(),
                          lease_pid = _lease_pid, lease_started = _lease_started
                     from ours where s.id = ours.id)
  select held.id, held.token, sluice.lost_reason(held.id, held.token)
    from sluice.slices as s join held using (id) where s.token <> held.token
$$;

-- Commits a batch: position, counts and high-water mark of the slice; at the end also its status and the stream's cursor.
-- It is sent in one query with the rows and the commit, so it raises where an update of no row would be no error.
create function sluice.advance(
  _slice bigint, _token bigint, _seq bigint, _position json, _counts jsonb,
  _high_water_mark text default null, _boundary jsonb default null, _cursor text default null, _swap jsonb default null,
  _boundary_remaining jsonb default null)
returns void language plpgsql as $$
declare
  _c sluice.counts := jsonb_populate_record(null::sluice.counts, _counts);
  _ends boolean := sluice.is_end(_position);
  _was text;
  _s sluice.slices;
begin
  if not coalesce(sluice.counts_balance(
       _c.fetched, _c.expanded, _c.inserted, _c.updated, _c.unchanged, _c.filtered, _c.duplicate, _c.rejected, _c.parents),
       false) then
    raise exception 'the counts of batch % of slice % do not balance: %', _seq + 1, _slice, _counts using errcode = 'SL003';
  end if;
  if (select count(*) from jsonb_object_keys(_boundary)) > sluice.max_boundary_hashes() then
    raise exception 'more than % different rows carry the cursor value %',
      to_char(sluice.max_boundary_hashes(), 'FM999,999'), _high_water_mark using errcode = 'SL005';
  end if;
  if _ends then
    perform sluice.lock_stream(s.pipeline, s.stream, s.partition) from sluice.slices as s where s.id = _slice;
  end if;

  update sluice.slices as s
     set position = _position, seq = s.seq + 1, batches = s.batches + 1, error = null,
         high_water_mark = coalesce(_high_water_mark, s.high_water_mark),
         boundary = case when _high_water_mark is null then s.boundary else _boundary end,
         boundary_remaining = coalesce(_boundary_remaining, s.boundary_remaining),
         status = case when _ends then 'done' else 'open' end, finished_at = case when _ends then clock_timestamp() end,
         lease_until = case when not _ends then clock_timestamp() + sluice.lease_time() end,
         lease_pid = case when not _ends then s.lease_pid end, lease_started = case when not _ends then s.lease_started end,
         fetched = s.fetched + _c.fetched, expanded = s.expanded + _c.expanded,
         inserted = s.inserted + _c.inserted, updated = s.updated + _c.updated, unchanged = s.unchanged + _c.unchanged,
         filtered = s.filtered + _c.filtered, duplicate = s.duplicate + _c.duplicate, rejected = s.rejected + _c.rejected,
         parents = s.parents + _c.parents,
         swap_inserted = (_swap ->> 'inserted')::bigint, swap_updated = (_swap ->> 'updated')::bigint,
         swap_deleted = (_swap ->> 'deleted')::bigint
   where s.id = _slice and s.token = _token and s.seq = _seq and s.status = 'open'
  returning s.* into _s;
  if not found then
    perform sluice.raise_lost(_slice, _token, _seq);
  end if;

  if _cursor is null then
    return;
  end if;
  if not _ends or _s.kind <> 'sync' then
    raise exception 'a cursor moves only at the end of a sync slice, not with batch % of slice %', _seq + 1, _slice
      using errcode = 'SL004';
  end if;
  select value into _was from sluice.cursors
   where (pipeline, stream, partition) = (_s.pipeline, _s.stream, _s.partition) for update;
  if _was is distinct from _s.cursor_at_start then
    raise exception 'the cursor of %.% is % and was % when slice % was opened', _s.pipeline, _s.stream,
      coalesce(_was, 'not set'), coalesce(_s.cursor_at_start, 'not set'), _slice using errcode = 'SL004';
  end if;
  insert into sluice.cursors as c (pipeline, stream, partition, value, boundary, slice)
  values (_s.pipeline, _s.stream, _s.partition, _cursor, _s.boundary, _slice)
  on conflict (pipeline, stream, partition) do update
     set value = excluded.value, slice = excluded.slice, updated_at = clock_timestamp(),
         boundary = case when c.value = excluded.value then sluice.max_counts(c.boundary, excluded.boundary)
                         else excluded.boundary end;
end $$;

-- Sets a slice that the token holds back to its start. The caller removes what it has stored, in the same transaction.
create function sluice.restart(
  _slice bigint, _token bigint, _seq bigint, _definition text, _since text, _until text, _cursor text)
returns void language plpgsql as $$
begin
  update sluice.slices as s
     set position = null, seq = s.seq + 1, high_water_mark = null, boundary = null, boundary_remaining = null,
         batches = 0, counts_at_claim = '{}', error = null,
         started_by = s.run, started_at = clock_timestamp(), lease_until = clock_timestamp() + sluice.lease_time(),
         definition = _definition, since = _since, until = _until, cursor_at_start = _cursor,
         fetched = 0, expanded = 0, inserted = 0, updated = 0, unchanged = 0,
         filtered = 0, duplicate = 0, rejected = 0, parents = 0
   where s.id = _slice and s.token = _token and s.seq = _seq and s.status = 'open';
  if not found then
    perform sluice.raise_lost(_slice, _token, _seq);
  end if;
  delete from sluice.rejects where slice = _slice;
end $$;

-- Ends the hold of a slice that was not read to its end, so that the next run need not wait for the lease. Returns false
-- if the token does not hold it.
create function sluice.release(_slice bigint, _token bigint, _error text) returns boolean language plpgsql as $$
begin
  update sluice.slices as s
     set lease_until = null, lease_pid = null, lease_started = null, error = _error
   where s.id = _slice and s.token = _token and s.status = 'open';
  return found;
end $$;

-- Releases all that a process still holds, at its end. A row that is locked is being committed, and is left out.
create function sluice.release_all(_slices bigint[], _tokens bigint[]) returns void language plpgsql as $$
begin
  perform sluice.release(s.id, s.token, s.error)
    from (select s.* from sluice.slices as s join unnest(_slices, _tokens) as h (id, token) using (id, token)
           where s.status = 'open' for update of s skip locked) as s;
end $$;

-- Ends a slice that no later run is to continue by itself: a replay, or a window until a run selects it again. Returns
-- false if the token does not hold it.
create function sluice.fail(_slice bigint, _token bigint, _error text) returns boolean language plpgsql as $$
begin
  update sluice.slices as s
     set status = 'failed', failures = s.failures + 1, finished_at = clock_timestamp(),
         lease_until = null, lease_pid = null, lease_started = null, error = _error
   where s.id = _slice and s.token = _token and s.status = 'open';
  return found;
end $$;

-- Skips the windows of a backfill that other backfills of the stream have done. Returns their number.
create function sluice.skip_done_elsewhere(_backfill bigint) returns bigint language plpgsql as $$
declare
  _number bigint;
begin
  update sluice.slices as s
     set status = 'skipped', finished_at = clock_timestamp(), error = 'skipped: other backfills of the stream have done it'
   where s.id in (
     select o.id from sluice.slices as o
      where o.backfill = _backfill and o.status in ('open', 'failed') and sluice.is_skippable(o)
      order by o.lower for update skip locked);
  get diagnostics _number = row_count;
  return _number;
end $$;

-- Closes the open slice of a stream by hand, so that no run resumes it. Its holder loses it. Returns the closed slices,
-- whose shadow tables the caller drops in the same transaction.
create function sluice.close(_pipeline text, _stream text, _partition text, _reason text)
returns setof bigint language plpgsql as $$
begin
  perform sluice.lock_stream(_pipeline, _stream, _partition);
  return query update sluice.slices as s
     set status = 'closed', token = s.token + 1, finished_at = clock_timestamp(),
         lease_until = null, lease_pid = null, lease_started = null, error = _reason
   where (s.pipeline, s.stream, s.partition) = (_pipeline, _stream, _partition) and s.kind = 'sync' and s.status = 'open'
  returning s.id;
end $$;

-- Writes the plan of a backfill, or finds the plan of the same definition. `_bounds` are the starts of its windows and
-- its end; each window is an open slice that no run holds yet.
create function sluice.plan_backfill(
  _run bigint, _pipeline text, _stream text, _partition text, _bounds timestamptz[], _window_size text, _zone text,
  _definition text)
returns table (id bigint, created boolean) language plpgsql as $$
#variable_conflict use_column
declare
  _id bigint;
begin
  insert into sluice.backfills (pipeline, stream, partition, lower, upper, window_size, zone)
  values (_pipeline, _stream, _partition, _bounds[1], _bounds[cardinality(_bounds)], _window_size, _zone)
  on conflict on constraint one_backfill_per_definition do nothing returning backfills.id into _id;
  if _id is null then
    return query select b.id, false from sluice.backfills as b
      where (b.pipeline, b.stream, b.partition, b.lower, b.upper, b.window_size, b.zone)
        = (_pipeline, _stream, _partition, _bounds[1], _bounds[cardinality(_bounds)], _window_size, _zone);
    return;
  end if;
  insert into sluice.slices (
    kind, pipeline, stream, partition, started_by, run, definition, backfill, lower, upper, previous_upper, since, until)
  select 'backfill', _pipeline, _stream, _partition, _run, _run, _definition, _id, w.lower, w.upper,
         case when w.ordinal > 1 then w.lower end, sluice.instant_text(w.lower), sluice.instant_text(w.upper)
    from unnest(_bounds[:cardinality(_bounds) - 1], _bounds[2:]) with ordinality as w (lower, upper, ordinal)
   order by w.ordinal;
  return query select _id, true;
end $$;

-- Marks rejects as replayed, in the transaction that stores their records. Each may be stored once.
create function sluice.replay(_rejects bigint[], _run bigint) returns void language plpgsql as $$
declare
  _number bigint;
begin
  update sluice.rejects set replayed_at = clock_timestamp(), replayed_by = _run
   where id = any (_rejects) and replayed_at is null;
  get diagnostics _number = row_count;
  if _number <> (select count(distinct one) from unnest(_rejects) as one) then
    raise exception '% of % rejects were replayed by another run, or are gone',
      cardinality(_rejects) - _number, cardinality(_rejects) using errcode = 'SL006';
  end if;
end $$;

-- Down Migration

drop function sluice.replay(bigint[], bigint);
drop function sluice.plan_backfill(bigint, text, text, text, timestamptz[], text, text, text);
drop function sluice.close(text, text, text, text);
drop function sluice.skip_done_elsewhere(bigint);
drop function sluice.fail(bigint, bigint, text);
drop function sluice.release_all(bigint[], bigint[]);
drop function sluice.release(bigint, bigint, text);
drop function sluice.restart(bigint, bigint, bigint, text, text, text, text);
drop function sluice.advance(bigint, bigint, bigint, json, jsonb, text, jsonb, text, jsonb, jsonb);
drop function sluice.renew(bigint[], bigint[], integer, timestamptz);
drop function sluice.windows_left(bigint, bigint, text, timestamptz[]);
drop function sluice.claim_window(bigint, bigint, text, timestamptz[], text, integer, timestamptz);
drop function sluice.is_skippable(sluice.slices);
drop function sluice.is_readable(sluice.slices, text, timestamptz[], timestamptz);
drop function sluice.is_selected(sluice.slices, text, timestamptz[]);
drop function sluice.claim_sync(bigint, text, text, text, boolean, text, integer, timestamptz);
drop function sluice.claim(bigint, bigint, text, integer, timestamptz);
drop function sluice.open(bigint, text, text, text, text, text, text, text, boolean, text, integer, timestamptz);
drop function sluice.read_held(bigint);
drop function sluice.has_read(bigint, text, text, text, boolean);
drop function sluice.find_holder(text, text, text, text);
drop function sluice.raise_lost(bigint, bigint, bigint);
drop function sluice.lost_reason(bigint, bigint);
drop function sluice.max_counts(jsonb, jsonb);
drop function sluice.is_claimable(sluice.slices);
