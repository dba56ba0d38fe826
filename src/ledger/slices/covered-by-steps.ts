// Steps that follow each other cover together what none of them covers alone: a reading across their borders, the last
// one that has no end, and, if they are a reading of everything, all that was read before.
import type { Database } from '../../database/database.ts'
import { compareCursors } from '../../value/cursor-order.ts'
import type { StreamName } from '../stream-name.ts'

export interface Covered {
  readonly slice: string
  readonly coveredBy: string
}

export interface StepsOptions extends StreamName {
  readonly run: string
  readonly signal: AbortSignal
}

/** An open reading, or a window of a backfill. */
interface OpenOne {
  readonly id: string
  readonly since: string | null
  readonly until: string | null
  readonly isWindow: boolean
  /** Seconds since 1970, with microseconds. */
  readonly finishedAt: number
}

/** A step with proof. */
interface Step {
  readonly id: string
  readonly since: string
  /** Null is the end. */
  readonly until: string | null
  readonly startedAt: number
  /** The first slice of the stream's last reading of everything. */
  readonly isVeryStart: boolean
}

/** What steps without a gap have read. */
interface Stretch extends Pick<Step, 'since' | 'until'> {
  readonly isEverything: boolean
  /** The last one of its steps. */
  readonly last: string
}

/**
 * Returns the open readings of a stream that lie in what steps have read again since, with proof and without a gap: the
 * steps of a run, or of the stream's last reading of everything, whichever runs have read them.
 */
export async function coveredBySteps(
  database: Database,
  { pipeline, stream, partition = '', run, signal }: StepsOptions,
): Promise<Covered[]> {
  const name = [pipeline, stream, partition]
  const open = await database.query<OpenOne>(
    `select s.id, s.since, s.until, s.kind = 'backfill' as "isWindow",
            extract(epoch from s.finished_at)::float8 as "finishedAt"
       from sluice.slices as s
      where (s.pipeline, s.stream, s.partition) = ($1, $2, $3) and s.completeness = 'open' and s.status = 'done'
        and s.covered_by is null and s.kind in ('sync', 'backfill')`,
    name,
    { signal },
  )
  if (open.length === 0) return []
  const steps = await database.query<Step>(
    `with last_full as materialized (
       select f.first_slice, f.last_slice from sluice.full_reads as f
        where (f.pipeline, f.stream, f.partition) = ($1, $2, $3) and f.last_slice is not null),
     ids as (
       select s.id from sluice.slices as s where s.run = $4 and (s.pipeline, s.stream, s.partition) = ($1, $2, $3)
       union
       select s.id from last_full as f join sluice.slices as s on s.id between f.first_slice and f.last_slice
        where (s.pipeline, s.stream, s.partition) = ($1, $2, $3) and s.kind <> 'backfill')
     select r.id, r.since, r.until, extract(epoch from r.started_at)::float8 as "startedAt",
            exists (select from last_full as f where f.first_slice = r.id) as "isVeryStart"
       from ids join sluice.slices as r using (id)
      where r.kind = 'sync' and r.status = 'done' and r.completeness in ('counted', 'ended') and r.since is not null
      order by r.started_at`,
    [...name, run],
    { signal },
  )
  const stretches = new Map<number, readonly Stretch[]>()
  const after = (moment: number): readonly Stretch[] => {
    const index = steps.findIndex(({ startedAt }) => startedAt >= moment)
    if (index < 0) return []
    const known = stretches.get(index) ?? stretchesOf(steps.slice(index))
    stretches.set(index, known)
    return known
  }
  return open.flatMap((one) => {
    const by = after(one.finishedAt).find((stretch) => covers(stretch, one))
    return by ? [{ slice: one.id, coveredBy: by.last }] : []
  })
}

/** Joins steps that follow each other or overlap. */
function stretchesOf(steps: readonly Step[]): Stretch[] {
  const joined: { since: string; until: string | null; last: string; hasVeryStart: boolean }[] = []
  for (const { id, since, until, isVeryStart } of steps.toSorted((a, b) => compareCursors(a.since, b.since))) {
    const before = joined.at(-1)
    if (before && (before.until === null || compareCursors(since, before.until) <= 0)) {
      const isLonger = before.until !== null && (until === null || compareCursors(until, before.until) > 0)
      if (isLonger) Object.assign(before, { until, last: id })
      before.hasVeryStart ||= isVeryStart
    } else joined.push({ since, until, last: id, hasVeryStart: isVeryStart })
  }
  return joined.map(({ hasVeryStart, ...rest }) => ({ ...rest, isEverything: hasVeryStart && rest.until === null }))
}

/** A reading from the very start, and a window, whose bounds are times, are covered by a reading of everything only. */
function covers(stretch: Stretch, { since, until, isWindow }: OpenOne): boolean {
  if (stretch.isEverything) return true
  if (isWindow || since === null || compareCursors(stretch.since, since) > 0) return false
  return stretch.until === null || (until !== null && compareCursors(until, stretch.until) <= 0)
}
