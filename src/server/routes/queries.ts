import type { FastifyInstance } from 'fastify'
import { overviewBackfills } from '../../ledger/read/backfill-overview.ts'
import { lastGauges } from '../../ledger/read/read-events.ts'
import { readRejects } from '../../ledger/read/read-rejects.ts'
import { readReport } from '../../ledger/read/read-report.ts'
import { readRun, readRuns, type ReadRunsOptions } from '../../ledger/read/read-runs.ts'
import { readSlices, type ReadSlicesOptions } from '../../ledger/read/read-slices.ts'
import { readWindows } from '../../ledger/read/read-windows.ts'
import { gather } from '../../flow/gather.ts'
import { Semaphore } from '../../flow/semaphore.ts'
import {
  serializeBackfill,
  serializeRunDetail,
  serializeGauge,
  pageOf,
  serializeReject,
  serializeRun,
  serializeSlice,
  serializeWindow,
} from '../schemas/serializers.ts'
import type { Context } from '../context.ts'
import { Problem } from '../response/problem.ts'
import { schemas } from '../schemas/schemas.ts'
import { readSummary } from '../summary.ts'

interface Paged {
  readonly after?: string
  readonly limit: number
}

/** Each takes several connections, and would wait for one with the others in hand. */
const SUMMARIES = 2

/** What the ledger knows, as JSON. */
export function queryRoutes(app: FastifyInstance, context: Context): void {
  const { database, signal } = context
  const permits = new Semaphore(SUMMARIES)

  app.get('/api/summary', { schema: schemas.summary }, async () => {
    using _ = await permits.acquire({ signal })
    return await readSummary(context, signal)
  })

  app.get<{ Querystring: Paged & Pick<ReadRunsOptions, 'pipeline' | 'kind' | 'status'> }>(
    '/api/runs',
    { schema: schemas.runs },
    async ({ query: { after, limit, ...which } }) => {
      const { items, next } = pageOf(
        await readRuns(database, { ...which, before: after, limit: limit + 1 }),
        limit,
        ({ id }) => id,
      )
      return { runs: items.map(serializeRun), next }
    },
  )

  app.get<{ Params: { id: string } }>('/api/runs/:id', { schema: schemas.run }, async ({ params: { id } }) => {
    const [run, details, gauges] = await gather(
      readRun(database, id),
      readReport(database, id),
      lastGauges(database, [id]),
    )
    if (!run) throw new Problem(404, `there is no run ${id}`, 'see /api/runs')
    return {
      ...serializeRun(run),
      options: run.options,
      report: run.report ?? null,
      details: details.map(serializeRunDetail),
      gauge: serializeGauge(gauges.get(id)),
    }
  })

  app.get<{ Querystring: Paged & Omit<ReadSlicesOptions, 'before' | 'limit'> }>(
    '/api/slices',
    { schema: schemas.slices },
    async ({ query: { after, limit, ...which } }) => {
      const { items, next } = pageOf(
        await readSlices(database, { ...which, before: after, limit: limit + 1 }),
        limit,
        ({ id }) => id,
      )
      return { slices: items.map(serializeSlice), next }
    },
  )

  app.get<{
    Querystring: Paged & { pipeline?: string; stream?: string; run?: string; slice?: string; replayed: boolean }
  }>('/api/rejects', { schema: schemas.rejects }, async ({ query: { after = '', limit, ...which } }) => {
    const { items, next } = pageOf(
      await readRejects(database, { ...which, before: after, limit: limit + 1 }),
      limit,
      ({ id }) => id,
    )
    return { rejects: items.map(serializeReject), next }
  })

  app.get<{ Querystring: Paged & { pipeline?: string; stream?: string } }>(
    '/api/backfills',
    { schema: schemas.backfills },
    async ({ query: { after, limit, ...which } }) => {
      const { items, next } = pageOf(
        await overviewBackfills(database, { ...which, before: after, limit: limit + 1 }),
        limit,
        ({ id }) => id,
      )
      return { backfills: items.map(serializeBackfill), next }
    },
  )

  app.get<{ Params: { id: string } }>(
    '/api/backfills/:id',
    { schema: schemas.backfill },
    async ({ params: { id } }) => {
      const [[found], windows] = await gather(overviewBackfills(database, { id }), readWindows(database, id, signal))
      if (!found) throw new Problem(404, `there is no backfill ${id}`, 'see /api/backfills')
      return { ...serializeBackfill(found), map: windows.map(serializeWindow) }
    },
  )
}
