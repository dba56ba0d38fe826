-- Up Migration

-- Readings whose records shared a key and differed, so that all but one of each are lost. One row for each stream, until
-- a later reading of the same range has shown that the key is unique. `terms` are what the key was then: a row whose
-- terms are no longer those of the definition says nothing.
create table sluice.shared_keys (
  pipeline text not null, stream text not null, partition text not null default '',
  terms text not null,
  message text not null,
  -- No references: both may be pruned.
  run bigint not null, slice bigint not null,
  since text,
  -- The slice has begun again since, and its end decides.
  restarted boolean not null default false,
  found_at timestamptz not null default clock_timestamp(),
  primary key (pipeline, stream, partition));

-- Notes that a batch of a slice has such records. The first message of a slice stays.
create function sluice.note_shared_key(_slice bigint, _terms text, _message text) returns void language sql volatile as $$
  insert into sluice.shared_keys as k (pipeline, stream, partition, terms, message, run, slice, since)
  select s.pipeline, s.stream, s.partition, _terms, _message, s.run, s.id, s.since
    from sluice.slices as s where s.id = _slice
  on conflict (pipeline, stream, partition) do update
     set (terms, message, run, slice, since, restarted, found_at)
       = (excluded.terms, excluded.message, excluded.run, excluded.slice, excluded.since, false, excluded.found_at)
   where k.slice <> excluded.slice or k.restarted or k.terms <> excluded.terms
$$;

-- Notes that a slice begins again: what it has found may not come again.
create function sluice.reopen_shared_key(_slice bigint) returns void language sql volatile as $$
  update sluice.shared_keys set restarted = true where slice = _slice
$$;

-- Removes the note of a stream, at the end of a slice that has read the same again and noted nothing: the slice itself
-- after a restart, a sync from the same beginning to the end, or a reading of everything in steps.
create function sluice.settle_shared_key(_slice bigint) returns void language sql volatile as $$
  delete from sluice.shared_keys as k using sluice.slices as s
   where s.id = _slice and (k.pipeline, k.stream, k.partition) = (s.pipeline, s.stream, s.partition)
     and s.status = 'done' and s.fetched > 0
     and ((k.slice = s.id and k.restarted)
       or (k.slice <> s.id and s.kind = 'sync' and s.until is null and (s.since is null or s.since = k.since))
       or exists (select from sluice.full_reads as f
                   where (f.pipeline, f.stream, f.partition) = (s.pipeline, s.stream, s.partition)
                     and f.last_slice is not null and k.slice < f.first_slice))
$$;

-- Down Migration

drop function sluice.settle_shared_key(bigint);
drop function sluice.reopen_shared_key(bigint);
drop function sluice.note_shared_key(bigint, text, text);
drop table sluice.shared_keys;
