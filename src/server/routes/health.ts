import type { FastifyInstance } from 'fastify'
import { readSchemaState } from '../../database/migrate.ts'
import { withTimeout } from '../../flow/signals/timeout.ts'
import type { Context } from '../context.ts'
import { Problem } from '../response/problem.ts'
import type { Metrics } from '../metrics.ts'
import { schemas } from '../schemas/schemas.ts'
import { messageOf } from '../../value/error.ts'

const READY_MS = 5_000

/** What those ask who keep it running. */
export function healthRoutes(app: FastifyInstance, { database, signal }: Context, metrics: Metrics): void {
  app.get('/healthz', { schema: schemas.health }, () => ({ status: 'ok' }))

  app.get('/readyz', { schema: schemas.ready }, async () => {
    const schema = await withTimeout(READY_MS, (limit) => readSchemaState(database, { signal: limit }), {
      what: 'Asking the database',
      signal,
    }).catch((cause: unknown) => {
      throw new Problem(503, `the database does not answer: ${messageOf(cause)}`, 'look whether it is up', { cause })
    })
    if (schema !== 'current')
      throw new Problem(
        503,
        `schema sluice is ${schema === 'old' ? 'older than this version needs' : 'missing'}`,
        'let it be brought up to date: sluice migrate',
      )
    return { status: 'ready', schema }
  })

  app.get('/metrics', { schema: schemas.metrics }, async (_, reply) =>
    reply.type(metrics.contentType).send(await metrics.text()),
  )
}
