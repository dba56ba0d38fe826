-- Up Migration

-- As before. A slice that an earlier attempt at the same piece of work has read to its end counts too: its process may
-- have ended before its run did.
create or replace function sluice.has_read(_run bigint, _pipeline text, _stream text, _partition text, _has_cursor boolean)
returns boolean language sql stable as $$
  with attempts as (
    select o.id from sluice.runs as r join sluice.runs as o on o.piece = r.piece and o.id <> r.id where r.id = _run)
  select exists (
    select from sluice.slices as s
     where (s.pipeline, s.stream, s.partition, s.kind) = (_pipeline, _stream, _partition, 'sync') and s.status <> 'open'
       and (s.until is null or s.status <> 'done')
       and (s.started_by = _run or (not _has_cursor and s.run = _run)
         or (s.status = 'done' and (s.started_by in (select id from attempts)
           or (not _has_cursor and s.run in (select id from attempts))))))
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
