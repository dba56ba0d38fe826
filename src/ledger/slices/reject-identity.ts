import { createHash } from 'node:crypto'
import { exactJson } from '../../value/json/stored-json.ts'
import { keyTexts } from '../../value/key-texts.ts'

/** A record, and the parents that it was found under. The `database` rejects rows, all other stages records. */
export interface IdentifiedRecord {
  readonly record: unknown
  readonly parents?: readonly unknown[] | undefined
  readonly stage?: string
}

/** What a record is: a row of the table, or a record as it was read, below this number of parents. */
export type RecordLevel = 'row' | number

/**
 * Returns by what a record is found among the rejects of its stream: by the values of the table's key if the record has
 * them, and by a hash of the record with its parents. The first one is stored with a reject. A record and a row never
 * have the same identity, nor has a record that of its parent: a field of one name may mean something else in each.
 */
export function rejectIdentities(identified: IdentifiedRecord, key: readonly string[]): string[] {
  const byKey = keyIdentity(identified.record, key, levelOf(identified))
  const hash = hashIdentity(identified)
  return byKey === undefined ? [hash] : [byKey, hash]
}

export const levelOf = ({ stage, parents = [] }: Omit<IdentifiedRecord, 'record'>): RecordLevel =>
  stage === 'database' ? 'row' : parents.length

/** Returns the identity of a record by its content. */
export function hashIdentity({ record, parents, stage }: IdentifiedRecord): string {
  const text = `${exactJson(record)}\n${parents ? exactJson(parents) : ''}`
  return `${stage === 'database' ? 'row ' : ''}${createHash('sha256').update(text).digest('hex')}`
}

/** The identities are indexed, and an entry of the index takes 2,700 bytes at most. */
const MAX_LENGTH = 300

/** Returns the identity of a record by its key; undefined if it does not have all values, or if they are too long. */
export function keyIdentity(record: unknown, key: readonly string[], level: RecordLevel): string | undefined {
  const values = keyTexts(record, key)
  const identity = values && `key ${level} ${JSON.stringify(values)}`
  return identity !== undefined && identity.length <= MAX_LENGTH ? identity : undefined
}

/** The level and the values of the key in an identity. */
export interface IdentityKey {
  readonly level: string
  readonly values: readonly string[]
}

/** Returns the key in an identity; undefined if it is a hash. */
export function keyOfIdentity(identity: string): IdentityKey | undefined {
  const [, level, values] = /^key (\w+) (.*)$/s.exec(identity) ?? []
  return level === undefined || values === undefined ? undefined : { level, values: JSON.parse(values) as string[] }
}
