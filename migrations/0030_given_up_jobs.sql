-- Up Migration

-- A slice that is given up may wait for an export job of its API. Nobody reads its results any more, so the next run of
-- the stream ends it: once, since the position that names it is taken away.

-- Returns the slices of a stream that were given up with a job, and removes their positions. They are closed, or failed
-- in a chain that has ended, so no run will hold them again.
create function sluice.take_jobs(_pipeline text, _stream text, _partition text)
returns table ("position" text, since text, until text, definition text) language sql volatile as $$
  with given_up as (
    select s.id, s.position from sluice.slices as s left join sluice.chains as c on c.id = s.chain
     where (s.pipeline, s.stream, s.partition, s.kind) = (_pipeline, _stream, _partition, 'sync')
       and (s.status = 'closed' or (s.status = 'failed' and c.ended_at is not null))
       and s.finished_at > clock_timestamp() - interval '7 days'
       and strpos(s.position::text, '"job":{"id":') > 0
       for update of s skip locked)
  update sluice.slices as s set position = null from given_up as g where s.id = g.id
  returning g.position::text, s.since, s.until, s.definition
$$;

-- True if a slice that may still be read waits for a job. `_id` is the id as JSON.
create function sluice.is_job_awaited(_id text) returns boolean language sql stable as $$
  select exists (
    select from sluice.slices as s
     where s.status in ('open', 'failed') and strpos(s.position::text, '"job":{"id":' || _id || ',') > 0)
$$;

-- Down Migration

drop function sluice.is_job_awaited(text);
drop function sluice.take_jobs(text, text, text);
