import { readOpenIdentities } from '../../ledger/read/read-rejects.ts'
import { keyIdentity, keyOfIdentity, rejectIdentities } from '../../ledger/slices/reject-identity.ts'
import type { Page } from '../../model/page.ts'
import type { Table } from '../../model/recipe.ts'
import { compareCursors } from '../../value/cursor-order.ts'
import type { SliceContext } from './slice-context.ts'

/** The fields that identify a reject of a table: its key, and its version if it has one. */
export const identifyingFields = ({ key, versionBy }: Table): string[] =>
  key.length === 0 || versionBy === undefined ? [...key] : [...key, versionBy]

/**
 * Marks on each page which open rejects of earlier reads its records settle. A record settles a reject of the same
 * record, and one with the same key; with `versionBy` only if its version is at least that of the reject. Without open
 * rejects the pages pass as they are.
 */
export async function* settleRejects(
  pages: AsyncIterable<Page>,
  { stream: { database, pipeline, stream, table, writeSignal: signal }, slice }: SliceContext,
): AsyncGenerator<Page, void, undefined> {
  // A replay settles its rejects by their ids.
  const isReplay = slice.kind === 'replay'
  const open = isReplay ? [] : await readOpenIdentities(database, { pipeline, stream }, { except: slice.id, signal })
  if (open.length === 0) {
    yield* pages
    return
  }
  const rejects = new OpenRejects(open, table)
  for await (const page of pages) {
    const { records, origins = records, parents } = page
    const settles = new Set<string>()
    for (const [index, record] of records.entries()) {
      for (const identity of rejects.settledBy(record)) settles.add(identity)
      if (origins !== records || parents)
        for (const identity of rejects.settledBy(origins[index], parents)) settles.add(identity)
    }
    yield settles.size === 0 ? page : { ...page, settles: [...settles] }
  }
}

class OpenRejects {
  readonly #fields: readonly string[]
  readonly #isVersioned: boolean
  readonly #open: ReadonlySet<string>
  /** Some rejects are known by a hash only, so each record has to be hashed. */
  readonly #hasHashes: boolean
  /** Identities with their version, by the rest of the key. */
  readonly #byKey = new Map<string, { readonly identity: string; readonly version: string }[]>()

  constructor(open: readonly string[], table: Table) {
    this.#fields = identifyingFields(table)
    this.#isVersioned = this.#fields.length > table.key.length
    this.#open = new Set(open)
    this.#hasHashes = open.some((identity) => keyOfIdentity(identity) === undefined)
    if (!this.#isVersioned) return
    for (const identity of open) {
      const [key, version] = this.#split(identity)
      if (key !== undefined && version !== undefined)
        this.#byKey.set(key, [...(this.#byKey.get(key) ?? []), { identity, version }])
    }
  }

  /** Returns the identities of the open rejects that a record settles. */
  settledBy(record: unknown, parents?: readonly unknown[]): string[] {
    const byKey = keyIdentity(record, this.#fields)
    const all = this.#hasHashes ? rejectIdentities({ record, parents }, this.#fields) : [byKey ?? '']
    const same = all.filter((identity) => this.#open.has(identity))
    const [key, version] = this.#isVersioned ? this.#split(byKey) : [undefined, undefined]
    if (key === undefined || version === undefined) return same
    const older = (this.#byKey.get(key) ?? []).filter((one) => compareCursors(version, one.version) >= 0)
    return [...same, ...older.map(({ identity }) => identity)]
  }

  #split(identity: string | undefined): readonly [key: string | undefined, version: string | undefined] {
    const values = identity === undefined ? undefined : keyOfIdentity(identity)
    return values ? [JSON.stringify(values.slice(0, -1)), values.at(-1)] : [undefined, undefined]
  }
}
