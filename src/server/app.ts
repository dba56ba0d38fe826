import fastifySwagger from '@fastify/swagger'
import fastify, { type FastifyInstance } from 'fastify'
import { ownVersion } from '../observe/package-root.ts'
import type { Context } from './context.ts'
import { Problem, problemReply } from './response/problem.ts'
import { guard, type GuardOptions } from './access/guard.ts'
import type { Metrics } from './metrics.ts'
import { commandRoutes } from './routes/commands.ts'
import { streamRoutes } from './routes/streams.ts'
import { queryRoutes } from './routes/queries.ts'
import { healthRoutes } from './routes/health.ts'
import { pageRoutes } from './routes/page.ts'

/** What a request may send. */
const BODY_BYTES = 65_536

/** Every route, behind the guard; what is answered is freed of secrets, and a fault is place, fault and remedy. */
export async function openApp(context: Context, guarding: GuardOptions, metrics: Metrics): Promise<FastifyInstance> {
  const { hide, onError } = context
  const app = fastify({
    bodyLimit: BODY_BYTES,
    forceCloseConnections: 'idle',
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 500 },
    ajv: { customOptions: { removeAdditional: false } },
  })
  await app.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Sluice',
        version: ownVersion(),
        description: 'Keeps tables in PostgreSQL in step with paginated web APIs.',
      },
    },
    hideUntagged: false,
  })
  // What a form of another site could send is none of ours; and a body of nothing is one, whatever its type says.
  app.removeAllContentTypeParsers()
  guard(app, guarding)
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_, body, done) => {
    try {
      done(null, body === '' ? null : JSON.parse(String(body)))
    } catch {
      done(new Problem(400, 'the body is no JSON', 'send JSON, or nothing'))
    }
  })
  app.addHook('onSend', (_, __, payload, done) => done(null, typeof payload === 'string' ? hide(payload) : payload))
  app.setErrorHandler(async (error, request, reply) => {
    const { status, error: said } = problemReply(error, `${request.method} ${request.url.split('?')[0]}`)
    if (status >= 500 && !(error instanceof Problem)) onError(error)
    return reply.code(status).type('application/json; charset=utf-8').send({ error: said })
  })
  app.setNotFoundHandler((request) => {
    throw new Problem(
      404,
      `there is no ${request.method} ${request.url.split('?')[0]}`,
      'see /api/openapi.json for what there is',
    )
  })
  queryRoutes(app, context)
  commandRoutes(app, context)
  streamRoutes(app, context)
  healthRoutes(app, context, metrics)
  pageRoutes(app)
  app.get('/api/openapi.json', { schema: { hide: true } }, () => app.swagger())
  await app.ready()
  return app
}
