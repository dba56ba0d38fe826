-- Up Migration

-- What a run, the status and the summary ask takes the same time however many slices and runs there are.

-- Slices that a run has claimed and not ended. `token` is changed by claims only, so batches need no new index entries.
create index claimed_slices on sluice.slices (pipeline, stream, partition, kind, id)
  where status = 'open' and token > 0;
-- Slices that are no windows were in it too.
drop index sluice.windows_finished;
create index windows_finished on sluice.slices (backfill, finished_at)
  where backfill is not null and finished_at is not null;
-- A backfill may have more windows than its stream has readings, and lies between them.
create index slices_but_windows on sluice.slices (pipeline, stream, id) where kind <> 'backfill';
create index failed_windows on sluice.slices (pipeline, stream) where kind = 'backfill' and status = 'failed';
-- Of a stream that is read in full each time, each slice is one of these; of any other stream few are.
create index full_readings on sluice.slices (pipeline, stream, partition, id)
  where kind = 'sync' and status = 'done' and since is null and completeness in ('counted', 'ended');
create index runs_but_done on sluice.runs (status, id) where status <> 'done';
create index rare_runs on sluice.runs (kind, id) where kind <> 'sync';
create index interrupted_ticks on sluice.ticks (pipeline, tick) where status = 'interrupted';

-- For the foreign keys: without these, each removed run or slice would read a whole table.
create index covering_slices on sluice.slices (covered_by) where covered_by is not null;
create index cursors_by_slice on sluice.cursors (slice) where slice is not null;
create index rejects_by_run on sluice.rejects (run);
create index rejects_by_settling_run on sluice.rejects (settled_by) where settled_by is not null;
create index chains_by_starter on sluice.chains (started_by);
create index ticks_by_run on sluice.ticks (run) where run is not null;
create index requests_by_run on sluice.requests (run) where run is not null;

-- As before, for the index claimed_slices: a slice that was never claimed is not held.
create or replace function sluice.find_holder(_pipeline text, _stream text, _partition text, _kind text)
returns setof sluice.slices language sql volatile as $$
  select s.* from sluice.slices as s
   where (s.pipeline, s.stream, s.partition) = (_pipeline, _stream, _partition) and s.kind = _kind and s.status = 'open'
     and s.token > 0 and s.lease_until is not null and not sluice.is_claimable(s)
     and (_kind <> 'backfill' or (select b.exclusive from sluice.backfills as b where b.id = s.backfill))
   order by s.id limit 1
$$;

-- As before, with the words of the index full_readings.
create or replace function sluice.find_covering(_run bigint, _pipeline text, _stream text, _partition text)
returns table (slice bigint, covered_by bigint, since text, covered_since text, until text, covered_until text)
language sql stable as $$
  with open_ones as materialized (
    select o.* from sluice.slices as o
     where (o.pipeline, o.stream, o.partition) = (_pipeline, _stream, _partition)
       and o.completeness = 'open' and o.status = 'done' and o.covered_by is null and o.kind in ('sync', 'backfill')),
  syncs as materialized (
    select p.id, p.since, p.until, p.started_at from sluice.slices as p
     where p.run = _run and (p.pipeline, p.stream, p.partition) = (_pipeline, _stream, _partition)
       and p.kind = 'sync' and sluice.is_proven(p)
    union
    (select p.id, p.since, p.until, p.started_at from sluice.slices as p
      where (p.pipeline, p.stream, p.partition) = (_pipeline, _stream, _partition)
        and p.kind = 'sync' and p.status = 'done' and p.completeness in ('counted', 'ended') and p.since is null
        and exists (select from open_ones)
      order by p.id desc limit 1)),
  windows as (
    select b.backfill, w.newest, w.ranges
      from (select o.backfill, max(o.finished_at) as finished_at from open_ones as o
             where o.kind = 'backfill' group by o.backfill) as b,
           lateral (select max(w.id) as newest, range_agg(tstzrange(w.lower, w.upper)) as ranges
                      from sluice.slices as w
                     where (w.pipeline, w.stream, w.partition) = (_pipeline, _stream, _partition)
                       and w.kind = 'backfill' and w.status = 'done' and sluice.is_proven(w)
                       and w.started_at >= b.finished_at) as w)
  select o.id, p.id, o.since, p.since, o.until, p.until
    from open_ones as o join syncs as p on p.started_at >= o.finished_at
   where (p.since is null and p.until is null) or (o.kind = 'sync' and o.since is not null)
  union all
  select o.id, w.newest, null, null, null, null
    from open_ones as o join windows as w on w.backfill = o.backfill and tstzrange(o.lower, o.upper) <@ w.ranges
