-- Up Migration

-- A stream that is read in steps has several sync slices in one run: each has an end but the last one.

-- As before, but a slice with an end does not finish the stream: the run reads on behind it.
create or replace function sluice.has_read(_run bigint, _pipeline text, _stream text, _partition text, _has_cursor boolean)
returns boolean language sql stable as $$
  select exists (
    select from sluice.slices as s
     where (s.pipeline, s.stream, s.partition, s.kind) = (_pipeline, _stream, _partition, 'sync') and s.status <> 'open'
       and (s.until is null or s.status <> 'done')
       and (s.started_by = _run or (not _has_cursor and s.run = _run)))
$$;

-- Returns the end of the step that a run has read last; null if it has read none.
create function sluice.step_end(_run bigint, _pipeline text, _stream text, _partition text)
returns text language sql stable as $$
  select s.until from sluice.slices as s
   where s.run = _run and (s.pipeline, s.stream, s.partition, s.kind) = (_pipeline, _stream, _partition, 'sync')
     and s.status = 'done' and s.until is not null
   order by s.id desc limit 1
$$;

-- As before, and where both ended: a step covers nothing behind its end.
drop function sluice.find_covering(bigint, text, text, text);
create function sluice.find_covering(_run bigint, _pipeline text, _stream text, _partition text)
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

-- Down Migration

drop function sluice.find_covering(bigint, text, text, text);
create function sluice.find_covering(_run bigint, _pipeline text, _stream text, _partition text)
returns table (slice bigint, covered_by bigint, since text, covered_since text) language sql stable as $$
  with open_ones as materialized (
    select o.* from sluice.slices as o
     where (o.pipeline, o.stream, o.partition) = (_pipeline, _stream, _partition)
       and o.completeness = 'open' and o.status = 'done' and o.covered_by is null and o.kind in ('sync', 'backfill')),
  syncs as materialized (
    select p.id, p.since, p.started_at from sluice.slices as p
     where p.run = _run and (p.pipeline, p.stream, p.partition) = (_pipeline, _stream, _partition)
       and p.kind = 'sync' and sluice.is_proven(p)
    union
    (select p.id, p.since, p.started_at from sluice.slices as p
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
  select o.id, p.id, o.since, p.since
    from open_ones as o join syncs as p on p.started_at >= o.finished_at
   where p.since is null or (o.kind = 'sync' and o.since is not null)
  union all
  select o.id, w.newest, null, null
    from open_ones as o join windows as w on w.backfill = o.backfill and tstzrange(o.lower, o.upper) <@ w.ranges
$$;

drop function sluice.step_end(bigint, text, text, text);

create or replace function sluice.has_read(_run bigint, _pipeline text, _stream text, _partition text, _has_cursor boolean)
returns boolean language sql stable as $$
  select exists (
    select from sluice.slices as s
     where (s.pipeline, s.stream, s.partition, s.kind) = (_pipeline, _stream, _partition, 'sync') and s.status <> 'open'
       and (s.started_by = _run or (not _has_cursor and s.run = _run)))
$$;
