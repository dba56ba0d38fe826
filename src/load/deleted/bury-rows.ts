// Which tombstones of a batch delete their row, and which rows of the batch they replace.
import type { EncodedRows } from '../encode/encoded-page.ts'
import { unescapeText } from '../encode/copy-text.ts'
import { versionOrder } from '../encode/version-order.ts'
import type { KeepRule } from '../row-selection.ts'
import type { EncodedTombstone } from './encode-tombstones.ts'

interface Placed {
  readonly tombstone: EncodedTombstone
  readonly pageIndex: number
}

/**
 * Returns the tombstones of a batch that delete a row.
 *
 * | rule | rows | tombstones |
 * |---|---|---|
 * | `'newest'` | those before a tombstone are added to `dropped` | the newest of each key, unless a row follows it |
 * | `'each'` | the same | the newest of each key: a later row must not keep values of the deleted one |
 * | `'all'` | all | each that says when, and of others the last of each key, unless a row follows it |
 * | `'first'` | all | none |
 *
 * Versions decide what follows, where both have one; otherwise the order in which they were read.
 */
export function tombstonesOf(
  pages: readonly EncodedRows[],
  dropped: readonly number[][],
  keep: KeepRule,
): readonly EncodedTombstone[] {
  if (keep === 'first' || pages.every(({ tombstones }) => tombstones.length === 0)) return []
  const newest = newestByKey(pages)
  const overtaken = new Set<string>()
  pages.forEach((page, pageIndex) => {
    const gone = new Set(dropped[pageIndex])
    page.keys.forEach((key, row) => {
      const placed = gone.has(row) ? undefined : newest.get(key)
      if (!placed) return
      if (!isBuried(page, pageIndex, row, placed)) overtaken.add(key)
      else dropped[pageIndex]?.push(row)
    })
  })
  const last = [...newest.values()]
    .map(({ tombstone }) => tombstone)
    .filter(({ key }) => keep === 'each' || !overtaken.has(key))
  if (keep !== 'all') return last
  const timeless = new Set(last.filter(({ version }) => unescapeText(version) === null))
  return pages
    .flatMap(({ tombstones }) => tombstones)
    .filter((tombstone) => timeless.has(tombstone) || unescapeText(tombstone.version) !== null)
}

function newestByKey(pages: readonly EncodedRows[]): Map<string, Placed> {
  const newest = new Map<string, Placed>()
  pages.forEach((page, pageIndex) => {
    for (const tombstone of page.tombstones) {
      const before = newest.get(tombstone.key)?.tombstone
      const order = before ? compareVersions(tombstone, before.version, before.versionColumn !== undefined) : undefined
      if (order === undefined || order >= 0) newest.set(tombstone.key, { tombstone, pageIndex })
    }
  })
  return newest
}

function isBuried(page: EncodedRows, pageIndex: number, row: number, { tombstone, pageIndex: at }: Placed): boolean {
  const version = page.versions[row]
  const order =
    version === undefined ? undefined : compareVersions(tombstone, version, page.rowShape.version !== undefined)
  const isLater = pageIndex < at || (pageIndex === at && row < tombstone.rowsBefore)
  return order === undefined || order === 0 ? isLater : order > 0
}

/**
 * Compares the version of a tombstone with another one: positive if the tombstone is newer. Undefined if one of the
 * two has none: a tombstone is often nothing but a key.
 */
function compareVersions(
  { version, versionColumn }: EncodedTombstone,
  other: string,
  hasOther: boolean,
): number | undefined {
  if (!versionColumn || !hasOther || unescapeText(version) === null) return undefined
  const order = versionOrder(versionColumn.type, versionColumn.name)(version, other)
  return Number.isNaN(order) ? undefined : order
}
