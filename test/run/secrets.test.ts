import { expect, test } from '@jest/globals'
import {
  apiKey,
  basic,
  bearer,
  byNextUrl,
  http,
  onePage,
  path,
  pipeline,
  secret,
  type RunEvent,
} from '../../src/index.ts'
import { runPipeline } from '../../src/run/run-pipeline.ts'
import { apiServer } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'

const environment = { TOKEN: 'tok-3n-of/bearer+x', PASSWORD: 'pass wörd&more', KEY: 'k3y=of?query' }

test('no table of the ledger, no event and no report holds a secret, whatever the API sends back', async () => {
  // The API names the next page by a URL that repeats the key, quotes the credentials in its answers, and then fails.
  await using api = await apiServer(({ path: asked, query, headers }) => {
    const echo = { sent: headers.authorization ?? null, key: query.get('key') }
    if (asked.endsWith('/children'))
      return { status: 500, json: echo, headers: { 'x-echo': encodeURIComponent(environment.TOKEN) } }
    if (query.get('page') === '3') return { status: 401, json: echo }
    const page = Number(query.get('page') ?? 1)
    return {
      json: {
        rows: [{ id: page, ...(page === 2 && { id: null }) }],
        next: `/rows?page=${page + 1}&key=${encodeURIComponent(environment.KEY)}&token=${environment.TOKEN}`,
      },
    }
  })
  const base = api.origin
  const rows = (auth: Parameters<typeof http>[1]) =>
    http(base, { attempts: 2, ...auth })
      .get<{ rows: { id: number }[]; next: string }>('/rows')
      .pages(byNextUrl('next'))
      .records('rows')
  const parents = http(base, { auth: basic('user', secret('PASSWORD')) })
    .get<{ rows: { id: number }[] }>('/rows')
    .pages(onePage())
    .records('rows')
  const flows = pipeline('secrets', {
    streams: {
      bearer: rows({ auth: bearer(secret('TOKEN')) }).into('t.bearer', { key: 'id' }),
      key: rows({ auth: apiKey(secret('KEY'), { query: 'key' }) }).into('t.key', { key: 'id' }),
      children: parents
        .flatMap((row) =>
          http(base, { attempts: 2, auth: bearer(secret('TOKEN')) })
            .get<{ id: number }[]>(path`/rows/${row.id}/children`)
            .pages(onePage())
            .records(),
        )
        .into('t.children', { key: 'id' }),
    },
  })
  await using test = await testDatabase()
  const events: RunEvent[] = []
  const report = await runPipeline(flows, {
    database: test.url,
    environment,
    onEvent: (event) => events.push(event),
    batch: { rows: 1 },
  })
  expect(report).toMatchObject({
    status: 'failed',
    streams: { bearer: { status: 'failed' }, key: { status: 'failed' }, children: { status: 'failed' } },
  })
  expect(api.requests.map(({ headers, query }) => [headers.authorization, query.get('key')])).toContainEqual([
    `Bearer ${environment.TOKEN}`,
    environment.KEY,
  ]) // They were sent.

  const tables = await test.database.query<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname = 'sluice'`,
  )
  const kept = await Promise.all(
    tables.map(async ({ name }) => [name, await test.database.query(`select t::text as row from ${name} t`)] as const),
  )
  expect(kept.find(([name]) => name === 'sluice.slices')?.[1]).not.toHaveLength(0)
  expect(kept.find(([name]) => name === 'sluice.events')?.[1]).not.toHaveLength(0)
  const everything = JSON.stringify({ kept, events, report })
  for (const [name, value] of Object.entries(environment)) {
    const forms = [
      value,
      encodeURIComponent(value),
      new URLSearchParams({ '': value }).toString().slice(1),
      Buffer.from(`user:${value}`).toString('base64'),
    ]
    for (const form of forms) {
      const at = everything.indexOf(form)
      expect(at < 0 ? '' : `${name} as ${form} after …${everything.slice(Math.max(0, at - 200), at)}`).toBe('')
    }
  }
})
