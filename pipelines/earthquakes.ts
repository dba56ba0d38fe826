import { baseUrl, byOffset, http, pipeline, since } from 'sluice'

/** https://earthquake.usgs.gov/earthquakes/feed/v1.0/geojson.php */
interface Feature {
  type: 'Feature'
  id: string
  properties: {
    mag: number | null
    magType: string | null
    place: string | null
    /** Milliseconds since 1970, as `updated`. */
    time: number
    updated: number
    url: string
    felt: number | null
    cdi: number | null
    mmi: number | null
    alert: 'green' | 'yellow' | 'orange' | 'red' | null
    /** Set once a person has looked at it; `deleted` where it was none. */
    status: 'automatic' | 'reviewed' | 'deleted'
    tsunami: 0 | 1
    sig: number
    net: string
    code: string
    nst: number | null
    dmin: number | null
    rms: number | null
    gap: number | null
    type: string
    title: string
  }
  /** Longitude, latitude, depth in kilometres. */
  geometry: { type: 'Point'; coordinates: [number, number, number | null] } | null
}

interface Found {
  type: 'FeatureCollection'
  metadata: { generated: number; status: number; api: string; count: number }
  features: Feature[]
}

/** The first day of the catalog that is kept. Without `starttime` the API answers the last thirty days only. */
const FIRST = '2025-01-01'

/** https://earthquake.usgs.gov/fdsnws/event/1/: no key is needed. Clients that send too many requests have to wait. */
const api = http(baseUrl('USGS_API', 'https://earthquake.usgs.gov/fdsnws/event/1'), { rate: '5/s', concurrency: 1 })

/**
 * Earthquakes of magnitude 2.5 and more, found, revised or withdrawn since the last run: an estimate changes for weeks.
 */
const earthquakes = api
  .get<Found>(
    '/query',
    {
      format: 'geojson',
      starttime: FIRST,
      minmagnitude: 2.5,
      includedeleted: true,
      updatedafter: since,
      // In the order of time, which a revision hardly changes, so that events keep their places while pages are read.
      orderby: 'time-asc',
      limit: 2_000,
    },
    { emptyOn: [204] },
  )
  .pages(byOffset('offset', { start: 1 }))
  .records('features')
  // Sent, stored and shown as a date, since that is how the API wants it back.
  .incremental(({ properties }) => new Date(properties.updated).toISOString(), { startFrom: FIRST, lookback: '1h' })
  .map(({ id, geometry, properties: { magType, time, updated, tsunami, ...found } }) => ({
    id,
    ...found,
    mag_type: magType,
    time: new Date(time),
    updated: new Date(updated),
    tsunami: tsunami === 1,
    longitude: geometry?.coordinates[0],
    latitude: geometry?.coordinates[1],
    depth_km: geometry?.coordinates[2],
  }))
  .omit('code', 'title')

export default pipeline('earthquakes', {
  schedule: '*/15 * * * *',
  streams: {
    earthquakes: earthquakes.into('usgs.earthquakes', {
      key: 'id',
      versionBy: 'updated',
      columns: {
        mag: 'numeric',
        cdi: 'numeric',
        mmi: 'numeric',
        dmin: 'numeric',
        rms: 'numeric',
        gap: 'numeric',
        longitude: 'double precision',
        latitude: 'double precision',
        depth_km: 'double precision',
      },
    }),
  },
})
