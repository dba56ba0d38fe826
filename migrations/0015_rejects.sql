-- Up Migration

-- What has settled a reject: a replay stored its record; a later read stored a record with the same identity, or rejected
-- it again, which is listed instead; or a person dropped it. An open reject has none of these.
alter table sluice.rejects rename column replayed_at to settled_at;
alter table sluice.rejects rename column replayed_by to settled_by;
alter table sluice.rejects add column settlement text check (settlement in ('replayed', 'stored', 'superseded', 'dropped'));
-- The slice whose batch has settled it by storing or rejecting the record.
alter table sluice.rejects add column settled_in bigint references sluice.slices;
-- The key of the record, as 'key LEVEL [..]', or a hash of it with its parents.
alter table sluice.rejects add column identity text;
update sluice.rejects
   set settlement = case when settled_at is not null then 'replayed' end,
       identity = case when stage = 'database' then 'row ' else '' end
         || encode(sha256(convert_to(record::text || E'\n' || coalesce(parents::text, ''), 'UTF8')), 'hex');
alter table sluice.rejects alter column identity set not null;
alter table sluice.rejects drop constraint rejects_check;
alter table sluice.rejects add constraint settled_as_a_whole check (
  (settled_at is null) = (settlement is null)
  and (settled_by is null) = (settlement is null or settlement = 'dropped'));
create index open_rejects on sluice.rejects (pipeline, stream, identity) where settled_at is null;
create index rejects_by_settling_slice on sluice.rejects (settled_in) where settled_in is not null;

drop function sluice.replay(bigint[], bigint);

-- Settles the open rejects of a slice's stream that have one of these identities, but for those of the slice itself: a
-- record that comes twice in one read is two records.
create function sluice.settle_rejects(_slice bigint, _identities text[], _settlement text)
returns void language sql volatile as $$
  update sluice.rejects as r
     set settled_at = clock_timestamp(), settled_by = s.run, settled_in = _slice, settlement = _settlement
    from sluice.slices as s
   where s.id = _slice and (r.pipeline, r.stream) = (s.pipeline, s.stream) and r.identity = any (_identities)
     and r.settled_at is null and r.slice <> _slice
$$;

-- Opens the rejects again that a slice has settled, in the transaction that removes what the slice has stored.
create function sluice.reopen_rejects(_slice bigint, _settlements text[]) returns void language sql volatile as $$
  update sluice.rejects set settled_at = null, settled_by = null, settled_in = null, settlement = null
   where settled_in = _slice and settlement = any (_settlements)
$$;

-- Marks rejects as replayed, in the transaction that stores their records. Each may be stored once.
create function sluice.replay(_rejects bigint[], _run bigint) returns void language plpgsql as $$
declare
  _number bigint;
begin
  update sluice.rejects set settled_at = clock_timestamp(), settled_by = _run, settlement = 'replayed'
   where id = any (_rejects) and settled_at is null;
  get diagnostics _number = row_count;
  if _number <> (select count(distinct one) from unnest(_rejects) as one) then
    raise exception '% of % rejects were settled by another run, or are gone',
      cardinality(_rejects) - _number, cardinality(_rejects) using errcode = 'SL006';
  end if;
end $$;

-- Drops open rejects by hand: all of a pipeline, of a stream, or only some of them. Returns their ids.
create function sluice.drop_rejects(_pipeline text, _stream text, _rejects bigint[])
returns setof bigint language sql volatile as $$
  update sluice.rejects as r set settled_at = clock_timestamp(), settlement = 'dropped'
   where r.pipeline = _pipeline and (_stream is null or r.stream = _stream)
     and (_rejects is null or r.id = any (_rejects)) and r.settled_at is null
  returning r.id
$$;

-- Down Migration

drop function sluice.drop_rejects(text, text, bigint[]);
drop function sluice.replay(bigint[], bigint);
drop function sluice.reopen_rejects(bigint, text[]);
drop function sluice.settle_rejects(bigint, text[], text);
drop index sluice.rejects_by_settling_slice;
drop index sluice.open_rejects;
alter table sluice.rejects drop constraint settled_as_a_whole;
update sluice.rejects set settled_by = run where settled_at is not null and settled_by is null;
alter table sluice.rejects drop column identity;
alter table sluice.rejects drop column settled_in;
alter table sluice.rejects drop column settlement;
alter table sluice.rejects rename column settled_by to replayed_by;
alter table sluice.rejects rename column settled_at to replayed_at;
alter table sluice.rejects add constraint rejects_check check ((replayed_at is null) = (replayed_by is null));

-- Marks rejects as replayed, in the transaction that stores their records. Each may be stored once.
create function sluice.replay(_rejects bigint[], _run bigint) returns void language plpgsql as $$
declare
  _number bigint;
begin
  update sluice.rejects set replayed_at = clock_timestamp(), replayed_by = _run
   where id = any (_rejects) and replayed_at is null;
  get diagnostics _number = row_count;
  if _number <> (select count(distinct one) from unnest(_rejects) as one) then
    raise exception '% of % rejects were replayed by another run, or are gone',
      cardinality(_rejects) - _number, cardinality(_rejects) using errcode = 'SL006';
  end if;
end $$;
