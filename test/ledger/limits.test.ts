import { describe, expect, test } from '@jest/globals'
import { LEDGER_ERRORS } from '../../src/ledger/errors.ts'
import { LEASE_MS, MAX_BOUNDARY_HASHES, MAX_NEWER_RECORDS, RENEW_EVERY_MS } from '../../src/ledger/limits.ts'
import { MAX_REASONS } from '../../src/model/completeness.ts'
import { COUNT_NAMES } from '../../src/model/counts.ts'
import { openLedger } from './support.ts'

// What stands in TypeScript and in SQL is the same on both sides.

describe('limits', () => {
  test('the lease of SQL is that of TypeScript, and is renewed four times in its time', async () => {
    await using ledger = await openLedger()
    const [row] = await ledger.database.query<{ ms: number }>(
      'select extract(epoch from sluice.lease_time())::int * 1000 as ms',
    )
    expect(row).toEqual({ ms: LEASE_MS })
    expect(RENEW_EVERY_MS * 4).toBe(LEASE_MS)
  })

  test('the length of a lease stands once in the functions of the ledger', async () => {
    await using ledger = await openLedger()
    expect(
      await ledger.database.query(
        `select proname from pg_proc where pronamespace = 'sluice'::regnamespace and prosrc like '%60 s%'`,
      ),
    ).toEqual([{ proname: 'lease_time' }])
  })

  test('a slice keeps as many boundary hashes in SQL as in TypeScript, half of them for newer records', async () => {
    await using ledger = await openLedger()
    expect(await ledger.database.query('select sluice.max_boundary_hashes() as max')).toEqual([
      { max: MAX_BOUNDARY_HASHES },
    ])
    expect(MAX_NEWER_RECORDS * 2).toBe(MAX_BOUNDARY_HASHES)
  })

  test('a slice keeps as many reasons in SQL as in TypeScript', async () => {
    await using ledger = await openLedger()
    expect(await ledger.database.query('select sluice.max_open_reasons() as max')).toEqual([{ max: MAX_REASONS }])
  })
})

describe('names', () => {
  test('the counts of TypeScript are the members of sluice.counts and columns of sluice.slices', async () => {
    await using ledger = await openLedger()
    const columns = async (relation: string): Promise<string[]> => {
      const rows = await ledger.database.query<{ name: string }>(
        `select attname as name from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped`,
        [relation],
      )
      return rows.map(({ name }) => name)
    }
    expect(new Set(await columns('sluice.counts'))).toEqual(new Set(COUNT_NAMES))
    expect(await columns('sluice.slices')).toEqual(expect.arrayContaining([...COUNT_NAMES]))
  })

  test('the SQLSTATEs that the ledger raises are those that TypeScript explains', async () => {
    await using ledger = await openLedger()
    const rows = await ledger.database.query<{ code: string }>(
      `select distinct m[1] as code from pg_proc, regexp_matches(prosrc, 'errcode = ''(SL\\d+)''', 'g') as m
        where pronamespace = 'sluice'::regnamespace order by code`,
    )
    // SL009 and SL010 never leave the functions that raise them.
    expect(rows.map(({ code }) => code)).toEqual([...Object.keys(LEDGER_ERRORS), 'SL009', 'SL010'])
  })
})
