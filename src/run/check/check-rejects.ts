// Could the records of the first page be stored? A key that no record has, or a time without a zone, rejects them.
import type { Reject } from '../../model/page.ts'
import type { Table } from '../../model/recipe.ts'
import { formatCount } from '../../value/format.ts'
import { advice, problem, type Remark } from './finding.ts'

/** Returns what a run would reject of the first page. It is a problem if nothing is left, or if the run would fail. */
export function checkRejects(rejects: readonly Reject[], records: number, { maxRejects }: Table): Remark[] {
  const [first] = rejects
  if (!first) return []
  const reason = `${first.stage}: ${first.reason}`
  if (rejects.length < records && rejects.length <= maxRejects)
    return [
      advice(`${formatCount(rejects.length, 'record')} of ${records} on the first page would be rejected: ${reason}`),
    ]
  const which = records === 1 ? 'the only record' : `${rejects.length} of ${formatCount(records, 'record')}`
  return [problem(`${which} on the first page would be rejected: ${reason}`)]
}
