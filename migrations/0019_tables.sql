-- Up Migration

-- Tables that Sluice has created, and those that it wrote before this migration. Only these are altered without
-- `adopt: true`. The name survives a restore in another cluster, and the oid survives a rename.
create table sluice.tables (
  name text primary key,
  oid oid,
  created_at timestamptz not null default clock_timestamp());

-- Records a table that was created in the same transaction.
create function sluice.record_table(_name text, _oid oid) returns void language sql volatile as $$
  insert into sluice.tables (name, oid) values (_name, _oid)
  on conflict (name) do update set oid = excluded.oid, created_at = clock_timestamp()
$$;

-- True if a table was recorded under this name, or under a name that it had before it was renamed.
create function sluice.is_recorded(_name text, _oid oid) returns boolean language sql stable as $$
  select exists (
    select from sluice.tables as t
     where t.name = _name
        or (t.oid = _oid and to_regclass(
              quote_ident(split_part(t.name, '.', 1)) || '.' || quote_ident(split_part(t.name, '.', 2))) is null))
$$;

-- Pipelines that run today must not stop: a table that a run has stored rows in, or has altered, counts as recorded.
insert into sluice.tables (name, oid)
select name, to_regclass(quote_ident(split_part(name, '.', 1)) || '.' || quote_ident(split_part(name, '.', 2)))
  from (
    select s.value ->> 'table' as name
      from sluice.runs as r,
           json_each(case when json_typeof(r.report -> 'streams') = 'object' then r.report -> 'streams' else '{}' end) as s
     where (s.value #>> '{counts,inserted}')::numeric + (s.value #>> '{counts,updated}')::numeric
         + (s.value #>> '{counts,unchanged}')::numeric > 0
    union
    select e.data ->> 'table' from sluice.events as e where e.type = 'table.altered') as known
 where name is not null
    on conflict do nothing;

-- Which fields of the records have values. `field_values` is what the slice shows, and at its end what all readings of
-- the stream have shown; `lost_fields` had values in earlier readings and have none any more. Only for slices of syncs.
alter table sluice.slices add column field_values jsonb, add column lost_fields text[];

-- Stores both with a batch, or removes them from a slice that restarts.
create function sluice.set_field_values(_slice bigint, _values jsonb, _lost text[]) returns void language sql volatile as $$
  update sluice.slices set field_values = _values, lost_fields = _lost where id = _slice
$$;

-- Down Migration

drop function sluice.set_field_values(bigint, jsonb, text[]);
alter table sluice.slices drop column field_values, drop column lost_fields;

drop function sluice.is_recorded(text, oid);
drop function sluice.record_table(text, oid);
drop table sluice.tables;
