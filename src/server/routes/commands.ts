import type { Flows, Pipeline } from '../../define/pipeline.ts'
import { readBackfill } from '../../ledger/backfills.ts'
import { readRun } from '../../ledger/read/read-runs.ts'
import { backfillPipeline } from '../../run/backfill/backfill-pipeline.ts'
import { backfillDistributed } from '../../run/distribute/backfill-distributed.ts'
import { runDistributed } from '../../run/distribute/run-distributed.ts'
import type { RunOptions } from '../../run/options.ts'
import { runPipeline } from '../../run/run-pipeline.ts'
import { defined } from '../../value/defined.ts'
import type { App, Context } from '../context.ts'
import { Problem } from '../response/problem.ts'
import { schemas } from '../schemas/routes.ts'

/** A client waits for the id of its run. If no worker has begun within this time, the server begins. */
const BEGIN_WITHIN_MS = 5_000

/** Routes that start and cancel runs. A run continues after its id was sent. */
export function commandRoutes(app: App, { database, runner, served, runOptions, distribute, signal }: Context): void {
  const runStreams = (pipeline: Pipeline, options: RunOptions): Promise<unknown> =>
    distribute
      ? runDistributed(pipeline, { ...options, beginWithinMs: BEGIN_WITHIN_MS })
      : runPipeline(pipeline, options)
  const runBackfill = distribute ? backfillDistributed : backfillPipeline<Flows>

  const find = async (name: string, streams: readonly string[] = []): Promise<Pipeline> => {
    const pipeline = await served.find(name, signal)
    if (!pipeline)
      throw new Problem(
        404,
        `pipeline '${name}' is not loaded here`,
        `loaded pipelines: ${[...served.byName.keys()].join(', ') || 'none'}`,
      )
    const unknown = streams.filter((stream) => !Object.hasOwn(pipeline.streams, stream))
    if (unknown.length > 0)
      throw new Problem(
        422,
        `${name} has no stream ${unknown.map((stream) => `'${stream}'`).join(', ')}`,
        `streams of ${name}: ${Object.keys(pipeline.streams).join(', ')}`,
      )
    return pipeline
  }

  app.post('/api/runs', { schema: schemas.startRun }, async ({ body, headers }, reply) => {
    const { pipeline: name, ...options } = body
    const pipeline = await find(name, options.streams)
    const request = { key: headers['idempotency-key'], action: 'run', body }
    const id = await runner.start(request, (hooks) => runStreams(pipeline, { ...runOptions, ...options, ...hooks }))
    return reply.code(202).header('location', `/api/runs/${id}`).send({ run: id })
  })

  app.post('/api/backfills', { schema: schemas.startBackfill }, async ({ body, headers }, reply) => {
    const { pipeline: name, ...options } = body
    const pipeline = await find(name, [options.stream])
    const request = { key: headers['idempotency-key'], action: 'backfill', body }
    const id = await runner.start(request, (hooks) => runBackfill(pipeline, { ...runOptions, ...options, ...hooks }))
    return reply.code(202).header('location', `/api/runs/${id}`).send({ run: id })
  })

  app.post(
    '/api/backfills/:id/retry',
    { schema: schemas.retryBackfill },
    async ({ params: { id: backfillId }, body, headers }, reply) => {
      const range = await readBackfill(database, backfillId)
      if (!range) throw new Problem(404, `backfill ${backfillId} does not exist`, 'see /api/backfills')
      const { pipeline: name, stream, from, to, window, zone } = range
      const pipeline = await find(name, [stream])
      const { only = 'failed', windows, ...options } = body ?? {}
      const request = {
        key: headers['idempotency-key'],
        action: `retry of backfill ${backfillId}`,
        body: { only, ...defined({ windows }), ...options },
      }
      const id = await runner.start(request, (hooks) =>
        runBackfill(pipeline, {
          ...runOptions,
          ...options,
          stream,
          from: from.toISOString(),
          to: to.toISOString(),
          window,
          zone,
          only,
          onlyWindows: windows,
          ...hooks,
        }),
      )
      return reply.code(202).header('location', `/api/runs/${id}`).send({ run: id })
    },
  )

  app.post('/api/runs/:id/cancel', { schema: schemas.cancelRun }, async ({ params: { id } }, reply) => {
    const stopRequestedAt = await runner.cancel(id)
    const known = await readRun(database, id)
    if (!known) throw new Problem(404, `run ${id} does not exist`, 'see /api/runs')
    if (!stopRequestedAt)
      throw new Problem(409, `run ${id} is not running: its status is ${known.status}`, 'there is nothing to cancel')
    return reply.code(202).send({ run: id, status: known.status, stopRequestedAt: stopRequestedAt.toISOString() })
  })
}
