import type { DifferenceSample } from '../../model/difference.ts'
import { cellText } from './text-table.ts'

/** Returns rows as lines below the line of their number; '' if there are none. */
export const shownSamples = (samples: readonly DifferenceSample[]): string =>
  samples.length === 0 ? '' : `\n${samples.map((sample) => `      ${sampleText(sample)}`).join('\n')}`

/** Returns the key of a row, and its columns that differ with both values. */
function sampleText({ key, columns = [] }: DifferenceSample): string {
  const keyText = Object.entries(key).map(([name, value]) => `${name} ${cellText(value)}`)
  const changes = columns.map(({ column, before, after }) => `${column} ${valueText(before)} -> ${valueText(after)}`)
  return `${keyText.join(', ')}${changes.length === 0 ? '' : `: ${changes.join(', ')}`}`
}

const valueText = (value: string | null): string => (value === null ? 'null' : JSON.stringify(value))
