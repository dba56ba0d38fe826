-- Up Migration

-- Of the rows that the last run had read at the cursor, those that this reading has not met again, as hashes with their number; null is all of them.
-- A reading that is resumed would otherwise leave out an equal row that is new.
alter table sluice.slices add column unmet jsonb check (jsonb_typeof(unmet) = 'object');

-- Down Migration

alter table sluice.slices drop column unmet;
