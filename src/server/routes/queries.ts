import { gather } from '../../flow/gather.ts'
import { Semaphore } from '../../flow/semaphore.ts'
import { overviewBackfills } from '../../ledger/read/backfill-overview.ts'
import { lastGauges } from '../../ledger/read/read-events.ts'
import { readRejects } from '../../ledger/read/read-rejects.ts'
import { readReport } from '../../ledger/read/read-report.ts'
import { readRun, readRuns } from '../../ledger/read/read-runs.ts'
import { readSlices } from '../../ledger/read/read-slices.ts'
import { readWindows } from '../../ledger/read/read-windows.ts'
import { readStatusWork } from '../../run/status/work.ts'
import type { App, Context } from '../context.ts'
import { clientAbortSignal } from '../response/client-stream.ts'
import { Problem } from '../response/problem.ts'
import { schemas } from '../schemas/routes.ts'
import {
  pageOf,
  serializeBackfill,
  serializeReject,
  serializeRun,
  serializeRunWithReport,
  serializeSlice,
  serializeWindow,
  serializeWork,
} from '../schemas/serializers.ts'
import { readSummary } from '../summary.ts'

/** A summary takes several connections; with too many at once each would wait for the connections of the others. */
const MAX_SUMMARIES = 2

/** Routes that read the ledger. */
export function queryRoutes(app: App, context: Context): void {
  const { database, signal } = context
  const permits = new Semaphore(MAX_SUMMARIES)

  app.get('/api/summary', { schema: schemas.summary }, async (_, reply) => {
    using left = clientAbortSignal(reply.raw, signal)
    using _permit = await permits.acquire({ signal: left.signal })
    return await readSummary(context, left.signal)
  })

  app.get('/api/runs', { schema: schemas.runs }, async ({ query: { after, limit, ...which } }) => {
    const runs = await readRuns(database, { ...which, before: after, limit: limit + 1 })
    const { items, next } = pageOf(runs, limit, ({ id }) => id)
    return { runs: items.map(serializeRun), next }
  })

  app.get('/api/runs/:id', { schema: schemas.run }, async ({ params: { id } }) => {
    const [run, details, gauges] = await gather(
      readRun(database, id),
      readReport(database, id),
      lastGauges(database, [id]),
    )
    if (!run) throw new Problem(404, `run ${id} does not exist`, 'see /api/runs')
    return serializeRunWithReport(run, details, gauges.get(id))
  })

  app.get('/api/slices', { schema: schemas.slices }, async ({ query: { after, limit, ...which } }) => {
    const slices = await readSlices(database, { ...which, before: after, limit: limit + 1 })
    const { items, next } = pageOf(slices, limit, ({ id }) => id)
    return { slices: items.map(serializeSlice), next }
  })

  app.get('/api/rejects', { schema: schemas.rejects }, async ({ query: { after = '', limit, ...which } }) => {
    const rejects = await readRejects(database, { ...which, before: after, limit: limit + 1 })
    const { items, next } = pageOf(rejects, limit, ({ id }) => id)
    return { rejects: items.map(serializeReject), next }
  })

  app.get('/api/backfills', { schema: schemas.backfills }, async ({ query: { after, limit, ...which } }) => {
    const backfills = await overviewBackfills(database, { ...which, before: after, limit: limit + 1 })
    const { items, next } = pageOf(backfills, limit, ({ id }) => id)
    return { backfills: items.map(serializeBackfill), next }
  })

  app.get('/api/backfills/:id', { schema: schemas.backfill }, async ({ params: { id } }) => {
    const [[found], windows] = await gather(overviewBackfills(database, { id }), readWindows(database, id, { signal }))
    if (!found) throw new Problem(404, `backfill ${id} does not exist`, 'see /api/backfills')
    return { ...serializeBackfill(found), map: windows.map(serializeWindow) }
  })

  app.get('/api/workers', { schema: schemas.workers }, async () => {
    const work = await readStatusWork(database)
    return { at: new Date().toISOString(), ...serializeWork(work) }
  })
}
