import { readSchemaState } from '../../database/migrate.ts'
import { withTimeout } from '../../flow/signals/timeout.ts'
import { messageOf } from '../../value/error.ts'
import type { App, Context } from '../context.ts'
import type { Metrics } from '../metrics.ts'
import { Problem } from '../response/problem.ts'
import { schemas } from '../schemas/routes.ts'

const READY_TIMEOUT_MS = 5_000

/** Routes for whatever keeps the server running: liveness, readiness and metrics. */
export function healthRoutes(app: App, { database, signal }: Context, metrics: Metrics): void {
  app.get('/healthz', { schema: schemas.health }, () => ({ status: 'ok' }))

  app.get('/readyz', { schema: schemas.ready }, async () => {
    const schema = await withTimeout(READY_TIMEOUT_MS, (limit) => readSchemaState(database, { signal: limit }), {
      what: 'Asking the database',
      signal,
    }).catch((cause: unknown) => {
      throw new Problem(503, `the database does not answer: ${messageOf(cause)}`, 'check that it is up', { cause })
    })
    if (schema !== 'current')
      throw new Problem(
        503,
        `schema sluice is ${schema === 'old' ? 'older than this version needs' : 'missing'}`,
        'run sluice migrate',
      )
    return { status: 'ready', schema }
  })

  app.get('/metrics', { schema: schemas.metrics }, async (_, reply) =>
    reply.type(metrics.contentType).send(await metrics.text()),
  )
}
