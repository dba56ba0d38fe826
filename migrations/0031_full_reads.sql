-- Up Migration

-- A reading of everything in steps is many slices, and the cursor may be ahead of them all: after `--full`, or where a
-- step has no records. The last such reading of each stream stands here, so that a run that finds it unfinished goes on
-- with it. Without this, an interrupted `--full` would go on at the cursor, and leave out the steps before it.
create table sluice.full_reads (
  pipeline text not null, stream text not null, partition text not null default '',
  definition text not null,
  -- The run that began it. No reference, and nor are the slices: all of them may be pruned.
  started_by bigint not null,
  -- All syncs of the stream from its first slice to its last one belong to it.
  first_slice bigint not null,
  -- The slice that has read it to its end; null if it is unfinished.
  last_slice bigint check (last_slice >= first_slice),
  primary key (pipeline, stream, partition));

-- Notes that a slice begins to read everything. One that has no end needs no note: it reads everything itself.
create function sluice.begin_full(_slice bigint) returns void language plpgsql as $$
declare
  _s sluice.slices;
begin
  select * into _s from sluice.slices as s where s.id = _slice;
  delete from sluice.full_reads as f
   where (f.pipeline, f.stream, f.partition) = (_s.pipeline, _s.stream, _s.partition);
  if _s.kind = 'sync' and _s.until is not null then
    insert into sluice.full_reads (pipeline, stream, partition, definition, started_by, first_slice)
    values (_s.pipeline, _s.stream, _s.partition, _s.definition, _s.run, _s.id);
  end if;
end $$;

-- Returns the unfinished reading of a stream, and the end of the steps of it that are done; null if none is, or if not
-- all of a chain are.
create function sluice.unfinished_full(_pipeline text, _stream text, _partition text)
returns table (started_by bigint, definition text, read_to text) language sql stable as $$
  select f.started_by, f.definition, (
           select case when s.chain is null or not exists (
                    select from sluice.slices as o where o.chain = s.chain and o.status <> 'done') then s.until end
             from sluice.slices as s
            where (s.pipeline, s.stream, s.partition) = (f.pipeline, f.stream, f.partition) and s.kind = 'sync'
              and s.id >= f.first_slice and s.status = 'done' and s.until is not null
            order by s.id desc limit 1)
    from sluice.full_reads as f
   where (f.pipeline, f.stream, f.partition) = (_pipeline, _stream, _partition) and f.last_slice is null
$$;

-- Opens a slice of a sync as `open` does. `_begins`: it begins to read everything. Otherwise it returns nothing if
-- another run has meanwhile moved on the reading of everything that the caller goes on with.
create function sluice.open_sync(
  _run bigint, _begins boolean, _pipeline text, _stream text, _partition text, _definition text,
  _since text, _until text, _has_cursor boolean, _cursor text, _lease_pid integer, _lease_started timestamptz,
  _read_to text)
returns table (slice sluice.slices, cursor text, boundary jsonb, ordinal bigint) language plpgsql as $$
declare
  _id bigint;
begin
  perform sluice.lock_stream(_pipeline, _stream, _partition);
  if not _begins and (
       select f.read_to from sluice.unfinished_full(_pipeline, _stream, _partition) as f) is distinct from _read_to then
    return;
  end if;
  select (h.slice).id into _id from sluice.open(
    _run, 'sync', _pipeline, _stream, _partition, _definition, _since, _until, _has_cursor, _cursor, _lease_pid,
    _lease_started) as h;
  if _id is not null and _begins then
    perform sluice.begin_full(_id);
  end if;
  return query select * from sluice.read_held(_id);
end $$;

-- Opens the first range of a chain as `open_range` does, with `_begins` and `_read_to` as above.
create function sluice.open_first_range(
  _run bigint, _pipeline text, _stream text, _partition text, _definition text, _since text, _until text, _cursor text,
  _begins boolean, _read_to text, _lease_pid integer, _lease_started timestamptz)
returns table (slice sluice.slices, cursor text, boundary jsonb, ordinal bigint) language plpgsql as $$
declare
  _id bigint;
begin
  perform sluice.lock_stream(_pipeline, _stream, _partition);
  if not _begins and (
       select f.read_to from sluice.unfinished_full(_pipeline, _stream, _partition) as f) is distinct from _read_to then
    return;
  end if;
  select (h.slice).id into _id from sluice.open_range(
    _run, _pipeline, _stream, _partition, _definition, _since, _until, _cursor, null, null, _lease_pid,
    _lease_started) as h;
  if _id is not null and _begins then
    perform sluice.begin_full(_id);
  end if;
  return query select * from sluice.read_held(_id);
end $$;

-- The slice without an end is the last one. It ends the reading in the transaction that stores its last rows.
create function sluice.end_full() returns trigger language plpgsql as $$
begin
  update sluice.full_reads as f set last_slice = new.id
   where (f.pipeline, f.stream, f.partition) = (new.pipeline, new.stream, new.partition)
     and f.last_slice is null and f.first_slice <= new.id;
  return null;
end $$;
create trigger end_full after update of status on sluice.slices
  for each row when (new.kind = 'sync' and new.status = 'done' and old.status <> 'done' and new.until is null)
  execute function sluice.end_full();

-- As before. It also gives up the reading of everything: the next run begins where the cursor was set to.
create or replace function sluice.close(_pipeline text, _stream text, _partition text, _reason text)
returns setof bigint language plpgsql as $$
begin
  perform sluice.lock_stream(_pipeline, _stream, _partition);
  update sluice.chains as c set ended_at = clock_timestamp()
   where c.id = (select l.id from sluice.live_chain(_pipeline, _stream, _partition) as l);
  delete from sluice.full_reads as f
   where (f.pipeline, f.stream, f.partition) = (_pipeline, _stream, _partition) and f.last_slice is null;
  return query update sluice.slices as s
     set status = 'closed', token = s.token + 1, finished_at = clock_timestamp(),
         lease_until = null, lease_pid = null, lease_started = null, error = _reason
   where (s.pipeline, s.stream, s.partition) = (_pipeline, _stream, _partition) and s.kind = 'sync' and s.status = 'open'
  returning s.id;
end $$;

-- Down Migration

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
drop trigger end_full on sluice.slices;
drop function sluice.end_full();
drop function sluice.open_first_range(
  bigint, text, text, text, text, text, text, text, boolean, text, integer, timestamptz);
drop function sluice.open_sync(
  bigint, boolean, text, text, text, text, text, text, boolean, text, integer, timestamptz, text);
drop function sluice.unfinished_full(text, text, text);
drop function sluice.begin_full(bigint);
drop table sluice.full_reads;
