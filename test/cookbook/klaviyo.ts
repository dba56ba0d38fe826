import { afterAll, expect } from '@jest/globals'
import { runPipeline as run } from '../../src/run/run-pipeline.ts'
import type { ApiRequest } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'
import { expectRefused, has, numbers, vendor } from './vendor.ts'

const at = (minute: number) => new Date(Date.UTC(2026, 0, 1) + minute * 60_000).toISOString().replace('.000Z', '+00:00')
const profiles = numbers(1, 250).map((n) => ({
  type: 'profile',
  id: `01H${n}`,
  attributes: {
    email: `p${n}@shop.example`,
    location: { city: 'Ulm' },
    properties: {},
    created: at(0),
    updated: at(n),
  },
  relationships: { lists: { links: { related: 'https://a.klaviyo.com/api/…' } } },
}))

function answer({ path, query }: ApiRequest) {
  expect(query.get('sort')).toBe('updated')
  const since = /^greater-than\(updated,(.*)\)$/.exec(query.get('filter') ?? '')?.[1] ?? '0'
  const all = profiles.filter(({ attributes: { updated } }) => new Date(updated) > new Date(since))
  const from = Number(query.get('page[cursor]') ?? 0)
  const next = new URLSearchParams({ ...Object.fromEntries(query), 'page[cursor]': String(from + 100) })
  const url = `${api.origin}/api${path}?${next.toString()}`
  return { json: { data: all.slice(from, from + 100), links: { next: from + 100 < all.length ? url : null } } }
}

const api = await vendor({
  base: 'KLAVIYO_API',
  prefix: '/api',
  environment: { KLAVIYO_KEY: 'pk_invented' },
  lets: has('authorization', 'Klaviyo-API-Key pk_invented'),
  busy: { status: 429, headers: { 'retry-after': '1' }, json: { errors: [{ code: 'throttled' }] } },
  answer,
})
const { default: pipeline } = await import('../../docs/cookbook/klaviyo.ts')
afterAll(async () => api[Symbol.asyncDispose]())

export async function klaviyo(): Promise<void> {
  await using target = await testDatabase()
  const first = await run(pipeline, { database: target.url })
  expect(first.streams.profiles).toMatchObject({ counts: { inserted: 250 }, completeness: { grade: 'ended' } })
  expect(api.served).toHaveLength(3)
  expect(api.waited).toBeGreaterThanOrEqual(990)

  const { attributes, ...profile } = profiles[0]!
  profiles.push({ ...profile, attributes: { ...attributes, email: 'new@shop.example', updated: at(9_000) } })
  const second = await run(pipeline, { database: target.url })
  expect(second.streams.profiles).toMatchObject({
    counts: { updated: 1, unchanged: 1 },
    completeness: { grade: 'ended' },
  })
  const [row] = await target.database.query(
    "select email, location->>'city' as city from klaviyo.profiles where id = '01H1'",
  )
  expect(row).toEqual({ email: 'new@shop.example', city: 'Ulm' })
  await expectRefused(pipeline, 'KLAVIYO_KEY', target.url)
}
