-- Up Migration

-- A renewal that is under way while its slice is released must not give the slice a lease again: the next run would find
-- the stream busy for a minute.
create or replace function sluice.renew(
  _slices bigint[], _tokens bigint[], _lease_pid integer, _lease_started timestamptz)
returns table (slice bigint, token bigint, reason text) language sql volatile as $$
  with held as (select * from unnest(_slices, _tokens) as h (id, token)),
       ours as (select s.id from sluice.slices as s join held using (id, token)
                 where s.status = 'open' and s.lease_until is not null for update of s skip locked),
       renewed as (update sluice.slices as s
                      set lease_until = clock_timestamp() + sluice.lease_time(),
                          lease_pid = _lease_pid, lease_started = _lease_started
                     from ours where s.id = ours.id)
  select held.id, held.token, sluice.lost_reason(held.id, held.token)
    from sluice.slices as s join held using (id) where s.token <> held.token
$$;

-- Down Migration

create or replace function sluice.renew(
  _slices bigint[], _tokens bigint[], _lease_pid integer, _lease_started timestamptz)
returns table (slice bigint, token bigint, reason text) language sql volatile as $$
  with held as (select * from unnest(_slices, _tokens) as h (id, token)),
       ours as (select s.id from sluice.slices as s join held using (id, token)
                 where s.status = 'open' for update of s skip locked),
       renewed as (update sluice.slices as s
                      set lease_until = clock_timestamp() + sluice.lease_time(),
                          lease_pid = _lease_pid, lease_started = _lease_started
                     from ours where s.id = ours.id)
  select held.id, held.token, sluice.lost_reason(held.id, held.token)
    from sluice.slices as s join held using (id) where s.token <> held.token
$$;
