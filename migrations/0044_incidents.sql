-- Up Migration

-- Problems of pipelines, from when they were found until they were found no more. Several processes look for them; the
-- index lets each problem be opened once.
create table sluice.incidents (
  id bigint generated always as identity primary key,
  pipeline text not null,
  -- Null for a problem of the whole pipeline.
  stream text,
  -- A kind of problem of `sluice status`.
  kind text not null,
  message text not null,
  opened_at timestamptz not null default clock_timestamp(),
  closed_at timestamptz
);
create unique index open_incidents on sluice.incidents (pipeline, coalesce(stream, ''), kind) where closed_at is null;
create index closed_incidents on sluice.incidents (closed_at) where closed_at is not null;

-- Who has to be told of an incident. One process claims a notice and sends it. If that process dies, another one sends
-- it when the claim is over.
create table sluice.notices (
  id bigint generated always as identity primary key,
  incident bigint not null references sluice.incidents on delete cascade,
  event text not null check (event in ('opened', 'closed')),
  -- The name of the target, without its address.
  target text not null,
  created_at timestamptz not null default clock_timestamp(),
  -- Not before; infinity after the last attempt.
  due_at timestamptz not null default clock_timestamp(),
  attempts bigint not null default 0,
  claimed_until timestamptz,
  sent_at timestamptz,
  error text,
  unique (incident, event, target)
);
create index waiting_notices on sluice.notices (due_at) where sent_at is null;

-- Down Migration

drop table sluice.notices, sluice.incidents;
