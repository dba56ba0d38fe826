import { describe, expect, test } from '@jest/globals'
import { runPipeline } from '../../../src/run/run-pipeline.ts'
import { replay } from '../../../src/run/replay/replay.ts'
import { apiServer } from '../../support/api-server.ts'
import { testDatabase } from '../../support/database.ts'
import { type Item, items, mapped, waiting } from './replayed.ts'

describe('a replay of rows with a key', () => {
  test('keeps a row that may be newer, unless `overwrite` is true', async () => {
    let served = items('one', 'better')
    await using api = await apiServer(() => ({ json: served }))
    await using test = await testDatabase()
    await runPipeline(mapped(api.origin, { broken: true, key: 'id' }), { database: test.url })
    served = items('one', 'bad')
    await runPipeline(mapped(api.origin, { broken: true, key: 'id' }), { database: test.url })
    const report = await replay(mapped(api.origin, { broken: false, key: 'id' }), { database: test.url })
    expect(report!.streams['rows']).toMatchObject({
      counts: { inserted: 0, updated: 0, duplicate: 1 },
      warnings: [expect.stringContaining('--overwrite')],
    })
    expect(await test.database.query('select name from t.rows order by id')).toEqual([
      { name: 'ONE' },
      { name: 'BETTER' },
    ])

    await test.database.query('update sluice.rejects set settled_at = null, settled_by = null, settlement = null')
    await replay(mapped(api.origin, { broken: false, key: 'id' }), { database: test.url, overwrite: true })
    expect(await test.database.query('select name from t.rows order by id')).toEqual([{ name: 'ONE' }, { name: 'BAD' }])
  })

  test('lets the version decide where there is one', async () => {
    let served: Item[] = [
      { id: 1, name: 'bad', version: 1 },
      { id: 2, name: 'bad', version: 5 },
    ]
    await using api = await apiServer(() => ({ json: served }))
    await using test = await testDatabase()
    const options = { key: 'id', versionBy: 'version' } as const
    await runPipeline(mapped(api.origin, { ...options, broken: true }), { database: test.url })
    served = [
      { id: 1, name: 'new', version: 2 },
      { id: 2, name: 'old', version: 4 },
    ]
    await runPipeline(mapped(api.origin, { ...options, broken: true }), { database: test.url })
    await replay(mapped(api.origin, { ...options, broken: false }), { database: test.url })
    expect(await test.database.query('select name, version::int from t.rows order by id')).toEqual([
      { name: 'NEW', version: 2 },
      { name: 'BAD', version: 5 },
    ])
  })

  test('stores a record once that two replay at the same time', async () => {
    await using api = await apiServer([{ json: items('bad 1', 'bad 2') }])
    await using test = await testDatabase()
    await runPipeline(mapped(api.origin, { broken: true, write: 'append' }), { database: test.url })
    const reports = await Promise.all(
      [1, 2].map(() => replay(mapped(api.origin, { broken: false, write: 'append' }), { database: test.url })),
    )
    expect(await test.database.query('select id::int from t.rows order by id')).toEqual([{ id: 1 }, { id: 2 }])
    const failed = reports.filter((report) => report?.status === 'failed')
    expect(failed.length).toBeLessThanOrEqual(1)
    for (const report of failed)
      expect(report!.streams['rows']!.error).toMatch(/rejects were settled by another run.+List the rejects again/)
    expect(await waiting(test)).toEqual([])
  })
})
