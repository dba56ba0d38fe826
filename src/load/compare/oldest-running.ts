/**
 * The number of the oldest transaction that is running in this database, or of the next one: what a lower one has
 * written was there when this was asked. The snapshot's own minimum would count those of other databases too, and one
 * that runs for hours would excuse all rows that were written since.
 *
 * Everyone sees the locks that transactions hold on their numbers, those of savepoints included. A prepared transaction
 * has no process, so it counts wherever it is. The locks are looked at after the next number: a transaction that has
 * begun in between seems to be four billion numbers old, and what it writes is later anyway.
 */
export const OLDEST_RUNNING = `
  select next.number - coalesce(max(age.numbers) filter (where age.numbers < 2147483648), 0)
    from (select pg_snapshot_xmax(pg_current_snapshot())::text::bigint as number) as next
    left join (
      select locks.transactionid
        from pg_locks as locks left join pg_stat_activity as process on process.pid = locks.pid
       where locks.locktype = 'transactionid' and locks.granted and locks.mode = 'ExclusiveLock'
         and (locks.pid is null or process.datname = current_database())
    ) as held on true
   cross join lateral (select (next.number - held.transactionid::text::bigint) & 4294967295 as numbers) as age
   group by next.number`
