import { expect, test } from '@jest/globals'
import {
  csv,
  describePipeline,
  fromData,
  http,
  onePage,
  path,
  pipeline,
  toData,
  type JobOptions,
  type PipelineData,
} from '../../../src/index.ts'

interface Started {
  readonly id: string
}
interface Polled {
  readonly state: string
  readonly url: string | null
  readonly document: string
  readonly count: number
}
type Options = JobOptions<Started, Polled>

const api = http('https://api.example')
const job = (more: object = {}) =>
  api.post<Started>('/jobs', { json: { what: 'orders' } }).job<Polled>({
    id: 'id',
    poll: (id) => api.get<Polled>(path`/jobs/${id}`),
    state: 'state',
    done: 'done',
    ...more,
  } satisfies Options)
const wrong = (value: unknown): never => value as never

test.each<[() => unknown, string]>([
  [() => job({ until: 'done' }), 'POST https://api.example/jobs: .job(): there is no option "until". It has id'],
  [() => job({ id: undefined }), '.job(): id is the place of a value in the response'],
  [() => job({ state: '' }), '.job(): state is the place of a value in the response'],
  [() => job({ poll: '/jobs' }), ".job(): poll is a function of the job's id that returns a request"],
  [() => job({ done: [] }), '.job(): done is missing'],
  [() => job({ failed: [{}] }), '.job(): failed is a state of the job, or a list of them, not {}'],
  [() => job({ failed: 'done' }), ".job(): 'done' stands in done and in failed"],
  [() => job({ every: 'soon' }), '.job(): every: "soon" is no duration'],
  [() => job({ longest: '5x' }), '.job(): longest: "5x" is no duration'],
  [() => job({ retries: -1 }), '.job(): retries must be a whole number from 0, not -1'],
  [() => job({ idempotencyKey: 'a b' }), '.job(): idempotencyKey is the name of a header, not "a b"'],
  [() => job().download(wrong('')), '.download(): give the place of the URL in the last response of the job'],
  [() => job().download('url', { concurrency: 0 }), '.download(): concurrency must be a whole number from 1'],
  [() => job().results(wrong('url')), '.results(): give a function that returns the stream of the results'],
])('%s is refused', (make, message) => {
  expect(make).toThrow(message)
})

test('a job is described, and is no data', () => {
  const rows = job({ failed: ['failed', 'aborted'], count: 'count' }).download<{ id: string }>('url', { format: csv() })
  const more = job({ poll: undefined, state: undefined, done: 200 }).results(({ document }: Polled) =>
    api
      .get<{ url: string }>(path`/documents/${document}`)
      .pages(onePage())
      .download<{ id: string }>('url'),
  )
  const made = pipeline('jobs', {
    streams: { rows: rows.into('jobs.rows', { key: 'id' }), more: more.into('jobs.more', { key: 'id' }) },
  })
  const lines = describePipeline(made).split('\n')
  expect(lines).toEqual(
    expect.arrayContaining([
      '    POST https://api.example/jobs {what=orders}',
      '    job      id, polled by GET /jobs/{id} every 2s to 1m, at most 6h',
      '    state    state; done: done; failed: failed, aborted',
      '    count    count',
      '    download the file at url, csv, records: the body itself',
      '    job      id, polled by GET of its URL every 2s to 1m, at most 6h',
      '    state    the HTTP status; done: 200',
      '      GET https://api.example/documents/{job.document}',
      '      download the file at url, records: the body itself',
    ]),
  )
  expect(() => toData(made)).toThrow('jobs.rows: source.job.poll is a function')
  const data = { name: 'x', streams: { rows: { recipe: rows.recipe, table: made.streams.rows.table } } }
  expect(() => fromData(data as PipelineData)).toThrow('x.rows: recipe.source.job cannot be data')
})
