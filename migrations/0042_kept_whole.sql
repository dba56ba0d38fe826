-- Up Migration

-- A table that is renamed keeps the streams that have stored rows in it: the oid survives a rename, and the name a
-- restore in another cluster. 0 is unknown.
alter table sluice.table_writers add column table_oid oid not null default 0,
  drop constraint table_writers_pkey, add primary key (table_name, pipeline, stream, table_oid);

create function sluice.table_named(_name text) returns oid language sql stable as $$
  select coalesce(to_regclass(quote_ident(split_part(_name, '.', 1)) || '.' || quote_ident(split_part(_name, '.', 2)))::oid, 0)
$$;

update sluice.table_writers set table_oid = sluice.table_named(table_name);

create or replace function sluice.note_writer(_slice bigint, _table text) returns void language sql volatile as $$
  insert into sluice.table_writers (table_name, pipeline, stream, table_oid)
  select _table, s.pipeline, s.stream, sluice.table_named(_table) from sluice.slices as s where s.id = _slice
  on conflict do nothing
$$;

-- The streams that have stored rows in a table under this name or under a former one, without their accounts.
create function sluice.writers_of(_table text) returns setof text language sql stable as $$
  select distinct split_part(w.pipeline, '@', 1) || '.' || w.stream from sluice.table_writers as w
   where w.table_name = _table or (w.table_oid <> 0 and w.table_oid = sluice.table_named(_table))
$$;

-- For a table that has just been created: no stream has stored rows in it. A table that had this name before may have
-- been renamed, and its writers are then known under the name that it has now.
create function sluice.forget_writers(_table text) returns void language sql volatile as $$
  insert into sluice.table_writers (table_name, pipeline, stream, since, table_oid)
  select n.nspname || '.' || c.relname, w.pipeline, w.stream, w.since, w.table_oid
    from sluice.table_writers as w
    join pg_class as c on c.oid = w.table_oid and c.relkind in ('r', 'p')
    join pg_namespace as n on n.oid = c.relnamespace
   where w.table_name = _table and c.oid <> sluice.table_named(_table)
  on conflict do nothing;
  delete from sluice.table_writers where table_name = _table;
$$;

-- As before, but a row comes back with all entries of its lists or stays kept, so that none of them is lost: until now,
-- an entry that the database refused was told and then forgotten.
create or replace function sluice.undelete(
  _pipeline text, _stream text default null, _since timestamptz default null, _run bigint default null)
returns table (table_name text, key text, outcome text) language plpgsql as $$
declare
  _row sluice.deleted_rows;
  _entry sluice.deleted_rows;
  _entries sluice.deleted_rows[];
  _outcomes text[];
  _of_row text;
  _of_entry text;
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
    _entries := '{}';
    _outcomes := '{}';
    begin
      _of_row := sluice.put_back(_row);
      if _of_row = 'restored' then
        for _entry in
          select d.* from sluice.deleted_rows as d
           where d.parent_table = _row.table_name and d.parent_key = _row.key
             -- Older ones are from an earlier deletion, when the lists were others.
             and d.deleted_at >= _row.deleted_at
           order by d.id for update
        loop
          _of_entry := sluice.put_back(_entry);
          -- Without its table the list does not exist any more, and the row comes back without it.
          if _of_entry not in ('restored', 'existing', 'the table does not exist') then
            raise exception 'its entry % of %: %', _entry.key, _entry.table_name, _of_entry using errcode = 'SL009';
          end if;
          _entries := array_append(_entries, _entry);
          _outcomes := array_append(_outcomes, _of_entry);
        end loop;
      end if;
    exception when sqlstate 'SL009' then
      _of_row := sqlerrm;
      _entries := '{}';
    end;
    table_name := _row.table_name;
    key := _row.key;
    outcome := _of_row;
    return next;
    for _number in 1..cardinality(_entries) loop
      table_name := (_entries[_number]).table_name;
      key := (_entries[_number]).key;
      outcome := _outcomes[_number];
      return next;
    end loop;
    if _of_row = 'restored' then
      delete from sluice.deleted_rows as d where d.parent_table = _row.table_name and d.parent_key = _row.key;
      delete from sluice.deleted_rows as d where d.id = _row.id;
    end if;
  end loop;
end $$;

-- As before, but the entries of lists are kept as long as their row, which may be kept longer than they are.
create or replace function sluice.forget_deleted_rows(_limit integer) returns bigint language plpgsql as $$
declare
  _number bigint;
begin
  delete from sluice.deleted_rows
   where id = any (array(
     select d.id from sluice.deleted_rows as d
      where d.expires_at < clock_timestamp()
        and (d.parent_key is null or not exists (
          select from sluice.deleted_rows as p
           where p.table_name = d.parent_table and p.key = d.parent_key and p.row is not null
             and p.deleted_at <= d.deleted_at))
      order by d.expires_at limit _limit for update skip locked));
  get diagnostics _number = row_count;
  return _number;
end $$;

-- Down Migration

create or replace function sluice.forget_deleted_rows(_limit integer) returns bigint language plpgsql as $$
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

create or replace function sluice.undelete(
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

drop function sluice.forget_writers(text);
drop function sluice.writers_of(text);

create or replace function sluice.note_writer(_slice bigint, _table text) returns void language sql volatile as $$
  insert into sluice.table_writers (table_name, pipeline, stream)
  select _table, s.pipeline, s.stream from sluice.slices as s where s.id = _slice
  on conflict do nothing
$$;
drop function sluice.table_named(text);

delete from sluice.table_writers as w using sluice.table_writers as o
 where (w.table_name, w.pipeline, w.stream) = (o.table_name, o.pipeline, o.stream) and w.table_oid > o.table_oid;
alter table sluice.table_writers drop constraint table_writers_pkey, drop column table_oid,
  add primary key (table_name, pipeline, stream);
