import { byOffset, http, pipeline, since, until } from '../../../src/index.ts'

const { KILL_API: api = '', KILL_START: startFrom = '', KILL_WRITE: write } = process.env

/** Reads days, three at once: as the harness has set it up in the environment. */
export default pipeline('ranges', {
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
      .into('kill.ranges', { key: 'id', write: write === 'append' ? 'append' : 'merge' }),
  },
})
