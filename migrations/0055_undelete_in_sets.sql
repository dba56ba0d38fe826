-- Up Migration

-- The run that has deleted a row: of a slice that several runs have read, no other column says which one it was. Null
-- for rows that were deleted before this migration.
alter table sluice.deleted_rows add column run bigint;

-- The table that deleted rows belong to, also if it was renamed since: `table_writers` remembers it by its oid. Null if
-- there is none.
create function sluice.table_of_deleted(_name text) returns regclass language sql stable as $$
  select coalesce(
    to_regclass(quote_ident(substr(_name, 1, strpos(_name, '.') - 1)) || '.' ||
                quote_ident(substr(_name, strpos(_name, '.') + 1))),
    (select max(w.table_oid)::regclass from sluice.table_writers as w join pg_class as c on c.oid = w.table_oid
      where w.table_name = _name and c.relkind in ('r', 'p') having count(distinct w.table_oid) = 1))
$$;

-- The name under which a table is known today.
create function sluice.name_today(_name text) returns text language sql stable as $$
  select coalesce((select n.nspname || '.' || c.relname
                     from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
                    where c.oid = sluice.table_of_deleted(_name)), _name)
$$;

-- Puts rows of one table with the same members back in one statement, with the columns that the table has today. Returns
-- their number: those that exist are left out. Null if there is no table. Throws what the database refuses.
create function sluice.put_back_set(_name text, _members text[], _ids bigint[]) returns bigint language plpgsql as $$
declare
  _table regclass := sluice.table_of_deleted(_name);
  _columns text;
  _values text;
  _rows bigint;
