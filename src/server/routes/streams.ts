import type { App, Context } from '../context.ts'
import { streamEvents } from '../events/event-stream.ts'
import { clientAbortSignal, hijackReply, SlowClientError, writeWithBackpressure } from '../response/client-stream.ts'
import { exportRows } from '../response/export-rows.ts'
import { Problem } from '../response/problem.ts'
import { schemas } from '../schemas/routes.ts'

/** Each watcher holds a socket. */
const MAX_WATCHERS = 1_000
/** Each export holds a connection to the database. */
const MAX_EXPORTS = 4
/** A client that reads nothing for this long keeps the database from vacuuming. */
const EXPORT_TIMEOUT_MS = 60_000

/** Routes with long answers: the stream of events, and whole tables. */
export function streamRoutes(app: App, context: Context): void {
  const { database, hub, served, signal, clientTimeoutMs, onError, openStreams } = context

  app.get('/api/events', { schema: schemas.events }, async ({ query: { after, ...filter }, headers }, reply) => {
    if (openStreams.watchers >= MAX_WATCHERS)
      throw new Problem(503, `${MAX_WATCHERS} clients watch events already`, 'close one of them, or try again later')
    openStreams.watchers += 1
    try {
      const response = hijackReply(reply, { 'content-type': 'text/event-stream; charset=utf-8' })
      await streamEvents(response, {
        hub,
        database,
        filter,
        after: headers['last-event-id'] || after,
        clientTimeoutMs,
        signal,
      })
    } catch (error) {
      onError(error)
    } finally {
      openStreams.watchers -= 1
    }
  })

  app.get(
    '/api/streams/:pipeline/:stream/records',
    { schema: schemas.records },
    async ({ params: { pipeline, stream } }, reply) => {
      const flow = served.byName.get(pipeline)?.streams[stream]
      if (!flow) throw new Problem(404, `stream ${pipeline}.${stream} is not loaded here`, 'see /api/summary')
      if (openStreams.exports >= MAX_EXPORTS)
        throw new Problem(503, `${MAX_EXPORTS} exports are running already`, 'try again when one of them has ended')
      openStreams.exports += 1
      using left = clientAbortSignal(reply.raw, signal)
      try {
        const chunks = exportRows(database, flow.table, left)
        // The first chunk comes before the status, so that a missing table is a 404.
        let chunk = await chunks.next()
        const response = hijackReply(reply, {
          'content-type': 'application/x-ndjson; charset=utf-8',
          'content-disposition': `attachment; filename="${pipeline}.${stream}.ndjson"`,
        })
        try {
          for (; !chunk.done; chunk = await chunks.next())
            await writeWithBackpressure(response, chunk.value, EXPORT_TIMEOUT_MS, left.signal)
          response.end()
        } finally {
          await chunks.return()
        }
      } catch (error) {
        if (!reply.sent && !reply.raw.headersSent) {
          if (!reply.raw.destroyed) throw error
          // The client left before the first chunk.
          reply.hijack()
          return
        }
        // The client sees that the answer is cut off.
        reply.raw.destroy()
        if (!left.signal.aborted && !(error instanceof SlowClientError)) onError(error)
      } finally {
        openStreams.exports -= 1
      }
    },
  )
}
