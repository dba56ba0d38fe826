// Does a pipeline read two pages as it should? The reader of a run reads them, and stores nothing.
import { NewTable } from '../../load/new-table.ts'
import { openText, worstOf, type Completeness } from '../../model/completeness.ts'
import type { HttpSource, Recipe, Table } from '../../model/recipe.ts'
import { readSecrets } from '../../observe/secrets.ts'
import { openScope } from '../../read/open-scope.ts'
import { readSteps } from '../../read/read-steps.ts'
import { formatCount } from '../../value/format.ts'
import { pageEncoder } from './page-encoder.ts'

export interface TwoPages {
  /** One sentence. */
  readonly text: string
  /** True if the pipeline does not read on, reads the same again, or could store nothing. */
  readonly isFault: boolean
}

/**
 * Reads two pages of a stream, one request after the other. `mayEnd`: the stream has one page, as far as is known.
 * Throws what would fail a run.
 */
export async function readTwoPages(
  { recipe, table }: { readonly recipe: Recipe; readonly table: Table },
  { stream, mayEnd, signal }: { readonly stream: string; readonly mayEnd: boolean; readonly signal: AbortSignal },
): Promise<TwoPages> {
  const encode = pageEncoder(new NewTable(table, stream))
  const sizes: number[] = []
  const keys = new Set<string>()
  let rows = 0
  let rejected: string | undefined
  let completeness: Completeness | undefined
  await using scope = openScope({ signal, secrets: readSecrets(process.env) })
  for await (const page of readSteps(oneByOne(recipe), {}, { ...scope, stream })) {
    const encoded = encode(page)
    sizes.push(page.records.length)
    rows += encoded.rows.length
    rejected ??= encoded.rejects[0]?.reason
    for (const row of encoded.rows) keys.add(identityOf(row, table))
    completeness = worstOf(completeness, page.completeness)
    page.hold?.[Symbol.dispose]()
    if (sizes.length === 2) break
  }
  const [first = 0] = sizes
  const read =
    sizes.length === 2 ? `2 pages of ${sizes.join(' and ')} records` : `1 page of ${formatCount(first, 'record')}`
  if (rejected !== undefined && rows === 0) return fault(`${read}, and each one was rejected: ${rejected}`)
  if (sizes.length === 2 && keys.size === 0) return fault(read)
  // Pages of offsets overlap by a record, which comes once.
  if (keys.size < rows) return fault(`${read}, but only ${formatCount(keys.size, 'different record')}`)
  const open = openText(completeness)
  if (sizes.length < 2 && !mayEnd && open !== undefined) return fault(`the reading ended with its first page: ${open}`)
  const end = open === undefined ? '' : `. It is not proven that this is everything: ${open}`
  const some = rejected === undefined ? '' : `. Some were rejected: ${rejected}`
  return { text: `${read}, ${formatCount(keys.size, 'different record')}${end}${some}.`, isFault: false }
}

const fault = (text: string): TwoPages => ({ text: `${text}.`, isFault: true })

/** The recipe with one request under way at most. */
const oneByOne = (recipe: Recipe): Recipe =>
  'read' in recipe.source ? recipe : { ...recipe, source: politely(recipe.source) }

const politely = (source: HttpSource): HttpSource => ({
  ...source,
  api: { ...source.api, concurrency: 1, attempts: 2 },
})

function identityOf(row: unknown, { key }: Table): string {
  const values = key.length > 0 ? key.map((field) => (row as Readonly<Record<string, unknown>>)[field]) : row
  return JSON.stringify(values, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value)) ?? ''
}
