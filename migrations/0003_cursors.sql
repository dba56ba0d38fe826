-- Up Migration

-- How far a stream has come, as the API wrote it. It belongs to an entry in a pipeline's streams, and moves only when a slice is complete.
create table sluice.cursors (
  pipeline text not null, stream text not null, partition text not null default '',
  value text not null,
  -- Hashes of the rows that carry exactly this value, each with their number; for append without a key.
  boundary jsonb check (jsonb_typeof(boundary) = 'object'),
  -- The slice that moved it; null where it was set by hand.
  slice bigint references sluice.slices,
  updated_at timestamptz not null default clock_timestamp(),
  primary key (pipeline, stream, partition));

-- Of two multisets the greater number of each: reading from the boundary again has seen all rows of it that the API still has.
create function sluice.greater_counts(_a jsonb, _b jsonb) returns jsonb language sql immutable as $$
  select case when _a is null or _b is null then coalesce(_a, _b) else (
    select coalesce(jsonb_object_agg(key, number), '{}') from (
      select key, max(value::bigint) as number from (select * from jsonb_each_text(_a) union all select * from jsonb_each_text(_b)) as both_of group by key) as greatest_of) end
$$;

-- Down Migration

drop function sluice.greater_counts(jsonb, jsonb);
drop table sluice.cursors;
