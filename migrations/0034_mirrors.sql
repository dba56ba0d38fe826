-- Up Migration

-- Readings that also delete the rows that they do not bring (`mirror: true`), each from before its first request until
-- its slice ends. What they know survives the process, so an interrupted reading goes on.
create table sluice.mirrors (
  slice bigint primary key references sluice.slices (id) on delete cascade,
  -- The table, with the account if rows of several are in it: `shop.orders of north`.
  rows_of text not null,
  -- The columns of the key with their types. Hashes of other types are other hashes.
  key_columns text not null,
  -- Rows of the table when the reading began.
  rows bigint not null,
  -- Why this reading deletes nothing, such as a part that it has left out. Null as long as there is no reason.
  kept_because text,
  began_at timestamptz not null default clock_timestamp()
);
create index mirrors_of_rows on sluice.mirrors (rows_of);

-- Keys as hashes of 8 bytes, many in one row: `before` those of the rows that were there when the reading began, `seen`
-- those that this reading or another one of the stream has brought since. What is only in `before` is deleted. Two keys
-- with one hash keep a row too long, and never delete one that was seen. The number of the slice is a part of each
-- hash, so the next reading has others.
create table sluice.mirror_keys (
  id bigint generated always as identity primary key,
  slice bigint not null,
  kind text not null check (kind in ('before', 'seen')),
  hashes bigint[] not null
);
create index mirror_keys_of_slice on sluice.mirror_keys (slice);
-- Hashes cannot be compressed.
alter table sluice.mirror_keys alter column hashes set storage external;

-- The streams that have stored rows in a table: a mirror may delete only rows of its own.
create table sluice.table_writers (
  table_name text not null,
  -- With its account, such as `shops@north`.
  pipeline text not null,
  stream text not null,
  since timestamptz not null default clock_timestamp(),
  primary key (table_name, pipeline, stream)
);

create function sluice.note_writer(_slice bigint, _table text) returns void language sql volatile as $$
  insert into sluice.table_writers (table_name, pipeline, stream)
  select _table, s.pipeline, s.stream from sluice.slices as s where s.id = _slice
  on conflict do nothing
$$;

-- Runs of before this migration. Those that are no longer in the ledger are not known.
insert into sluice.table_writers (table_name, pipeline, stream, since)
select s.value ->> 'table', r.pipeline, s.key, min(r.started_at)
  from sluice.runs as r,
       json_each(case when json_typeof(r.report -> 'streams') = 'object' then r.report -> 'streams' else '{}' end) as s
 where (s.value #>> '{counts,inserted}')::numeric + (s.value #>> '{counts,updated}')::numeric
     + (s.value #>> '{counts,unchanged}')::numeric > 0
   and s.value ->> 'table' is not null
 group by 1, 2, 3
    on conflict do nothing;

-- Down Migration

drop function sluice.note_writer(bigint, text);
drop table sluice.table_writers;
drop table sluice.mirror_keys;
drop table sluice.mirrors;
