-- Up Migration

-- A stream that is read in steps, several of them at once: each step that is settled is a range of a chain. Ranges are
-- sync slices with a token, a position and a lease of their own, and end in any order.
--
-- Why no range is lost: a range begins with the very text with which the one before it ends, which a foreign key says.
-- Only pass_ranges moves the cursor, to the end of the last range before the first one that is not done. A range that
-- was killed, has failed or is still being read therefore keeps the cursor before it, whatever is done behind it. While
-- a chain has such ranges, no other slice of the stream is opened, and each run first reads what is left of the chain.
-- Why no row is doubled: a batch of a range commits by its token and number, like that of any slice; ranges have no
-- value in common; and rows without a key, which a second reading would double, are never read in a chain.
-- Why an older row does not overwrite a newer one: a record is in two ranges only if the API dates it back meanwhile.
-- The version of the row decides then, and without a version no chain is begun.
create table sluice.chains (
  id bigint generated always as identity primary key,
  pipeline text not null, stream text not null, partition text not null default '',
  definition text not null,
  -- The stream's cursor when the chain was begun.
  cursor_at_start text,
  -- The ranges that the cursor has passed, counted from the first one: all of them are done.
  passed bigint not null default 0 check (passed >= 0),
  started_by bigint not null references sluice.runs,
  started_at timestamptz not null default clock_timestamp(),
  -- Set when all ranges are done and the stream is read on behind them, and when the chain is given up.
  ended_at timestamptz);
create unique index one_live_chain on sluice.chains (pipeline, stream, partition) where ended_at is null;

alter table sluice.slices
  add column chain bigint references sluice.chains,
  -- The number of the range in its chain, from 1, and the range before it.
  add column link bigint check (link > 0),
  add column previous_link bigint,
  add column previous_until text,
  -- The cursor when this range and all before it are done; null if it stays.
  add column cursor_at_end text,
  add constraint only_syncs_are_ranges check (chain is null or kind = 'sync'),
  add constraint range_is_whole check (
    case when chain is null then num_nonnulls(link, previous_link, previous_until, cursor_at_end) = 0
         else num_nulls(link, since, until) = 0 end),
  add constraint range_follows_the_one_before check (
    previous_link is not distinct from nullif(link - 1, 0) and (previous_link is null) = (previous_until is null)
    and (previous_until is null or previous_until = since)),
  add constraint one_range_per_link unique (chain, link),
  add constraint one_end_per_link unique (chain, link, until),
  add constraint no_gap_before_range foreign key (chain, previous_link, previous_until)
    references sluice.slices (chain, link, until);

-- One slice that reads the stream to its end, or ranges of one chain.
drop index sluice.one_open_sync;
create unique index one_open_sync on sluice.slices (pipeline, stream, partition)
  where kind = 'sync' and status = 'open' and chain is null;
create index open_syncs on sluice.slices (pipeline, stream, partition) where kind = 'sync' and status = 'open';

create function sluice.syncs_stay_apart() returns trigger language plpgsql as $$
begin
  if exists (
    select from sluice.slices as o
     where (o.pipeline, o.stream, o.partition) = (new.pipeline, new.stream, new.partition)
       and o.kind = 'sync' and o.status = 'open' and o.id <> new.id and o.chain is distinct from new.chain) then
    raise exception 'slice % of %.% cannot be open beside a slice that is not of its chain', new.id, new.pipeline,
      new.stream using errcode = 'SL008';
  end if;
  return null;
end $$;
create trigger syncs_stay_apart after insert on sluice.slices
  for each row when (new.kind = 'sync' and new.status = 'open') execute function sluice.syncs_stay_apart();
create trigger syncs_stay_apart_again after update of status on sluice.slices
  for each row when (new.kind = 'sync' and new.status = 'open' and old.status <> 'open')
  execute function sluice.syncs_stay_apart();

-- Returns the chain of a stream that has not ended.
create function sluice.live_chain(_pipeline text, _stream text, _partition text)
returns setof sluice.chains language sql stable as $$
  select c.* from sluice.chains as c
   where (c.pipeline, c.stream, c.partition) = (_pipeline, _stream, _partition) and c.ended_at is null
$$;

-- True if a range of a chain is not done.
create function sluice.has_ranges_left(_chain sluice.chains) returns boolean language sql stable as $$
  select exists (
    select from sluice.slices as s where s.chain = (_chain).id and s.link > (_chain).passed and s.status <> 'done')
$$;

-- Returns where the ranges that are done have moved the cursor to.
create function sluice.chain_cursor(_chain sluice.chains) returns text language sql stable as $$
  select coalesce(
    (select s.cursor_at_end from sluice.slices as s where s.chain = (_chain).id and s.link = (_chain).passed),
    (_chain).cursor_at_start)
