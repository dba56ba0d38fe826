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
  backfillAnswer,
  detailAnswer,
  gaugeAnswer,
  paged,
  rejectAnswer,
  runAnswer,
  sliceAnswer,
  windowAnswer,
} from '../answers.ts'
import type { Context } from '../context.ts'
import { Fault } from '../fault.ts'
import { schemas } from '../shapes.ts'
import { summary } from '../summary.ts'

interface Paged {
  readonly after?: string
  readonly limit: number
}

/** Each takes several connections, and would wait for one with the others in hand. */
const SUMMARIES = 2

/** What the ledger knows, as JSON. */
export function lookRoutes(app: FastifyInstance, context: Context): void {
  const { database, signal } = context
  const permits = new Semaphore(SUMMARIES)

  app.get('/api/summary', { schema: schemas.summary }, async () => {
    using _ = await permits.acquire({ signal })
    return await summary(context, signal)
  })

  app.get<{ Querystring: Paged & Pick<ReadRunsOptions, 'pipeline' | 'kind' | 'status'> }>(
    '/api/runs',
    { schema: schemas.runs },
    async ({ query: { after, limit, ...which } }) => {
      const { items, next } = paged(
        await readRuns(database, { ...which, before: after, limit: limit + 1 }),
        limit,
        ({ id }) => id,
      )
      return { runs: items.map(runAnswer), next }
    },
  )

  app.get<{ Params: { id: string } }>('/api/runs/:id', { schema: schemas.run }, async ({ params: { id } }) => {
    const [run, details, gauges] = await gather(
      readRun(database, id),
      readReport(database, id),
      lastGauges(database, [id]),
    )
    if (!run) throw new Fault(404, `there is no run ${id}`, 'see /api/runs')
    return {
      ...runAnswer(run),
      options: run.options,
      report: run.report ?? null,
      details: details.map(detailAnswer),
      gauge: gaugeAnswer(gauges.get(id)),
    }
  })

  app.get<{ Querystring: Paged & Omit<ReadSlicesOptions, 'before' | 'limit'> }>(
    '/api/slices',
    { schema: schemas.slices },
    async ({ query: { after, limit, ...which } }) => {
      const { items, next } = paged(
        await readSlices(database, { ...which, before: after, limit: limit + 1 }),
        limit,
        ({ id }) => id,
      )
      return { slices: items.map(sliceAnswer), next }
    },
  )

  app.get<{
    Querystring: Paged & { pipeline?: string; stream?: string; run?: string; slice?: string; replayed: boolean }
  }>('/api/rejects', { schema: schemas.rejects }, async ({ query: { after = '', limit, ...which } }) => {
    const { items, next } = paged(
      await readRejects(database, { ...which, before: after, limit: limit + 1 }),
      limit,
      ({ id }) => id,
    )
    return { rejects: items.map(rejectAnswer), next }
  })

  app.get<{ Querystring: Paged & { pipeline?: string; stream?: string } }>(
    '/api/backfills',
    { schema: schemas.backfills },
    async ({ query: { after, limit, ...which } }) => {
      const { items, next } = paged(
        await overviewBackfills(database, { ...which, before: after, limit: limit + 1 }),
        limit,
        ({ id }) => id,
      )
      return { backfills: items.map(backfillAnswer), next }
    },
  )

  app.get<{ Params: { id: string } }>(
    '/api/backfills/:id',
    { schema: schemas.backfill },
    async ({ params: { id } }) => {
      const [[found], windows] = await gather(overviewBackfills(database, { id }), readWindows(database, id, signal))
      if (!found) throw new Fault(404, `there is no backfill ${id}`, 'see /api/backfills')
      return { ...backfillAnswer(found), map: windows.map(windowAnswer) }
    },
  )
}
