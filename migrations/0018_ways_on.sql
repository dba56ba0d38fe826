-- Up Migration

-- Endpoints of a stream, such as `GET /orders/{}/lines`, whose responses have led to a next page. A response without such a
-- way is then the last page; where none was ever seen, the paginator may look in the wrong place.
create table sluice.ways_on (
  pipeline text not null,
  stream text not null,
  -- Another definition may look elsewhere, so it starts without endpoints.
  definition text not null,
  endpoints text[] not null,
  primary key (pipeline, stream));

create function sluice.remember_ways_on(_pipeline text, _stream text, _definition text, _endpoints text[])
returns void language sql volatile as $$
  insert into sluice.ways_on as w (pipeline, stream, definition, endpoints)
  values (_pipeline, _stream, _definition, _endpoints)
  on conflict (pipeline, stream) do update
     set definition = excluded.definition,
         endpoints = case when w.definition <> excluded.definition then excluded.endpoints else (
           select array_agg(distinct endpoint) from unnest(w.endpoints || excluded.endpoints) as endpoint) end
   where w.definition <> excluded.definition or not w.endpoints @> excluded.endpoints
$$;

-- Down Migration

drop function sluice.remember_ways_on(text, text, text, text[]);
drop table sluice.ways_on;
