import { afterAll, expect } from '@jest/globals'
import { runPipeline as run } from '../../src/run/run-pipeline.ts'
import type { ApiRequest } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'
import { expectRefused, has, numbers, vendor } from './vendor.ts'

const records = numbers(1, 650).map((n) => ({
  id: `rec${n}`,
  createdTime: '2026-01-01T00:00:00.000Z',
  fields: n % 2 ? { Name: `Record ${n}`, Done: true } : { Name: `Record ${n}` },
}))
const times: number[] = []

function answer({ path, query }: ApiRequest) {
  expect(path).toBe('/app1/To%20do')
  times.push(performance.now())
  const from = Number(query.get('offset')?.slice(3) ?? 0)
  const end = from + Number(query.get('pageSize') ?? 100)
  return { json: { records: records.slice(from, end), ...(end < records.length && { offset: `itr${end}` }) } }
}

const api = await vendor({
  base: 'AIRTABLE_API',
  prefix: '/v0',
  environment: { AIRTABLE_TOKEN: 'pat_invented', AIRTABLE_BASE: 'app1', AIRTABLE_TABLE: 'To do' },
  lets: has('authorization', 'Bearer pat_invented'),
  answer,
})
const { default: pipeline } = await import('../../docs/cookbook/airtable.ts')
afterAll(async () => api[Symbol.asyncDispose]())

export async function airtable(): Promise<void> {
  await using target = await testDatabase()
  const first = await run(pipeline, { database: target.url })
  expect(first.streams.records).toMatchObject({ counts: { inserted: 650 }, completeness: { grade: 'ended' } })
  expect(times).toHaveLength(7)
  // The API has no header of a limit, and its 429 costs 30 s: the rate itself is tested.
  // Without it, all seven would come within some milliseconds; the first one may be late because it connects.
  expect(times[5]! - times[0]!).toBeGreaterThan(500)

  records.splice(3, 1)
  const second = await run(pipeline, { database: target.url })
  expect(second.streams.records).toMatchObject({ swap: { deleted: 1, inserted: 0, updated: 0 } })
  expect(await target.database.query("select fields from airtable.records where id in ('rec3', 'rec4')")).toEqual([
    { fields: { Name: 'Record 3', Done: true } },
  ])
  await expectRefused(pipeline, 'AIRTABLE_TOKEN', target.url)
}
