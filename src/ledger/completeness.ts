import type { Completeness, Grade } from '../model/completeness.ts'

/** The completeness of a slice, or of several, as the ledger has it. */
export interface CompletenessRow {
  readonly completeness: Grade | null
  readonly open_reasons: readonly string[] | null
}

/**
 * The grade of a slice `s`. Before its end it proves nothing, and only `open` is sure. A skipped window is not read.
 */
const GRADE = `case
  when s.status = 'done' or (s.completeness = 'open' and s.status <> 'skipped') then s.completeness end`

/** Selects the completeness of a slice `s`. */
export const COMPLETENESS = `${GRADE} as completeness, s.open_reasons`

/**
 * Selects the worst completeness of all slices `s`. In the order of the alphabet the worst grade is the last one. A
 * slice that is done and of which it is not known makes it unknown, unless another one is open.
 */
export const WORST_COMPLETENESS = `
  case when bool_or(${GRADE} = 'open') then 'open'
       when not bool_or(s.status = 'done' and s.completeness is null) then max(${GRADE}) end as completeness,
  sluice.all_reasons(s.open_reasons order by s.id) filter (where s.status <> 'skipped') as open_reasons`

/** Returns the completeness of a row; undefined if it is not known. */
export const completenessOf = ({
  completeness: grade,
  open_reasons: reasons,
}: CompletenessRow): Completeness | undefined => (grade === null ? undefined : { grade, reasons: reasons ?? [] })
