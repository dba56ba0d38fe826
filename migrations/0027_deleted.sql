-- Up Migration

-- Records that the API announces as deleted: they are counted and do not go to the table.
alter type sluice.counts add attribute deleted bigint;
alter table sluice.slices drop constraint counts_balance, add column deleted bigint not null default 0;
drop function sluice.counts_balance(bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint);

create function sluice.counts_balance(
  _fetched bigint, _expanded bigint, _inserted bigint, _updated bigint, _unchanged bigint,
  _filtered bigint, _duplicate bigint, _deleted bigint, _rejected bigint, _parents bigint)
returns boolean language sql immutable as $$
  select _fetched + _expanded = _inserted + _updated + _unchanged + _filtered + _duplicate + _deleted + _rejected
    and least(_fetched, _expanded, _inserted, _updated, _unchanged, _filtered, _duplicate, _deleted, _rejected, _parents) >= 0
$$;

alter table sluice.slices add constraint counts_balance check (sluice.counts_balance(
  fetched, expanded, inserted, updated, unchanged, filtered, duplicate, deleted, rejected, parents));

create or replace function sluice.counts_of(_slice sluice.slices) returns jsonb language sql immutable as $$
  select jsonb_build_object(
    'fetched', (_slice).fetched, 'expanded', (_slice).expanded, 'inserted', (_slice).inserted, 'updated', (_slice).updated,
    'unchanged', (_slice).unchanged, 'filtered', (_slice).filtered, 'duplicate', (_slice).duplicate, 'deleted', (_slice).deleted,
    'rejected', (_slice).rejected, 'parents', (_slice).parents, 'batches', (_slice).batches)
$$;

-- As before. A process of an older version passes no number of deleted records.
create or replace function sluice.advance(
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
       _c.fetched, _c.expanded, _c.inserted, _c.updated, _c.unchanged, _c.filtered, _c.duplicate, coalesce(_c.deleted, 0),
       _c.rejected, _c.parents), false) then
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
         deleted = s.deleted + coalesce(_c.deleted, 0), parents = s.parents + _c.parents,
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

-- As before.
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
         filtered = 0, duplicate = 0, deleted = 0, rejected = 0, parents = 0
   where s.id = _slice and s.token = _token and s.seq = _seq and s.status = 'open';
  if not found then
    perform sluice.raise_lost(_slice, _token, _seq);
  end if;
  delete from sluice.rejects where slice = _slice;
end $$;

-- Down Migration

alter table sluice.slices drop constraint counts_balance;
update sluice.slices set filtered = filtered + deleted where deleted > 0;

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

create or replace function sluice.advance(
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

create or replace function sluice.counts_of(_slice sluice.slices) returns jsonb language sql immutable as $$
  select jsonb_build_object(
    'fetched', (_slice).fetched, 'expanded', (_slice).expanded, 'inserted', (_slice).inserted, 'updated', (_slice).updated,
    'unchanged', (_slice).unchanged, 'filtered', (_slice).filtered, 'duplicate', (_slice).duplicate, 'rejected', (_slice).rejected,
    'parents', (_slice).parents, 'batches', (_slice).batches)
$$;

alter table sluice.slices drop column deleted;
drop function sluice.counts_balance(bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint);
alter type sluice.counts drop attribute deleted;

create function sluice.counts_balance(
  _fetched bigint, _expanded bigint, _inserted bigint, _updated bigint, _unchanged bigint,
  _filtered bigint, _duplicate bigint, _rejected bigint, _parents bigint)
returns boolean language sql immutable as $$
  select _fetched + _expanded = _inserted + _updated + _unchanged + _filtered + _duplicate + _rejected
    and least(_fetched, _expanded, _inserted, _updated, _unchanged, _filtered, _duplicate, _rejected, _parents) >= 0
$$;

alter table sluice.slices add constraint counts_balance check (sluice.counts_balance(
  fetched, expanded, inserted, updated, unchanged, filtered, duplicate, rejected, parents));
