-- Up Migration

-- One budget of requests: an API by its origin, the names of the secrets that it is asked with, and the rate that its definition names.
create table sluice.rates (
  id bigint generated always as identity primary key,
  origin text not null, credentials text[] not null, rate text not null,
  -- It answered Retry-After: nobody asks before.
  blocked_until timestamptz,
  -- It answered that so many requests are left until then, of which so many have not been given out.
  left_over bigint check (left_over >= 0), left_until timestamptz,
  unique (origin, credentials, rate),
  check ((left_over is null) = (left_until is null)));

-- Requests that one process may send or has sent. They count until free_at, which is one period after the last of them can have been sent;
-- so what a killed process has held comes back by itself.
create table sluice.rate_grants (
  id bigint generated always as identity primary key,
  rate bigint not null references sluice.rates on delete cascade,
  requests bigint not null check (requests > 0),
  free_at timestamptz not null);

create index rate_grants_by_rate on sluice.rate_grants (rate, free_at);

create function sluice.milliseconds(_of interval) returns double precision language sql immutable as $$
  select greatest(0, extract(epoch from _of)::double precision * 1000)
$$;

create function sluice.open_rate(_origin text, _credentials text[], _rate text) returns bigint language plpgsql as $$
declare
  _id bigint;
begin
  insert into sluice.rates (origin, credentials, rate) values (_origin, _credentials, _rate) on conflict do nothing;
  select id into _id from sluice.rates where (origin, credentials, rate) = (_origin, _credentials, _rate);
  return _id;
end $$;

-- Ask for requests to send within _valid_ms, and tell what became of those that were given before. Who asks is served in the order of the
-- row's lock, which is held for no longer than this. A server that dies may forget the last moments: hence no wait for the disk.
create function sluice.grant_requests(
  _rate bigint, _limit bigint, _period_ms double precision, _wanted bigint, _least bigint, _valid_ms double precision,
  _before bigint, _used bigint, _used_ms_ago double precision, _unused bigint,
  out lease bigint, out requests bigint, out wait_ms double precision, out blocked_ms double precision, out left_over bigint, out left_ms double precision)
language plpgsql as $$
declare
  _of sluice.rates;
  _now timestamptz;
  _period interval := make_interval(secs => _period_ms / 1000);
  _busy bigint;
begin
  perform set_config('synchronous_commit', 'off', true);
  select * into strict _of from sluice.rates where id = _rate for no key update;
  _now := clock_timestamp(); -- After the lock: a time from before it would be earlier than what others have been given meanwhile.
  if _before is not null and _used = 0 then
    delete from sluice.rate_grants as g where g.id = _before;
  elsif _before is not null then
    update sluice.rate_grants as g set requests = least(g.requests, _used), free_at = least(g.free_at, _now - make_interval(secs => _used_ms_ago / 1000) + _period) where g.id = _before;
  end if;
  if _of.left_until <= _now then
    _of.left_over := null;
    _of.left_until := null;
  end if;
  _of.left_over := _of.left_over + _unused;
  requests := _wanted;
  wait_ms := 0;
  if _of.blocked_until > _now then
    requests := 0;
    wait_ms := sluice.milliseconds(_of.blocked_until - _now);
  elsif _of.left_over < _least then
    requests := 0;
    wait_ms := sluice.milliseconds(_of.left_until - _now);
  elsif _of.left_over < requests then
    requests := _of.left_over;
  end if;
  if _limit is not null then
    delete from sluice.rate_grants as g where g.rate = _rate and g.free_at <= _now;
    select coalesce(sum(g.requests), 0) into _busy from sluice.rate_grants as g where g.rate = _rate;
    requests := least(requests, _limit - _busy);
    if requests < _least then
      requests := 0;
      if wait_ms = 0 then
        select sluice.milliseconds(min(g.free_at) - _now) into wait_ms from sluice.rate_grants as g where g.rate = _rate;
      end if;
    end if;
    if requests > 0 then
      insert into sluice.rate_grants (rate, requests, free_at) values (_rate, grant_requests.requests, _now + make_interval(secs => _valid_ms / 1000) + _period) returning id into lease;
    end if;
  end if;
  _of.left_over := _of.left_over - requests;
  update sluice.rates as r set left_over = _of.left_over, left_until = _of.left_until
   where r.id = _rate and (r.left_over, r.left_until) is distinct from (_of.left_over, _of.left_until);
  blocked_ms := coalesce(sluice.milliseconds(_of.blocked_until - _now), 0);
  left_over := _of.left_over;
  left_ms := sluice.milliseconds(_of.left_until - _now);
end $$;

-- What an API answered: wait so long, or so many requests are left for so long. The tightest word stands until its time is over.
-- Those who are asking it are told, with the budget's id.
create function sluice.tell_rate(_rate bigint, _blocked_ms double precision, _left bigint, _left_ms double precision) returns void language plpgsql as $$
declare
  _now timestamptz := clock_timestamp();
begin
  update sluice.rates as r
     set blocked_until = greatest(r.blocked_until, _now + make_interval(secs => _blocked_ms / 1000)),
         left_over = case when _left is null or (r.left_until > _now and r.left_over <= _left) then r.left_over else _left end,
         left_until = case when _left is null or (r.left_until > _now and r.left_over <= _left) then r.left_until else _now + make_interval(secs => _left_ms / 1000) end
   where r.id = _rate;
  perform pg_notify('sluice_rates', _rate::text);
end $$;

-- Down Migration

drop function sluice.tell_rate(bigint, double precision, bigint, double precision);
drop function sluice.grant_requests(bigint, bigint, double precision, bigint, bigint, double precision, bigint, bigint, double precision, bigint);
drop function sluice.open_rate(text, text[], text);
drop function sluice.milliseconds(interval);
drop table sluice.rate_grants;
drop table sluice.rates;
