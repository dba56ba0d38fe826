-- Up Migration

-- What is old is removed from the ledger, a few rows at a time, by whoever runs. What may still be asked for stays,
-- however old it is:
--
-- | stays                    | because                                                                                |
-- |--------------------------|----------------------------------------------------------------------------------------|
-- | an open slice            | a run continues it                                                                     |
-- | a window, its backfill   | the chain of a backfill says what has been read, also to other backfills               |
-- | a range of a live chain  | the chain says how far the cursor may go; ranges of one that has ended go all together |
-- | the slice of a cursor    | the cursor names it                                                                    |
-- | an open reading          | it is a problem until a later one covers it                                            |
-- | a slice that covers one  | as long as that one is there                                                           |
-- | an open reject           | it waits for a replay or a later record; with it its slice and its runs                |
-- | the newest of each class | the next run of a stream and the status compare with it: `removable_slices` below      |
-- | what refers to a run     | keeps the run                                                                          |
-- | an interrupted tick      | it comes again                                                                         |
-- | one given up, for a week | its job at the API is to be ended: 0030_given_up_jobs.sql                              |
--
-- Foreign keys refuse to remove anything that a row refers to, should this file have forgotten it.

-- When the next pass is due, and how far the last one has come by ids.
create table sluice.pruning (
  only_row boolean primary key default true check (only_row),
  due_at timestamptz not null default clock_timestamp(),
  -- When a pass began at the first ids: what stayed then may be removed now.
  started_at timestamptz not null default clock_timestamp(),
  reject bigint not null default 0, slice bigint not null default 0, run bigint not null default 0);
insert into sluice.pruning default values;

-- Returns those of some rejects that are settled for good: the slice that has settled one cannot restart any more.
create function sluice.removable_rejects(_rejects bigint[], _before timestamptz)
returns setof bigint language sql stable as $$
  select r.id from sluice.rejects as r
   where r.id = any (_rejects) and r.settled_at < _before
     and not exists (select from sluice.slices as s where s.id = r.settled_in and s.status in ('open', 'failed'))
$$;

-- Returns those of some slices that may be removed, without some rejects. It does not look at chains.
create function sluice.removable_slices(_slices bigint[], _before timestamptz, _without bigint[])
returns setof bigint language sql stable as $$
  select s.id from sluice.slices as s
   where s.id = any (_slices) and s.kind <> 'backfill' and s.status <> 'open' and s.finished_at < _before
     -- The next run may have to end the job of one that was given up.
     and (s.status = 'done' or s.finished_at < clock_timestamp() - interval '7 days')
     and not (s.status = 'done' and s.completeness is not distinct from 'open' and s.covered_by is null)
     and not exists (select from sluice.runs as r
                      where r.id in (s.run, s.started_by) and (r.status = 'running' or r.finished_at >= _before))
     and not exists (select from sluice.cursors as c where c.slice = s.id)
     and not exists (select from sluice.rejects as r where r.slice = s.id and r.id <> all (_without))
     and not exists (select from sluice.rejects as r where r.settled_in = s.id and r.id <> all (_without))
     and not exists (select from sluice.slices as o where o.covered_by = s.id)
     -- The status shows the last hundred of its stream, and the last thirty that were read to their end.
     and exists (select from sluice.slices as n
                  where (n.pipeline, n.stream) = (s.pipeline, s.stream) and n.kind <> 'backfill' and n.id > s.id
                  order by n.id limit 1 offset 99)
     and exists (select from sluice.runs as n
                  where n.pipeline = s.pipeline and n.id > s.run order by n.id limit 1 offset 99)
     and (s.kind <> 'sync' or s.status <> 'done' or (
       exists (select from sluice.slices as n
                where (n.pipeline, n.stream) = (s.pipeline, s.stream) and n.kind = 'sync'
                  and n.status in ('done', 'open') and n.id > s.id
                order by n.id limit 1 offset 29)
       -- The next run compares with the last reading, and the last one that has noted which fields have values.
       and exists (select from sluice.slices as n
                    where (n.pipeline, n.stream, n.partition) = (s.pipeline, s.stream, s.partition)
                      and n.kind = 'sync' and n.status = 'done' and n.id > s.id
                    order by n.id limit 1)
       and (s.field_values is null or exists (
         select from sluice.slices as n
          where (n.pipeline, n.stream, n.partition) = (s.pipeline, s.stream, s.partition)
            and n.kind = 'sync' and n.status = 'done' and n.field_values is not null and n.id > s.id
          order by n.id limit 1))
       -- The last full reading with proof covers open readings.
       and (s.since is not null or s.completeness is null or s.completeness = 'open' or exists (
         select from sluice.slices as n
          where (n.pipeline, n.stream, n.partition) = (s.pipeline, s.stream, s.partition)
            and n.kind = 'sync' and n.status = 'done' and n.completeness in ('counted', 'ended') and n.since is null
            and n.id > s.id
          order by n.id limit 1))))
     -- The last one that has stored rows shows that a missing table is an error.
     and (s.inserted + s.updated + s.unchanged = 0 or exists (
       select from sluice.slices as n
        where (n.pipeline, n.stream) = (s.pipeline, s.stream) and n.inserted + n.updated + n.unchanged > 0
          and n.id > s.id
        order by n.id limit 1))
