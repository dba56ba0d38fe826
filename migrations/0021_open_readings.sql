-- Up Migration

-- The later slice that has read again, with proof, what an open reading may have missed.
alter table sluice.slices
  add column covered_by bigint references sluice.slices,
  add constraint only_open_readings_are_covered
    check (covered_by is null or (status = 'done' and completeness is not null and completeness = 'open'));

-- The open readings that nothing covers. Each is a problem that `sluice status` reports.
create index open_readings on sluice.slices (pipeline, stream, id)
  where completeness = 'open' and status = 'done' and covered_by is null;

-- True if a slice has read everything that it was to read.
create function sluice.is_proven(_slice sluice.slices) returns boolean language sql immutable as $$
  select coalesce((_slice).status = 'done' and (_slice).completeness in ('counted', 'ended'), false)
$$;

-- Returns the open readings of a stream that later slices may cover, each with that slice and where both began. A sync is
-- covered by the syncs of a run, or by the newest one that read everything. A window is covered by that one too, or by
-- proven windows that began after its own backfill and fill its range. The caller compares the beginnings of syncs,
-- because cursors are compared by kind.
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

-- Notes that later slices have read again what open readings may have missed.
create function sluice.cover(_slices bigint[], _covered_by bigint[]) returns void language sql volatile as $$
  update sluice.slices as s set covered_by = c.covered_by
    from unnest(_slices, _covered_by) as c (slice, covered_by)
   where s.id = c.slice and s.completeness = 'open' and s.status = 'done' and s.covered_by is null
$$;

-- As before, but a window whose reading is open counts only if something covers it.
create or replace function sluice.is_backfilled(
  _pipeline text, _stream text, _partition text, _lower timestamptz, _upper timestamptz, _but bigint)
returns boolean language sql stable as $$
  select coalesce(tstzrange(_lower, _upper) <@ range_agg(tstzrange(s.lower, s.upper)), false) from sluice.slices as s
   where (s.pipeline, s.stream, s.partition) = (_pipeline, _stream, _partition) and s.kind = 'backfill' and s.status = 'done'
     and (s.completeness is distinct from 'open' or s.covered_by is not null)
     and s.lower < _upper and s.upper > _lower and s.backfill is distinct from _but
$$;

-- Down Migration

create or replace function sluice.is_backfilled(
  _pipeline text, _stream text, _partition text, _lower timestamptz, _upper timestamptz, _but bigint)
returns boolean language sql stable as $$
  select coalesce(tstzrange(_lower, _upper) <@ range_agg(tstzrange(s.lower, s.upper)), false) from sluice.slices as s
   where (s.pipeline, s.stream, s.partition) = (_pipeline, _stream, _partition) and s.kind = 'backfill' and s.status = 'done'
     and s.lower < _upper and s.upper > _lower and s.backfill is distinct from _but
$$;
drop function sluice.cover(bigint[], bigint[]);
drop function sluice.find_covering(bigint, text, text, text);
drop function sluice.is_proven(sluice.slices);
drop index sluice.open_readings;
alter table sluice.slices drop constraint only_open_readings_are_covered, drop column covered_by;