$$;

-- Moves the cursor over the ranges that are done, up to the first one that is not. `advance` calls it at the end of a
-- range, with the lock of the stream.
create function sluice.pass_ranges(_chain bigint) returns void language plpgsql as $$
declare
  _c sluice.chains;
  _passed bigint;
  _before text;
  _was text;
  _end sluice.slices;
begin
  select * into _c from sluice.chains as c where c.id = _chain for update;
  select coalesce(min(s.link) filter (where s.status <> 'done') - 1, max(s.link)) into _passed
    from sluice.slices as s where s.chain = _chain and s.link > _c.passed;
  if _passed = _c.passed then
    return;
  end if;
  _before := sluice.chain_cursor(_c);
  update sluice.chains as c set passed = _passed where c.id = _chain;
  select * into _end from sluice.slices as s where s.chain = _chain and s.link = _passed;
  if _end.cursor_at_end is null then
    return;
  end if;
  select value into _was from sluice.cursors
   where (pipeline, stream, partition) = (_c.pipeline, _c.stream, _c.partition) for update;
  if _was is distinct from _before then
    raise exception 'the cursor of %.% is % and was % after the ranges before slice %', _c.pipeline, _c.stream,
      coalesce(_was, 'not set'), coalesce(_before, 'not set'), _end.id using errcode = 'SL004';
  end if;
  insert into sluice.cursors as c (pipeline, stream, partition, value, slice)
  values (_c.pipeline, _c.stream, _c.partition, _end.cursor_at_end, _end.id)
  on conflict (pipeline, stream, partition) do update
     set value = excluded.value, slice = excluded.slice, boundary = null, updated_at = clock_timestamp();
end $$;

-- Gives a chain up if its ranges do not fit the run any more: another definition has begun it, the cursor was moved, or
-- the run reads everything and has not begun it. Its ranges behind the cursor are read again by other slices. A chain
-- that a run reads now stays.
create function sluice.leave_chain(
  _run bigint, _pipeline text, _stream text, _partition text, _definition text, _full boolean)
returns void language plpgsql as $$
declare
  _c sluice.chains;
begin
  select * into _c from sluice.live_chain(_pipeline, _stream, _partition);
  if not found
     or (_c.definition = _definition and not (_full and _c.started_by <> _run)
         and sluice.chain_cursor(_c) is not distinct from (
           select c.value from sluice.cursors as c
            where (c.pipeline, c.stream, c.partition) = (_pipeline, _stream, _partition)))
     or exists (select from sluice.slices as s
                 where s.chain = _c.id and s.status = 'open' and not sluice.is_claimable(s)) then
    return;
  end if;
  update sluice.slices as s
     set status = 'closed', token = s.token + 1, finished_at = clock_timestamp(),
         lease_until = null, lease_pid = null, lease_started = null,
         error = 'its chain was given up: the definition or the cursor is another one, or everything is read again'
   where s.chain = _c.id and s.status = 'open';
  update sluice.chains as c set ended_at = clock_timestamp() where c.id = _c.id;
end $$;

-- Claims the first range of the stream's chain that is not done, unless another run reads the chain or an exclusive
-- backfill the stream. Each run tries a range that has failed once.
create function sluice.claim_range(
  _run bigint, _pipeline text, _stream text, _partition text, _definition text, _full boolean,
  _lease_pid integer, _lease_started timestamptz)
returns table (slice sluice.slices, cursor text, boundary jsonb, ordinal bigint) language plpgsql as $$
declare
  _c sluice.chains;
  _id bigint;
begin
  perform sluice.lock_stream(_pipeline, _stream, _partition);
  perform sluice.leave_chain(_run, _pipeline, _stream, _partition, _definition, _full);
  select * into _c from sluice.live_chain(_pipeline, _stream, _partition);
  if not found or exists (select from sluice.find_holder(_pipeline, _stream, _partition, 'backfill'))
     or exists (select from sluice.slices as s
                 where s.chain = _c.id and s.status = 'open' and s.run <> _run and not sluice.is_claimable(s)) then
    return;
  end if;
  select s.id into _id from sluice.slices as s
   where s.chain = _c.id and s.link > _c.passed and (
     sluice.is_claimable(s)
     or (s.status = 'failed' and s.finished_at < (select r.started_at from sluice.runs as r where r.id = _run)))
   order by s.link limit 1 for update skip locked;
  return query select * from sluice.claim(_id, _run, _definition, _lease_pid, _lease_started);
end $$;

