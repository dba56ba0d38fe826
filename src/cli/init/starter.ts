import type { ModuleEnding } from './module-type.ts'

/** The name of the pipeline of a new project, of its stream, and of its file. */
export const STARTER = 'planets'

/** Returns a pipeline that runs without a network and without credentials. */
export const starterPipeline = (
  schema: string,
): string => `// A first pipeline. It reads the list below, so it runs at once.
// Your own API: npx sluice probe URL looks at it and writes its pipeline.
import { pipeline, source } from 'sluice'

interface Planet {
  id: number
  name: string
  radius_km: number
}

const list: Planet[] = [
  { id: 1, name: 'Mercury', radius_km: 2440 },
  { id: 2, name: 'Venus', radius_km: 6052 },
  { id: 3, name: 'Earth', radius_km: 6371 },
  { id: 4, name: 'Mars', radius_km: 3390 },
  { id: 5, name: 'Jupiter', radius_km: 69911 },
  { id: 6, name: 'Saturn', radius_km: 58232 },
  { id: 7, name: 'Uranus', radius_km: 25362 },
  { id: 8, name: 'Neptune', radius_km: 24622 },
]

// The records of an API would be: http('https://api.example.com').get<Planet[]>('/planets').pages(byPage('page')).records()
const planets = source<Planet>(async function* () {
  yield { records: list }
})

export default pipeline('${STARTER}', {
  schedule: '*/15 * * * *',
  streams: {
    planets: planets
      .map((planet) => ({ ...planet, diameter_km: 2 * planet.radius_km }))
      .into('${schema}.planets', { key: 'id' }),
  },
})
`

/** Returns the test of this pipeline. It needs no database. */
export const starterTest = (ending: ModuleEnding): string => `import { test } from 'node:test'
import { expectStream } from 'sluice/testing'
import planets from '../pipelines/${STARTER}${ending}'

test('each planet has a diameter', async () => {
  const stream = expectStream(planets.streams.planets)
  await stream.toYieldCount(8)
  await stream.toYieldSome([{ name: 'Earth', diameter_km: 12742 }])
})
`
