import { createHash } from 'node:crypto'
import { SchemaError } from '../../model/errors.ts'
import { systemColumns } from './system-columns.ts'

/** Names that every PostgreSQL table has already. */
const system = new Set(['ctid', 'xmin', 'xmax', 'cmin', 'cmax', 'tableoid'])

/** PostgreSQL cuts longer names in silence, and then finds the column no more. */
const longest = 63

/** The column of a field: snake_case, at most 63 bytes. */
export function columnName(field: string): string {
  const words = field
    .normalize('NFC')
    .replaceAll(/([\p{Ll}\d])(\p{Lu})/gu, '$1_$2')
    .replaceAll(/(\p{Lu})(\p{Lu}\p{Ll})/gu, '$1_$2')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{M}\p{N}_]+/gu, '_')
  const name = words === '' || /^\p{N}/u.test(words) ? `_${words}` : words
  if (system.has(name)) return `${name}_`
  return Buffer.byteLength(name) <= longest ? name : shortened(name, field)
}

function shortened(name: string, field: string): string {
  const suffix = `_${createHash('sha256').update(field).digest('hex').slice(0, 8)}`
  let kept = name
  while (Buffer.byteLength(kept) > longest - suffix.length) kept = Array.from(kept).slice(0, -1).join('')
  return kept + suffix
}

/** Which field stands behind each column of one table; two fields that meet in one column are an error. */
export class ColumnNames {
  readonly #table: string
  readonly #fields = new Map<string, string>()

  constructor(table: string) {
    this.#table = table
  }

  of(field: string): string {
    const name = columnName(field)
    const other = this.#fields.get(name)
    if (other === undefined) this.#fields.set(name, field)
    const taken = Object.values(systemColumns).some((column) => column === name)
    if (taken || (other !== undefined && other !== field)) {
      const both = taken
        ? `the field ${JSON.stringify(field)} and a column of Sluice's own`
        : `the fields ${JSON.stringify(other)} and ${JSON.stringify(field)}`
      throw new SchemaError(
        `${this.#table}: ${both} would both be the column ${name}: rename one in the stream, or leave it out with columns: { ${JSON.stringify(field)}: false }`,
      )
    }
    return name
  }
}