begin
  if _table is null then
    return null;
  end if;
  select string_agg(quote_ident(attname), ', ' order by attnum),
         string_agg('r.' || quote_ident(attname), ', ' order by attnum)
    into _columns, _values
    from pg_attribute
   where attrelid = _table and attnum > 0 and not attisdropped and attgenerated = '' and attname = any (_members);
  execute format(
    'insert into %1$s (%2$s) overriding system value
     select %3$s from sluice.deleted_rows as d cross join lateral json_populate_record(null::%1$s, d.row) as r
      where d.id = any ($1) order by d.id on conflict do nothing', _table, _columns, _values) using _ids;
  get diagnostics _rows = row_count;
  return _rows;
end $$;

-- As before, for one row. Returns `restored`; `existing` if the table has a row that it would collide with; or why the
-- database refuses it.
create or replace function sluice.put_back(_deleted sluice.deleted_rows) returns text language plpgsql as $$
declare
  _rows bigint;
begin
  _rows := sluice.put_back_set(_deleted.table_name, array(select json_object_keys(_deleted.row)), array[_deleted.id]);
  return case when _rows is null then 'the table does not exist' when _rows > 0 then 'restored' else 'existing' end;
exception when integrity_constraint_violation or data_exception or raise_exception then
  return sqlerrm;
end $$;

-- Puts one row back with all entries of its lists, or leaves it kept, so that none of them is lost.
create function sluice.undelete_row(_id bigint)
returns table (table_name text, key text, outcome text) language plpgsql as $$
declare
  _row sluice.deleted_rows;
  _entry sluice.deleted_rows;
  _entries sluice.deleted_rows[] := '{}';
  _outcomes text[] := '{}';
  _of_row text;
  _of_entry text;
begin
  select * into strict _row from sluice.deleted_rows as d where d.id = _id;
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
  table_name := sluice.name_today(_row.table_name);
  key := _row.key;
  outcome := _of_row;
  return next;
  for _number in 1..cardinality(_entries) loop
    table_name := sluice.name_today((_entries[_number]).table_name);
    key := (_entries[_number]).key;
    outcome := _outcomes[_number];
    return next;
  end loop;
  if _of_row = 'restored' then
    delete from sluice.deleted_rows as d where d.parent_table = _row.table_name and d.parent_key = _row.key;
    delete from sluice.deleted_rows as d where d.id = _row.id;
  end if;
end $$;

-- Puts rows of one table with the same members back, with their lists. If all of them have one outcome, one statement is
-- enough for them, and one for each of their lists. Otherwise each half is tried by itself.
create function sluice.undelete_set(_name text, _members text[], _ids bigint[])
returns table (table_name text, key text, outcome text) language plpgsql as $$
declare
  _number integer := cardinality(_ids);
  _rows bigint;
  _list record;
  _outcome text;
  _entry_ids bigint[] := '{}';
  _entry_outcomes text[] := '{}';
  _entry_names text[] := '{}';
  _today text;
begin
  if _number = 1 then
    return query select * from sluice.undelete_row(_ids[1]);
    return;
  end if;
  begin
    _rows := sluice.put_back_set(_name, _members, _ids);
    if _rows between 1 and _number - 1 then
      raise exception using errcode = 'SL010';
    end if;
    _outcome := case when _rows is null then 'the table does not exist'
                     when _rows > 0 then 'restored' else 'existing' end;
    if _outcome = 'restored' then
      for _list in
        select e.table_name as name, e.members, array_agg(e.id order by e.id) as ids from (
          select e.id, e.table_name, array(select json_object_keys(e.row)) as members
            from sluice.deleted_rows as p join sluice.deleted_rows as e
              on e.parent_table = p.table_name and e.parent_key = p.key
             -- Older ones are from an earlier deletion, when the lists were others.
             and e.deleted_at >= p.deleted_at
           where p.id = any (_ids) order by e.id for update of e) as e
         group by 1, 2 order by min(e.id)
      loop
        _rows := sluice.put_back_set(_list.name, _list.members, _list.ids);
        if _rows between 1 and cardinality(_list.ids) - 1 then
          raise exception using errcode = 'SL010';
        end if;
        _entry_ids := _entry_ids || _list.ids;
        _entry_names := _entry_names || array_fill(sluice.name_today(_list.name), array[cardinality(_list.ids)]);
        _entry_outcomes := _entry_outcomes || array_fill(
          case when _rows is null then 'the table does not exist' when _rows > 0 then 'restored' else 'existing' end,
          array[cardinality(_list.ids)]);
      end loop;
    end if;
  exception when integrity_constraint_violation or data_exception or raise_exception or sqlstate 'SL010' then
    return query select * from sluice.undelete_set(_name, _members, _ids[:_number / 2]);
    return query select * from sluice.undelete_set(_name, _members, _ids[_number / 2 + 1:]);
    return;
  end;
  _today := sluice.name_today(_name);
  return query select _today, d.key, _outcome from sluice.deleted_rows as d
    where d.id = any (_ids) order by d.id;
  return query select o.name, d.key, o.outcome
    from unnest(_entry_ids, _entry_names, _entry_outcomes) with ordinality as o (id, name, outcome, place)
    join sluice.deleted_rows as d on d.id = o.id order by o.place;
  if _outcome = 'restored' then
    delete from sluice.deleted_rows as d using sluice.deleted_rows as p
     where p.id = any (_ids) and d.parent_table = p.table_name and d.parent_key = p.key;
    delete from sluice.deleted_rows as d where d.id = any (_ids);
  end if;
end $$;

-- Puts the rows back that were deleted from the tables of a stream, or of all streams of a pipeline: since a moment, or
-- by a run. Returns what has become of each, under the name that its table has today. What is restored is kept no longer.
create or replace function sluice.undelete(
  _pipeline text, _stream text default null, _since timestamptz default null, _run bigint default null)
returns table (table_name text, key text, outcome text) language plpgsql as $$
declare
  _set record;
  -- More rows in one statement are hardly faster, and are tried again if one of them is refused.
  _size constant integer := 1000;
begin
  for _set in
    select s.name, s.members, array_agg(s.id order by s.id) as ids from (
      select d.id, d.table_name as name, array(select json_object_keys(d.row)) as members
        from sluice.deleted_rows as d
       where d.pipeline = _pipeline and (_stream is null or d.stream = _stream)
         and d.row is not null and d.parent_key is null
         and (_since is null or d.deleted_at >= _since)
         and (_run is null or d.run = _run or (d.run is null and exists (
           select from sluice.runs as r join sluice.slices as s on r.id in (s.run, s.started_by)
            where r.id = _run and s.id = d.slice
              and d.deleted_at between r.started_at and coalesce(r.finished_at, clock_timestamp()))))
       order by d.id for update) as s
     group by 1, 2 order by min(s.id)
  loop
    for _from in 0..(cardinality(_set.ids) - 1) / _size loop
      return query select * from sluice.undelete_set(
        _set.name, _set.members, _set.ids[_from * _size + 1 : (_from + 1) * _size]);
    end loop;
  end loop;
end $$;

-- Down Migration

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

create or replace function sluice.put_back(_deleted sluice.deleted_rows) returns text language plpgsql as $$
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

drop function sluice.undelete_set(text, text[], bigint[]);
drop function sluice.undelete_row(bigint);
drop function sluice.put_back_set(text, text[], bigint[]);
drop function sluice.name_today(text);
drop function sluice.table_of_deleted(text);
alter table sluice.deleted_rows drop column run;