$$;

-- Returns the rejects of some slices that may be removed, and that would not keep the slices then.
create function sluice.settled_rejects_of(_slices bigint[], _before timestamptz)
returns bigint[] language sql stable as $$
  select array(select * from sluice.removable_rejects(
    array(select r.id from sluice.rejects as r where r.slice = any (_slices)
          union select r.id from sluice.rejects as r where r.settled_in = any (_slices)), _before))
$$;

-- Each function below removes a few rows, and returns how many, the last id that it has looked at, and whether there
-- are more old ones. With _dry it removes nothing, and counts what would go.

create function sluice.prune_events(_before timestamptz, _limit integer, out removed bigint) language plpgsql as $$
begin
  delete from sluice.events where id in (
    select e.id from sluice.events as e where e.at < _before order by e.at limit _limit for update skip locked);
  get diagnostics removed = row_count;
end $$;

create function sluice.prune_rejects(
  _after bigint, _before timestamptz, _limit integer, _dry boolean,
  out removed bigint, out last bigint, out more boolean) language plpgsql as $$
declare
  _old bigint[];
begin
  select count(*) = _limit and bool_or(b.created_at < _before),
         coalesce(max(b.id) filter (where b.created_at < _before), _after), array_agg(b.id)
    into more, last, _old
    from (select r.id, r.created_at from sluice.rejects as r where r.id > _after order by r.id limit _limit) as b;
  if _dry then
    removed := (select count(*) from sluice.removable_rejects(_old, _before));
    return;
  end if;
  delete from sluice.rejects where id in (
    select r.id from sluice.rejects as r
     where r.id in (select * from sluice.removable_rejects(_old, _before)) for update skip locked);
  get diagnostics removed = row_count;
end $$;

create function sluice.prune_slices(
  _after bigint, _before timestamptz, _rejects_before timestamptz, _limit integer, _dry boolean,
  out removed bigint, out last bigint, out more boolean) language plpgsql as $$
declare
  _old bigint[];
begin
  select count(*) = _limit and bool_or(b.created_at < _before),
         coalesce(max(b.id) filter (where b.created_at < _before), _after), array_agg(b.id)
    into more, last, _old
    from (select s.id, s.created_at, s.chain from sluice.slices as s
           where s.id > _after and s.kind <> 'backfill' order by s.id limit _limit) as b;
  if _dry then
    removed := (
      select count(*)
        from sluice.removable_slices(_old, _before, sluice.settled_rejects_of(_old, _rejects_before)) as o (id)
        join sluice.slices as s using (id) where s.chain is null);
    return;
  end if;
  -- A reject that is still there keeps its slice, be it settled or not.
  delete from sluice.slices where id in (
    select s.id from sluice.slices as s
     where s.id in (select * from sluice.removable_slices(_old, _before, '{}')) and s.chain is null
       for update skip locked);
  get diagnostics removed = row_count;
exception when foreign_key_violation then
  removed := 0;
end $$;

-- Removes ranges of chains that have ended, of each the last ones first, so that what is left is a chain at any time.
create function sluice.prune_chains(
  _before timestamptz, _rejects_before timestamptz, _limit integer, _dry boolean, out removed bigint)
language plpgsql as $$
declare
  _chain bigint;
  _ranges bigint[];
begin
  removed := 0;
  for _chain in select c.id from sluice.chains as c where c.ended_at < _before order by c.id loop
    _ranges := array(select s.id from sluice.slices as s where s.chain = _chain order by s.link desc);
    continue when cardinality(_ranges) > (
      select count(*) from sluice.removable_slices(
        _ranges, _before,
        case when _dry then sluice.settled_rejects_of(_ranges, _rejects_before) else '{}' end));
    if _dry then
      removed := removed + cardinality(_ranges);
      continue;
    end if;
    begin
      delete from sluice.slices where id = any (_ranges[:_limit]);
      delete from sluice.chains where id = _chain and cardinality(_ranges) <= _limit;
      removed := removed + least(cardinality(_ranges), _limit);
    exception when foreign_key_violation then
      continue;
    end;
    exit when removed >= _limit;
  end loop;
