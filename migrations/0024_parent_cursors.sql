-- Up Migration

-- How far each child list of a stream has been read, for .incremental(…, { perParent: true }). A parent that vanishes keeps its cursor.
create table sluice.parent_cursors (
  pipeline text not null, stream text not null, partition text not null default '',
  -- A hash of the request that leads to the list: what makes two lists the same.
  list text not null,
  -- That request for people, such as `GET /issues/17/comments`.
  request text not null,
  value text not null,
  updated_at timestamptz not null default clock_timestamp(),
  primary key (pipeline, stream, partition, list));

-- Moves the cursors of lists that a batch has completed. Sent in one transaction with sluice.advance, which checks the token.
create function sluice.move_parent_cursors(_slice bigint, _cursors jsonb) returns void language sql volatile as $$
  insert into sluice.parent_cursors as p (pipeline, stream, partition, list, request, value)
  select s.pipeline, s.stream, s.partition, c.list, c.request, c.value
    from sluice.slices as s, jsonb_to_recordset(_cursors) as c (list text, request text, value text)
   where s.id = _slice
  on conflict (pipeline, stream, partition, list) do update
     set value = excluded.value, request = excluded.request, updated_at = clock_timestamp()
   where p.value is distinct from excluded.value
$$;

-- Down Migration

drop function sluice.move_parent_cursors(bigint, jsonb);
drop table sluice.parent_cursors;
