-- Up Migration

-- As before. A slice that an earlier attempt at the same piece of work has read to its end counts too: its process may
-- have ended before its run did.
create or replace function sluice.has_read(_run bigint, _pipeline text, _stream text, _partition text, _has_cursor boolean)
returns boolean language sql stable as $$
  select exists (
    select from sluice.slices as s
     where (s.pipeline, s.stream, s.partition, s.kind) = (_pipeline, _stream, _partition, 'sync') and s.status <> 'open'
       and (s.until is null or s.status <> 'done')
       and (s.started_by = _run or (not _has_cursor and s.run = _run)))
  or exists (
    -- A join of its own: a run without a piece reads no slice for it.
    select from sluice.runs as r
      join sluice.runs as o on o.piece = r.piece and o.id <> r.id
      cross join lateral (
        select from sluice.slices as s
         where (s.pipeline, s.stream, s.partition, s.kind) = (_pipeline, _stream, _partition, 'sync')
           and s.status = 'done' and s.until is null
           and (s.started_by = o.id or (not _has_cursor and s.run = o.id))) as s
     where r.id = _run and r.piece is not null)
$$;

-- Down Migration

create or replace function sluice.has_read(_run bigint, _pipeline text, _stream text, _partition text, _has_cursor boolean)
returns boolean language sql stable as $$
  select exists (
    select from sluice.slices as s
     where (s.pipeline, s.stream, s.partition, s.kind) = (_pipeline, _stream, _partition, 'sync') and s.status <> 'open'
       and (s.until is null or s.status <> 'done')
       and (s.started_by = _run or (not _has_cursor and s.run = _run)))
$$;
