-- Up Migration

-- A budget may have several limits at once: numbers of requests, each within any period of its own, and buckets, which
-- admit a burst and gain requests at a steady rate.

-- How full each bucket is, at a time: a request fills it by one, and it drains at its rate. Null where a limit is none.
alter table sluice.rates add column fills double precision[], add column filled_at timestamptz;

-- When the last of the requests can have been sent; null in grants of earlier versions.
alter table sluice.rate_grants
  add column last_at timestamptz,
  -- They are in the fills of the buckets.
  add column in_fills boolean not null default false;

drop function sluice.grant_requests(
  bigint, bigint, double precision, bigint, bigint, double precision, bigint, bigint, double precision, bigint);

-- Grants requests that are sent within _valid_ms, within all limits. A limit has a number of requests, a period, and a
-- burst if it is a bucket. Requests that may still be sent count as sent now and until the last moment. The API counts
-- arrivals: for a bucket they are up to 50 ms later.
create function sluice.grant_requests(
  _rate bigint, _limits bigint[], _periods_ms double precision[], _bursts bigint[],
  _wanted bigint, _least bigint, _valid_ms double precision,
  _before bigint, _used bigint, _used_ms_ago double precision, _unused bigint,
  out lease bigint, out requests bigint, out wait_ms double precision,
  out blocked_ms double precision, out remaining bigint, out remaining_ms double precision)
language plpgsql as $$
declare
  _of sluice.rates;
  _now timestamptz;
  _number integer := coalesce(cardinality(_limits), 0);
  _longest interval := make_interval(secs => coalesce(
    (select max(period) from unnest(_periods_ms, _bursts) as l (period, burst) where burst is null), 0) / 1000);
  _buckets boolean := coalesce((select bool_or(burst is not null) from unnest(_bursts) as b (burst)), false);
  _ended sluice.rate_grants;
  _arrived timestamptz;
  _held bigint := 0;
  _free bigint;
  _wait double precision;
begin
  perform set_config('synchronous_commit', 'off', true);
  select * into strict _of from sluice.rates where id = _rate for no key update;
  _now := clock_timestamp(); -- Read after the lock: an earlier time would precede grants made while we waited.
  if _before is not null and _used = 0 then
    delete from sluice.rate_grants as g where g.id = _before and not g.in_fills;
  elsif _before is not null then
    update sluice.rate_grants as g
       set requests = least(g.requests, _used),
           last_at = least(coalesce(g.last_at, g.expires_at), _now - make_interval(secs => _used_ms_ago / 1000)),
           expires_at = least(g.expires_at, _now - make_interval(secs => _used_ms_ago / 1000) + _longest)
     where g.id = _before;
  end if;
  if _of.remaining_until <= _now then
    _of.remaining := null;
    _of.remaining_until := null;
  end if;
  _of.remaining := _of.remaining + _unused;
  requests := _wanted;
  wait_ms := 0;
  if _of.blocked_until > _now then
    requests := 0;
    wait_ms := sluice.milliseconds(_of.blocked_until - _now);
  elsif _of.remaining < _least then
    requests := 0;
    wait_ms := sluice.milliseconds(_of.remaining_until - _now);
  elsif _of.remaining < requests then
    requests := _of.remaining;
  end if;

  if _buckets then
    if _of.fills is null or cardinality(_of.fills) <> _number then
      _of.fills := array_fill(0::double precision, array[_number]);
      _of.filled_at := _now;
    end if;
    -- Grants that nobody sends on any more fill the buckets, each at its last moment, in their order.
    for _ended in
      with ended as (
        update sluice.rate_grants as g set in_fills = true
         where g.rate = _rate and not g.in_fills and coalesce(g.last_at, g.expires_at) <= _now returning g.*)
      select * from ended order by coalesce(ended.last_at, ended.expires_at)
    loop
      _arrived := coalesce(_ended.last_at, _ended.expires_at) + interval '50 ms';
      for i in 1 .. _number loop
        if _bursts[i] is not null then
          _of.fills[i] := _ended.requests + greatest(0, _of.fills[i] - _limits[i] / _periods_ms[i]
            * sluice.milliseconds(_arrived - _of.filled_at));
        end if;
      end loop;
      _of.filled_at := greatest(_of.filled_at, _arrived);
    end loop;
    for i in 1 .. _number loop
      if _bursts[i] is not null then
        _of.fills[i] := greatest(0, _of.fills[i] - _limits[i] / _periods_ms[i]
          * sluice.milliseconds(_now - _of.filled_at));
      end if;
    end loop;
    _of.filled_at := greatest(_of.filled_at, _now);
    select coalesce(sum(g.requests), 0) into _held from sluice.rate_grants as g where g.rate = _rate and not g.in_fills;
  end if;

  if _number > 0 then
    delete from sluice.rate_grants as g where g.rate = _rate and g.expires_at <= _now and (g.in_fills or not _buckets);
    for i in 1 .. _number loop
      if _bursts[i] is null then
        select _limits[i] - coalesce(sum(g.requests), 0),
               sluice.milliseconds(min(coalesce(g.last_at + make_interval(secs => _periods_ms[i] / 1000), g.expires_at)) - _now)
          into _free, _wait
          from sluice.rate_grants as g
         where g.rate = _rate
           and coalesce(g.last_at + make_interval(secs => _periods_ms[i] / 1000), g.expires_at) > _now;
      else
        _free := floor(_bursts[i] - _of.fills[i] - _held + 1e-6);
        _wait := (_of.fills[i] + _held + _least - _bursts[i]) * _periods_ms[i] / _limits[i]
          + sluice.milliseconds(_of.filled_at - _now);
      end if;
      if _free < _least then
        requests := 0;
        wait_ms := greatest(wait_ms, _wait);
      end if;
      requests := greatest(0, least(requests, _free));
    end loop;
    if requests < _least then
      requests := 0;
    end if;
    if requests > 0 then
      insert into sluice.rate_grants (rate, requests, last_at, expires_at)
      values (_rate, grant_requests.requests, _now + make_interval(secs => _valid_ms / 1000),
              _now + make_interval(secs => _valid_ms / 1000) + _longest)
      returning id into lease;
    end if;
  end if;
  _of.remaining := _of.remaining - requests;
  update sluice.rates as r
     set remaining = _of.remaining, remaining_until = _of.remaining_until, fills = _of.fills, filled_at = _of.filled_at
   where r.id = _rate and (r.remaining, r.remaining_until, r.fills, r.filled_at)
     is distinct from (_of.remaining, _of.remaining_until, _of.fills, _of.filled_at);
  blocked_ms := coalesce(sluice.milliseconds(_of.blocked_until - _now), 0);
  remaining := _of.remaining;
  remaining_ms := sluice.milliseconds(_of.remaining_until - _now);
