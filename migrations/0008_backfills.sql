-- Up Migration

-- A range of a stream that is read window by window. The same words continue it, other words make a new one.
create table sluice.backfills (
  id bigint generated always as identity primary key,
  pipeline text not null, stream text not null, partition text not null default '',
  lower timestamptz not null, upper timestamptz not null,
  -- How long a window is, as '1d', and the time zone whose calendar says so.
  size text not null, zone text not null,
  created_at timestamptz not null default clock_timestamp(),
  -- Nothing says which of two rows is newer, so no live run may read the stream while a window is read.
  alone boolean not null default false,
  constraint a_range_goes_forward check (lower < upper),
  constraint the_same_words_continue unique (pipeline, stream, partition, lower, upper, size, zone));

alter table sluice.slices
  add column backfill bigint references sluice.backfills,
  -- The window, half-open; `since` and `until` hold the same for whoever reads it. And the upper end of the window before: null for the first one.
  add column lower timestamptz, add column upper timestamptz, add column after timestamptz,
  -- How often reading it has failed.
  add column failures bigint not null default 0 check (failures >= 0),
  add constraint backfills_have_windows check ((kind = 'backfill') = (backfill is not null)),
  add constraint a_window_is_whole check (num_nulls(backfill, lower, upper) in (0, 3) and (after is null or backfill is not null)),
  -- Together these five say that the windows of a backfill are one chain: they neither overlap nor leave a gap.
  add constraint a_window_goes_forward check (lower < upper),
  add constraint a_window_begins_where_the_last_one_ends check (after = lower),
  add constraint one_window_begins_here unique (backfill, lower),
  add constraint one_window_ends_here unique (backfill, upper),
  -- Deferrable, so that a window can be split.
  add constraint no_gap_before_a_window foreign key (backfill, after) references sluice.slices (backfill, upper) deferrable initially immediate;
create unique index one_window_is_the_first on sluice.slices (backfill) where backfill is not null and after is null;
create index windows_to_read on sluice.slices (backfill, lower) where status in ('open', 'failed');
create index windows_finished on sluice.slices (backfill, finished_at) where finished_at is not null;
create index windows_done on sluice.slices (pipeline, stream, partition, lower) where kind = 'backfill' and status = 'done';

-- The chain reaches from one end of the backfill to the other.
create function sluice.windows_fill_their_backfill() returns trigger language plpgsql as $$
declare
  _id bigint := coalesce(new.backfill, old.backfill);
  _b sluice.backfills;
  _first timestamptz;
  _last timestamptz;
begin
  if _id is null then
    return null;
  end if;
  select * into _b from sluice.backfills where id = _id;
  select lower into _first from sluice.slices where backfill = _id order by lower limit 1;
  select upper into _last from sluice.slices where backfill = _id order by upper desc limit 1;
  if (_first, _last) is distinct from (_b.lower, _b.upper) then
    raise exception 'the windows of backfill % reach from % to %, and not from % to %', _id, coalesce(_first::text, 'nowhere'), coalesce(_last::text, 'nowhere'), _b.lower, _b.upper using errcode = 'SL007';
  end if;
  return null;
end $$;
create constraint trigger windows_fill_their_backfill after insert or delete or update of backfill, lower, upper, after on sluice.slices
  deferrable initially immediate for each row execute function sluice.windows_fill_their_backfill();

-- Write the plan of a backfill, or find the one that the same words have made: `_bounds` are the beginnings of its windows and its end.
create function sluice.plan_backfill(
  _run bigint, _pipeline text, _stream text, _partition text, _bounds timestamptz[], _size text, _zone text, _definition text)
returns table (id bigint, made boolean) language plpgsql as $$
#variable_conflict use_column
declare
  _id bigint;
begin
  insert into sluice.backfills (pipeline, stream, partition, lower, upper, size, zone)
  values (_pipeline, _stream, _partition, _bounds[1], _bounds[cardinality(_bounds)], _size, _zone)
  on conflict on constraint the_same_words_continue do nothing returning backfills.id into _id;
  if _id is null then
    return query select b.id, false from sluice.backfills as b
      where (b.pipeline, b.stream, b.partition, b.lower, b.upper, b.size, b.zone) = (_pipeline, _stream, _partition, _bounds[1], _bounds[cardinality(_bounds)], _size, _zone);
    return;
  end if;
  insert into sluice.slices (kind, pipeline, stream, partition, begun_by, run, definition, backfill, lower, upper, after, since, until)
  select 'backfill', _pipeline, _stream, _partition, _run, _run, _definition, _id, w.lower, w.upper, case when w.place > 1 then w.lower end, sluice.instant_text(w.lower), sluice.instant_text(w.upper)
    from unnest(_bounds[:cardinality(_bounds) - 1], _bounds[2:]) with ordinality as w (lower, upper, place) order by w.place;
  return query select _id, true;
end $$;

-- As most APIs take a time.
create function sluice.instant_text(_at timestamptz) returns text language sql stable as $$
  select to_char(_at at time zone 'UTC', case when _at = date_trunc('second', _at) then 'YYYY-MM-DD"T"HH24:MI:SS"Z"' else 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"' end)
$$;

-- Whether other backfills of the stream have done all of a range.
create function sluice.is_backfilled(_pipeline text, _stream text, _partition text, _lower timestamptz, _upper timestamptz, _but bigint) returns boolean language sql stable as $$
  select coalesce(tstzrange(_lower, _upper) <@ range_agg(tstzrange(s.lower, s.upper)), false) from sluice.slices as s
   where (s.pipeline, s.stream, s.partition) = (_pipeline, _stream, _partition) and s.kind = 'backfill' and s.status = 'done'
     and s.lower < _upper and s.upper > _lower and s.backfill is distinct from _but
$$;

-- Down Migration

drop function sluice.is_backfilled(text, text, text, timestamptz, timestamptz, bigint);
drop function sluice.instant_text(timestamptz);
drop function sluice.plan_backfill(bigint, text, text, text, timestamptz[], text, text, text);
drop trigger windows_fill_their_backfill on sluice.slices;
drop function sluice.windows_fill_their_backfill();
drop index sluice.windows_done;
drop index sluice.windows_finished;
drop index sluice.windows_to_read;
drop index sluice.one_window_is_the_first;
alter table sluice.slices
  drop constraint no_gap_before_a_window, drop constraint one_window_ends_here, drop constraint one_window_begins_here,
  drop constraint a_window_begins_where_the_last_one_ends, drop constraint a_window_goes_forward,
  drop constraint a_window_is_whole, drop constraint backfills_have_windows,
  drop column failures, drop column after, drop column upper, drop column lower, drop column backfill;
drop table sluice.backfills;
