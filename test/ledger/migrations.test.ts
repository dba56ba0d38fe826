import { describe, expect, test } from '@jest/globals'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openLedger } from './support.ts'

const directory = join(import.meta.dirname, '../../migrations')
const tables = `select relname as name from pg_class
  where relnamespace = 'sluice'::regnamespace and relkind in ('r', 'v', 'S') and relname not like 'migrations%'`

describe('migrations', () => {
  test('each can be taken back, the last one first, and made again', async () => {
    await using ledger = await openLedger()
    const files = (await readdir(directory)).filter((name) => name.endsWith('.sql')).toSorted()
    const parts = await Promise.all(
      files.map(async (name) => (await readFile(join(directory, name), 'utf8')).split('-- Down Migration')),
    )
    for (const [, down] of parts.toReversed()) await ledger.database.query(down!)
    expect(await ledger.database.query(tables)).toEqual([])
    expect(
      await ledger.database.query(`select proname from pg_proc where pronamespace = 'sluice'::regnamespace`),
    ).toEqual([])
    for (const [up] of parts) await ledger.database.query(up!)
    expect(await ledger.database.query(tables)).not.toEqual([])
  })

  test('every id is a bigint', async () => {
    await using ledger = await openLedger()
    expect(
      await ledger.database.query(
        `select table_name, column_name, data_type from information_schema.columns
          where table_schema = 'sluice' and table_name not like 'migrations%' and data_type in ('smallint', 'integer')
            and column_name not like '%\\_pid' and column_name <> 'attempt'`,
      ),
    ).toEqual([])
  })
})
