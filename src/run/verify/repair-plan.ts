// Which ranges of a stream have to be read again, so that missing and stale rows, and nested lists, are put right.
import type { Comparison } from '../../load/compare/comparison.ts'
import { DIFFERENT, READ } from '../../load/compare/scratch-sql.ts'
import type { Recipe } from '../../model/recipe.ts'
import type { Window } from '../../model/window.ts'
import { duration } from '../../value/duration.ts'
import { instantText } from '../backfill/calendar-windows.ts'
import { cursorColumn } from './cursor-column.ts'

export interface RepairPlan {
  readonly ranges: Window[]
  /** Rows differ of which nothing says in which range they are. */
  isUnlocated: boolean
  /** Pages that were read, and those that reading the ranges takes, about. */
  pages: number
  pagesAgain: number
}

export const emptyPlan = (): RepairPlan => ({ ranges: [], isUnlocated: false, pages: 0, pagesAgain: 0 })

/** Lengths of ranges in seconds: a second, a minute, an hour, a day, a week, thirty days, a year. */
const LENGTHS = [1, 60, 3_600, 86_400, 604_800, 2_592_000, 31_536_000]
const DAY = 86_400

/** More ranges than this become fewer and longer ones: each costs a few statements, and is shown as a backfill. */
const MAX_RANGES = 200

export interface AddRangesOptions {
  readonly recipe: Recipe
  /** The number of the part. */
  readonly part: number
  /** Pages that were read of it. */
  readonly pages: number
  /** @default all of the stream was read at once */
  readonly window: Window | undefined
}

/**
 * Adds to a plan the ranges of the part that `comparison` has just compared. They are as short as pages are: a longer
 * range would read rows again that are right.
 */
export async function addRanges(
  plan: RepairPlan,
  comparison: Comparison,
  { recipe, part, pages, window }: AddRangesOptions,
): Promise<void> {
  plan.pages += pages
  const { session, rows } = comparison
  const differing = `select * from ${DIFFERENT} where "?part" = ${part} and "?kind" in ('missing', 'stale', 'lists')`
  const seconds = cursorColumn(recipe, (field) => rows.loaded(field))
  const { differ } = await session.one<{ differ: string }>(`select count(*) as differ from (${differing}) as d`)
  if (Number(differ) === 0) return
  const value = seconds?.seconds
  if (!seconds || value === undefined) {
    addAll(plan, { pages, window })
    return
  }
  const found = await session.one<Spread>(
    `select count(*) as rows, min(v)::float8 as first, max(v)::float8 as last, bool_and(v % ${DAY} = 0) as "areDays",
       (select bool_or(${seconds.name} is null) from (${differing}) as d) as "isUnlocated"
     from (select ${value} as v from ${READ} where ${seconds.name} is not null) as r`,
  )
  if (found.isUnlocated) {
    addAll(plan, { pages, window })
    return
  }
  const perPage = Math.max(1, Number(found.rows) / Math.max(1, pages))
  const { step } = recipe.incremental ?? {}
  const longest = step === undefined ? Infinity : duration(step) / 1_000
  for (const length of lengthsFrom(found, perPage, longest)) {
    const cells = await session.query<{ cell: string; rows: string }>(
      `select cell, count(*) as rows from (select floor(${value} / ${length}) as cell from ${READ}) as r
        where cell in (select floor(${value} / ${length}) from (${differing}) as d) group by 1 order by 1`,
    )
    const ranges = joined(
      cells.map(({ cell }) => Number(cell)),
      { length, longest, window },
    )
    if (ranges.length > MAX_RANGES && length !== lengthsFrom(found, perPage, longest).at(-1)) continue
    plan.ranges.push(...ranges)
    plan.pagesAgain += cells.reduce((sum, { rows: count }) => sum + Math.ceil(Number(count) / perPage), 0)
    return
  }
}

/** The values of the cursor in the rows that were read. */
interface Spread {
  readonly rows: string
  readonly first: number
  readonly last: number
  readonly areDays: boolean
  readonly isUnlocated: boolean
}

function addAll(plan: RepairPlan, { pages, window }: Pick<AddRangesOptions, 'pages' | 'window'>): void {
  if (window) plan.ranges.push(window)
  else plan.isUnlocated = true
  plan.pagesAgain += pages
}

/** Returns the lengths to try: first the one that has about a page of rows. */
function lengthsFrom({ rows, first, last, areDays }: Spread, perPage: number, longest: number): readonly number[] {
  const ofPage = (perPage * (last - first)) / Number(rows)
  const usable = LENGTHS.filter((length) => (!areDays || length >= DAY) && length <= longest)
  const best = usable.findLastIndex((length) => length <= ofPage)
  const lengths = usable.slice(Math.max(0, best))
  return lengths.length === 0 ? [longest] : lengths
}

/** Returns the ranges of some cells, those that follow each other as one. */
function joined(
  cells: readonly number[],
  {
    length,
    longest,
    window,
  }: { readonly length: number; readonly longest: number; readonly window: Window | undefined },
): Window[] {
  const ranges: { from: number; to: number }[] = []
  for (const cell of cells) {
    const [from, to] = [cell * length, (cell + 1) * length]
    const last = ranges.at(-1)
    if (last?.to === from && to - last.from <= longest) last.to = to
    else ranges.push({ from, to })
  }
  return ranges.map(({ from, to }) => ({
    lower: later(instantText(from * 1_000), window?.lower),
    upper: earlier(instantText(to * 1_000), window?.upper),
  }))
}

const later = (one: string, other: string | undefined): string =>
  other !== undefined && Date.parse(other) > Date.parse(one) ? other : one
const earlier = (one: string, other: string | undefined): string =>
  other !== undefined && Date.parse(other) < Date.parse(one) ? other : one
