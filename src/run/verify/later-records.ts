import { hasToken } from '../../model/own-cursor.ts'
import type { Page } from '../../model/page.ts'
import { isMerged, type Recipe, type Table } from '../../model/recipe.ts'
import { cursorAt } from '../../source/cursor/cursor-at.ts'
import { compareValues, cursorValue, rangeValue, type CursorValue } from '../../source/cursor/cursor-value.ts'
import { rangeOf } from '../../source/cursor/range.ts'
import { valueFrom } from '../../source/response-value.ts'

/** Returns which records of a page the next run reads by itself; undefined if none. */
export type LaterRecords = (page: Page) => ((record: number) => boolean) | undefined

const NONE: LaterRecords = () => undefined

/**
 * Returns a function that finds the records which the next run reads by itself: those from its start on, which is the
 * stream's cursor less the lookback. Tokens have no order, so nothing is known of their records.
 */
export function laterRecords(recipe: Recipe, table: Table, cursor: string | undefined): LaterRecords {
  if (cursor === undefined || hasToken(recipe)) return NONE
  const { incremental } = recipe
  const start = rangeValue(rangeOf(incremental, { since: cursor, isMerged: isMerged(table) }).since ?? cursor)
  const at = incremental && cursorAt(incremental)
  const isLater = (value: CursorValue | null | undefined): boolean => Boolean(value && compareValues(value, start) >= 0)
  return (page) => {
    const { parents, highWaterMark } = page
    // The cursor is that of the outermost parents, so it holds for all of their children.
    const [parent] = parents ?? []
    if (at && parent !== undefined) return isLater(cursorValue(valueFrom(at, parent))) ? () => true : undefined
    if (highWaterMark === undefined || !isLater(rangeValue(highWaterMark.value))) return undefined
    // The cursor belongs to children, whose recipes only their parents know.
    if (!at) return () => true
    const records = page.origins ?? page.records
    return (record) => isLater(cursorValue(valueFrom(at, records[record])))
  }
}