end $$;

-- The last tick of a pipeline says from when on ticks are to come, and the last one that ran stands in the status.
create function sluice.prune_ticks(
  _before timestamptz, _limit integer, _dry boolean, out removed bigint) language plpgsql as $$
begin
  if _dry then
    _limit := null;
  end if;
  with old as materialized (
    select t.pipeline, t.tick from sluice.schedules as s, lateral (
      select t.pipeline, t.tick from sluice.ticks as t
       where t.pipeline = s.pipeline and t.tick < _before and t.finished_at < _before
         and t.status in ('done', 'failed', 'skipped', 'missed')
         and t.tick < (select max(n.tick) from sluice.ticks as n where n.pipeline = s.pipeline)
         and t.tick is distinct from (
           select n.tick from sluice.ticks as n
            where n.pipeline = s.pipeline and n.status in ('running', 'done', 'failed', 'interrupted')
            order by n.tick desc limit 1)
       order by t.tick limit _limit) as t
     limit _limit),
  gone as (
    delete from sluice.ticks as t using old
     where not _dry and (t.pipeline, t.tick) = (old.pipeline, old.tick) and t.status <> 'running' returning 1)
  select case when _dry then (select count(*) from old) else (select count(*) from gone) end into removed;
end $$;

create function sluice.prune_runs(
  _after bigint, _before timestamptz, _rejects_before timestamptz, _limit integer, _dry boolean,
  out removed bigint, out last bigint, out more boolean) language plpgsql as $$
declare
  _old bigint[];
  _slices bigint[] := '{}';
  _rejects bigint[] := '{}';
begin
  select count(*) = _limit and bool_or(b.started_at < _before),
         coalesce(max(b.id) filter (where b.started_at < _before), _after)
    into more, last
    from (select r.id, r.started_at from sluice.runs as r where r.id > _after order by r.id limit _limit) as b;
  -- With _dry, what would be removed before does not keep a run.
  if _dry then
    _slices := array(
      select s.id from sluice.slices as s where s.chain is null and s.run > _after and s.run <= last
      union
      select s.id from sluice.slices as s where s.chain is null and s.started_by > _after and s.started_by <= last);
    _rejects := sluice.settled_rejects_of(_slices, _rejects_before);
    _slices := array(select * from sluice.removable_slices(_slices, _before, _rejects));
  end if;
  _old := array(
    select r.id from sluice.runs as r
     where r.id > _after and r.id <= last and r.status <> 'running' and r.finished_at < _before
       and exists (select from sluice.runs as n
                    where n.pipeline = r.pipeline and n.id > r.id order by n.id limit 1 offset 99)
       and not exists (select from sluice.slices as s where s.run = r.id and s.id <> all (_slices))
       and not exists (select from sluice.slices as s where s.started_by = r.id and s.id <> all (_slices))
       and not exists (select from sluice.chains as c where c.started_by = r.id)
       and not exists (select from sluice.rejects as j where j.run = r.id and j.id <> all (_rejects))
       and not exists (select from sluice.rejects as j where j.settled_by = r.id and j.id <> all (_rejects))
       and not exists (
         select from sluice.ticks as t
          where t.run = r.id and (not _dry or t.finished_at is null or t.finished_at >= _before))
       -- Their own time is shorter, unless the settings say otherwise.
       and not exists (select from sluice.events as e where e.run = r.id and (not _dry or e.at >= _before))
       and not exists (
         select from sluice.requests as q
          where q.run = r.id and q.created_at > clock_timestamp() - interval '7 days'));
  removed := cardinality(_old);
  if not _dry then
    delete from sluice.runs as r where r.id in (
      select o.id from sluice.runs as o where o.id = any (_old) for update skip locked);
    get diagnostics removed = row_count;
  end if;
exception when foreign_key_violation then
  removed := 0;
end $$;

-- Down Migration

drop function sluice.prune_runs(bigint, timestamptz, timestamptz, integer, boolean);
drop function sluice.prune_ticks(timestamptz, integer, boolean);
drop function sluice.prune_chains(timestamptz, timestamptz, integer, boolean);
drop function sluice.prune_slices(bigint, timestamptz, timestamptz, integer, boolean);
drop function sluice.prune_rejects(bigint, timestamptz, integer, boolean);
drop function sluice.prune_events(timestamptz, integer);
drop function sluice.settled_rejects_of(bigint[], timestamptz);
drop function sluice.removable_slices(bigint[], timestamptz, bigint[]);
drop function sluice.removable_rejects(bigint[], timestamptz);
drop table sluice.pruning;