end $$;

-- Down Migration

drop function sluice.grant_requests(
  bigint, bigint[], double precision[], bigint[], bigint, bigint, double precision,
  bigint, bigint, double precision, bigint);
alter table sluice.rate_grants drop column in_fills, drop column last_at;
alter table sluice.rates drop column filled_at, drop column fills;

create function sluice.grant_requests(
  _rate bigint, _limit bigint, _period_ms double precision, _wanted bigint, _least bigint, _valid_ms double precision,
  _before bigint, _used bigint, _used_ms_ago double precision, _unused bigint,
  out lease bigint, out requests bigint, out wait_ms double precision,
  out blocked_ms double precision, out remaining bigint, out remaining_ms double precision)
language plpgsql as $$
declare
  _of sluice.rates;
  _now timestamptz;
  _period interval := make_interval(secs => _period_ms / 1000);
  _busy bigint;
begin
  perform set_config('synchronous_commit', 'off', true);
  select * into strict _of from sluice.rates where id = _rate for no key update;
  _now := clock_timestamp(); -- Read after the lock: an earlier time would precede grants made while we waited.
  if _before is not null and _used = 0 then
    delete from sluice.rate_grants as g where g.id = _before;
  elsif _before is not null then
    update sluice.rate_grants as g
       set requests = least(g.requests, _used),
           expires_at = least(g.expires_at, _now - make_interval(secs => _used_ms_ago / 1000) + _period)
     where g.id = _before;
  end if;
  if _of.remaining_until <= _now then
    _of.remaining := null;
    _of.remaining_until := null;
  end if;
  _of.remaining := _of.remaining + _unused;
  requests := _wanted;
  wait_ms := 0;
  if _of.blocked_until > _now then
    requests := 0;
    wait_ms := sluice.milliseconds(_of.blocked_until - _now);
  elsif _of.remaining < _least then
    requests := 0;
    wait_ms := sluice.milliseconds(_of.remaining_until - _now);
  elsif _of.remaining < requests then
    requests := _of.remaining;
  end if;
  if _limit is not null then
    delete from sluice.rate_grants as g where g.rate = _rate and g.expires_at <= _now;
    select coalesce(sum(g.requests), 0) into _busy from sluice.rate_grants as g where g.rate = _rate;
    requests := least(requests, _limit - _busy);
    if requests < _least then
      requests := 0;
      if wait_ms = 0 then
        select sluice.milliseconds(min(g.expires_at) - _now) into wait_ms from sluice.rate_grants as g where g.rate = _rate;
      end if;
    end if;
    if requests > 0 then
      insert into sluice.rate_grants (rate, requests, expires_at)
      values (_rate, grant_requests.requests, _now + make_interval(secs => _valid_ms / 1000) + _period)
      returning id into lease;
    end if;
  end if;
  _of.remaining := _of.remaining - requests;
  update sluice.rates as r set remaining = _of.remaining, remaining_until = _of.remaining_until
   where r.id = _rate and (r.remaining, r.remaining_until) is distinct from (_of.remaining, _of.remaining_until);
  blocked_ms := coalesce(sluice.milliseconds(_of.blocked_until - _now), 0);
  remaining := _of.remaining;
  remaining_ms := sluice.milliseconds(_of.remaining_until - _now);
end $$;
