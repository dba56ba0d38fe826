-- Up Migration

-- Readings of lists below parents that delete the rows of each list that was read whole (`mirror: { parent: … }`), though
-- not all lists were. Each is also one of sluice.mirrors, as long as its slice is open.
create table sluice.mirrored_lists (
  slice bigint primary key references sluice.slices (id) on delete cascade,
  -- Rows of this transaction and later ones were written since the reading began, and stay.
  transaction bigint not null
);

-- The parents whose lists were read whole, as hashes of the columns that name them, many in one row. The number of the
-- slice is a part of each hash.
create table sluice.mirrored_parents (
  id bigint generated always as identity primary key,
  slice bigint not null references sluice.mirrored_lists (slice) on delete cascade,
  hashes bigint[] not null
);
create index mirrored_parents_of_slice on sluice.mirrored_parents (slice);

-- Down Migration

drop table sluice.mirrored_parents;
drop table sluice.mirrored_lists;