$$;

-- Dead versions of rows are removed before they are a fifth of a large table.
alter table sluice.slices set (autovacuum_vacuum_scale_factor = 0.05);
alter table sluice.runs set (autovacuum_vacuum_scale_factor = 0.05);
alter table sluice.events set (autovacuum_vacuum_scale_factor = 0.05);
alter table sluice.ticks set (autovacuum_vacuum_scale_factor = 0.05);

-- Down Migration

alter table sluice.ticks reset (autovacuum_vacuum_scale_factor);
alter table sluice.events reset (autovacuum_vacuum_scale_factor);
alter table sluice.runs reset (autovacuum_vacuum_scale_factor);
alter table sluice.slices reset (autovacuum_vacuum_scale_factor);

create or replace function sluice.find_covering(_run bigint, _pipeline text, _stream text, _partition text)
returns table (slice bigint, covered_by bigint, since text, covered_since text, until text, covered_until text)
language sql stable as $$
  with open_ones as materialized (
    select o.* from sluice.slices as o
     where (o.pipeline, o.stream, o.partition) = (_pipeline, _stream, _partition)
       and o.completeness = 'open' and o.status = 'done' and o.covered_by is null and o.kind in ('sync', 'backfill')),
  syncs as materialized (
    select p.id, p.since, p.until, p.started_at from sluice.slices as p
     where p.run = _run and (p.pipeline, p.stream, p.partition) = (_pipeline, _stream, _partition)
       and p.kind = 'sync' and sluice.is_proven(p)
    union
    (select p.id, p.since, p.until, p.started_at from sluice.slices as p
      where (p.pipeline, p.stream, p.partition) = (_pipeline, _stream, _partition)
        and p.kind = 'sync' and sluice.is_proven(p) and p.since is null and exists (select from open_ones)
      order by p.id desc limit 1)),
  windows as (
    select b.backfill, w.newest, w.ranges
      from (select o.backfill, max(o.finished_at) as finished_at from open_ones as o
             where o.kind = 'backfill' group by o.backfill) as b,
           lateral (select max(w.id) as newest, range_agg(tstzrange(w.lower, w.upper)) as ranges
                      from sluice.slices as w
                     where (w.pipeline, w.stream, w.partition) = (_pipeline, _stream, _partition)
                       and w.kind = 'backfill' and w.status = 'done' and sluice.is_proven(w)
                       and w.started_at >= b.finished_at) as w)
  select o.id, p.id, o.since, p.since, o.until, p.until
    from open_ones as o join syncs as p on p.started_at >= o.finished_at
   where (p.since is null and p.until is null) or (o.kind = 'sync' and o.since is not null)
  union all
  select o.id, w.newest, null, null, null, null
    from open_ones as o join windows as w on w.backfill = o.backfill and tstzrange(o.lower, o.upper) <@ w.ranges
$$;

create or replace function sluice.find_holder(_pipeline text, _stream text, _partition text, _kind text)
returns setof sluice.slices language sql volatile as $$
  select s.* from sluice.slices as s
   where (s.pipeline, s.stream, s.partition) = (_pipeline, _stream, _partition) and s.kind = _kind and s.status = 'open'
     and s.lease_until is not null and not sluice.is_claimable(s)
     and (_kind <> 'backfill' or (select b.exclusive from sluice.backfills as b where b.id = s.backfill))
   order by s.id limit 1
$$;

drop index sluice.requests_by_run;
drop index sluice.ticks_by_run;
drop index sluice.chains_by_starter;
drop index sluice.rejects_by_settling_run;
drop index sluice.rejects_by_run;
drop index sluice.cursors_by_slice;
drop index sluice.covering_slices;
drop index sluice.interrupted_ticks;
drop index sluice.rare_runs;
drop index sluice.runs_but_done;
drop index sluice.full_readings;
drop index sluice.failed_windows;
drop index sluice.slices_but_windows;
drop index sluice.windows_finished;
create index windows_finished on sluice.slices (backfill, finished_at) where finished_at is not null;
drop index sluice.claimed_slices;
