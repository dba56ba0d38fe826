import type { ApiAnswer, ApiHandler, ApiRequest } from '../support/api-server.ts'

/** An earthquake as the documentation of the GeoJSON format shows it; the data is invented. */
export interface Quake {
  type: 'Feature'
  properties: {
    mag: number | null
    place: string | null
    time: number
    updated: number
    tz: null
    url: string
    detail: string
    felt: number | null
    cdi: number | null
    mmi: number | null
    alert: 'green' | 'yellow' | null
    status: 'automatic' | 'reviewed' | 'deleted'
    tsunami: 0 | 1
    sig: number
    net: string
    code: string
    ids: string
    sources: string
    types: string
    nst: number | null
    dmin: number | null
    rms: number | null
    gap: number | null
    magType: string | null
    type: string
    title: string
  }
  geometry: { type: 'Point'; coordinates: [number, number, number | null] } | null
  id: string
}

const HOUR = 3_600_000

/** The n-th earthquake of 2025, three a day, revised two days after it. */
export function quake(index: number, change: Partial<Quake['properties']> = {}): Quake {
  const time = Date.UTC(2025, 0, 1) + index * 8 * HOUR + ((index * 7_919) % 1_000)
  const code = `7000${index.toString(36).padStart(4, '0')}`
  const mag = 2.5 + (index % 45) / 10
  return {
    type: 'Feature',
    id: `us${code}`,
    properties: {
      mag: Number(mag.toFixed(2)),
      place: index % 9 === 0 ? null : `${index % 90} km SSW of Hualañé, Chile`,
      time,
      updated: time + 48 * HOUR,
      tz: null,
      url: `https://earthquake.usgs.gov/earthquakes/eventpage/us${code}`,
      detail: `https://earthquake.usgs.gov/fdsnws/event/1/query?eventid=us${code}&format=geojson`,
      felt: index % 5 === 0 ? index : null,
      cdi: index % 5 === 0 ? 3.4 : null,
      mmi: index % 10 === 0 ? 4.271 : null,
      alert: index % 10 === 0 ? 'green' : null,
      status: index % 4 === 0 ? 'automatic' : 'reviewed',
      tsunami: index % 50 === 0 ? 1 : 0,
      sig: 96 + (index % 600),
      net: 'us',
      code,
      ids: `,us${code},`,
      sources: ',us,',
      types: ',origin,phase-data,',
      nst: null,
      dmin: 0.1 + index / 1_000,
      rms: 0.63,
      gap: 101,
      magType: 'mb',
      type: 'earthquake',
      title: `M ${mag.toFixed(1)}`,
      ...change,
    },
    geometry: {
      type: 'Point',
      coordinates: [-71.8123 - (index % 7) / 1_000, -34.6721333, index % 3 === 0 ? 10 : 33.421],
    },
  }
}

/** Responds as the documentation of `earthquake.usgs.gov/fdsnws/event/1/query` says. */
export class Usgs {
  quakes: Quake[] = []
  /** Responses to send instead, by the index of the request from now on, from 0. */
  readonly instead = new Map<number, ApiAnswer>()
  readonly asked: ApiRequest[] = []

  readonly handler: ApiHandler = (request) => {
    const instead = this.instead.get(this.asked.length)
    this.asked.push(request)
    if (instead) return instead
    const { path, query } = request
    if (path !== '/query') return { status: 404, body: '<html><title>404 Not Found</title></html>' }
    const limit = Number(query.get('limit') ?? 20_000)
    const offset = Number(query.get('offset') ?? 1)
    if (query.get('format') !== 'geojson') return refused(request, 'this server knows geojson only')
    if (!(offset >= 1))
      return refused(request, `Bad offset value "${query.get('offset')}". Valid values are 1 or greater`)
    if (!(limit >= 1 && limit <= 20_000))
      return refused(request, `Bad limit value "${query.get('limit')}". Valid values are 1 to 20000`)
    const start = query.has('starttime') ? Date.parse(query.get('starttime') ?? '') : Date.now() - 30 * 24 * HOUR
    const updated = query.has('updatedafter') ? Date.parse(query.get('updatedafter') ?? '') : Number.NEGATIVE_INFINITY
    if (Number.isNaN(start) || Number.isNaN(updated)) return refused(request, 'Bad time value')
    const found = this.quakes
      .filter(({ properties }) => properties.time >= start && properties.updated > updated)
      .filter(
        ({ properties: { mag, status } }) =>
          (mag ?? 0) >= Number(query.get('minmagnitude') ?? -10) &&
          (status !== 'deleted' || query.get('includedeleted') === 'true'),
      )
      .toSorted((a, b) => (query.get('orderby') === 'time-asc' ? 1 : -1) * (a.properties.time - b.properties.time))
    const features = found.slice(offset - 1, offset - 1 + limit)
    return {
      json: {
        type: 'FeatureCollection',
        metadata: {
          generated: Date.now(),
          url: `https://earthquake.usgs.gov/fdsnws/event/1${request.url}`,
          title: 'USGS Earthquakes',
          status: 200,
          api: '1.14.1',
          limit,
          offset,
          count: features.length,
        },
        features,
        ...(features.length > 0 && { bbox: [-180, -90, -1, 180, 90, 700] }),
      },
    }
  }
}

/** Returns an error of the API, which is text and not JSON. */
const refused = ({ url }: ApiRequest, reason: string): ApiAnswer => ({
  status: 400,
  headers: { 'content-type': 'text/plain' },
  body:
    `Error 400: Bad Request\n\n${reason}\n\n` +
    'Usage details are available from https://earthquake.usgs.gov/fdsnws/event/1\n\n' +
    `Request:\n/fdsnws/event/1${url}\n\nService version:\n1.14.1\n`,
})
