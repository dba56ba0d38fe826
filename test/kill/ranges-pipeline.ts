import { byOffset, http, pipeline, since, until, type Pipeline } from '../../src/index.ts'

export interface RangesSettings {
  readonly api: string
  readonly startFrom: string
  readonly write: 'append' | 'merge'
}

/** A stream of which three days are read at once. */
export const rangesPipeline = ({ api, startFrom, write }: RangesSettings): Pipeline =>
  pipeline('ranges', {
    streams: {
      rows: http(api)
        .get<{ rows: { id: number; at: string; text: string }[]; total: number }>('/rows', {
          from: since,
          to: until,
          limit: 2,
        })
        .pages(byOffset('offset', { total: 'total' }))
        .records('rows')
        .incremental('at', { startFrom, step: '1d', concurrency: 3 })
        .into('kill.ranges', { key: 'id', write }),
    },
  })
