import type { FastifyInstance } from 'fastify'
import type { Pipeline } from '../../define/pipeline.ts'
import { readBackfill } from '../../ledger/backfills.ts'
import { readRun } from '../../ledger/read/read-runs.ts'
import { backfill } from '../../run/backfill/backfill.ts'
import type { BackfillOptions, RunOptions } from '../../run/options.ts'
import { run } from '../../run/run.ts'
import { serializeRun } from '../schemas/serializers.ts'
import type { Context } from '../context.ts'
import { Problem } from '../response/problem.ts'
import { schemas } from '../schemas/schemas.ts'

interface Keyed {
  readonly Headers: { readonly 'idempotency-key'?: string }
}
type RunBody = { readonly pipeline: string } & Pick<RunOptions, 'streams' | 'full' | 'overlap'>
type BackfillBody = { readonly pipeline: string; readonly stream: string } & Pick<
  BackfillOptions,
  'from' | 'to' | 'window' | 'zone' | 'concurrency' | 'only'
>

/** What may be asked to be done: runs begin, and go on after their id was answered. */
export function commandRoutes(app: FastifyInstance, { database, runner, pipelines, runOptions }: Context): void {
  const found = (name: string, streams: readonly string[] = []): Pipeline => {
    const pipeline = pipelines.get(name)
    if (!pipeline)
      throw new Problem(404, `there is no pipeline '${name}'`, `it has: ${[...pipelines.keys()].join(', ') || 'none'}`)
    const unknown = streams.filter((stream) => !Object.hasOwn(pipeline.streams, stream))
    if (unknown.length > 0)
      throw new Problem(
        422,
        `${name} has no stream ${unknown.map((stream) => `'${stream}'`).join(', ')}`,
        `it has: ${Object.keys(pipeline.streams).join(', ')}`,
      )
    return pipeline
  }

  app.post<Keyed & { Body: RunBody }>(
    '/api/runs',
    { schema: schemas.beginRun },
    async ({ body, headers: { 'idempotency-key': key } }, reply) => {
      const { pipeline: name, ...options } = body
      const pipeline = found(name, options.streams)
      const id = await runner.begin({ key, what: 'run', body }, (terms) =>
        run(pipeline, { ...runOptions, ...options, ...terms }),
      )
      return reply.code(202).header('location', `/api/runs/${id}`).send({ run: id })
    },
  )

  app.post<Keyed & { Body: BackfillBody }>(
    '/api/backfills',
    { schema: schemas.beginBackfill },
    async ({ body, headers: { 'idempotency-key': key } }, reply) => {
      const { pipeline: name, ...options } = body
      const pipeline = found(name, [options.stream])
      const id = await runner.begin({ key, what: 'backfill', body }, (terms) =>
        backfill(pipeline, { ...runOptions, ...options, ...terms }),
      )
      return reply.code(202).header('location', `/api/runs/${id}`).send({ run: id })
    },
  )

  app.post<Keyed & { Params: { id: string }; Body: Pick<BackfillOptions, 'only' | 'concurrency'> | null }>(
    '/api/backfills/:id/retry',
    { schema: schemas.retryBackfill },
    async ({ params: { id: which }, body, headers: { 'idempotency-key': key } }, reply) => {
      const words = await readBackfill(database, which)
      if (!words) throw new Problem(404, `there is no backfill ${which}`, 'see /api/backfills')
      const { pipeline: name, stream, from, to, window, zone } = words
      const pipeline = found(name, [stream])
      const { only = 'failed', ...options } = body ?? {}
      const id = await runner.begin({ key, what: `retry of backfill ${which}`, body: { only, ...options } }, (terms) =>
        backfill(pipeline, {
          ...runOptions,
          ...options,
          stream,
          from: from.toISOString(),
          to: to.toISOString(),
          window,
          zone,
          only,
          ...terms,
        }),
      )
      return reply.code(202).header('location', `/api/runs/${id}`).send({ run: id })
    },
  )

  app.post<{ Params: { id: string } }>(
    '/api/runs/:id/cancel',
    { schema: schemas.cancelRun },
    async ({ params: { id } }, reply) => {
      const at = await runner.cancel(id)
      const known = await readRun(database, id)
      if (!known) throw new Problem(404, `there is no run ${id}`, 'see /api/runs')
      if (!at)
        throw new Problem(409, `run ${id} does not run any more: it is ${known.status}`, 'there is nothing to cancel')
      return reply.code(202).send({ run: id, status: serializeRun(known).status, stopAskedAt: at.toISOString() })
    },
  )
}
