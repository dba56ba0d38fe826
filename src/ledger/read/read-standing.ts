import type { Queryable } from '../../database/queryable.ts'
import type { Completeness } from '../../model/completeness.ts'
import { completenessOf, COMPLETENESS, type CompletenessRow } from '../completeness.ts'

/** A sync slice of a stream, open or done. */
export interface SyncSummary {
  readonly slice: string
  /** The run that claimed it last. */
  readonly run: string
  readonly isOpen: boolean
  /** Open, and a run holds it. */
  readonly isHeld: boolean
  /** When another run may claim it, unless the lease is renewed. */
  readonly until: Date | undefined
  readonly since: string | undefined
  readonly high: string | undefined
  readonly createdAt: Date
  readonly finishedAt: Date | undefined
  /** Undefined if it is not known: before the end, for replays, and for slices of older versions. */
  readonly completeness: Completeness | undefined
  /** Records and parents. */
  readonly read: number
  /** Inserted and updated. */
  readonly stored: number
  readonly rejected: number
  /** Fields that had values in earlier readings and have none any more. */
  readonly lostFields: readonly string[]
  readonly error: string | undefined
}

/** The parts of the ledger that exist: schema `sluice` may be missing or old. */
export interface LedgerParts {
  readonly slices: boolean
  readonly ticks: boolean
  readonly waits: boolean
  readonly sharedKeys: boolean
  readonly pauses: boolean
}

export async function readLedgerParts(on: Queryable): Promise<LedgerParts> {
  return on.one<LedgerParts>(
    `select to_regclass('sluice.rejects') is not null as slices, to_regclass('sluice.ticks') is not null as ticks,
            to_regclass('sluice.waits') is not null as waits,
            to_regclass('sluice.shared_keys') is not null as "sharedKeys",
            to_regclass('sluice.pauses') is not null as pauses`,
  )
}

/** Returns the last syncs of streams, by `pipeline.stream`, the newest first. */
export async function readSyncs(
  on: Queryable,
  streams: readonly (readonly [pipeline: string, stream: string])[],
  { limit = 30 }: { readonly limit?: number } = {},
): Promise<ReadonlyMap<string, SyncSummary[]>> {
  const rows = await on.query<
    CompletenessRow & { readonly lost: readonly string[] | null } & Omit<
        SyncSummary,
        | 'completeness'
        | 'until'
        | 'since'
        | 'high'
        | 'finishedAt'
        | 'error'
        | 'read'
        | 'stored'
        | 'rejected'
        | 'lostFields'
      > &
      Readonly<Record<'since' | 'high' | 'error', string | null>> &
      Readonly<Record<'until' | 'finishedAt', Date | null>> &
      Readonly<Record<'read' | 'stored' | 'rejected', string>> & { readonly name: string }
  >(
    `select concat_ws('.', n.pipeline, n.stream) as name, s.*
       from unnest($1::text[], $2::text[]) as n (pipeline, stream), lateral (
       select s.id as slice, s.run, s.status = 'open' as "isOpen",
              s.status = 'open' and not sluice.is_claimable(s) as "isHeld", s.lease_until as until,
              s.since, s.high_water_mark as high, s.created_at as "createdAt", s.finished_at as "finishedAt",
              s.fetched + s.parents as read, s.inserted + s.updated as stored, s.rejected, s.error,
              ${COMPLETENESS},
              -- The ledger may be older than the column.
              coalesce(to_jsonb(s) -> 'lost_fields', '[]') as lost
         from sluice.slices as s
        where (s.pipeline, s.stream) = (n.pipeline, n.stream) and s.kind = 'sync' and s.status in ('done', 'open')
        order by s.id desc limit $3) as s`,
    [streams.map(([pipeline]) => pipeline), streams.map(([, stream]) => stream), limit],
  )
  const readings = rows.map(
    ({ name, read, stored, rejected, completeness, open_reasons, lost, ...row }) =>
      [
        name,
        {
          ...row,
          completeness: completenessOf({ completeness, open_reasons }),
          until: row.until ?? undefined,
          since: row.since ?? undefined,
          high: row.high ?? undefined,
          finishedAt: row.finishedAt ?? undefined,
          error: row.error ?? undefined,
          read: Number(read),
          stored: Number(stored),
          rejected: Number(rejected),
          lostFields: lost ?? [],
        },
      ] as const,
  )
  return new Map(
    [...Map.groupBy(readings, ([place]) => place)].map(([place, all]) => [place, all.map(([, reading]) => reading)]),
  )
}

/** The last sync of a pipeline, which failed before it started: it has no slices, and no report. */
export interface NotStarted {
  readonly pipeline: string
  readonly run: string
  readonly at: Date
  readonly error: string | null
}

/** Returns the pipelines whose last sync failed before it started. */
export async function readNotStarted(on: Queryable, pipelines: readonly string[]): Promise<NotStarted[]> {
  return on.query<NotStarted & Record<string, unknown>>(
    `select n.pipeline, last.id as run, last.finished_at as at, last.error
       from unnest($1::text[]) as n (pipeline), lateral (
       select * from sluice.runs as r
        where r.pipeline = n.pipeline and r.kind = 'sync' order by r.id desc limit 1) as last
      where last.status = 'failed' and last.report is null`,
    [pipelines],
  )
}

/** A pipeline that a scheduler has registered. */
export interface Scheduled {
  readonly pipeline: string
  /** Its ticks count from then on. */
  readonly registeredAt: Date
  /** The newest tick that was run, and its status. */
  readonly tick: Date | undefined
  readonly status: 'running' | 'done' | 'failed' | 'interrupted' | undefined
  readonly run: string | undefined
  readonly note: string | undefined
}

export async function readScheduled(on: Queryable): Promise<Scheduled[]> {
  const rows = await on.query<{
    pipeline: string
    registeredAt: Date
    tick: Date | null
    status: Scheduled['status'] | null
    run: string | null
    note: string | null
  }>(
    `select s.pipeline, s.registered_at as "registeredAt", t.tick, t.status, t.run, t.note from sluice.schedules as s
       left join lateral (
         select * from sluice.ticks as t
          where t.pipeline = s.pipeline and t.status in ('running', 'done', 'failed', 'interrupted')
          order by tick desc limit 1) as t on true`,
  )
  return rows.map(({ tick, status, run, note, ...row }) => ({
    ...row,
    tick: tick ?? undefined,
    status: status ?? undefined,
    run: run ?? undefined,
    note: note ?? undefined,
  }))
}

/** Counts the failed windows of each stream, with the error of the newest. */
export async function countFailedWindows(
  on: Queryable,
): Promise<
  { readonly pipeline: string; readonly stream: string; readonly windows: number; readonly error: string | null }[]
> {
  return on.query(
    `select pipeline, stream, count(*)::int as windows, (array_agg(error order by id desc))[1] as error
       from sluice.slices where kind = 'backfill' and status = 'failed' group by pipeline, stream`,
  )
}
