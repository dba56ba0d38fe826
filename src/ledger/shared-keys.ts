import type { Queryable } from '../database/queryable.ts'
import { quoteLiteral } from '../database/quote.ts'
import type { Table } from '../model/recipe.ts'
import type { Slice } from '../model/slice.ts'
import { storableText } from '../value/text.ts'

// Keys that are not unique, in `sluice.shared_keys`: migrations/0041_shared_keys.sql.

/** A reading whose records shared a key and differed, and that no later reading has refuted. */
export interface SharedKey {
  readonly pipeline: string
  readonly stream: string
  /** The run that found it. */
  readonly run: string
  /** What the key was then, as `keyTerms` tells it. */
  readonly terms: string
  /** The sentence of the run's warning. */
  readonly message: string
}

/** Returns what decides which rows share a key, as one text: a note with other terms says nothing of this table. */
export const keyTerms = ({ name, key, write, versionBy }: Table): string =>
  JSON.stringify([name, key, write, versionBy ?? null])

/** Returns the statement for a batch whose records share a key and differ. */
export function sharedKeySql({ id }: Pick<Slice, 'id'>, table: Table, message: string): string {
  const texts = [keyTerms(table), storableText(message)].map(quoteLiteral)
  return `select sluice.note_shared_key(${BigInt(id)}, ${texts.join(', ')})`
}

/** Returns the statement for the end of a slice, to run after its status is stored. */
export const settleSharedKeySql = ({ id }: Pick<Slice, 'id'>): string =>
  `select sluice.settle_shared_key(${BigInt(id)})`

/** Returns the statement for a slice that restarts. */
export const reopenSharedKeySql = ({ id }: Pick<Slice, 'id'>): string =>
  `select sluice.reopen_shared_key(${BigInt(id)})`

/** Returns the keys of all streams that are not unique. */
export const readSharedKeys = async (on: Queryable): Promise<SharedKey[]> =>
  on.query<SharedKey & Record<string, unknown>>(
    'select pipeline, stream, run, terms, message from sluice.shared_keys order by pipeline, stream',
  )
