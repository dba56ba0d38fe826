import { afterAll, beforeEach, expect, test } from '@jest/globals'
import { run } from '../../src/index.ts'
import { apiServer } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'
import { quake, Usgs, type Quake } from './usgs-server.ts'

let usgs = new Usgs()
const api = await apiServer((request) => usgs.handler(request))
process.env['USGS_API'] = api.origin
const { default: pipeline } = await import('../../pipelines/earthquakes.ts')

beforeEach(() => {
  usgs = new Usgs()
})
afterAll(async () => {
  await api[Symbol.asyncDispose]()
})

const quakes = (count: number): Quake[] => Array.from({ length: count }, (_, index) => quake(index))
const asked = (name: string): (string | null)[] => usgs.asked.map(({ query }) => query.get(name))

test('the pipeline reads the whole catalog by offsets that begin at 1', async () => {
  usgs.quakes = quakes(4_100)
  const rows = await Array.fromAsync(pipeline.streams.earthquakes.rows())
  expect(rows.map(({ id }) => id)).toEqual(usgs.quakes.map(({ id }) => id))
  expect(asked('offset')).toEqual(['1', '2000', '3999', '4100'])
  expect(usgs.asked[0]?.query.toString()).toBe(
    'format=geojson&starttime=2025-01-01&minmagnitude=2.5&includedeleted=true&updatedafter=2025-01-01' +
      '&orderby=time-asc&limit=2000&offset=1',
  )
})

test('an earthquake becomes a flat row, with times as timestamps', async () => {
  usgs.quakes = [quake(50), { ...quake(52, { status: 'deleted' }), geometry: null }]
  const [row, withdrawn] = await Array.fromAsync(pipeline.streams.earthquakes.rows())
  expect(row).toMatchObject({
    id: 'us7000001e',
    mag: 3,
    mag_type: 'mb',
    place: '50 km SSW of Hualañé, Chile',
    time: new Date('2025-01-17T16:00:00.950Z'),
    updated: new Date('2025-01-19T16:00:00.950Z'),
    status: 'reviewed',
    tsunami: true,
    felt: 50,
    cdi: 3.4,
    mmi: 4.271,
    alert: 'green',
    longitude: -71.8133,
    latitude: -34.6721333,
    depth_km: 33.421,
  })
  expect(row).not.toHaveProperty('title')
  expect(withdrawn).toMatchObject({ status: 'deleted', longitude: undefined, latitude: undefined, depth_km: undefined })
})

test('the next run stores only earthquakes that were found, revised or withdrawn since the last run', async () => {
  await using target = await testDatabase()
  usgs.quakes = quakes(300)
  const first = await run(pipeline, { database: target.url })
  expect(first.streams.earthquakes).toMatchObject({
    status: 'done',
    cursor: '2025-04-12T16:00:00.781Z',
    counts: { fetched: 300, inserted: 300 },
  })

  usgs.asked.length = 0
  usgs.quakes[7] = quake(7, { mag: 6.1, status: 'reviewed', updated: Date.UTC(2025, 5, 1) })
  usgs.quakes[8] = quake(8, { status: 'deleted', updated: Date.UTC(2025, 5, 2) })
  usgs.quakes.push(quake(300))
  const second = await run(pipeline, { database: target.url })
  // The lookback of an hour reads the last one again, which is unchanged.
  expect(second.streams.earthquakes).toMatchObject({
    since: '2025-04-12T16:00:00.781Z',
    cursor: '2025-06-02T00:00:00.000Z',
    counts: { fetched: 4, inserted: 1, updated: 2, unchanged: 1 },
  })
  expect(asked('updatedafter')).toEqual(['2025-04-12T15:00:00.781Z', '2025-04-12T15:00:00.781Z'])

  const rows = await target.database.query(
    `select id, mag::text, status, updated, longitude, latitude, depth_km, tsunami
     from usgs.earthquakes order by time offset 7 limit 2`,
  )
  expect(rows).toEqual(
    [7, 8]
      .map((index) => usgs.quakes[index])
      .map((one) => ({
        id: one?.id,
        mag: String(one?.properties.mag),
        status: one?.properties.status,
        updated: new Date(one?.properties.updated ?? 0),
        tsunami: false,
        longitude: one?.geometry?.coordinates[0],
        latitude: one?.geometry?.coordinates[1],
        depth_km: one?.geometry?.coordinates[2],
      })),
  )
})

test.each([
  ['an empty list', {}],
  ['204 and no body', { status: 204 }],
])('takes %s for "nothing new"', async (_, answer) => {
  await using target = await testDatabase()
  if ('status' in answer) usgs.instead.set(0, answer)
  expect(await run(pipeline, { database: target.url })).toMatchObject({
    status: 'done',
    streams: { earthquakes: { status: 'done', requests: 1, counts: { fetched: 0 } } },
  })
})

test('a request that the API refuses fails with its reason, without a retry', async () => {
  await using target = await testDatabase()
  usgs.instead.set(0, {
    status: 400,
    headers: { 'content-type': 'text/plain' },
    body: 'Error 400: Bad Request\n\nBad minmagnitude value "x". Valid values are numeric.\n',
  })
  const report = await run(pipeline, { database: target.url, throwOnFailure: false })
  expect(report).toMatchObject({
    status: 'failed',
    streams: { earthquakes: { status: 'failed', requests: 1, error: expect.stringMatching(/\/query.*answered 400/) } },
  })
})

test('a page that a gateway refused is requested again', async () => {
  await using target = await testDatabase()
  usgs.quakes = quakes(2_100)
  usgs.instead.set(1, { status: 503, body: '<html><h1>503 Service Unavailable</h1></html>' })
  const report = await run(pipeline, { database: target.url })
  expect(report.streams.earthquakes).toMatchObject({
    status: 'done',
    retries: 1,
    counts: { fetched: 2_100, inserted: 2_100 },
  })
})
