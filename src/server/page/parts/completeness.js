// @ts-check
/** @typedef {NonNullable<import('../../schemas/resources.ts').Completeness>} Completeness */

/**
 * The mark and the word of a run or a slice: `done` without proof that everything was read is `open`, a warning.
 * @param {string} status
 * @param {Completeness | null} completeness
 * @returns {[kind: string, word: string]}
 */
export const provenStatus = (status, completeness) =>
  status === 'done' && completeness?.grade === 'open' ? ['warning', 'open'] : [status, status]

/** Why a reading is open, as one text; empty for the other grades. @param {Completeness | null} completeness */
export function openText(completeness) {
  if (completeness?.grade !== 'open') return ''
  return `Not proven complete: ${completeness.reasons.join('; ') || 'no reason was stored'}`
}
