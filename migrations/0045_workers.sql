-- Up Migration

-- Processes of `sluice worker`. A row shows that its worker lives, and which definitions it has. Jobs of pg-boss wake
-- workers; what is left to do, and who may write, say slices and runs alone.
create table sluice.workers (
  id bigint generated always as identity primary key,
  name text not null,
  host text not null,
  pid bigint not null,
  -- Pieces of work that it does at once.
  concurrency bigint not null,
  -- The version of each pipeline that it has, by name.
  pipelines jsonb not null,
  -- It was asked to end, and takes no more work.
  draining boolean not null default false,
  started_at timestamptz not null default clock_timestamp(),
  seen_at timestamptz not null default clock_timestamp(),
  -- The backend whose end shows that the process is gone; null behind a pooler.
  lease_pid integer,
  lease_started timestamptz
);

-- True for a worker that was seen in the last 30 s (it says so every 5 s), and whose session is there.
create function sluice.is_alive(_worker sluice.workers) returns boolean language sql volatile as $$
  select (_worker).seen_at > clock_timestamp() - interval '30 s'
    and ((_worker).lease_pid is null or sluice.session_exists((_worker).lease_pid, (_worker).lease_started))
$$;

-- A piece of work that was handed to workers, and the worker that does it. Each attempt is a run; the newest one counts.
alter table sluice.runs add column piece uuid, add column worker text;
-- A job may come twice. This lets one process at a time do its piece.
create unique index running_piece on sluice.runs (piece) where status = 'running' and piece is not null;
create index runs_of_piece on sluice.runs (piece, id) where piece is not null;

-- Down Migration

drop index sluice.running_piece, sluice.runs_of_piece;
alter table sluice.runs drop column piece, drop column worker;
drop function sluice.is_alive(sluice.workers);
drop table sluice.workers;