-- Opens the next range of a chain, behind the link that the caller has seen as its last one, and holds it. Without a
-- chain it begins one at the cursor. Returns nothing if that is not the last link, if the cursor has moved, if another
-- slice of the stream is open, or if another run or an exclusive backfill reads the stream.
create function sluice.open_range(
  _run bigint, _pipeline text, _stream text, _partition text, _definition text, _since text, _until text, _cursor text,
  _chain bigint, _link bigint, _lease_pid integer, _lease_started timestamptz)
returns table (slice sluice.slices, cursor text, boundary jsonb, ordinal bigint) language plpgsql as $$
declare
  _c sluice.chains;
  _id bigint;
begin
  perform sluice.lock_stream(_pipeline, _stream, _partition);
  select * into _c from sluice.live_chain(_pipeline, _stream, _partition);
  if _c.id is distinct from _chain
     or _link is distinct from (select max(s.link) from sluice.slices as s where s.chain = _c.id)
     or exists (select from sluice.find_holder(_pipeline, _stream, _partition, 'backfill'))
     or exists (select from sluice.slices as s
                 where (s.pipeline, s.stream, s.partition) = (_pipeline, _stream, _partition)
                   and s.kind = 'sync' and s.status = 'open'
                   and (s.chain is null or (s.run <> _run and not sluice.is_claimable(s)))) then
    return;
  end if;
  if _chain is null then
    if (select c.value from sluice.cursors as c
         where (c.pipeline, c.stream, c.partition) = (_pipeline, _stream, _partition)) is distinct from _cursor then
      return;
    end if;
    insert into sluice.chains (pipeline, stream, partition, definition, cursor_at_start, started_by)
    values (_pipeline, _stream, _partition, _definition, _cursor, _run) returning * into _c;
  end if;
  insert into sluice.slices (
    kind, pipeline, stream, partition, started_by, run, definition, since, until, cursor_at_start,
    chain, link, previous_link, previous_until, token, lease_until, lease_pid, lease_started)
  values (
    'sync', _pipeline, _stream, _partition, _run, _run, _definition, _since, _until, _c.cursor_at_start,
    _c.id, coalesce(_link, 0) + 1, _link, case when _link is not null then _since end,
    1, clock_timestamp() + sluice.lease_time(), _lease_pid, _lease_started)
  returning id into _id;
  return query select * from sluice.read_held(_id);
end $$;

-- As before. The end of a range moves the cursor over all ranges up to the first one that is not done.
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
         swap_deleted = (_swap ->> 'deleted')::bigint,
         cursor_at_end = case when _ends and s.chain is not null then _cursor end
   where s.id = _slice and s.token = _token and s.seq = _seq and s.status = 'open'
  returning s.* into _s;
  if not found then
    perform sluice.raise_lost(_slice, _token, _seq);
  end if;

  if _ends and _s.chain is not null then
    perform sluice.pass_ranges(_s.chain);
    return;
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

-- As before, and of the open slices one that is no range.
create or replace function sluice.claim_sync(
  _run bigint, _pipeline text, _stream text, _partition text, _has_cursor boolean, _definition text,
  _lease_pid integer, _lease_started timestamptz)
returns table (slice sluice.slices, cursor text, boundary jsonb, ordinal bigint) language plpgsql as $$
declare
  _id bigint;
begin
  perform sluice.lock_stream(_pipeline, _stream, _partition);
  perform sluice.leave_chain(_run, _pipeline, _stream, _partition, _definition, false);
  if sluice.has_read(_run, _pipeline, _stream, _partition, _has_cursor)
     or exists (select from sluice.find_holder(_pipeline, _stream, _partition, 'backfill'))
     or (select sluice.has_ranges_left(c) from sluice.live_chain(_pipeline, _stream, _partition) as c) then
    return;
  end if;
  select s.id into _id from sluice.slices as s
   where (s.pipeline, s.stream, s.partition) = (_pipeline, _stream, _partition) and s.kind = 'sync' and s.status = 'open'
     and s.chain is null and sluice.is_claimable(s)
     for update skip locked;
  return query select * from sluice.claim(_id, _run, _definition, _lease_pid, _lease_started);
end $$;

-- As before, and not while ranges of a chain are left. A chain without such ranges ends here.
create or replace function sluice.open(
  _run bigint, _kind text, _pipeline text, _stream text, _partition text, _definition text,
  _since text, _until text, _has_cursor boolean, _cursor text, _lease_pid integer, _lease_started timestamptz)
