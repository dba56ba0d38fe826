import type { DifferenceSample } from '../../model/difference.ts'

/** A sample as the database returns it. */
export interface SampleRow {
  readonly key: string
  readonly columns: readonly string[] | null
}

export function sampleOf(kind: DifferenceSample['kind'], { key, columns }: SampleRow): DifferenceSample {
  const differing = columns?.map((text) => {
    const [column, before, after] = JSON.parse(text) as [string, string | null, string | null]
    return { column, before, after }
  })
  return { kind, key: JSON.parse(key, exactText) as DifferenceSample['key'], ...(differing && { columns: differing }) }
}

/** Keeps the digits of a number that a double would change, as text. */
const exactText = (_name: string, value: unknown, context?: { readonly source?: string }): unknown =>
  typeof value === 'number' && context?.source !== undefined && String(value) !== context.source
    ? context.source
    : value
