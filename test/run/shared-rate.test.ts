import { describe, expect, jest, test } from '@jest/globals'
import { bearer, http, onePage, pipeline, run, secret, type Rate } from '../../src/index.ts'
import { sleep } from '../../src/flow/signals/sleep.ts'
import { project } from '../cli/support/command.ts'
import { apiServer } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'

jest.setTimeout(60_000)

/** Two pipelines that know nothing of each other, and ask the same API with the same secret. */
const pipelineOf = (name: string, rate: string): string => `
import { bearer, byPage, http, pipeline, secret } from 'SLUICE'

const api = http(process.env.API, { auth: bearer(secret('TOKEN')), rate: '${rate}' })
const rows = api.get('/${name}').pages(byPage('page')).records()
export default pipeline('${name}', { streams: { rows: rows.into('t.${name}', { key: 'id' }) } })
`

describe('two runs of two processes', () => {
  test('together send an API no more requests in any second than its rate', async () => {
    await using here = await project({
      'pipelines/one.ts': pipelineOf('one', '10/s'),
      'pipelines/two.ts': pipelineOf('two', '10/s'),
    })
    await using database = await testDatabase()
    const arrived: number[] = []
    await using api = await apiServer(({ query }) => {
      arrived.push(performance.now())
      return { json: Number(query.get('page')) > 20 ? [] : [{ id: Number(query.get('page')) }] }
    })
    const env = { API: api.origin, TOKEN: 'never-to-be-seen', DATABASE_URL: database.url }
    const ended = await Promise.all(['one', 'two'].map((name) => here.sluice(['run', name, '--json'], env)))
    expect(ended).toEqual([expect.objectContaining({ code: 0 }), expect.objectContaining({ code: 0 })])
    expect(arrived.length).toBe(42)
    // 42 requests take four periods. One budget for each process would take two.
    expect(Math.max(...arrived) - Math.min(...arrived)).toBeGreaterThan(3_000)
    // A request that a busy machine holds up arrives among those of the next period. Two budgets would let 20 through.
    const most = (from: number): number => arrived.filter((at) => at >= from && at < from + 1_000).length
    expect(Math.max(...arrived.map(most))).toBeLessThan(15)
    expect(await database.database.query('select origin, credentials, rate from sluice.rates')).toEqual([
      { origin: api.origin, credentials: ['TOKEN'], rate: '10/s' },
    ])
  })

  test('both runs wait if the API limits one of them', async () => {
    await using here = await project({
      'pipelines/one.ts': pipelineOf('one', '1000/s'),
      'pipelines/two.ts': pipelineOf('two', '1000/s'),
    })
    await using database = await testDatabase()
    const arrived: { readonly at: number; readonly path: string }[] = []
    const isGoingOn = (path: string): boolean => arrived.some((one) => one.path === path)
    let refusedAt: number | undefined
    await using api = await apiServer(async ({ path, query }) => {
      arrived.push({ at: performance.now(), path })
      // The first one to ask while both are going on is refused.
      if (refusedAt === undefined && isGoingOn('/one') && isGoingOn('/two')) {
        refusedAt = performance.now()
        return { status: 429, headers: { 'retry-after': '2' } }
      }
      await sleep(20)
      return { json: Number(query.get('page')) > 100 ? [] : [{ id: Number(query.get('page')) }] }
    })
    const env = { API: api.origin, TOKEN: 'never-to-be-seen', DATABASE_URL: database.url }
    const ended = await Promise.all(['one', 'two'].map((name) => here.sluice(['run', name, '--json'], env)))
    expect(ended).toEqual([expect.objectContaining({ code: 0 }), expect.objectContaining({ code: 0 })])
    // Requests that were under way at the refusal may still arrive.
    const duringWait = arrived.filter(({ at }) => at > refusedAt! + 500 && at < refusedAt! + 1_900)
    expect(duringWait).toEqual([])
    for (const path of ['/one', '/two'])
      expect(arrived.some((one) => one.path === path && one.at > refusedAt! + 1_900)).toBe(true)
  })
})

test('a wait of one API holds for all its definitions, whatever rates they name', async () => {
  await using database = await testDatabase()
  await using api = await apiServer(({ path }) =>
    path === '/one' ? { status: 429, headers: { 'retry-after': '280' } } : { json: [{ id: 1 }] },
  )
  const auth = bearer(secret('TOKEN'))
  const rows = (rate: Rate, path: `/${string}`, options = {}) =>
    http(api.origin, { auth, rate, attempts: 1 }).get<{ id: number }[]>(path, {}, options).pages(onePage()).records()
  const definition = pipeline('rated', {
    streams: {
      one: rows('10/s', '/one').into('t.one', { key: 'id' }),
      two: rows('20/s', '/two').into('t.two', { key: 'id' }),
      three: rows('10/s', '/three', { rate: '5/m' }).into('t.three', { key: 'id' }),
    },
  })
  const options = { database: database.url, environment: { TOKEN: 'never-to-be-seen' }, throwOnFailure: false }
  expect((await run(definition, { ...options, streams: ['one'] })).status).toBe('failed')
  const stop = new AbortController()
  const waiting = new Set<string>()
  const report = await run(definition, {
    ...options,
    streams: ['two', 'three'],
    signal: stop.signal,
    onEvent: (event) => {
      if (event.type !== 'waiting' || event.for !== 'retry-after') return
      if (waiting.add(event.stream).size === 2) stop.abort(new Error('both wait'))
    },
  })
  expect(report.status).toBe('interrupted')
  expect(api.requests.map(({ path }) => path)).toEqual(['/one'])
})
