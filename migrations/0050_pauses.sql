-- Up Migration

-- Streams that are not to be read until a person continues them. An empty stream means all streams of the pipeline, and
-- a pipeline of several accounts means all of its accounts.
create table sluice.pauses (
  pipeline text not null,
  stream text not null default '',
  paused_by text not null,
  paused_at timestamptz not null default clock_timestamp(),
  why text,
  primary key (pipeline, stream));

-- What persons have changed by hand, with who and why. `run` has no reference: a run may be pruned.
create table sluice.changes (
  id bigint generated always as identity primary key,
  at timestamptz not null default clock_timestamp(),
  who text not null,
  why text,
  pipeline text not null,
  -- Null for a change of the whole pipeline.
  stream text,
  run bigint,
  -- A sentence without who and why, such as `paused`.
  change text not null);
create index changes_of_streams on sluice.changes (pipeline, stream, id);
create index changes_of_runs on sluice.changes (run) where run is not null;

-- Down Migration

drop table sluice.changes, sluice.pauses;
