-- Up Migration

-- The ledger's own errors: SL001 the slice is not ours, SL003 the counts of a batch do not balance, SL004 the cursor was moved by somebody else,
-- SL005 too many rows carry the same cursor value, SL006 rejects that were already replayed. None is of a class that a row could be blamed for.

-- Sent in one query with the rows and the commit, so it must raise: an update of no row is no error.
create function sluice.advance(
  _slice bigint, _token bigint, _seq bigint, _position json, _counts jsonb,
  _high text default null, _boundary jsonb default null, _cursor text default null, _swap jsonb default null)
returns void language plpgsql as $$
declare
  _c sluice.counts := jsonb_populate_record(null::sluice.counts, _counts);
  _ends boolean := sluice.is_end(_position);
  _was text;
  _s sluice.slices;
begin
  if not coalesce(sluice.balances(_c.fetched, _c.expanded, _c.inserted, _c.updated, _c.unchanged, _c.filtered, _c.duplicate, _c.rejected, _c.parents), false) then
    raise exception 'the counts of batch % of slice % do not balance: %', _seq + 1, _slice, _counts using errcode = 'SL003';
  end if;
  if (select count(*) from jsonb_object_keys(_boundary)) > 10000 then
    raise exception 'more than 10,000 different rows carry the cursor value %', _high using errcode = 'SL005';
  end if;
  if _ends then
    perform sluice.lock_stream(s.pipeline, s.stream, s.partition) from sluice.slices as s where s.id = _slice;
  end if;

  update sluice.slices as s
     set position = _position, seq = s.seq + 1, batches = s.batches + 1, error = null,
         high = coalesce(_high, s.high), boundary = case when _high is null then s.boundary else _boundary end,
         status = case when _ends then 'done' else 'open' end, finished_at = case when _ends then clock_timestamp() end,
         lease_until = case when not _ends then clock_timestamp() + interval '60 s' end,
         lease_pid = case when not _ends then s.lease_pid end, lease_started = case when not _ends then s.lease_started end,
         fetched = s.fetched + _c.fetched, expanded = s.expanded + _c.expanded,
         inserted = s.inserted + _c.inserted, updated = s.updated + _c.updated, unchanged = s.unchanged + _c.unchanged,
         filtered = s.filtered + _c.filtered, duplicate = s.duplicate + _c.duplicate, rejected = s.rejected + _c.rejected,
         parents = s.parents + _c.parents,
         swap_inserted = (_swap ->> 'inserted')::bigint, swap_updated = (_swap ->> 'updated')::bigint, swap_deleted = (_swap ->> 'deleted')::bigint
   where s.id = _slice and s.token = _token and s.seq = _seq and s.status = 'open'
  returning s.* into _s;
  if not found then
    raise exception 'slice % is no longer ours (token %, batch %)', _slice, _token, _seq using errcode = 'SL001';
  end if;

  if _cursor is null then
    return;
  end if;
  if not _ends or _s.kind <> 'sync' then
    raise exception 'a cursor moves only where a sync slice ends, not with batch % of slice %', _seq + 1, _slice using errcode = 'SL004';
  end if;
  select value into _was from sluice.cursors where (pipeline, stream, partition) = (_s.pipeline, _s.stream, _s.partition) for update;
  if _was is distinct from _s.cursor_was then
    raise exception 'the cursor of %.% is % and was % when slice % was made', _s.pipeline, _s.stream, coalesce(_was, 'not set'), coalesce(_s.cursor_was, 'not set'), _slice using errcode = 'SL004';
  end if;
  insert into sluice.cursors as c (pipeline, stream, partition, value, boundary, slice)
  values (_s.pipeline, _s.stream, _s.partition, _cursor, _s.boundary, _slice)
  on conflict (pipeline, stream, partition) do update
     set value = excluded.value, slice = excluded.slice, updated_at = clock_timestamp(),
         boundary = case when c.value = excluded.value then sluice.greater_counts(c.boundary, excluded.boundary) else excluded.boundary end;
end $$;

-- Begin a slice that we hold from its start again; what it had written is taken out by the caller, in the same transaction.
create function sluice.reenter(_slice bigint, _token bigint, _seq bigint, _definition text, _since text, _until text, _cursor_was text)
returns void language plpgsql as $$
begin
  update sluice.slices as s
     set position = null, seq = s.seq + 1, high = null, boundary = null, batches = 0, before = '{}', error = null,
         begun_by = s.run, begun_at = clock_timestamp(), lease_until = clock_timestamp() + interval '60 s',
         definition = _definition, since = _since, until = _until, cursor_was = _cursor_was,
         fetched = 0, expanded = 0, inserted = 0, updated = 0, unchanged = 0, filtered = 0, duplicate = 0, rejected = 0, parents = 0
   where s.id = _slice and s.token = _token and s.seq = _seq and s.status = 'open';
  if not found then
    raise exception 'slice % is no longer ours (token %, batch %)', _slice, _token, _seq using errcode = 'SL001';
  end if;
  delete from sluice.rejects where slice = _slice;
end $$;

-- Make a slice and hold it. Answers null where another one is open, where the cursor is no longer the one that the bounds were computed from,
-- or where this run has already read the stream: a stream with a cursor once from it, a stream without one once at all.
create function sluice.open_slice(
  _run bigint, _kind text, _pipeline text, _stream text, _partition text, _definition text,
  _since text, _until text, _has_cursor boolean, _cursor_was text, _lease_pid integer, _lease_started timestamptz)
returns bigint language plpgsql as $$
declare
  _id bigint;
begin
  if _kind = 'sync' then
    perform sluice.lock_stream(_pipeline, _stream, _partition);
    if _has_cursor and (select value from sluice.cursors where (pipeline, stream, partition) = (_pipeline, _stream, _partition)) is distinct from _cursor_was then
      return null;
    end if;
    if exists (select from sluice.slices where (pipeline, stream, partition, kind) = (_pipeline, _stream, _partition, 'sync')
                and (begun_by = _run or (not _has_cursor and run = _run))) then
      return null;
    end if;
  end if;
  insert into sluice.slices (kind, pipeline, stream, partition, begun_by, run, definition, since, until, cursor_was, token, lease_until, lease_pid, lease_started)
  values (_kind, _pipeline, _stream, _partition, _run, _run, _definition, _since, _until, _cursor_was, 1, clock_timestamp() + interval '60 s', _lease_pid, _lease_started)
  on conflict (pipeline, stream, partition) where kind = 'sync' and status = 'open' do nothing
  returning id into _id;
  return _id;
end $$;

-- Down Migration

drop function sluice.open_slice(bigint, text, text, text, text, text, text, text, boolean, text, integer, timestamptz);
drop function sluice.reenter(bigint, bigint, bigint, text, text, text, text);
drop function sluice.advance(bigint, bigint, bigint, json, jsonb, text, jsonb, text, jsonb);
