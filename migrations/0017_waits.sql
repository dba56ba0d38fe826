-- Up Migration

-- The response that stated a limit: stream, request, status, header, and the run that got it.
alter table sluice.rates add column blocked_source jsonb;
alter table sluice.rates add column remaining_source jsonb;

-- A wait that an API asked for, for one of its paths. Waits for the whole API are in sluice.rates.
create table sluice.path_waits (
  rate bigint not null references sluice.rates on delete cascade,
  path text not null check (path <> ''),
  until timestamptz not null,
  source jsonb,
  primary key (rate, path));

-- Everything that requests have to wait for: a path, the whole API (the path ''), or the reset of a number of requests
-- that remain (no path).
create view sluice.waits as
  select id as rate, '' as path, null::bigint as remaining, blocked_until as until, blocked_source as source
    from sluice.rates where blocked_until > clock_timestamp()
  union all
  select id, null, remaining, remaining_until, remaining_source from sluice.rates where remaining_until > clock_timestamp()
  union all
  select rate, path, null, until, source from sluice.path_waits where until > clock_timestamp();

drop function sluice.report_limits(bigint, double precision, bigint, double precision);

-- Stores the limits that an API reported: a time to wait, for the whole API or for a path, or a number of requests that
-- remain for a time. The stricter limit stands until its time is over. The notification carries the budget's id and wakes
-- its users.
create function sluice.report_limits(
  _rate bigint, _path text, _wait_ms double precision, _wait_source jsonb,
  _remaining bigint, _remaining_ms double precision, _remaining_source jsonb)
returns void language plpgsql as $$
declare
  _now timestamptz := clock_timestamp();
  _until timestamptz := _now + make_interval(secs => _wait_ms / 1000);
begin
  update sluice.rates as r
     set blocked_until = _until, blocked_source = _wait_source
   where r.id = _rate and _path = '' and (r.blocked_until is null or r.blocked_until < _until);
  update sluice.rates as r
     set remaining = _remaining, remaining_until = _now + make_interval(secs => _remaining_ms / 1000),
         remaining_source = _remaining_source
   where r.id = _rate and _remaining is not null
     and (r.remaining is null or r.remaining_until <= _now or r.remaining > _remaining);
  if _path <> '' then
    delete from sluice.path_waits where rate = _rate and until <= _now;
    insert into sluice.path_waits as w (rate, path, until, source) values (_rate, _path, _until, _wait_source)
    on conflict (rate, path) do update set until = excluded.until, source = excluded.source
     where w.until < excluded.until;
  end if;
  perform pg_notify('sluice_rates', _rate::text);
end $$;

-- Lifts the wait of a path or of the whole API (the path '', with the number of requests that remain).
create function sluice.clear_limits(_rate bigint, _path text) returns void language plpgsql as $$
begin
  delete from sluice.path_waits where rate = _rate and path = _path;
  update sluice.rates
     set blocked_until = null, blocked_source = null,
         remaining = null, remaining_until = null, remaining_source = null
   where id = _rate and _path = '';
  perform pg_notify('sluice_rates', _rate::text);
end $$;

-- Down Migration

drop function sluice.clear_limits(bigint, text);
drop function sluice.report_limits(bigint, text, double precision, jsonb, bigint, double precision, jsonb);
drop view sluice.waits;
drop table sluice.path_waits;
alter table sluice.rates drop column remaining_source;
alter table sluice.rates drop column blocked_source;

-- Stores the limits that an API reported: a time to wait, or a number of requests that remain for a time. The stricter
-- limit stands until its time is over. The notification carries the budget's id and wakes its users.
create function sluice.report_limits(
  _rate bigint, _blocked_ms double precision, _remaining bigint, _remaining_ms double precision)
returns void language plpgsql as $$
declare
  _now timestamptz := clock_timestamp();
begin
  update sluice.rates as r
     set blocked_until = greatest(r.blocked_until, _now + make_interval(secs => _blocked_ms / 1000)),
         remaining = case
           when _remaining is null or (r.remaining_until > _now and r.remaining <= _remaining) then r.remaining
           else _remaining end,
         remaining_until = case
           when _remaining is null or (r.remaining_until > _now and r.remaining <= _remaining) then r.remaining_until
           else _now + make_interval(secs => _remaining_ms / 1000) end
   where r.id = _rate;
  perform pg_notify('sluice_rates', _rate::text);
end $$;
