import { createHash } from 'node:crypto'
import { SchemaError } from '../../model/errors.ts'
import { systemColumns } from './system-columns.ts'

/** Column names that every PostgreSQL table has. */
const POSTGRES_COLUMNS = new Set(['ctid', 'xmin', 'xmax', 'cmin', 'cmax', 'tableoid'])

/** PostgreSQL silently cuts longer names, and then does not find the column. */
const MAX_BYTES = 63

/** Returns the column name of a field: snake_case, at most 63 bytes. */
export function columnName(field: string): string {
  const words = field
    .normalize('NFC')
    .replaceAll(/([\p{Ll}\d])(\p{Lu})/gu, '$1_$2')
    .replaceAll(/(\p{Lu})(\p{Lu}\p{Ll})/gu, '$1_$2')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{M}\p{N}_]+/gu, '_')
  const name = words === '' || /^\p{N}/u.test(words) ? `_${words}` : words
  if (POSTGRES_COLUMNS.has(name)) return `${name}_`
  return fitName(name, field)
}

/** Returns a name of at most 63 bytes. What had to be cut is told apart by a hash of `field`. */
export function fitName(name: string, field: string): string {
  if (Buffer.byteLength(name) <= MAX_BYTES) return name
  const suffix = `_${createHash('sha256').update(field).digest('hex').slice(0, 8)}`
  let kept = name
  while (Buffer.byteLength(kept) > MAX_BYTES - suffix.length) kept = Array.from(kept).slice(0, -1).join('')
  return kept + suffix
}

/** The column names of one table. Two fields with the same column name are an error. */
export class ColumnNames {
  readonly #table: string
  /** The column of the account. */
  readonly #account: string | undefined
  readonly #reserved: readonly string[]
  readonly #fields = new Map<string, string>()

  /** `reserved` are names of columns that Sluice adds to this table. */
  constructor(table: string, account?: string, reserved: readonly string[] = []) {
    this.#table = table
    this.#account = account
    this.#reserved = [...Object.values(systemColumns), ...reserved]
  }

  of(field: string): string {
    const name = columnName(field)
    const other = this.#fields.get(name)
    if (other === undefined) this.#fields.set(name, field)
    if (name === this.#account)
      throw new SchemaError(
        `${this.#table}: the field ${JSON.stringify(field)} and the name of the account would both be the column ` +
          `${name}. Choose another column, as in accounts(…, { column: 'of_account' }), or rename the field`,
      )
    if (this.#reserved.includes(name))
      throw this.#conflict(name, field, `the field ${JSON.stringify(field)} and a column that Sluice adds`)
    if (other !== undefined && other !== field)
      throw this.#conflict(name, field, `the fields ${JSON.stringify(other)} and ${JSON.stringify(field)}`)
    return name
  }

  #conflict(name: string, field: string, both: string): SchemaError {
    return new SchemaError(
      `${this.#table}: ${both} would both be the column ${name}. Rename one in the stream, ` +
        `or leave it out with columns: { ${JSON.stringify(field)}: false }. ` +
        'If records have only one of them, correct the name in .incremental(), in the key or in versionBy',
    )
  }
}
