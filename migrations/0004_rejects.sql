-- Up Migration

-- Records that could not be stored. json keeps what jsonb refuses or changes: NUL, lone surrogates, long numbers.
create table sluice.rejects (
  id bigint generated always as identity primary key,
  run bigint not null references sluice.runs,
  slice bigint not null references sluice.slices,
  pipeline text not null, stream text not null,
  -- Where reading its batch began, and the batch's number.
  position json, seq bigint not null,
  stage text not null, reason text not null,
  record json not null,
  -- For a child stream, the records that it hangs from, outermost first.
  parents json,
  created_at timestamptz not null default clock_timestamp(),
  replayed_at timestamptz, replayed_by bigint references sluice.runs,
  check ((replayed_at is null) = (replayed_by is null)));

create index rejects_by_slice on sluice.rejects (slice);
create index rejects_by_stream on sluice.rejects (pipeline, stream, id);

-- In the transaction that stores the records: each may be stored once, so one that somebody else has replayed meanwhile raises.
create function sluice.replay(_rejects bigint[], _run bigint) returns void language plpgsql as $$
declare
  _number bigint;
begin
  update sluice.rejects set replayed_at = clock_timestamp(), replayed_by = _run where id = any (_rejects) and replayed_at is null;
  get diagnostics _number = row_count;
  if _number <> (select count(distinct one) from unnest(_rejects) as one) then
    raise exception '% of % rejects were replayed by somebody else, or are gone', cardinality(_rejects) - _number, cardinality(_rejects) using errcode = 'SL006';
  end if;
end $$;

-- Down Migration

drop function sluice.replay(bigint[], bigint);
drop table sluice.rejects;
