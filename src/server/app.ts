import fastifySwagger from '@fastify/swagger'
import fastify from 'fastify'
import { ownVersion } from '../observe/package-root.ts'
import { guard, type GuardOptions } from './access/guard.ts'
import type { App, Context } from './context.ts'
import type { Metrics } from './metrics.ts'
import { ClientLeftError } from './response/client-stream.ts'
import { Problem, problemReply } from './response/problem.ts'
import { commandRoutes } from './routes/commands.ts'
import { healthRoutes } from './routes/health.ts'
import { pageRoutes } from './routes/page.ts'
import { queryRoutes } from './routes/queries.ts'
import { streamRoutes } from './routes/streams.ts'
import type { SchemaTypes } from './schemas/routes.ts'

const MAX_BODY_BYTES = 65_536

/** Returns all routes behind the guard. Secrets are hidden in every answer; every error is answered as a problem. */
export async function openApp(context: Context, guarding: GuardOptions, metrics: Metrics): Promise<App> {
  const { hide, onError } = context
  const app = fastify({
    bodyLimit: MAX_BODY_BYTES,
    forceCloseConnections: 'idle',
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 500 },
    ajv: { customOptions: { removeAdditional: false } },
  }).withTypeProvider<SchemaTypes>()
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
  // Accept JSON only, so cross-site forms cannot post. Treat an empty body as null.
  app.removeAllContentTypeParsers()
  guard(app, guarding)
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_, body, done) => {
    try {
      done(null, body === '' ? null : JSON.parse(String(body)))
    } catch {
      done(new Problem(400, 'the body is not valid JSON', 'send JSON, or an empty body'))
    }
  })
  app.addHook('onSend', (_, __, payload, done) => done(null, typeof payload === 'string' ? hide(payload) : payload))
  app.setErrorHandler(async (error, request, reply) => {
    const { status, body } = problemReply(error, `${request.method} ${request.url.split('?')[0]}`)
    if (status >= 500 && !(error instanceof Problem) && !(error instanceof ClientLeftError)) onError(error)
    return reply.code(status).type('application/json; charset=utf-8').send(body)
  })
  app.setNotFoundHandler((request) => {
    throw new Problem(
      404,
      `${request.method} ${request.url.split('?')[0]} does not exist`,
      'see /api/openapi.json for the routes that exist',
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
