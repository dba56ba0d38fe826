-- Up Migration

-- Schema sluice exists: what runs the migrations has created it. `create schema if not exists` would need a right even so.

-- Whether a session still exists. Who may not see when a session began, since it is another user's, takes it for the one that is meant:
-- waiting for a lease to end is safe, taking work from somebody alive is not polite.
create function sluice.lives(_pid integer, _started timestamptz) returns boolean language sql stable as $$
  select exists (select from pg_stat_activity where pid = _pid and (backend_start is null or backend_start = _started))
$$;

-- One execution. Its keeper's session tells whether it is still alive; behind a pooler only the time does, when it was last seen.
create table sluice.runs (
  id bigint generated always as identity primary key,
  kind text not null check (kind in ('sync', 'backfill', 'replay')),
  pipeline text not null,
  status text not null default 'running' check (status in ('running', 'done', 'failed', 'interrupted')),
  options jsonb not null default '{}',
  keeper_pid integer, keeper_started timestamptz,
  seen_at timestamptz not null default clock_timestamp(),
  started_at timestamptz not null default clock_timestamp(),
  finished_at timestamptz,
  error text,
  report json,
  check ((keeper_pid is null) = (keeper_started is null)),
  check ((status = 'running') = (finished_at is null)));

create index runs_by_pipeline on sluice.runs (pipeline, id);
create index runs_under_way on sluice.runs (id) where status = 'running';

create function sluice.is_alive(_run sluice.runs) returns boolean language sql volatile as $$
  select (_run).status = 'running' and case when (_run).keeper_pid is null then (_run).seen_at > clock_timestamp() - interval '60 s'
    else sluice.lives((_run).keeper_pid, (_run).keeper_started) end
$$;

-- Down Migration

drop function sluice.is_alive(sluice.runs);
drop table sluice.runs;
drop function sluice.lives(integer, timestamptz);
