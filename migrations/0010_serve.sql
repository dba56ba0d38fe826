-- Up Migration

-- Somebody asks a run to end, in whatever process it goes on: its keeper looks when it is notified, and whenever it renews its leases.
alter table sluice.runs add column stop_asked_at timestamptz;

-- When it was asked to first; null where it does not run (any more, if only since its process died), or is not there.
create function sluice.ask_to_stop(_run bigint) returns timestamptz language plpgsql as $$
declare
  _at timestamptz;
begin
  update sluice.runs as r set stop_asked_at = coalesce(r.stop_asked_at, clock_timestamp()) where r.id = _run and sluice.is_alive(r) returning r.stop_asked_at into _at;
  if found then
    perform pg_notify('sluice_stop', '');
  end if;
  return _at;
end $$;

-- What was asked for with a key, so that asking again (the answer was lost, the button was pressed twice) does nothing again. Kept for seven days.
create table sluice.requests (
  key text primary key,
  what text not null,
  body jsonb not null,
  -- Null until the run has begun.
  run bigint references sluice.runs on delete cascade,
  created_at timestamptz not null default clock_timestamp());

create index requests_by_time on sluice.requests (created_at);

-- Down Migration

drop table sluice.requests;
drop function sluice.ask_to_stop(bigint);
alter table sluice.runs drop column stop_asked_at;
