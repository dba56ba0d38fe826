-- Up Migration

-- Rows that were deleted because their records no longer exist, until `undo` has passed. They can be brought back, and
-- they show that a row which another reading brings is older than the deletion of its record.
create table sluice.deleted_rows (
  id bigint generated always as identity primary key,
  table_name text not null,
  -- The values of the key's columns, in the order of their names, as a JSON list.
  key text not null,
  -- The version from which on the record does not exist, as `to_json` writes it. Null if nothing says which row is newer.
  version text,
  -- The row as it was. Null if there was none, if it is only marked, or if none is kept.
  row json,
  pipeline text not null,
  stream text not null,
  slice bigint not null,
  -- What found that the record does not exist: `announced` by the API, or `missing` in a complete reading.
  reason text not null check (reason in ('announced', 'missing')),
  deleted_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null,
  constraint deleted_once unique (table_name, key)
);
create index deleted_rows_expire on sluice.deleted_rows (expires_at);
create index deleted_rows_of_stream on sluice.deleted_rows (pipeline, stream, deleted_at);

-- Removes some of the rows whose time has passed, and returns their number.
create function sluice.forget_deleted_rows(_limit integer) returns bigint language plpgsql as $$
declare
  _number bigint;
begin
  delete from sluice.deleted_rows
   where id = any (array(
     select d.id from sluice.deleted_rows as d where d.expires_at < clock_timestamp()
      order by d.expires_at limit _limit for update skip locked));
  get diagnostics _number = row_count;
  return _number;
end $$;

-- Down Migration

drop function sluice.forget_deleted_rows(integer);
drop table sluice.deleted_rows;
