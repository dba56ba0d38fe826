-- Up Migration

-- A run of a stream whose API has jobs asks for slices that were given up with a job. It read all slices of the stream.

-- Slices that were given up and still have a position, among them those with a job.
create index given_up_slices on sluice.slices (pipeline, stream, partition)
  where kind = 'sync' and status in ('closed', 'failed') and position is not null;

-- As before, with the words of the index given_up_slices.
create or replace function sluice.take_jobs(_pipeline text, _stream text, _partition text)
returns table ("position" text, since text, until text, definition text) language sql volatile as $$
  with given_up as (
    select s.id, s.position from sluice.slices as s left join sluice.chains as c on c.id = s.chain
     where (s.pipeline, s.stream, s.partition) = (_pipeline, _stream, _partition)
       and s.kind = 'sync' and s.status in ('closed', 'failed') and s.position is not null
       and (s.status = 'closed' or c.ended_at is not null)
       and s.finished_at > clock_timestamp() - interval '7 days'
       and strpos(s.position::text, '"job":{"id":') > 0
       for update of s skip locked)
  update sluice.slices as s set position = null from given_up as g where s.id = g.id
  returning g.position::text, s.since, s.until, s.definition
$$;

-- Down Migration

create or replace function sluice.take_jobs(_pipeline text, _stream text, _partition text)
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
drop index sluice.given_up_slices;
