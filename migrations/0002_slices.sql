-- Up Migration

-- What one batch adds to its slice.
create type sluice.counts as (
  fetched bigint, expanded bigint, inserted bigint, updated bigint, unchanged bigint,
  filtered bigint, duplicate bigint, rejected bigint, parents bigint);

-- A position is kept as the very text that was given, since the order of names can matter to an API; hence json, which has no equality of its own.
create function sluice.is_end(_position json) returns boolean language sql immutable as $$
  select coalesce(_position::text ~ '^\s*\{\s*"end"\s*:\s*true\s*\}\s*$', false)
$$;

create function sluice.balances(_fetched bigint, _expanded bigint, _inserted bigint, _updated bigint, _unchanged bigint, _filtered bigint, _duplicate bigint, _rejected bigint, _parents bigint)
returns boolean language sql immutable as $$
  select _fetched + _expanded = _inserted + _updated + _unchanged + _filtered + _duplicate + _rejected
    and least(_fetched, _expanded, _inserted, _updated, _unchanged, _filtered, _duplicate, _rejected, _parents) >= 0
$$;

-- A piece of a stream, read in order by one reader at a time.
create table sluice.slices (
  id bigint generated always as identity primary key,
  pipeline text not null, stream text not null, partition text not null default '',
  kind text not null check (kind in ('sync', 'backfill', 'replay')),
  status text not null default 'open' check (status in ('open', 'done', 'failed', 'dropped')),

  -- Who began to read it, from the start, and who has held it last.
  begun_by bigint not null references sluice.runs, run bigint not null references sluice.runs,
  -- Stored when the slice is made or begins anew, never recomputed in between; cursor_was is the stream's cursor that they come from.
  since text, until text, cursor_was text, definition text not null,

  -- Where to read on (null is the start), the greatest cursor value seen, and the hashes of the rows that carry exactly that one, each with their number.
  position json, high text, boundary jsonb,
  -- Batches and new beginnings, never set back: a COMMIT whose answer was lost is recognised by it. And who may write: raised by one at every claim.
  seq bigint not null default 0 check (seq >= 0),
  token bigint not null default 0 check (token >= 0),
  -- Until when nobody else may claim it, as long as the session of the holder's keeper exists; without a session (behind a pooler) only time decides.
  lease_until timestamptz, lease_pid integer, lease_started timestamptz,

  fetched bigint not null default 0, expanded bigint not null default 0,
  inserted bigint not null default 0, updated bigint not null default 0, unchanged bigint not null default 0,
  filtered bigint not null default 0, duplicate bigint not null default 0, rejected bigint not null default 0,
  parents bigint not null default 0,
  batches bigint not null default 0 check (batches >= 0),
  -- For replace: what the swap at the end did to the table.
  swap_inserted bigint check (swap_inserted >= 0), swap_updated bigint check (swap_updated >= 0), swap_deleted bigint check (swap_deleted >= 0),
  -- The counts and batches when the run that holds it took it over: the rest is that run's own.
  before jsonb not null default '{}',

  created_at timestamptz not null default clock_timestamp(),
  begun_at timestamptz not null default clock_timestamp(),
  finished_at timestamptz,
  error text,

  constraint counts_balance check (sluice.balances(fetched, expanded, inserted, updated, unchanged, filtered, duplicate, rejected, parents)),
  constraint done_is_the_end check ((status = 'done') = sluice.is_end(position)),
  constraint open_or_finished check ((status = 'open') = (finished_at is null)),
  constraint position_is_null_or_value check (json_typeof(position) <> 'null'),
  constraint boundary_belongs_to_high check (boundary is null or (high is not null and jsonb_typeof(boundary) = 'object')),
  constraint session_has_pid_and_start check ((lease_pid is null) = (lease_started is null)),
  constraint only_open_slices_are_leased check (lease_until is null or status = 'open'),
  constraint swap_is_whole check (num_nulls(swap_inserted, swap_updated, swap_deleted) in (0, 3)),
  constraint only_the_end_swaps check (swap_inserted is null or status = 'done'),
  constraint only_syncs_move_cursors check (kind = 'sync' or cursor_was is null));

-- What keeps two live runs of one stream apart.
create unique index one_open_sync on sluice.slices (pipeline, stream, partition) where kind = 'sync' and status = 'open';
create index slices_by_stream on sluice.slices (pipeline, stream, id);
create index slices_by_run on sluice.slices (run);
create index slices_by_beginner on sluice.slices (begun_by);

-- Whether somebody new may take it: nobody holds it, the holder's time is over, or the session of the holder's keeper is gone.
create function sluice.is_claimable(_slice sluice.slices) returns boolean language sql volatile as $$
  select (_slice).status = 'open' and ((_slice).lease_until is null or (_slice).lease_until < clock_timestamp()
    or ((_slice).lease_pid is not null and not sluice.lives((_slice).lease_pid, (_slice).lease_started)))
$$;

create function sluice.counts_of(_slice sluice.slices) returns jsonb language sql immutable as $$
  select jsonb_build_object('fetched', (_slice).fetched, 'expanded', (_slice).expanded, 'inserted', (_slice).inserted, 'updated', (_slice).updated,
    'unchanged', (_slice).unchanged, 'filtered', (_slice).filtered, 'duplicate', (_slice).duplicate, 'rejected', (_slice).rejected,
    'parents', (_slice).parents, 'batches', (_slice).batches)
$$;

-- Held by whoever makes a slice of a stream, ends one, or sets the stream's cursor; always taken before the lock of a slice's row.
create function sluice.lock_stream(_pipeline text, _stream text, _partition text) returns void language sql volatile as $$
  select pg_advisory_xact_lock(hashtextextended(concat_ws(E'\x1f', 'sluice stream', _pipeline, _stream, _partition), 0))
$$;

-- Down Migration

drop function sluice.lock_stream(text, text, text);
drop function sluice.counts_of(sluice.slices);
drop function sluice.is_claimable(sluice.slices);
drop table sluice.slices;
drop function sluice.balances(bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint);
drop function sluice.is_end(json);
drop type sluice.counts;
