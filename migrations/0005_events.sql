-- Up Migration

-- What happened, for those who watch from elsewhere; kept for seven days.
create table sluice.events (
  id bigint generated always as identity primary key,
  run bigint references sluice.runs on delete cascade,
  at timestamptz not null,
  type text not null,
  stream text,
  data jsonb not null);

create index events_by_run on sluice.events (run, id);
create index events_by_time on sluice.events (at);

-- The lock makes ids follow the order of commits: who reads by increasing id would otherwise pass over what commits late.
-- The notification carries nothing and only wakes.
create function sluice.tell(_events json) returns void language plpgsql as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('sluice events', 0));
  insert into sluice.events (run, at, type, stream, data)
  select (event ->> 'run')::bigint, (event ->> 'at')::timestamptz, event -> 'data' ->> 'type', event -> 'data' ->> 'stream', (event -> 'data')::jsonb
    from json_array_elements(_events) with ordinality as told (event, place) order by place;
  perform pg_notify('sluice', '');
end $$;

-- Down Migration

drop function sluice.tell(json);
drop table sluice.events;
