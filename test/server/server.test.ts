/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-argument, typescript/no-unsafe-return
   -- Answers are compared as they came. */
import { describe, expect, test } from '@jest/globals'
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { bearer, byPage, http, pipeline, secret, serve } from '../../src/index.ts'
import { apiServer } from '../support/api-server.ts'
import { ended, pages, rig, until, watch } from './support.ts'

/** Answers the first page and hangs on the second. */
const stuck = ({ query }: { query: URLSearchParams }) =>
  query.get('page') === '2' ? { hang: true as const } : { json: { rows: [{ id: 1, name: 'a' }] } }

describe('a server', () => {
  test('a server closes within 5 s of its signal, with its clients and runs', async () => {
    const stop = new AbortController()
    await using served = await rig({ handler: stuck, signal: stop.signal })
    using watcher = await watch(served.server)
    const {
      json: { run: id },
    } = await served.post('/api/runs', { pipeline: 'shop' })
    await until(() => served.api.requests.length >= 2)
    const asked = performance.now()
    stop.abort(new Error('enough'))
    await served.server.ended
    expect(performance.now() - asked).toBeLessThan(5_000)
    await until(() => watcher.isOver)
    await expect(fetch(`${served.server.url}/healthz`)).rejects.toThrow('fetch failed')
    expect(await served.test.database.query('select status from sluice.runs where id = $1', [id])).toEqual([
      { status: 'interrupted' },
    ])
    await until(
      async () =>
        (
          await served.test.database.query(
            `select from pg_stat_activity
              where datname = current_database() and pid <> pg_backend_pid() and application_name = 'sluice'`,
          )
        ).length <=
        served.test.database.inUse + 4,
    )
  })

  test('a port in use gives an error that names --port', async () => {
    await using served = await rig()
    const { port } = new URL(served.server.url)
    await expect(
      serve(served.pipeline, { port: Number(port), database: served.test.url, environment: {} }),
    ).rejects.toThrow(/--port/)
  })

  test('no answer contains a secret, even if the API returns it', async () => {
    const environment = { SHOP_TOKEN: 'tok-3n-of/bearer+x', SLUICE_TOKEN: 'the-server-token-of-32-characters' }
    await using api = await apiServer(({ headers, query }) =>
      query.get('page') === '2'
        ? { status: 500, json: { sent: headers.authorization } }
        : {
            json: {
              rows: [
                { id: null, name: headers.authorization },
                { id: 1, name: 'fine' },
              ],
            },
          },
    )
    await using served = await rig({
      handler: pages,
      environment,
      token: environment.SLUICE_TOKEN,
      pipelines: () => [
        pipeline('shop', {
          streams: {
            rows: http(api.origin, { attempts: 1, auth: bearer(secret('SHOP_TOKEN')) })
              .get<{ rows: { id: number }[] }>('/rows')
              .pages(byPage('page'))
              .records('rows')
              .map((row) => {
                if (row.id === 2) throw new Error(environment.SHOP_TOKEN)
                return row
              })
              .into('t.rows', { key: 'id' }),
          },
        }),
      ],
    })
    const authorization = { authorization: `Bearer ${environment.SLUICE_TOKEN}` }
    using watcher = await watch(served.server, '/api/events', authorization)
    const {
      json: { run: id },
    } = await served.post('/api/runs', { pipeline: 'shop' }, authorization)
    await ended({ get: (path) => served.get(path, authorization) }, id)
    await until(() => watcher.events.some(({ type }) => type === 'run.finished'))
    // As if another program had stored one.
    await served.test.database.query(`update sluice.runs set error = $1`, [
      `it said ${environment.SHOP_TOKEN} and ${environment.SLUICE_TOKEN}`,
    ])
    const answers = await Promise.all(
      [
        '/api/summary',
        '/api/runs',
        `/api/runs/${id}`,
        '/api/slices',
        '/api/rejects',
        '/api/backfills',
        '/metrics',
        '/api/openapi.json',
        '/nowhere',
        `/${environment.SHOP_TOKEN}`,
      ].map(async (path) => (await served.get(path, authorization)).text),
    )
    const everything = answers.join('\n') + JSON.stringify(watcher.events)
    expect(everything).toContain('{secret:SHOP_TOKEN}')
    for (const value of Object.values(environment))
      for (const form of [value, encodeURIComponent(value)]) expect(everything).not.toContain(form)
  })

  test('importing what runs loads the database driver but no web server', async () => {
    const module = new URL('../../src/run/run-pipeline.ts', import.meta.url).href
    const script = `
      import { registerHooks } from 'node:module'
      const loaded = []
      registerHooks({
        resolve: (specifier, context, next) => {
          const found = next(specifier, context)
          loaded.push(found.url)
          return found
        },
      })
      await import(${JSON.stringify(module)})
      const isLoaded = (name) => loaded.some((url) => url.includes('/node_modules/' + name + '/'))
      console.log(isLoaded('pg'), isLoaded('fastify'))`
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script])
    expect(stdout).toBe('true false\n')
  })
})
