// An example of a test of a pipeline: frameworks.test.ts runs it in Jest and in node:test.
import { byOffset, type Pipeline } from 'sluice'
import { expectStream, fakeApi } from 'sluice/testing'
import type earthquakes from '../../pipelines/earthquakes.ts'

type Earthquakes = typeof earthquakes extends Pipeline<infer Streams> ? Pipeline<Streams> : never

/** An earthquake as the API sends it. */
const quake = (n: number): object => ({
  type: 'Feature',
  id: `us${n}`,
  properties: { mag: 2.5 + n / 10, magType: 'mb', time: n * 60_000, updated: Date.UTC(2025, 1, n), tsunami: n % 2 },
  geometry: { type: 'Point', coordinates: [-70.5, -33.25, 10 + n] },
})

/** Throws unless the pipeline reads all earthquakes, through faults, and takes their fields apart. */
export async function checkEarthquakes(pipeline: Earthquakes): Promise<void> {
  await using api = await fakeApi({
    path: '/query',
    paging: byOffset('offset', { start: 1 }),
    at: 'features',
    records: Array.from({ length: 25 }, (_, index) => quake(index + 1)),
    maxPageSize: 10,
    faults: { seed: 3, kinds: ['503', 'cut', '429'] },
  })
  const [flow] = Object.values(pipeline.streams)
  if (!flow) throw new Error('the pipeline has no streams')
  const read = expectStream(flow, { from: api })
  await read.toYieldCount(25)
  await read.toYieldSome([
    { id: 'us2', mag_type: 'mb', tsunami: false, longitude: -70.5, latitude: -33.25, depth_km: 12 },
  ])
  await read.toBeComplete()
}
