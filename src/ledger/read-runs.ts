import type { Database } from '../database/database.ts'
import type { Report } from '../model/report.ts'
import type { RunKind } from '../model/slice.ts'

export interface StoredRun {
  readonly id: string
  readonly kind: RunKind
  readonly pipeline: string
  /** A run whose process is gone without a word is interrupted, whether or not somebody has noted it yet. */
  readonly status: 'running' | 'done' | 'failed' | 'interrupted'
  readonly options: unknown
  readonly startedAt: Date
  readonly finishedAt: Date | undefined
  readonly error: string | undefined
  readonly report: Report | undefined
}

export interface ReadRunsOptions {
  readonly pipeline?: string | undefined
  /** Older than this run. */
  readonly before?: string | undefined
  /** @default 20 */
  readonly limit?: number
}

/** The newest runs first. */
export async function readRuns(database: Database, { pipeline, before, limit = 20 }: ReadRunsOptions = {}): Promise<StoredRun[]> {
  return select(database, `where ($1::text is null or r.pipeline = $1) and ($2::bigint is null or r.id < $2) order by r.id desc limit $3`, [pipeline, before, limit])
}

export async function readRun(database: Database, id: string): Promise<StoredRun | undefined> {
  return (await select(database, 'where r.id = $1', [id]))[0]
}

async function select(database: Database, which: string, values: readonly unknown[]): Promise<StoredRun[]> {
  const rows = await database.query<Omit<StoredRun, 'finishedAt' | 'error' | 'report'> & { readonly finishedAt: Date | null; readonly error: string | null; readonly report: Report | null }>(
    `select r.id, r.kind, r.pipeline, r.options, r.started_at as "startedAt", r.report,
            case when r.status = 'running' and not sluice.is_alive(r) then 'interrupted' else r.status end as status,
            case when r.status = 'running' and not sluice.is_alive(r) then r.seen_at else r.finished_at end as "finishedAt",
            case when r.status = 'running' and not sluice.is_alive(r) then 'its process ended without a word' else r.error end as error
       from sluice.runs as r ${which}`, values)
  return rows.map(({ finishedAt, error, report, ...run }) => ({ ...run, finishedAt: finishedAt ?? undefined, error: error ?? undefined, report: report ?? undefined }))
}
