-- Up Migration

-- The chain of a refresh token: a first one, and those that the server has given in its place. All processes share its
-- access token. Tokens are encrypted with SLUICE_KEY; the ledger never holds a readable one.
create table sluice.credentials (
  -- Digest of the token URL, the client and the first token: a new first token begins a new chain.
  id text primary key,
  -- Digest of the token URL, the client and the variable: finds the chain of a login if the variable is not set.
  slot text not null,
  -- For people.
  token_url text not null,
  variable text not null,
  -- Of the key that the tokens are encrypted with. Null as long as there are none.
  key_id text,
  -- Counts the changes of the tokens. A refresh stores only in place of the tokens that it began with.
  generation bigint not null default 0,
  -- Null: still the first one, which is not kept here.
  refresh_token bytea,
  access_token bytea,
  -- Digest of the scope and the fields that the access token was asked for with.
  purpose text,
  usable_until timestamptz,
  -- A refresh is under way. This is committed before its request is sent. One that is still here after `held_until` was
  -- interrupted: nobody knows whether the server has replaced the refresh token.
  holder text,
  held_until timestamptz,
  -- Requests with the present refresh token whose answers were lost.
  lost_answers bigint not null default 0,
  logged_in_at timestamptz,
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp(),
  check ((holder is null) = (held_until is null)),
  check (key_id is not null or (refresh_token is null and access_token is null)),
  check ((access_token is null) = (usable_until is null)));

create index on sluice.credentials (slot, logged_in_at);

-- Down Migration

drop table sluice.credentials;
