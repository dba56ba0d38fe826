import type { Flow } from '../../define/flow.ts'
import { openScope } from '../../read/open-scope.ts'
import { readRecipe } from '../../read/read-recipe.ts'
import type { RunEvent } from '../../model/event.ts'
import type { ReadCounts, Reject } from '../../model/page.ts'
import { addCounts, NO_READ_COUNTS } from '../../model/counts.ts'
import type { Range } from '../../model/request.ts'
import { readSecrets } from '../../observe/secrets.ts'

export interface SampleOptions extends Range {
  /** The stream, for events. */
  readonly stream: string
  /** Stop after so many rows. @default all */
  readonly limit?: number | undefined
  /** Rows and rejects that are kept to be shown. @default limit */
  readonly keep?: number
  readonly environment?: Readonly<Record<string, string | undefined>>
  readonly on?: ((event: RunEvent) => void) | undefined
  readonly signal: AbortSignal
}

export interface Sample {
  /** As they would be stored, with the names of the record's fields. */
  readonly rows: readonly unknown[]
  readonly rejects: readonly Reject[]
  /** Of all pages that were read. */
  readonly counts: ReadCounts
  /** Rows that these pages hold. */
  readonly total: number
  /** Nothing is left to read. */
  readonly isWhole: boolean
}

/** Read some of a stream, through its stages, and store nothing. */
export async function sample(
  { recipe }: Flow<unknown>,
  { stream, limit = Infinity, keep = limit, environment = process.env, on, signal, since, until }: SampleOptions,
): Promise<Sample> {
  const rows: unknown[] = []
  const rejects: Reject[] = []
  let counts = NO_READ_COUNTS
  let total = 0
  await using scope = openScope({ signal, secrets: readSecrets(environment), ...(on && { emit: on }) })
  for await (const page of readRecipe(
    recipe,
    { position: null, restart: 'page', since, until },
    { ...scope, stream },
  )) {
    page.hold?.[Symbol.dispose]()
    counts = addCounts(counts, page.counts)
    total += page.records.length
    rows.push(...page.records.slice(0, Math.max(0, keep - rows.length)))
    rejects.push(...page.rejects.slice(0, Math.max(0, keep - rejects.length)))
    if (total >= limit) return { rows, rejects, counts, total, isWhole: false }
  }
  return { rows, rejects, counts, total, isWhole: true }
}
