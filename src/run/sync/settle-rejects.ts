import { readOpenIdentities, type OpenIdentity } from '../../ledger/read/read-rejects.ts'
import { hashIdentity, keyIdentity, keyOfIdentity, type RecordLevel } from '../../ledger/slices/reject-identity.ts'
import { removesAnnounced } from '../../model/deletions.ts'
import type { Page } from '../../model/page.ts'
import type { Table } from '../../model/recipe.ts'
import { compareCursors, cursorKind } from '../../value/cursor-order.ts'
import { parseStoredJson } from '../../value/json/stored-json.ts'
import { keyTexts } from '../../value/key-texts.ts'
import type { SliceContext } from './slice-context.ts'

/** The fields that identify a reject of a table: its key, and its version if it has one. */
export const identifyingFields = ({ key, versionBy }: Table): string[] =>
  key.length === 0 || versionBy === undefined ? [...key] : [...key, versionBy]

/** What the records of a slice show about the key of their table. */
export interface KeyUse {
  /** The stages changed the key of a record: equal keys of records as they were read do not mean equal rows. */
  isKeyChanged: boolean
}

/**
 * Marks on each page which open rejects of earlier reads its records settle. A record settles a reject of the same
 * record, and one with the same key; with `versionBy` only if its version is at least that of the reject, and in a
 * history only if it is the same. A rejected record is compared with records as they were read, and by its key only
 * with those that kept theirs: another key says nothing about the row that the record would have become. Without open
 * rejects the pages pass as they are.
 */
export async function* settleRejects(
  pages: AsyncIterable<Page>,
  { stream: { database, pipeline, stream, table, writeSignal: signal }, slice }: SliceContext,
  keyUse: KeyUse,
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
      const origin = origins[index]
      if (origin !== record && !hasSameKey(origin, record, table.key)) keyUse.isKeyChanged = true
      for (const identity of rejects.settledBy(record, origin, parents)) settles.add(identity)
    }
    // What is deleted needs no repair, and a replay must not bring it back.
    if (removesAnnounced(table))
      for (const { record, origin } of page.tombstones ?? [])
        for (const identity of rejects.settledByDeletion(record, origin, parents)) settles.add(identity)
    yield settles.size === 0 ? page : { ...page, settles: [...settles] }
  }
}

function hasSameKey(origin: unknown, record: unknown, key: readonly string[]): boolean {
  const [before, after] = [keyTexts(origin, key), keyTexts(record, key)]
  // A record that had no key gets an identity by its content.
  return before === undefined || JSON.stringify(before) === JSON.stringify(after)
}

const samples = (rejects: readonly OpenIdentity[]): ReadonlySet<string> =>
  new Set(rejects.map(({ record }) => sample(parseStoredJson(record ?? 'null'))))

/** Returns the first text or number of a record with its name; '' if it has none. Equal records have equal samples. */
function sample(record: unknown): string {
  if (typeof record !== 'object' || record === null || Array.isArray(record)) return ''
  for (const name of Object.keys(record)) {
    const text = keyTexts(record, [name])?.[0]
    if (text !== undefined) return `${name}=${text}`
  }
  return ''
}

/** Versions of different kinds, such as an instant and the text that PostgreSQL wrote for one, have no order. */
const isAtLeast = (version: string, other: string): boolean =>
  cursorKind(version) === cursorKind(other) && compareCursors(version, other) >= 0

class OpenRejects {
  readonly #key: readonly string[]
  readonly #fields: readonly string[]
  readonly #isVersioned: boolean
  readonly #isHistory: boolean
  readonly #open: ReadonlySet<string>
  /** The samples of rejects that are known by a hash only. A hash takes 20 µs, so only such records are hashed. */
  readonly #hashedRecords: ReadonlySet<string>
  readonly #hashedRows: ReadonlySet<string>
  /** Identities with their version, by the rest of the key. */
  readonly #byKey = new Map<string, { readonly identity: string; readonly version: string }[]>()

  constructor(found: readonly OpenIdentity[], table: Table) {
    const open = found.map(({ identity }) => identity)
    this.#key = table.key
    this.#fields = identifyingFields(table)
    this.#isVersioned = this.#fields.length > table.key.length
    this.#isHistory = table.write === 'history'
    this.#open = new Set(open)
    const hashed = found.filter(({ identity }) => keyOfIdentity(identity) === undefined)
    this.#hashedRows = samples(hashed.filter(({ identity }) => identity.startsWith('row ')))
    this.#hashedRecords = samples(hashed.filter(({ identity }) => !identity.startsWith('row ')))
    if (!this.#isVersioned) return
    for (const identity of open) {
      const [key, version] = this.#split(identity)
      if (key !== undefined && version !== undefined)
        this.#byKey.set(key, [...(this.#byKey.get(key) ?? []), { identity, version }])
    }
  }

  /** Returns the identities of the open rejects that a stored record settles. */
  settledBy(record: unknown, origin: unknown, parents?: readonly unknown[]): string[] {
    const settled = this.#withKey(record, 'row')
    const [before, after] = [keyTexts(origin, this.#fields), keyTexts(record, this.#fields)]
    if (origin === record || JSON.stringify(before) === JSON.stringify(after))
      settled.push(...this.#withKey(origin, parents?.length ?? 0))
    if (this.#hashedRecords.size > 0 && this.#hashedRecords.has(sample(origin)))
      settled.push(hashIdentity({ record: origin, parents }))
    if (this.#hashedRows.size > 0 && this.#hashedRows.has(sample(record)))
      settled.push(hashIdentity({ record, stage: 'database' }))
    return settled.filter((identity) => this.#open.has(identity))
  }

  /**
   * Returns the identities of the open rejects that a deletion settles. One without a version is later than all that
   * was read before it. A history still lacks the versions of its rejects.
   */
  settledByDeletion(record: unknown, origin: unknown, parents?: readonly unknown[]): string[] {
    const settled = this.settledBy(record, origin, parents)
    const keys = keyTexts(record, this.#key)
    if (!this.#isVersioned || this.#isHistory || !keys || keyTexts(record, this.#fields)) return settled
    const key = JSON.stringify(keys)
    const levels: RecordLevel[] = ['row', parents?.length ?? 0]
    return [
      ...settled,
      ...levels.flatMap((level) => this.#byKey.get(`${level} ${key}`) ?? []).map((one) => one.identity),
    ]
  }

  #withKey(record: unknown, level: RecordLevel): string[] {
    const identity = keyIdentity(record, this.#fields, level)
    if (identity === undefined) return []
    const [key, version] = this.#isVersioned ? this.#split(identity) : [undefined, undefined]
    if (key === undefined || version === undefined) return [identity]
    // A history lacks the version of the reject, whatever it has besides.
    if (this.#isHistory) return [identity]
    const older = (this.#byKey.get(key) ?? []).filter((one) => isAtLeast(version, one.version))
    return [identity, ...older.map((one) => one.identity)]
  }

  /** Returns level and key of an identity as text, and its version. */
  #split(identity: string): readonly [key: string | undefined, version: string | undefined] {
    const { level, values } = keyOfIdentity(identity) ?? {}
    return values ? [`${level} ${JSON.stringify(values.slice(0, -1))}`, values.at(-1)] : [undefined, undefined]
  }
}
