import type { App, Context } from '../context.ts'
import type { EventFilter } from '../events/event-hub.ts'
import { streamEvents } from '../events/event-stream.ts'
import { Problem } from '../response/problem.ts'
import { exportRows } from '../response/export-rows.ts'
import { schemas } from '../schemas/routes.ts'
import { clientAbortSignal, SlowClientError, hijackReply, writeWithBackpressure } from '../response/client-stream.ts'

/** Each holds a socket. */
const MOST_WATCHERS = 1_000
/** Each holds a connection to the database. */
const MOST_EXPORTS = 4
/** A reader that takes nothing for so long keeps the database from cleaning up. */
const EXPORT_PATIENCE_MS = 60_000

/** Answers that have no end, or a far one: events, and whole tables. */
export function streamRoutes(app: App, context: Context): void {
  const { database, hub, pipelines, signal, clientTimeoutMs, onError, openStreams } = context

  app.get<{ Querystring: EventFilter & { after?: string }; Headers: { 'last-event-id'?: string } }>(
    '/api/events',
    { schema: schemas.events },
    async ({ query: { after, ...filter }, headers }, reply) => {
      if (openStreams.watchers >= MOST_WATCHERS)
        throw new Problem(503, `${MOST_WATCHERS} clients watch already`, 'close one, or ask again later')
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
    },
  )

  app.get<{ Params: { pipeline: string; stream: string } }>(
    '/api/streams/:pipeline/:stream/records',
    { schema: schemas.records },
    async ({ params: { pipeline, stream } }, reply) => {
      const flow = pipelines.get(pipeline)?.streams[stream]
      if (!flow)
        throw new Problem(
          404,
          `there is no stream ${pipeline}.${stream} here`,
          'see /api/summary for those that there are',
        )
      if (openStreams.exports >= MOST_EXPORTS)
        throw new Problem(503, `${MOST_EXPORTS} exports are under way`, 'ask again when one has ended')
      openStreams.exports += 1
      using left = clientAbortSignal(reply.raw, signal)
      try {
        const pieces = exportRows(database, flow.table.name, left)
        // Before the status is sent: a table that is not there is a 404.
        let piece = await pieces.next()
        const response = hijackReply(reply, {
          'content-type': 'application/x-ndjson; charset=utf-8',
          'content-disposition': `attachment; filename="${pipeline}.${stream}.ndjson"`,
        })
        try {
          for (; !piece.done; piece = await pieces.next())
            await writeWithBackpressure(response, piece.value, EXPORT_PATIENCE_MS, left.signal)
          response.end()
        } finally {
          await pieces.return()
        }
      } catch (error) {
        if (!reply.sent && !reply.raw.headersSent) {
          if (!reply.raw.destroyed) throw error
          // Nobody is there to be answered.
          reply.hijack()
          return
        }
        // It sees that the answer is cut off.
        reply.raw.destroy()
        if (!left.signal.aborted && !(error instanceof SlowClientError)) onError(error)
      } finally {
        openStreams.exports -= 1
      }
    },
  )
}
