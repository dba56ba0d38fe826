// Several files of one job: an interrupted reading goes on in the list of files that it has begun.
import { expect, jest, test } from '@jest/globals'
import { http, ndjson, path, pipeline } from '../../../src/index.ts'
import { runPipeline } from '../../../src/run/run-pipeline.ts'
import { apiServer } from '../../support/api-server.ts'
import { testDatabase } from '../../support/database.ts'

jest.setTimeout(60_000)

/**
 * Runs a job with the files a and b, whose second one fails at first. `urls` names them at each poll. Returns the rows
 * of the table and the number of jobs.
 */
async function interrupted(urls: (poll: number) => readonly string[]) {
  let [polls, jobs, isBroken] = [0, 0, true]
  await using server = await apiServer(({ method, path: place }) => {
    if (method === 'POST') return { json: { id: `j${(jobs += 1)}` } }
    if (place.startsWith('/jobs/')) return { json: { state: 'done', urls: urls((polls += 1)) } }
    const [, , file = ''] = place.split('/')
    if (file === 'b' && isBroken) {
      isBroken = false
      return { status: 500 }
    }
    return { headers: { 'content-type': 'application/x-ndjson' }, body: `{"id":"${file}1"}\n{"id":"${file}2"}\n` }
  })
  await using store = await testDatabase()
  const api = http(server.origin, { attempts: 1 })
  const flow = pipeline('p', {
    streams: {
      rows: api
        .post<{ id: string }>('/jobs')
        .job({
          id: 'id',
          poll: (id) => api.get<{ state: string; urls: string[] }>(path`/jobs/${id}`),
          state: 'state',
          done: 'done',
          every: '1ms',
        })
        .download<{ id: string }>('urls', { format: ndjson() })
        .into('t.rows', { write: 'append' }),
    },
  })
  const first = await runPipeline(flow, { database: store.url })
  expect(first.streams.rows.status).toBe('failed')
  const second = await runPipeline(flow, { database: store.url })
  expect(second.streams.rows.status).toBe('done')
  const rows = await store.database.query<{ id: string }>('select id from t.rows order by id')
  return { rows: rows.map(({ id }) => id), jobs }
}

const ALL = ['a1', 'a2', 'b1', 'b2']

test('the list comes in another order: another job is read, and no row is lost or doubled', async () => {
  const read = await interrupted((poll) => (poll === 2 ? ['/files/b', '/files/a'] : ['/files/a', '/files/b']))
  expect(read).toEqual({ rows: ALL, jobs: 2 })
})

test.each<[string, (poll: number) => readonly string[]]>([
  ['the same', () => ['/files/a', '/files/b']],
  ['signed anew', (poll) => ['a', 'b'].map((file) => `/files/${file}?signature=${poll}${file}`)],
  ['with a path that is another one each time', (poll) => ['a', 'b'].map((file) => `/files/${file}/${poll}${file}`)],
])('the list is %s: it is read on', async (_, urls) => {
  expect(await interrupted(urls)).toEqual({ rows: ALL, jobs: 1 })
})
