-- Up Migration

-- From when on the ticks of a pipeline count: the moment when a scheduler took it on for the first time.
create table sluice.schedules (
  pipeline text primary key,
  since timestamptz not null);

-- What became of each tick of a schedule. Ticks after the newest row are still to come, or were missed.
--
-- | status      | means                                                          | comes again |
-- |-------------|----------------------------------------------------------------|-------------|
-- | running     | a scheduler runs it, as long as its run is alive               | no          |
-- | done        | its run has succeeded                                          | no          |
-- | failed      | its run has failed, or could not begin                         | no          |
-- | interrupted | its run was stopped, or its scheduler is gone                  | as a missed one |
-- | skipped     | the pipeline was still running                                 | no          |
-- | missed      | no scheduler ran, and it was not to be caught up               | no          |
create table sluice.ticks (
  pipeline text not null references sluice.schedules,
  tick timestamptz not null,
  status text not null check (status in ('running', 'done', 'failed', 'interrupted', 'skipped', 'missed')),
  -- Null until the run has begun, and where it could not.
  run bigint references sluice.runs on delete set null,
  -- Raised at every claim: whoever has lost the tick meanwhile may not settle it any more.
  attempt integer not null default 1,
  note text,
  claimed_at timestamptz not null default clock_timestamp(),
  finished_at timestamptz,
  primary key (pipeline, tick),
  check ((status = 'running') = (finished_at is null)));

-- What keeps ticks of one pipeline apart, however many schedulers there are.
create unique index one_tick_at_once on sluice.ticks (pipeline) where status = 'running';

-- Whoever reads or settles ticks of a pipeline in order to decide something holds this.
create function sluice.lock_ticks(_pipeline text) returns void language sql volatile as $$
  select pg_advisory_xact_lock(hashtextextended(concat_ws(E'\x1f', 'sluice ticks', _pipeline), 0))
$$;

-- A tick whose scheduler is gone becomes what its run became; a run that has not ended itself was interrupted.
-- Before its run has begun only time tells whether a scheduler is still there.
create function sluice.settle_dead_ticks(_pipeline text) returns void language sql volatile as $$
  update sluice.ticks as t
     set status = case when r.status in ('done', 'failed') then r.status else 'interrupted' end, finished_at = clock_timestamp(),
         note = coalesce(r.error, case when r.status = 'done' then null else 'its scheduler ended without a word' end)
    from sluice.ticks as x left join sluice.runs as r on r.id = x.run
   where x.pipeline = _pipeline and x.status = 'running' and (t.pipeline, t.tick) = (x.pipeline, x.tick)
     and not case when r.id is null then x.claimed_at > clock_timestamp() - interval '60 s' else sluice.is_alive(r) end
$$;

-- Whether a tick is nobody's yet: newer than all that are known, or interrupted.
create function sluice.is_open_tick(_pipeline text, _tick timestamptz) returns boolean language sql stable as $$
  select coalesce((select status = 'interrupted' from sluice.ticks where (pipeline, tick) = (_pipeline, _tick)),
    _tick > greatest((select since from sluice.schedules where pipeline = _pipeline), (select max(tick) from sluice.ticks where pipeline = _pipeline)))
$$;

-- Take a tick: its attempt where it is ours now; null where it is settled, or where one of the pipeline's ticks is running.
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

-- Settle a tick without running it; false where somebody else has settled or taken it.
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

-- Down Migration

drop function sluice.pass_tick(text, timestamptz, text, text);
drop function sluice.claim_tick(text, timestamptz);
drop function sluice.is_open_tick(text, timestamptz);
drop function sluice.settle_dead_ticks(text);
drop function sluice.lock_ticks(text);
drop table sluice.ticks;
drop table sluice.schedules;