returns table (slice sluice.slices, cursor text, boundary jsonb, ordinal bigint) language plpgsql as $$
#variable_conflict use_column
declare
  _id bigint;
  _chain sluice.chains;
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
    select * into _chain from sluice.live_chain(_pipeline, _stream, _partition);
    if sluice.has_ranges_left(_chain) then
      return;
    end if;
    update sluice.chains as c set ended_at = clock_timestamp() where c.id = _chain.id;
  end if;
  insert into sluice.slices (
    kind, pipeline, stream, partition, started_by, run, definition, since, until, cursor_at_start,
    token, lease_until, lease_pid, lease_started)
  values (
    _kind, _pipeline, _stream, _partition, _run, _run, _definition, _since, _until, _cursor,
    1, clock_timestamp() + sluice.lease_time(), _lease_pid, _lease_started)
  on conflict (pipeline, stream, partition) where kind = 'sync' and status = 'open' and chain is null do nothing
  returning id into _id;
  return query select * from sluice.read_held(_id);
end $$;

-- As before, with all open ranges of a chain. The chain ends.
create or replace function sluice.close(_pipeline text, _stream text, _partition text, _reason text)
returns setof bigint language plpgsql as $$
begin
  perform sluice.lock_stream(_pipeline, _stream, _partition);
  update sluice.chains as c set ended_at = clock_timestamp()
   where c.id = (select l.id from sluice.live_chain(_pipeline, _stream, _partition) as l);
  return query update sluice.slices as s
     set status = 'closed', token = s.token + 1, finished_at = clock_timestamp(),
         lease_until = null, lease_pid = null, lease_started = null, error = _reason
   where (s.pipeline, s.stream, s.partition) = (_pipeline, _stream, _partition) and s.kind = 'sync' and s.status = 'open'
  returning s.id;
end $$;

-- As before. Ranges may end in any order, and an earlier run may have read the last one. Null if a chain was given up
-- with ranges that are not done: the run reads on from the cursor, which is before them.
create or replace function sluice.step_end(_run bigint, _pipeline text, _stream text, _partition text)
returns text language sql stable as $$
  select case when s.chain is null then s.until
              when not exists (select from sluice.slices as o where o.chain = s.chain and o.status <> 'done')
              then (select o.until from sluice.slices as o where o.chain = s.chain order by o.link desc limit 1) end
    from sluice.slices as s
   where s.run = _run and (s.pipeline, s.stream, s.partition, s.kind) = (_pipeline, _stream, _partition, 'sync')
     and s.status = 'done' and s.until is not null
   order by s.id desc limit 1
$$;

-- Down Migration

-- Their later ranges are read again: the cursor is before them.
update sluice.slices set status = 'closed', token = token + 1, finished_at = clock_timestamp(),
       lease_until = null, lease_pid = null, lease_started = null, error = 'the ledger was taken back'
 where chain is not null and status = 'open';

create or replace function sluice.step_end(_run bigint, _pipeline text, _stream text, _partition text)
returns text language sql stable as $$
  select s.until from sluice.slices as s
   where s.run = _run and (s.pipeline, s.stream, s.partition, s.kind) = (_pipeline, _stream, _partition, 'sync')
     and s.status = 'done' and s.until is not null
   order by s.id desc limit 1
$$;

create or replace function sluice.close(_pipeline text, _stream text, _partition text, _reason text)
returns setof bigint language plpgsql as $$
begin
  perform sluice.lock_stream(_pipeline, _stream, _partition);
  return query update sluice.slices as s
     set status = 'closed', token = s.token + 1, finished_at = clock_timestamp(),
         lease_until = null, lease_pid = null, lease_started = null, error = _reason
   where (s.pipeline, s.stream, s.partition) = (_pipeline, _stream, _partition) and s.kind = 'sync' and s.status = 'open'
  returning s.id;
end $$;

create or replace function sluice.open(
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

create or replace function sluice.claim_sync(
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

drop function sluice.claim_range(bigint, text, text, text, text, boolean, integer, timestamptz);
drop function sluice.open_range(
  bigint, text, text, text, text, text, text, text, bigint, bigint, integer, timestamptz);
drop function sluice.leave_chain(bigint, text, text, text, text, boolean);
drop function sluice.pass_ranges(bigint);
drop function sluice.chain_cursor(sluice.chains);
drop function sluice.has_ranges_left(sluice.chains);
drop function sluice.live_chain(text, text, text);
drop index sluice.open_syncs;
drop index sluice.one_open_sync;
create unique index one_open_sync on sluice.slices (pipeline, stream, partition)
  where kind = 'sync' and status = 'open';
drop trigger syncs_stay_apart on sluice.slices;
drop trigger syncs_stay_apart_again on sluice.slices;
drop function sluice.syncs_stay_apart();
alter table sluice.slices
  drop column chain, drop column link, drop column previous_link, drop column previous_until, drop column cursor_at_end;
drop table sluice.chains;
