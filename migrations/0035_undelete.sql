-- Up Migration

-- Entries of nested lists are kept with the row that they went with: they come back with it, and never without it.
alter table sluice.deleted_rows add column parent_table text, add column parent_key text,
  add constraint parent_is_whole check ((parent_table is null) = (parent_key is null));
create index deleted_rows_of_parent on sluice.deleted_rows (parent_table, parent_key) where parent_key is not null;

-- Puts one row back into its table, with the columns that the table has today. Returns `restored`; `existing` if the
-- table has a row that it would collide with; or why the database refuses it. Rows that exist are never changed.
create function sluice.put_back(_deleted sluice.deleted_rows) returns text language plpgsql as $$
declare
  _dot integer := strpos(_deleted.table_name, '.');
  _table regclass := to_regclass(quote_ident(substr(_deleted.table_name, 1, _dot - 1)) || '.' ||
                                 quote_ident(substr(_deleted.table_name, _dot + 1)));
  _columns text;
  _rows bigint;
begin
  if _table is null then
    return 'the table does not exist';
  end if;
  select string_agg(quote_ident(attname), ', ' order by attnum) into _columns
    from pg_attribute
   where attrelid = _table and attnum > 0 and not attisdropped and attgenerated = ''
     and attname in (select json_object_keys(_deleted.row));
  begin
    execute format(
      'insert into %1$s (%2$s) overriding system value select %2$s from json_populate_record(null::%1$s, $1) on conflict do nothing',
      _table, _columns) using _deleted.row;
    get diagnostics _rows = row_count;
  exception when integrity_constraint_violation or data_exception or raise_exception then
    return sqlerrm;
  end;
  return case when _rows > 0 then 'restored' else 'existing' end;
end $$;

-- Puts the rows back that were deleted from the tables of a stream, or of all streams of a pipeline: since a moment, or
-- by a run. Returns what has become of each. What is restored is kept no longer.
create function sluice.undelete(
  _pipeline text, _stream text default null, _since timestamptz default null, _run bigint default null)
returns table (table_name text, key text, outcome text) language plpgsql as $$
declare
  _row sluice.deleted_rows;
  _entry sluice.deleted_rows;
begin
  for _row in
    select d.* from sluice.deleted_rows as d
     where d.pipeline = _pipeline and (_stream is null or d.stream = _stream)
       and d.row is not null and d.parent_key is null
       and (_since is null or d.deleted_at >= _since)
       and (_run is null or exists (
         select from sluice.runs as r join sluice.slices as s on r.id in (s.run, s.started_by)
          where r.id = _run and s.id = d.slice
            and d.deleted_at between r.started_at and coalesce(r.finished_at, clock_timestamp())))
     order by d.id for update
  loop
    table_name := _row.table_name;
    key := _row.key;
    outcome := sluice.put_back(_row);
    return next;
    continue when outcome <> 'restored';
    for _entry in
      select d.* from sluice.deleted_rows as d
       where d.parent_table = _row.table_name and d.parent_key = _row.key
         -- Older ones are from an earlier deletion, when the lists were others.
         and d.deleted_at >= _row.deleted_at
       order by d.id for update
    loop
      table_name := _entry.table_name;
      key := _entry.key;
      outcome := sluice.put_back(_entry);
      return next;
    end loop;
    delete from sluice.deleted_rows as d where d.parent_table = _row.table_name and d.parent_key = _row.key;
    delete from sluice.deleted_rows as d where d.id = _row.id;
  end loop;
end $$;

-- Down Migration

drop function sluice.undelete(text, text, timestamptz, bigint);
drop function sluice.put_back(sluice.deleted_rows);
delete from sluice.deleted_rows where parent_key is not null;
drop index sluice.deleted_rows_of_parent;
alter table sluice.deleted_rows drop constraint parent_is_whole, drop column parent_table, drop column parent_key;
