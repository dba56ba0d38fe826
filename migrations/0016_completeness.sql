-- Up Migration

-- How sure it is that a slice has read everything: the worst of all readings in it, over its batches and claims. Null:
-- not known. In the order of the alphabet the worst comes last, so that greatest() and max() find it.
alter table sluice.slices add column completeness text
  constraint completeness_is_a_grade check (completeness in ('counted', 'ended', 'open'));
-- Why it is not sure, as sentences for people.
alter table sluice.slices add column open_reasons text[];

-- The most reasons that a slice keeps.
create function sluice.max_open_reasons() returns integer language sql immutable as $$ select 10 $$;

alter table sluice.slices add constraint only_open_readings_have_reasons check (
  open_reasons is null or (completeness is not null and completeness = 'open'
    and cardinality(open_reasons) between 1 and sluice.max_open_reasons()));

-- Joins two lists of reasons: each reason once, the first ones.
create function sluice.join_reasons(_a text[], _b text[]) returns text[] language sql immutable as $$
  select array_agg(reason order by place) from (
    select reason, min(place) as place from unnest(_a || _b) with ordinality as all_of (reason, place)
     group by reason order by place limit sluice.max_open_reasons()) as first_of
$$;

create aggregate sluice.all_reasons(text[]) (sfunc = sluice.join_reasons, stype = text[]);

-- What an older version has read of a slice that is not finished proves no more than this.
update sluice.slices set completeness = 'ended' where status = 'open' and batches > 0;

drop function sluice.advance(bigint, bigint, bigint, json, jsonb, text, jsonb, text, jsonb, jsonb);
drop function sluice.release(bigint, bigint, text);
drop function sluice.fail(bigint, bigint, text);

-- Commits a batch: position, counts and high-water mark of the slice; at the end also its status and the stream's cursor.
-- It is sent in one query with the rows and the commit, so it raises where an update of no row would be no error.
-- A process of an older version passes no completeness. What it has read is then 'ended' at best, and not known if it
-- also reads the end.
create function sluice.advance(
  _slice bigint, _token bigint, _seq bigint, _position json, _counts jsonb,
  _high_water_mark text default null, _boundary jsonb default null, _cursor text default null, _swap jsonb default null,
  _boundary_remaining jsonb default null, _completeness text default 'unknown', _open_reasons text[] default null)
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
         completeness = case
           when _completeness is distinct from 'unknown' then greatest(s.completeness, _completeness)
           when s.completeness = 'open' then 'open'
           when not _ends then 'ended' end,
         open_reasons = case when _open_reasons <> '{}' then sluice.join_reasons(s.open_reasons, _open_reasons)
                             else s.open_reasons end,
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

-- As before, and sets the completeness back.
create or replace function sluice.restart(
  _slice bigint, _token bigint, _seq bigint, _definition text, _since text, _until text, _cursor text)
returns void language plpgsql as $$
begin
  update sluice.slices as s
     set position = null, seq = s.seq + 1, high_water_mark = null, boundary = null, boundary_remaining = null,
         batches = 0, counts_at_claim = '{}', error = null, completeness = null, open_reasons = null,
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

-- As before. A window that has no batch has read nothing that counts.
create or replace function sluice.claim(
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
         completeness = case when not fresh then s.completeness end,
         open_reasons = case when not fresh then s.open_reasons end,
         lease_until = clock_timestamp() + sluice.lease_time(), lease_pid = _lease_pid, lease_started = _lease_started
    from (select o.kind = 'backfill' and o.seq = 0 as fresh from sluice.slices as o where o.id = _slice) as window_is
   where s.id = _slice;
  return query select * from sluice.read_held(_slice);
end $$;

-- Ends the hold of a slice that was not read to its end, so that the next run need not wait for the lease. With reasons
-- the reading is open: it came to its end and could not be taken. Returns false if the token does not hold it.
create function sluice.release(_slice bigint, _token bigint, _error text, _open_reasons text[] default null)
returns boolean language plpgsql as $$
begin
  update sluice.slices as s
     set lease_until = null, lease_pid = null, lease_started = null, error = _error,
         completeness = case when _open_reasons is null then s.completeness else 'open' end,
         open_reasons = sluice.join_reasons(s.open_reasons, _open_reasons)
   where s.id = _slice and s.token = _token and s.status = 'open';
  return found;
end $$;

-- Ends a slice that no later run is to continue by itself: a replay, or a window until a run selects it again. With
-- reasons the reading is open, as above. Returns false if the token does not hold it.
create function sluice.fail(_slice bigint, _token bigint, _error text, _open_reasons text[] default null)
returns boolean language plpgsql as $$
begin
  update sluice.slices as s
     set status = 'failed', failures = s.failures + 1, finished_at = clock_timestamp(),
         lease_until = null, lease_pid = null, lease_started = null, error = _error,
         completeness = case when _open_reasons is null then s.completeness else 'open' end,
         open_reasons = sluice.join_reasons(s.open_reasons, _open_reasons)
   where s.id = _slice and s.token = _token and s.status = 'open';
  return found;
end $$;

-- Down Migration

drop function sluice.fail(bigint, bigint, text, text[]);
drop function sluice.release(bigint, bigint, text, text[]);
drop function sluice.advance(bigint, bigint, bigint, json, jsonb, text, jsonb, text, jsonb, jsonb, text, text[]);
drop aggregate sluice.all_reasons(text[]);
alter table sluice.slices drop constraint only_open_readings_have_reasons;
drop function sluice.join_reasons(text[], text[]);
drop function sluice.max_open_reasons();

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

create or replace function sluice.restart(
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

create or replace function sluice.claim(
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

create function sluice.release(_slice bigint, _token bigint, _error text) returns boolean language plpgsql as $$
begin
  update sluice.slices as s
     set lease_until = null, lease_pid = null, lease_started = null, error = _error
   where s.id = _slice and s.token = _token and s.status = 'open';
  return found;
end $$;

create function sluice.fail(_slice bigint, _token bigint, _error text) returns boolean language plpgsql as $$
begin
  update sluice.slices as s
     set status = 'failed', failures = s.failures + 1, finished_at = clock_timestamp(),
         lease_until = null, lease_pid = null, lease_started = null, error = _error
   where s.id = _slice and s.token = _token and s.status = 'open';
  return found;
end $$;

alter table sluice.slices drop column open_reasons;
alter table sluice.slices drop column completeness;
