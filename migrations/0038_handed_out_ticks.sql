-- Up Migration

-- A tick whose streams are handed to workers has a run for each stream. So no run shows whether its scheduler is alive,
-- or what became of the tick: the scheduler renews the tick itself.
alter table sluice.ticks
  -- The ids of its pieces of work are made of this. A scheduler that takes the tick over finds by it what was handed
  -- out. Null: not handed out, or its scheduler has settled it.
  add column pieces uuid,
  add column seen_at timestamptz;

-- As before. A tick that was handed out is alive as long as its scheduler renews it, and its last run says nothing of
-- its other streams: it was interrupted.
create or replace function sluice.resolve_dead_ticks(_pipeline text) returns void language sql volatile as $$
  update sluice.ticks as t
     set status = case when x.pieces is null and r.status in ('done', 'failed') then r.status else 'interrupted' end,
         finished_at = clock_timestamp(),
         note = case
           when x.pieces is null and r.error is not null then r.error
           when x.pieces is null and r.status = 'done' then null
           else 'its scheduler ended unexpectedly' end
    from sluice.ticks as x left join sluice.runs as r on r.id = x.run
   where x.pipeline = _pipeline and x.status = 'running' and (t.pipeline, t.tick) = (x.pipeline, x.tick)
     and not case
       when x.pieces is not null or r.id is null
         then greatest(x.claimed_at, x.seen_at) > clock_timestamp() - sluice.lease_time()
       else sluice.is_alive(r) end
$$;

-- Down Migration

create or replace function sluice.resolve_dead_ticks(_pipeline text) returns void language sql volatile as $$
  update sluice.ticks as t
     set status = case when r.status in ('done', 'failed') then r.status else 'interrupted' end,
         finished_at = clock_timestamp(),
         note = coalesce(r.error, case when r.status = 'done' then null else 'its scheduler ended unexpectedly' end)
    from sluice.ticks as x left join sluice.runs as r on r.id = x.run
   where x.pipeline = _pipeline and x.status = 'running' and (t.pipeline, t.tick) = (x.pipeline, x.tick)
     and not case when r.id is null then x.claimed_at > clock_timestamp() - sluice.lease_time() else sluice.is_alive(r) end
$$;
alter table sluice.ticks drop column pieces, drop column seen_at;
